"""How many copies of each stretch of the genome a sample has."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lingqu.base.errors import LingquError
from lingqu.formats.bed import Intervals, read_bed

_NAMES = {
    "X": ("X", "NC_000023", "NC_060947"),
    "Y": ("Y", "NC_000024", "NC_060948"),
    "MT": ("MT", "M", "NC_012920", "NC_001807"),
}
"""Names of the contigs of which not all people have two, as they may also stand with `chr` before
or a version behind; those with NC_ are RefSeq's, of GRCh36 to T2T."""

_REFSEQ = (1, 60925)
"""Number of chromosome 1 behind RefSeq's NC_, of GRCh36 to GRCh38 and of T2T."""

_COPIES = {
    "XX": {"X": 2, "Y": 0, "MT": 1},
    "XY": {"X": 1, "Y": 1, "MT": 1},
    "unknown": {"X": 2, "Y": 1, "MT": 1},
}

Segment = tuple[int, int, int]
"""(start, end, ploidy)."""


def chromosome(contig: str) -> str | None:
    """Tell X, Y and MT by their usual names; None for other contigs."""
    return next((name for name, known in _NAMES.items() if _bare(contig) in known), None)


def _bare(contig: str) -> str:
    return contig.removeprefix("chr").partition(".")[0]


def autosomes(contigs: Iterable[str]) -> set[str]:
    """Those of human autosomes, 1 to 22 by their usual names; without any, all but X, Y and MT.

    What else stands in a human reference (decoys, alternate and unplaced contigs) is left out: the
    reads there belong elsewhere too often.
    """
    numbers = range(22)
    known = {str(k + 1) for k in numbers} | {f"NC_{at + k:06d}" for at in _REFSEQ for k in numbers}
    contigs = list(contigs)
    human = {name for name in contigs if _bare(name) in known}
    return human or {name for name in contigs if not chromosome(name)}


def _cut(start: int, end: int, own: int, pairs, other: int) -> list[Segment]:
    """[start, end) with ploidy `own`, but for sorted pairs within it."""
    segments, at = [], start
    for begin, stop in pairs:
        segments += [(at, int(begin), own), (int(begin), int(stop), other)]
        at = int(stop)
    return [segment for segment in (*segments, (at, end, own)) if segment[0] < segment[1]]


def ploidies(
    lengths: Mapping[str, int], ploidy: int, sex: str | None, par: str | Path | None
) -> dict[str, list[Segment]]:
    """Segments of each contig, in order and without gaps.

    Without a sex all have `ploidy`. With one, all are diploid but for X, Y and MT. par: a BED file
    of the pseudoautosomal regions of X and Y, which are the same sequence: the X of a sample with a
    Y has ploidy 2 there, Y none, so that its reads are called once. LingquError where sex and
    ploidy contradict each other, and on a PAR of another contig.
    """
    if sex is None:
        if par:
            raise LingquError(f"{par}: pseudoautosomal regions without a sex; say --sex")
        return {contig: [(0, length, ploidy)] for contig, length in lengths.items()}
    if ploidy != 2:
        raise LingquError("--sex is for human genomes, which are diploid: leave --ploidy out")
    regions = read_bed(par, lengths) if par else {}
    return {
        contig: _segments(contig, length, sex, regions, par) for contig, length in lengths.items()
    }


def _segments(contig: str, length: int, sex: str, regions: Intervals, par) -> list[Segment]:
    name = chromosome(contig)
    own = _COPIES[sex].get(name, 2)
    pairs = regions.get(contig, ())
    if len(pairs) and name not in ("X", "Y"):
        raise LingquError(f"{par}: {contig!r} is neither X nor Y; name the regions of these two")
    return _cut(0, length, own, pairs, 2 if name == "X" else 0)
