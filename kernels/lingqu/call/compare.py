"""Hold a call set against a truth set: read both, match them contig by contig, count, write.

What counts as the same is decided by `lingqu.call.kernels.compare`, on haplotypes.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.base.progress import progress
from lingqu.call.compare_read import Choice, Contig, read_records
from lingqu.call.compare_result import Comparison, Counts
from lingqu.call.compare_strata import classify, nearest_depth, new_strata
from lingqu.call.kernels.compare import BOUNDED, TAKEN, Walks, make_walks, match
from lingqu.call.kernels.compare_table import Changes, arrange
from lingqu.formats.bed import merge, overlaps, parse_regions, read_bed
from lingqu.formats.reference import open_reference
from lingqu.formats.vcf import VcfWriter, open_vcf

_NOWHERE = merge([])
_UNCOUNTED, _MATCHED, _GENOTYPE, _ABSENT = range(4)
_LABELS = ("", "match", "genotype", "absent")
_INFO = (
    '##INFO=<ID=COMPARE,Number=1,Type=String,Description="match: the same haplotypes in truth and'
    ' calls; genotype: an allele matches, its genotype does not; absent: no allele matches">'
)


def _match(
    sequence: np.ndarray,
    lists: tuple[Changes, Changes],
    chosen: tuple[np.ndarray, np.ndarray],
    walks: Walks,
) -> tuple[tuple[np.ndarray, np.ndarray], int]:
    """(uint8[records] outcome bits of either list, how many of the chosen are BOUNDED)."""
    variants, records = arrange(*lists, chosen, walks.place.shape[2])
    found = np.zeros(len(records), np.uint8)
    match(sequence, variants, walks, found)
    outcome = np.zeros(sum(len(part.first) for part in lists), np.uint8)
    outcome[records] = found
    cut = len(lists[0].first)
    return (outcome[:cut], outcome[cut:]), int(((found & BOUNDED) > 0).sum())


class _Judge:
    """Labels the records of one contig after another, with the same scratch."""

    def __init__(self, squash: bool):
        self._haploid = make_walks(1)
        self._diploid = None if squash else make_walks(2)

    def labels(
        self, sequence: np.ndarray, lists: tuple[Changes, Changes]
    ) -> tuple[list[np.ndarray], int]:
        """uint8[records] label of either list, and how many records' search was bounded."""
        everything = tuple(np.arange(len(part.first)) for part in lists)
        first = self._diploid or self._haploid
        outcomes, bounded = _match(sequence, lists, everything, first)
        labels = [np.where(found & TAKEN, _MATCHED, _ABSENT) for found in outcomes]
        if self._diploid:
            left = tuple(np.flatnonzero(label == _ABSENT) for label in labels)
            outcomes, _ = _match(sequence, lists, left, self._haploid)
            for label, found in zip(labels, outcomes, strict=True):
                label[(found & TAKEN) > 0] = _GENOTYPE
        return labels, bounded


def _inside(changes: Changes, regions: np.ndarray) -> np.ndarray:
    """bool[records]: whether a record changes a base of a region (an insertion: follows one)."""
    start = np.minimum(changes.first, changes.last - 1)
    return overlaps(regions, start, changes.last)


def _count(rows: dict[str, Counts], which: int, classes: np.ndarray, labels: np.ndarray) -> None:
    """Add the records of a list to their rows; classes: int64[records], index into the rows."""
    for number, row in enumerate(rows.values()):
        counted = np.bincount(labels[classes == number], minlength=4).tolist()
        row.add(which, counted[_MATCHED], counted[_GENOTYPE], counted[_ABSENT])


def _count_all(result: Comparison, which: int, indel: np.ndarray, labels: np.ndarray) -> None:
    *types, everything = result.rows.items()
    _count(dict(types), which, indel.astype(np.int64), labels)
    _count(dict([everything]), which, np.zeros(len(labels), np.int64), labels)


def _count_strata(
    result: Comparison, sequence: np.ndarray, parts, lists, labels: list[np.ndarray]
) -> None:
    """Count both lists by stratum; the depth is that of the calls."""
    depth = np.array(parts[1].depth, np.int64)
    depths = nearest_depth(lists[0].first, lists[1].first, depth), depth
    for which, (changes, told) in enumerate(zip(lists, depths, strict=True)):
        for name, classes in classify(sequence, changes, told).items():
            _count(result.strata[name], which, classes, labels[which])


def _write_labelled(path: Path, labels: dict[int, int], hit: Path, miss: Path) -> None:
    """Write the counted records of a file: those that match to `hit`, the others to `miss`."""
    with open_vcf(path) as vcf:
        header = [*vcf.header[:-1], _INFO, vcf.header[-1]]
        with VcfWriter(hit, header) as hits, VcfWriter(miss, header) as misses:
            for record in vcf:
                label = labels.get(record.number, _UNCOUNTED)
                if label == _UNCOUNTED:
                    continue
                note = f"COMPARE={_LABELS[label]}"
                info = record.fields[7]
                record.fields[7] = note if info == "." else f"{info};{note}"
                (hits if label == _MATCHED else misses).write("\t".join(record.fields))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LingquError(
            f"{folder}: cannot be made ({error.strerror}); name another folder with --out"
        ) from None


def compare(
    truth: str | Path,
    calls: str | Path,
    reference: str | Path,
    *,
    regions: Sequence[str] = (),
    bed: str | Path | None = None,
    samples: tuple[str | None, str | None] = (None, None),
    squash_ploidy: bool = False,
    all_records: bool = False,
    strata: bool = False,
    out: str | Path | None = None,
) -> Comparison:
    """Hold the VCF or BCF `calls` against `truth`, on haplotypes of the FASTA `reference`.

    regions (as `20:1,000-2,000`) or the BED file `bed` restrict what is counted. samples: names in
    truth and calls, where a file has several. squash_ploidy: any allele of a record may match,
    whatever the genotypes. all_records: those that failed a filter too. strata: count
    by length, repeat and depth too. out: a folder for tp-baseline and fn (records of truth), tp and
    fp (of calls), each a `.vcf.gz` with its index.
    LingquError on files that cannot be read or do not fit the reference.
    """
    paths = (Path(truth), Path(calls))
    genome = open_reference(reference)
    lengths = dict(zip(genome.names, genome.lengths.tolist(), strict=True))
    targets = read_bed(bed, lengths) if bed else parse_regions(regions, lengths) or None
    choice = Choice(targets, squash_ploidy, all_records, strata)
    if out:
        _make_folder(Path(out))
    result = Comparison(strata=new_strata() if strata else {})
    with progress("compare", "records") as shown:
        read = [
            read_records(path, genome, sample, choice, skipped, shown)
            for path, sample, skipped in zip(paths, samples, result.skipped, strict=True)
        ]
        labelled: tuple[dict[int, int], dict[int, int]] = ({}, {})
        judge = _Judge(squash_ploidy)
        for tid, contig in enumerate(genome.names):
            parts = [contigs.pop(contig, None) or Contig() for contigs in read]
            lists = tuple(part.changes() for part in parts)
            labels, bounded = judge.labels(genome.contig(tid), lists)
            result.bounded += bounded
            for which, (part, changes, label) in enumerate(zip(parts, lists, labels, strict=True)):
                if targets is not None:
                    label[~_inside(changes, targets.get(contig, _NOWHERE))] = _UNCOUNTED
                _count_all(result, which, changes.indel, label)
                if out:
                    labelled[which].update(zip(part.number, label.tolist(), strict=True))
            if strata:
                _count_strata(result, genome.contig(tid), parts, lists, labels)
    if out:
        for path, labels, names in zip(
            paths, labelled, (("tp-baseline", "fn"), ("tp", "fp")), strict=True
        ):
            _write_labelled(path, labels, *(Path(out) / f"{name}.vcf.gz" for name in names))
    return result
