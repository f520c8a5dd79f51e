"""IDs of known variants (dbSNP, ClinVar, a laboratory's own), by allele and not by place alone."""

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pysam

from lingqu.base.errors import LingquError
from lingqu.call.kernels.scan import left_shift_deletion, left_shift_insertion
from lingqu.call.records import trimmed
from lingqu.formats.reference import Reference
from lingqu.sequence.codes import decode, encode

SHIFT = 300
"""A known indel may stand so many bases to the right of its leftmost place."""

Allele = tuple[int, int, str]
"""(start, bases removed, bases put in), trimmed and at its leftmost place."""

_OPEN = threading.local()  # one handle a thread: its place in the file cannot be shared


def check_known(path: Path, reference: Reference) -> None:
    """LingquError where the file is no VCF with an index, or has no contig of the reference."""
    contigs = open_known(path).contigs
    if contigs and not set(contigs) & set(reference.names):
        raise LingquError(
            f"{path}: its contigs ({', '.join(contigs[:3])}) are not those of {reference.path}"
            f" ({', '.join(reference.names[:3])}); rename them: bcftools annotate --rename-chrs"
        )


def open_known(path: Path) -> pysam.TabixFile:
    """The handle of this thread; LingquError where the file is no VCF with an index."""
    files = _OPEN.__dict__
    if path not in files:
        if not path.exists():
            raise LingquError(f"{path}: no such file; name a VCF of known variants")
        if not any(Path(f"{path}{end}").exists() for end in (".tbi", ".csi")):
            raise LingquError(f"{path}: no index beside it; make one: tabix -p vcf {path}")
        try:
            files[path] = pysam.TabixFile(str(path), encoding="utf-8")
        except (OSError, ValueError) as error:
            raise LingquError(f"{path}: cannot be read ({error}); compress it by bgzip") from None
    return files[path]


def _normal(codes: np.ndarray, start: int, removed: str, put: str) -> Allele:
    """A trimmed allele at its leftmost place."""
    first = max(start - SHIFT, 1)
    if removed and not put:
        start = int(left_shift_deletion(codes, start, len(removed), first))
        return start, len(removed), ""
    if put and not removed:
        bases = encode(put).copy()
        start = int(left_shift_insertion(codes, start, bases, len(bases), first))
        return start, 0, decode(bases)
    return start, len(removed), put


def _alleles(fields: list[str], codes: np.ndarray) -> list[Allele]:
    """The spelled ALT alleles of a line."""
    pos, ref, found = int(fields[1]) - 1, fields[3], []
    for alt in fields[4].split(","):
        if alt.isalpha() and alt != ref:
            shift, removed, put = trimmed(ref, alt)
            found.append(_normal(codes, pos + shift, removed, put))
    return found


def _known(
    path: Path, contig: str, start: int, end: int, codes: np.ndarray, sizes: set[tuple[int, int]]
) -> Iterator[tuple[Allele, str]]:
    """(allele, ID) of the known alleles over [start, end) that have one of the sizes."""
    opened = open_known(path)
    if contig not in opened.contigs:
        return
    for line in opened.fetch(contig, max(start, 0), end):
        _, pos, names, ref, alts, _ = line.split("\t", 5)
        if names == ".":
            continue
        for alt in alts.upper().split(","):
            if not alt.isalpha():
                continue
            shift, removed, put = trimmed(ref.upper(), alt)
            if (len(removed), len(put)) in sizes:
                yield _normal(codes, int(pos) - 1 + shift, removed, put), names


def identify(lines: list[str], path: Path, contig: str, codes: np.ndarray) -> list[str]:
    """The lines (sorted, of one contig) with the IDs of the known alleles that are theirs.

    codes: uint8, the contig. Several IDs stand in the order of ALT, then of the file.
    """
    columns = [line.split("\t", 5) for line in lines]
    alleles = [_alleles(fields, codes) for fields in columns]
    sought = {allele: [] for found in alleles for allele in found}
    if not sought:
        return lines
    start, end = min(sought)[0] - 1, max(sought)[0] + SHIFT
    sizes = {(removed, len(put)) for _, removed, put in sought}
    for allele, names in _known(path, contig, start, end, codes, sizes):
        if allele in sought:
            sought[allele] += names.split(";")
    for fields, found in zip(columns, alleles, strict=True):
        fields[2] = join_ids([fields[2], *(name for allele in found for name in sought[allele])])
    return ["\t".join(fields) for fields in columns]


def known_snvs(path: Path, contig: str, start: int, end: int) -> set[tuple[int, str, str]]:
    """(place, REF, ALT) of the SNVs of one ALT that the file has in [start, end) of a contig."""
    opened, found = open_known(path), set()
    for line in opened.fetch(contig, start, end) if contig in opened.contigs else ():
        _, pos, _, ref, alt, _ = line.upper().split("\t", 5)
        if len(ref) == len(alt) == 1:
            found.add((int(pos) - 1, ref, alt))
    return found


def join_ids(names: Iterable[str]) -> str:
    """The ID column of several IDs, each once."""
    return ";".join(dict.fromkeys(name for name in names if name != ".")) or "."
