"""How right the aligners are on simulated reads, and how well they know it."""

import math
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
from judge import (
    STEP,
    THRESHOLDS,
    Curve,
    Placed,
    calibration,
    curve,
    load,
    place,
    pool,
    rivals,
)
from measure import run_once, table, wilson
from plot import calibration_plot
from simulate import SCENARIOS, Reads, simulate
from tools import OURS, TOOLS, command, found

SHOWN = (1, 10, 20, 30, 60)


def placed_by(name: str, reads: Reads, options: Namespace) -> Placed:
    """What a tool makes of the reads; that of a peer is kept beside them and not made again."""
    folder = reads.r1.parent
    kept, out = folder / f"{name}.npz", folder / f"{name}{TOOLS[name].ending}"
    if name != OURS and kept.exists():
        return load(kept)
    files = (reads.r1, reads.r2)
    run_once(command(name, options.ref, files, reads.length, options.threads, out))
    placed = place(out, reads)
    placed.save(kept)
    for left in folder.glob(f"{out.name}*"):
        left.unlink()
    return placed


def pooled(key: str, tools: list[str], options: Namespace) -> dict[str, Placed]:
    """What each tool makes of the reads of all seeds of a scenario."""
    parts = {name: [] for name in tools}
    for seed in options.seeds:
        reads = simulate(options.ref, options.foreign, key, options.pairs, seed, options.work)
        for name in tools:
            print(f"{key}, seed {seed}: {name}", file=sys.stderr)
            parts[name].append(placed_by(name, reads, options))
    return {name: pool(each) for name, each in parts.items()}


def share(hits: int, of: int, form: str = ".1e", scale: int = 1) -> str:
    """A share with its 95 % interval."""
    low, high = wilson(hits, of)
    return f"{hits / max(of, 1) * scale:{form}} [{low * scale:{form}}, {high * scale:{form}}]"


def accuracy_cells(found_by: Curve) -> list[str]:
    """Correct, and wrong and kept at some thresholds, with intervals."""
    total = found_by.reads
    cells = [share(found_by.correct, total, ".3f", 100)]
    for threshold in SHOWN:
        kept, wrong = found_by.at(threshold)
        rate = share(wrong, found_by.said(threshold))
        cells.append(f"{wrong}: {rate}, {100 * kept / total:.2f}")
    return cells


ACCURACY_HEAD = ["correct %", *(f">= {threshold}" for threshold in SHOWN)]


def is_beyond_chance(wrong: int, ours: float, reads: int) -> bool:
    """Whether the 95 % intervals of two counts of wrong reads do not meet."""
    return ours == math.inf or wilson(wrong, reads)[1] < wilson(ours, reads)[0]


def rival_line(name: str, ours: Curve, peer: Curve) -> str:
    """Where a peer is ahead on the curve of wrong against kept reads, in one line."""
    ahead = rivals(ours, peer)
    if not ahead:
        return f"{name}: nowhere ahead"
    sure = sum(is_beyond_chance(wrong, own, ours.reads) for _, _, wrong, own in ahead)
    parts = [
        f"MAPQ >= {threshold}: {100 * kept / peer.reads:.3f} % kept, {wrong} wrong, "
        + (f"{OURS} {own:.1f}" if own < math.inf else f"{OURS} keeps fewer")
        for threshold, kept, wrong, own in ahead
        if threshold in THRESHOLDS
    ]
    head = f"{name}: ahead at {len(ahead)} of {len(peer.steps())} thresholds"
    return "; ".join([f"{head}, beyond chance at {sure}", *parts])


def all_thresholds(key: str, curves: dict[str, Curve]) -> list[str]:
    """Tab-separated lines: wrong and kept of each tool at each threshold."""
    lines = []
    for threshold in THRESHOLDS:
        for name, each in curves.items():
            kept, wrong = each.at(threshold)
            said = each.said(threshold)
            low, high = wilson(wrong, said)
            figures = f"{each.reads}\t{kept}\t{wrong}\t{wrong / max(said, 1):.3e}"
            lines.append(f"{key}\t{threshold}\t{name}\t{figures}\t{low:.3e}\t{high:.3e}")
    return lines


def tell(key: str, placed: dict[str, Placed]) -> dict[str, Curve]:
    """Print the table of a scenario."""
    either_end = SCENARIOS[key].either_end
    curves = {name: curve(each, either_end) for name, each in placed.items()}
    some = next(iter(placed.values()))
    foreign = int(some.foreign.sum())
    by = "either end" if either_end else "unclipped start"
    print(f"\n{key}: {len(some.mapq):,} reads, right by {by}; wrong of the kept, kept % at MAPQ")
    head, rows = ["tool", *ACCURACY_HEAD], []
    for name, each in curves.items():
        rows.append([name, *accuracy_cells(each)])
        if foreign:
            rows[-1].append(f"{each.foreign_kept[1]:,} of {foreign:,}")
    print(table([*head, "foreign, MAPQ > 0"] if foreign else head, rows))
    for name in curves:
        if name != OURS and OURS in curves:
            print(rival_line(name, curves[OURS], curves[name]))
    return curves


def tell_calibration(series: dict[str, np.ndarray], out: Path) -> None:
    """Print claimed against observed error by MAPQ, and draw it."""
    rows = []
    for step in range(60 // STEP + 1):
        points = [each[step] for each in series.values()]
        cells = [
            f"{claimed:,.1f} / {wrong:,.0f} of {reads:,.0f}" for claimed, reads, wrong in points
        ]
        rows.append([f"{STEP * step}-{STEP * step + STEP - 1}", *cells])
    print("\nMAPQ, all of these scenarios: wrong reads claimed / observed")
    print(table(["MAPQ", *series], rows))
    calibration_plot({name: each[each[:, 1] > 0] for name, each in series.items()}, out)
    print(f"drawn: {out}")


def accuracy(options: Namespace) -> dict[str, dict[str, Curve]]:
    """The command; by scenario and tool, what was kept and wrong."""
    curves, claims, tools = {}, {}, found(options.tools)
    lines = ["scenario\tmapq\ttool\treads\tkept\twrong\trate\tlow\thigh"]
    for key in options.scenarios:
        if SCENARIOS[key].foreign_every and not options.foreign:
            print(f"\n{key}: left out, for want of --foreign GENOME.fa")
            continue
        placed = pooled(key, tools, options)
        curves[key] = tell(key, placed)
        lines += all_thresholds(key, curves[key])
        for name, each in placed.items():
            claims[name] = claims.get(name, 0) + calibration(each, SCENARIOS[key].either_end)
    tell_calibration(claims, options.work / "calibration.svg")
    out = options.work / "accuracy.tsv"
    out.write_text("\n".join([*lines, ""]))
    print(f"\nall thresholds: {out}")
    return curves
