"""A FASTA file that htslib can read, for CRAM: plain gzip is not one."""

import os
from pathlib import Path

import pysam

from lingqu.base.atomic import publish
from lingqu.formats.bgzf import is_bgzf
from lingqu.formats.reference import Reference, building, state_of, store_folder
from lingqu.sequence.codes import decode

_LINE = 60
_LINES = 1 << 16


def _write(reference: Reference, path: Path, work: Path) -> None:
    """Publish the FASTA file and its index out of the folder `work`."""
    fai = Path(f"{path}.fai")
    with publish(fai, work) as index, publish(path, work, [fai]) as beside:
        with beside.open("w") as out:
            for tid, name in enumerate(reference.names):
                codes = reference.contig(tid)
                out.write(f">{name}\n")
                for start in range(0, len(codes), _LINE * _LINES):
                    text = decode(codes[start : start + _LINE * _LINES])
                    out.writelines(text[i : i + _LINE] + "\n" for i in range(0, len(text), _LINE))
        with pysam.FastaFile(str(beside)):  # makes its index
            state = reference.path.stat()
        os.rename(f"{beside}.fai", index)
        os.utime(beside, ns=(state.st_atime_ns, state.st_mtime_ns))


def _fresh(copy: Path, own: Path) -> bool:
    """Whether the copy is there, with its index, and no older than its origin."""
    there = copy.exists() and Path(f"{copy}.fai").exists()
    return there and copy.stat().st_mtime_ns >= own.stat().st_mtime_ns


def htslib_fasta(reference: Reference) -> Path:
    """A plain FASTA of the reference with its .fai: itself where it has one, else a copy."""
    own = reference.path
    with own.open("rb") as stream:
        start = stream.read(18)
    readable = start[:2] != b"\x1f\x8b" or (is_bgzf(start) and Path(f"{own}.gzi").exists())
    if readable and Path(f"{own}.fai").exists():
        return own
    copy = store_folder(own) / "genome.fa"
    while not _fresh(copy, own):
        with building(own, "genome", state_of(own)) as work:
            if not _fresh(copy, own):
                _write(reference, copy, work)
    return copy
