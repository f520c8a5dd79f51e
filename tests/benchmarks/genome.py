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
) -> dict[tuple[Path, bool], Cost]:
    """By reference, and by whether it is all the reads or a few: what a tool needs."""
    files = [reads.r1, reads.r2]
    few = [head_of(file, tmp / f"few{at}.fq") for at, file in enumerate(files)]
    out = tmp / f"out{TOOLS[name].ending}"
    lines = {
        (ref, are_all): command(name, ref, which, LENGTH, 1, out)
        for ref in refs
        for are_all, which in ((False, few), (True, files))
    }
    for ref in refs:
        run_once(lines[ref, False])
    return run_in_turn(lines, options.runs)


def figures(name: str, options: Namespace, reads: Reads) -> list[str]:
    """A tool's row. What the start costs is told apart: the cost of a few reads."""
    with TemporaryDirectory(dir=options.work) as tmp:
        refs = [Path(tmp) / "small.fa", Path(tmp) / "large.fa"]
        for ref, given in zip(refs, (options.ref, options.large), strict=True):
            os.symlink(given.resolve(), ref)
        index = [build(name, ref) for ref in refs][1]
        costs = align_costs(name, refs, reads, options, Path(tmp))
    more = len(reads.contig) - 2 * WARM_UP_PAIRS
    small, large = (1e6 * (costs[ref, True].cpu - costs[ref, False].cpu) / more for ref in refs)
    return [
        name,
        f"{index.cpu:,.0f}",
        f"{index.memory_mb:,.0f}",
        f"{costs[refs[1], False].cpu:.1f}",
        f"{costs[refs[1], True].memory_mb:,.0f}",
        f"{small:.1f}",
        f"{large:.1f}",
        f"{large / small:.2f}",
    ]


def genome(options: Namespace) -> None:
    """The command: the same reads, of the small reference, against both."""
    folder = options.work / f"2x150.{options.pairs}.1"
    reads = simulate(options.ref, None, SCENARIOS["2x150"], options.pairs, 1, folder)
    tools = [name for name in found(options.tools) if name not in NOT_BUILT]
    rows = [figures(name, options, reads) for name in tools]
    print(f"\n{options.large.name} beside {options.ref.name}: {len(reads.contig):,} reads of it")
    print(table(HEAD, rows))
