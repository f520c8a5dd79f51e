"""The aligners that are measured, as data: commands, and what to look for beside a reference."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tool:
    """How to run an aligner: {ref}, {reads}, {out}, {threads}, {index} (options) are filled in."""

    align: str
    ending: str
    build: str
    """Makes the index beside {ref}; {length}: of the reads."""


OURS = "lingqu"
"""What ratios are to."""

TOOLS = {
    "lingqu": Tool(
        "lingqu align {ref} {reads} --sample bench --threads {threads} -o {out}",
        ".bam",
        "lingqu index {ref}",
    ),
    "strobealign": Tool(
        "strobealign -t {threads} {index} {reads} > {out}",
        ".sam",
        "strobealign --create-index -r {length} {ref}",
    ),
    "minimap2": Tool(
        "minimap2 -t {threads} -ax sr {index} {reads} > {out}",
        ".sam",
        "minimap2 -x sr -d {mmi} {ref}",
    ),
    "bwa-mem2": Tool(
        "bwa-mem2 mem -t {threads} {index} {reads} > {out}",
        ".sam",
        "bwa-mem2 index {ref}",
    ),
}

_STROBE_LENGTHS = ((70, 50), (90, 75), (110, 100), (135, 125), (175, 150), (375, 250))
"""Reads up to so long, and the length by which strobealign names the index for them."""


def canonical(length: int) -> int:
    """The read length by which strobealign names its index."""
    return next((named for most, named in _STROBE_LENGTHS if length <= most), 400)


def mmi_of(ref: Path) -> Path:
    """Where minimap2's index is sought: REF.sr.mmi for REF.fa."""
    return ref.with_suffix(".sr.mmi")


def _index(name: str, ref: Path, length: int) -> str:
    """What stands for the reference in the command: a prebuilt index where there is one."""
    if name == "strobealign":
        named = canonical(length)
        prebuilt = Path(f"{ref}.r{named}.sti").exists()
        return f"-r {named} --use-index {ref}" if prebuilt else f"-r {named} {ref}"
    if name == "minimap2":
        return str(mmi_of(ref) if mmi_of(ref).exists() else ref)
    return str(ref)


def command(name: str, ref: Path, reads: tuple, length: int, threads: int, out: Path) -> str:
    """The shell command that aligns reads (one file or two) to `out` (with the tool's ending)."""
    return TOOLS[name].align.format(
        ref=ref,
        reads=" ".join(map(str, reads)),
        threads=threads,
        out=out,
        index=_index(name, ref, length),
    )


def found(wanted: str | None) -> list[str]:
    """Those of the wanted tools (comma-separated; None: all) that are on PATH; others are told."""
    names = wanted.split(",") if wanted else list(TOOLS)
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        print(f"not on PATH: {', '.join(missing)}", file=sys.stderr)
    return [name for name in names if name not in missing]
