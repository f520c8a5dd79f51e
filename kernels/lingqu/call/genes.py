"""Genes of a BED, GFF3 or GTF file, each with its exons merged."""

import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.formats.bed import merge

_GTF = re.compile(r'(\w+) "([^"]*)"')

_DEEPEST = 8
"""Most generations from an exon to its gene."""


@dataclass(frozen=True)
class Gene:
    """A gene: int64[n, 2] exons, sorted and merged."""

    name: str
    contig: str
    exons: np.ndarray


def read_genes(path: Path, lengths: Mapping[str, int]) -> list[Gene]:
    """The genes of a file that lie on contigs of the reference, by contig and place.

    BED: lines of one name on one contig are a gene. GFF3: exons of the gene they descend from. GTF:
    exons of one gene_id. Where a GFF3 or GTF has no exons, its CDS. LingquError, with the line, on
    what is malformed or ends beyond its contig, and where no gene is left.
    """
    lines = _lines(path)
    read = _bed if ".bed" in "".join(path.suffixes).lower() else _gff
    found: dict[tuple[str, str], tuple[str, list]] = {}
    for key, name, contig, start, end, number in read(path, lines):
        if contig in lengths:
            if end > lengths[contig]:
                raise LingquError(
                    f"{path}: line {number}: end {end} is beyond contig {contig!r} of"
                    f" {lengths[contig]} bases; give the genes of this reference"
                )
            found.setdefault((contig, key), (name, []))[1].append((start, end))
    if not found:
        raise LingquError(
            f"{path}: no gene on a contig of the reference; give a BED with names in column 4, a"
            " GFF3 or a GTF of this reference"
        )
    order = {name: k for k, name in enumerate(lengths)}
    genes = [Gene(name, contig, merge(pairs)) for (contig, _), (name, pairs) in found.items()]
    return sorted(genes, key=lambda gene: (order[gene.contig], *gene.exons[0].tolist(), gene.name))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """(number, columns) of the lines that are no comments."""
    try:
        with path.open("rb") as probe:
            compressed = probe.read(2) == b"\x1f\x8b"
        with (gzip.open if compressed else open)(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if line.startswith("##FASTA"):
                    return
                if line.strip() and not line.startswith(("#", "track", "browser")):
                    yield number, line.rstrip("\r\n").split("\t")
    except EOFError:
        raise LingquError(f"{path}: truncated gzip file; copy or download it again") from None
    except UnicodeDecodeError:
        raise LingquError(f"{path}: no text; name a BED, GFF3 or GTF file") from None
    except OSError as error:
        raise LingquError(f"{path}: cannot be read ({error.strerror or error})") from None


def _span(path: Path, number: int, first: str, last: str, origin: int) -> tuple[int, int]:
    """0-based half-open places of two columns that count from `origin`."""
    try:
        start, end = int(first) - origin, int(last)
    except ValueError:
        start = end = -1
    if not 0 <= start < end:
        raise LingquError(f"{path}: line {number}: {first} to {last} are no places; mend the line")
    return start, end


def _bed(path: Path, lines):
    for number, columns in lines:
        if len(columns) < 4:
            raise LingquError(
                f"{path}: line {number}: {len(columns)} columns; genes need contig, start, end and"
                " name, with tabs"
            )
        name = columns[3].strip()
        yield name, name, columns[0], *_span(path, number, columns[1], columns[2], 0), number


def _attributes(text: str) -> dict[str, str]:
    """Attributes of a GFF3 (a=b;c=d) or GTF (a "b"; c "d") line."""
    if found := _GTF.findall(text):
        return dict(found)
    pairs = (item.strip().partition("=") for item in text.split(";"))
    return {key: unquote(value) for key, _, value in pairs if value}


def _gff(path: Path, lines):
    """Exons, or CDS where there are none, each with the gene it descends from."""
    parts: dict[str, list] = {"exon": [], "CDS": []}
    parents: dict[str, tuple[str, str]] = {}  # ID -> (its parent's, its own name)
    for number, columns in lines:
        if len(columns) < 9:
            raise LingquError(f"{path}: line {number}: {len(columns)} columns; GFF3 and GTF have 9")
        told = _attributes(columns[8])
        if columns[2] in parts:
            span = _span(path, number, columns[3], columns[4], 1)
            above = told.get("gene_id") or told.get("Parent", "").partition(",")[0]
            name = told.get("gene_name") or told.get("gene", "")
            parts[columns[2]].append((above or name, name, columns[0], *span, number))
        elif "ID" in told:
            own = told.get("Name") or told.get("gene_name") or told.get("gene") or told["ID"]
            parents[told["ID"]] = told.get("Parent", "").partition(",")[0], own
    for above, name, *rest in parts["exon"] or parts["CDS"]:
        key, own = above, name
        for _ in range(_DEEPEST):
            above, own = parents.get(key, ("", own))
            if not above:
                break
            key = above
        yield key, name or own or key, *rest
