"""What a large reference costs: its index, and each read as a ratio to a small reference."""

import os
from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

from measure import Cost, run_in_turn, run_once, table
from simulate import SCENARIOS, Reads, simulate
from speed import WARM_UP_PAIRS, head_of
from tools import TOOLS, canonical, command, found, mmi_of

NOT_BUILT = ("bwa-mem2",)
"""Its index takes 28 bytes of memory a base to build: it is left out."""

LENGTH = SCENARIOS["2x150"].length
HEAD = [
    "tool",
    "index CPU s",
    "index MB",
    "start CPU s",
    "align MB",
    "us/read small",
    "us/read large",
    "ratio",
]


def build(name: str, ref: Path) -> Cost:
    """Make a tool's index beside a reference."""
    return run_once(TOOLS[name].build.format(ref=ref, length=canonical(LENGTH), mmi=mmi_of(ref)))


def align_costs(
    name: str, refs: list[Path], reads: Reads, options: Namespace, tmp: Path
) -> list[tuple[Cost, Cost]]:
    """For each reference what a tool needs for a few reads, and for all."""
    files = [reads.r1, reads.r2]
    few = [head_of(file, tmp / f"few{at}.fq") for at, file in enumerate(files)]
    out = tmp / f"out{TOOLS[name].ending}"
    lines = {
        f"{name}, {ref.stem}, {amount}": command(name, ref, which, LENGTH, 1, out)
        for ref in refs
        for amount, which in (("few reads", few), ("all reads", files))
    }
    for ref in refs:
        run_once(command(name, ref, few, LENGTH, 1, out))
    costs = list(run_in_turn(lines, options.runs).values())
    return list(zip(costs[::2], costs[1::2], strict=True))


def figures(name: str, options: Namespace, reads: Reads) -> list[str]:
    """A tool's row. What the start costs is told apart: the cost of a few reads."""
    with TemporaryDirectory(dir=options.work) as tmp:
        refs = [Path(tmp) / "small.fa", Path(tmp) / "large.fa"]
        for ref, given in zip(refs, (options.ref, options.large), strict=True):
            os.symlink(given.resolve(), ref)
        index = [build(name, ref) for ref in refs][1]
        small, large = align_costs(name, refs, reads, options, Path(tmp))
    more = len(reads.contig) - 2 * WARM_UP_PAIRS
    each = [1e6 * (every.cpu - few.cpu) / more for few, every in (small, large)]
    return [
        name,
        f"{index.cpu:,.0f}",
        f"{index.memory_mb:,.0f}",
        f"{large[0].cpu:.1f}",
        f"{large[1].memory_mb:,.0f}",
        f"{each[0]:.1f}",
        f"{each[1]:.1f}",
        f"{each[1] / each[0]:.2f}",
    ]


def genome(options: Namespace) -> None:
    """The command: the same reads, of the small reference, against both."""
    reads = simulate(options.ref, None, "2x150", options.pairs, 1, options.work)
    tools = [name for name in found(options.tools) if name not in NOT_BUILT]
    rows = [figures(name, options, reads) for name in tools]
    print(f"\n{options.large.name} beside {options.ref.name}: {len(reads.contig):,} reads of it")
    print(table(HEAD, rows))
