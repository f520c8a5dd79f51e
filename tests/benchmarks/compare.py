#!/usr/bin/env python3
"""`lingqu compare` beside `rtg vcfeval`, where that is on PATH: cost and counts.

    python tests/benchmarks/compare.py REF.fa TRUTH.vcf.gz CALLS.vcf.gz [REGION]

vcfeval gets --ref-overlap, which lets records overlap where they change nothing, as Lingqu does;
its SDF is built beforehand and not counted. Both then count the same.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import run, run_once, table

HEAD = ["tool", "CPU s", "wall s", "MB", "TP.truth", "FN", "TP.calls", "FP", "F1"]


def lingqu(options: argparse.Namespace, folder: Path) -> tuple[str, Callable]:
    """The command, and what reads its counts."""
    result = folder / "compare.json"

    def counts() -> list:
        row = json.loads(result.read_text())["rows"]["ALL"]
        return [row["tp_truth"], row["fn"], row["tp_calls"], row["fp"]]

    within = f"-r {options.region}" if options.region else ""

    return (
        f"lingqu compare {options.truth} {options.calls} --reference {options.ref} --json {result}"
        f" --out {folder / 'judged'} {within}"
    ), counts


def rtg(options: argparse.Namespace, folder: Path) -> tuple[str, Callable]:
    """The command, and what reads its counts."""
    sdf, out = folder / "sdf", folder / "rtg"
    run_once(f"rtg format -o {sdf} {options.ref}")

    def counts() -> list:
        words = (out / "summary.txt").read_text().splitlines()[-1].split()
        return [int(words[at]) for at in (1, 4, 2, 3)]

    within = f"--region {options.region}" if options.region else ""

    return (
        f"rm -rf {out} && rtg vcfeval --ref-overlap -T 1 -b {options.truth} -c {options.calls}"
        f" -t {sdf} -o {out} {within}"
    ), counts


def f1(true_found: int, missed: int, calls_right: int, extra: int) -> float:
    """Of recall among the truth and precision among the calls."""
    recall, precision = true_found / (true_found + missed), calls_right / (calls_right + extra)
    return 2 * recall * precision / (recall + precision)


def measured(options: argparse.Namespace) -> str:
    """The table; options: ref, truth, calls, region (or None), runs."""
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        for name, tool in (("lingqu", lingqu), ("rtg", rtg)):
            if not shutil.which(name):
                continue
            command, counts = tool(options, Path(tmp))
            run_once(command)  # compiles, warms the page cache
            cost = run(command, options.runs)
            costs = [f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.memory_mb:.0f}"]
            rows.append([name, *costs, *map(str, counts()), f"{f1(*counts()):.4f}"])
    return table(HEAD, rows)


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("ref", "truth", "calls"):
        parser.add_argument(name)
    parser.add_argument("region", nargs="?")
    parser.add_argument("--runs", type=int, default=3)
    print(measured(parser.parse_args()))


if __name__ == "__main__":
    main()
