"""A FASTA file that htslib can read, for CRAM: plain gzip is not one."""

from pathlib import Path

import pysam

from lingqu.base.atomic import publish
from lingqu.formats.bgzf import is_bgzf
from lingqu.formats.reference import Reference, builder_lock, store_folder
from lingqu.sequence.codes import decode

_LINE = 60
_LINES = 1 << 16


def _write(reference: Reference, path: Path) -> None:
    with publish(path) as beside, beside.open("w") as out:
        for tid, name in enumerate(reference.names):
            codes = reference.contig(tid)
            out.write(f">{name}\n")
            for start in range(0, len(codes), _LINE * _LINES):
                text = decode(codes[start : start + _LINE * _LINES])
                out.writelines(text[i : i + _LINE] + "\n" for i in range(0, len(text), _LINE))


def htslib_fasta(reference: Reference) -> Path:
    """A plain FASTA of the reference with its .fai: itself where it has one, else a copy."""
    own = reference.path
    with own.open("rb") as stream:
        start = stream.read(18)
    readable = start[:2] != b"\x1f\x8b" or (is_bgzf(start) and Path(f"{own}.gzi").exists())
    if readable and Path(f"{own}.fai").exists():
        return own
    copy = store_folder(own) / "genome.fa"
    with builder_lock(store_folder(own)):
        fresh = copy.exists() and copy.stat().st_mtime_ns >= own.stat().st_mtime_ns
        if not fresh:
            _write(reference, copy)
            with pysam.FastaFile(str(copy)):
                pass
    return copy
