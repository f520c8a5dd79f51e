"""What aligning costs: whole commands, in turn, medians."""

import os
import sys
from argparse import Namespace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import pysam
from measure import Cost, run_in_turn, run_once, table
from simulate import has_dwgsim, simulate
from tools import OURS, TOOLS, command, found

WARM_UP_PAIRS = 5000
SHAPES = {"2x101": ("2x101", 2), "2x250": ("2x250", 2), "1x150": ("2x150", 1)}
"""What is simulated besides the given reads: the scenario, and how many files of it are used."""

FINISH = (
    "samtools fixmate -m -u {sam} - | samtools sort -u -T {out}.sort -"
    " | samtools markdup - {out}.bam"
)
"""From a peer's SAM to what `lingqu align` gives."""


def head_of(fastq: Path, out: Path) -> Path:
    """A copy of the first reads, to compile and to warm the page cache."""
    with pysam.FastxFile(str(fastq)) as records:
        out.write_text("".join(f"{record}\n" for record in islice(records, WARM_UP_PAIRS)))
    return out


def survey(fastq: Path) -> tuple[int, int]:
    """(reads of a file, length of the first)."""
    with pysam.FastxFile(str(fastq), persist=False) as records:
        length = len(next(records).sequence)
        return 1 + sum(1 for _ in records), length


def warm_up(tools: list[str], ref: Path, files: list[Path], length: int, tmp: Path) -> None:
    """Run each tool on a few reads."""
    few = [head_of(file, tmp / f"few{at}.fq") for at, file in enumerate(files)]
    for name in tools:
        run_once(command(name, ref, few, length, 1, tmp / f"few{TOOLS[name].ending}"))


def measure(
    tools: list[str], ref: Path, files: list[Path], length: int, options: Namespace, tmp: Path
) -> dict[str, Cost]:
    """Costs of each tool, one thread; also ours with two. Outputs stay in tmp, by name."""
    warm_up(tools, ref, files, length, tmp)
    lines = {
        name: command(name, ref, files, length, 1, tmp / f"{name}{TOOLS[name].ending}")
        for name in tools
    }
    if OURS in tools and (os.cpu_count() or 1) > 1:
        out = tmp / f"two{TOOLS[OURS].ending}"
        lines[f"{OURS}, 2 threads"] = command(OURS, ref, files, length, 2, out)
    return run_in_turn(lines, options.runs)


COST_HEAD = ["CPU s", "ratio", "reads/s/core", "wall s", "memory MB"]


def cost_cells(cost: Cost, base: Cost, reads: int) -> list[str]:
    """A tool's figures; `base` is what its ratio is to."""
    return [
        f"{cost.cpu:.1f}",
        f"{cost.cpu / base.cpu:.2f}",
        f"{reads / cost.cpu:,.0f}",
        f"{cost.wall:.1f}",
        f"{cost.memory_mb:,.0f}",
    ]


def tell(title: str, costs: dict[str, Cost], reads: int) -> None:
    """Print the table of one set of reads."""
    base = costs.get(OURS) or next(iter(costs.values()))
    print(f"\n{title}: {reads:,} reads, FASTQ to SAM; {OURS}: to sorted, marked, indexed BAM")
    rows = [[name, *cost_cells(cost, base, reads)] for name, cost in costs.items()]
    print(table(["tool", *COST_HEAD], rows))
    two = costs.get(f"{OURS}, 2 threads")
    if two:
        print(f"{OURS}: 2 threads have {costs[OURS].wall / two.wall:.2f} x the throughput of one")


def tell_rest(tools: list[str], tmp: Path) -> None:
    """What samtools takes to bring a peer's SAM where ours is, and our BAM's size beside its."""
    peer = next((name for name in tools if name != OURS), None)
    if peer:
        cost = run_once(FINISH.format(sam=tmp / f"{peer}.sam", out=tmp / "finished"))
        print(f"samtools fixmate, sort, markdup after {peer}: {cost.cpu:.1f} CPU s")
    if OURS in tools:
        ours, theirs = tmp / f"{OURS}.bam", tmp / "same.bam"
        run_once(f"samtools sort -o {theirs} {ours}")
        sizes = [path.stat().st_size for path in (ours, theirs)]
        print(f"{OURS}'s BAM has {sizes[0] / sizes[1]:.3f} x the bytes of samtools sort's")


def speed(options: Namespace) -> dict[str, Cost]:
    """The command; the costs on the reads that were given."""
    tools = found(options.tools)
    files = [file for file in (options.r1, options.r2) if file]
    reads, length = survey(files[0])
    with TemporaryDirectory(dir=options.work) as tmp:
        costs = measure(tools, options.ref, files, length, options, Path(tmp))
        tell(files[0].name, costs, reads * len(files))
        tell_rest(tools, Path(tmp))
    for shape, (key, mates) in SHAPES.items() if has_dwgsim() else ():
        made = simulate(options.ref, None, key, options.pairs, 1, options.work)
        files = [made.r1, made.r2][:mates]
        with TemporaryDirectory(dir=options.work) as tmp:
            others = measure(tools, options.ref, files, made.length, options, Path(tmp))
        tell(shape, others, len(made.contig) // 2 * mates)
    if not has_dwgsim():
        print("no dwgsim on PATH: other shapes of reads are left out", file=sys.stderr)
    return costs
