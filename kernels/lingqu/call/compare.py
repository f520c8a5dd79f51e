"""Hold a call set against a truth set: read both, match them contig by contig, count, write.

What counts as the same is decided by `lingqu.call.kernels.compare`, on haplotypes.
"""

import re
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.base.progress import progress
from lingqu.call.kernels.compare import BOUNDED, TAKEN, Walks, make_walks, match
from lingqu.call.kernels.compare_table import Alleles, Changes, arrange, find_changes
from lingqu.formats.bed import Intervals, merge, overlaps, parse_regions, read_bed
from lingqu.formats.reference import Reference, open_reference
from lingqu.formats.vcf import VcfReader, VcfRecord, VcfWriter, open_vcf

TYPES = ("SNV", "INDEL", "ALL")
"""Rows of the result. A record that changes the length is an INDEL, any other an SNV (MNVs too)."""

LONGEST = 1000
"""Records with a longer REF or ALT are left out: this is no comparison of structural variants."""

CONTEXT = 10_000
"""Records this near to a region help to match those inside it, and are not counted."""

_LETTERS = re.compile("[ACGT]+")
_UNCOUNTED, _MATCHED, _GENOTYPE, _ABSENT = range(4)
_LABELS = ("", "match", "genotype", "absent")
_INFO = (
    '##INFO=<ID=COMPARE,Number=1,Type=String,Description="match: the same haplotypes in truth and'
    ' calls; genotype: an allele matches, its genotype does not; absent: no allele matches">'
)


@dataclass
class Counts:
    """One row of the result; `tp_truth` and `tp_calls` differ where one record matches several."""

    tp_truth: int = 0
    fn: int = 0
    tp_calls: int = 0
    fp: int = 0
    genotype_fn: int = 0
    genotype_fp: int = 0

    @property
    def recall(self) -> float | None:
        """TP of FN + TP in the truth; None where it holds nothing."""
        return _share(self.tp_truth, self.fn)

    @property
    def precision(self) -> float | None:
        """TP of FP + TP in the calls; None where there are none."""
        return _share(self.tp_calls, self.fp)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None where either is."""
        if self.recall is None or self.precision is None:
            return None
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None


@dataclass
class Comparison:
    """The result. skipped: why records of either list were left out, and how many.

    bounded: records in places so dense that the search kept only its best part.
    """

    rows: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in TYPES})
    skipped: tuple[Counter, Counter] = field(default_factory=lambda: (Counter(), Counter()))
    bounded: int = 0

    def numbers(self) -> dict:
        """All of it as JSON takes it: `rows` by type, `skipped` by list, `bounded`."""
        ratios = ("recall", "precision", "f1")
        return {
            "rows": {
                name: asdict(row) | {ratio: getattr(row, ratio) for ratio in ratios}
                for name, row in self.rows.items()
            },
            "skipped": dict(zip(("truth", "calls"), map(dict, self.skipped), strict=True)),
            "bounded": self.bounded,
        }

    def table(self) -> list[str]:
        """The lines that a user sees."""
        heads = "type TP.truth FN recall TP.calls FP precision F1 GT.FN GT.FP".split()
        lines = [heads] + [
            [
                *(name, str(row.tp_truth), str(row.fn), _ratio(row.recall)),
                *(str(row.tp_calls), str(row.fp), _ratio(row.precision), _ratio(row.f1)),
                *(str(row.genotype_fn), str(row.genotype_fp)),
            ]
            for name, row in self.rows.items()
        ]
        notes = [
            f"left out of {which}: {amount} {reason}"
            for which, skipped in zip(("truth", "calls"), self.skipped, strict=True)
            for reason, amount in sorted(skipped.items())
        ]
        if self.bounded:
            notes.append(
                f"{self.bounded} records lie too densely for a full search; some may match"
            )
        return ["".join(f"{cell:>10}" for cell in line) for line in lines] + notes


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


class _Contig:
    """What is kept of one list on one contig while it is read; grows record by record."""

    def __init__(self):
        self.number = array("q")
        self._allele_start, self._option_start = array("q", [0]), array("q", [0])
        self._options, self._alleles, self._text = array("q"), array("q"), bytearray()

    def add(self, record: VcfRecord, called: dict[int, str], genotype: Sequence[int]) -> None:
        """Take a record in. called: its alleles (number in ALT: letters) that change something."""
        first = len(self._alleles) // 5
        at = len(self._text)
        self._text += record.ref.encode()
        rows = {}
        for row, (allele, letters) in enumerate(called.items(), first):
            rows[allele] = row
            self._alleles.extend((record.pos, at, len(record.ref), len(self._text), len(letters)))
            self._text += letters.encode()
        one, other = rows.get(genotype[0], -1), rows.get(genotype[-1], -1)
        self._options.extend((one, other) if one == other else (one, other, other, one))
        self.number.append(record.number)
        self._allele_start.append(len(self._alleles) // 5)
        self._option_start.append(len(self._options) // 2)

    def changes(self) -> Changes:
        """All of it as arrays."""
        columns = np.array(self._alleles, np.int64).reshape(-1, 5).T
        return find_changes(
            Alleles(
                np.array(self._allele_start, np.int64),
                np.array(self._option_start, np.int64),
                np.array(self._options, np.int64).reshape(-1, 2),
                *(np.ascontiguousarray(column) for column in columns),
                np.frombuffer(bytes(self._text), np.uint8),
            )
        )


@dataclass(frozen=True)
class _Choice:
    """Which records are compared, and how."""

    regions: Intervals | None
    squash: bool
    all_records: bool

    def near(self) -> dict[str, tuple[list[int], list[int]]] | None:
        """Starts and ends, per contig, of the regions with their context."""
        if self.regions is None:
            return None
        wide = {
            contig: merge((start - CONTEXT, end + CONTEXT) for start, end in spans.tolist())
            for contig, spans in self.regions.items()
        }
        return {contig: (s[:, 0].tolist(), s[:, 1].tolist()) for contig, s in wide.items()}


def _sample(vcf: VcfReader, name: str | None, squash: bool) -> int | None:
    if name is not None:
        if name in vcf.samples:
            return vcf.samples.index(name)
        raise LingquError(f"{vcf.path}: no sample {name!r}; it has {', '.join(vcf.samples)}")
    if len(vcf.samples) == 1:
        return 0
    if vcf.samples:
        raise LingquError(
            f"{vcf.path}: {len(vcf.samples)} samples ({', '.join(vcf.samples[:5])});"
            " choose with --sample TRUTH,CALLS"
        )
    if squash:
        return None
    raise LingquError(f"{vcf.path}: no genotypes in it; compare alleles only with --squash-ploidy")


def _genotype(vcf: VcfReader, record: VcfRecord, sample: int | None) -> tuple[int, ...]:
    if sample is None:
        return tuple(range(1, len(record.alts) + 1))
    try:
        return record.genotype(sample).alleles
    except ValueError:
        raise LingquError(
            f"{vcf.path}: line {record.number}: no genotype: {record.fields[9 + sample]!r};"
            " mend the GT field"
        ) from None


def _reason_to_skip(record: VcfRecord, called: dict[int, str]) -> str | None:
    if not called:
        return "reference or no call"
    if not all(map(_LETTERS.fullmatch, called.values())):
        return "symbolic or unknown allele"
    if max(len(record.ref), *map(len, called.values())) > LONGEST:
        return f"longer than {LONGEST} bases"
    return None


def _read(
    path: Path, reference: Reference, sample_name: str | None, choice: _Choice, skipped: Counter
) -> dict[str, _Contig]:
    """The records of a file that take part, per contig; counts the others in `skipped`."""
    contigs: dict[str, _Contig] = defaultdict(_Contig)
    near = choice.near()
    with open_vcf(path, reference) as vcf:
        sample = _sample(vcf, sample_name, choice.squash)
        for record in vcf:
            if near is not None:
                starts, ends = near.get(record.contig, ((), ()))
                span = bisect_right(starts, record.pos) - 1
                if span < 0 or record.pos >= ends[span]:
                    continue
            if not (record.passes or choice.all_records):
                skipped["filtered"] += 1
                continue
            genotype = _genotype(vcf, record, sample)
            called = {
                allele: record.alts[allele - 1].upper()
                for allele in genotype
                if allele > 0 and record.alts[allele - 1] != "*"
            }
            reason = _reason_to_skip(record, called)
            if reason is None and len(genotype) > 2 and not choice.squash:
                reason = "more than two alleles in GT"
            if reason:
                skipped[reason] += 1
                continue
            contigs[record.contig].add(record, called, genotype)
    return contigs


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


def _count(rows: dict[str, Counts], which: int, changes: Changes, labels: np.ndarray) -> None:
    names = (("tp_truth", "fn", "genotype_fn"), ("tp_calls", "fp", "genotype_fp"))[which]
    for row, chosen in (("SNV", ~changes.indel), ("INDEL", changes.indel), ("ALL", slice(None))):
        counted = np.bincount(labels[chosen], minlength=4).tolist()
        amounts = (counted[_MATCHED], counted[_GENOTYPE] + counted[_ABSENT], counted[_GENOTYPE])
        for name, amount in zip(names, amounts, strict=True):
            setattr(rows[row], name, getattr(rows[row], name) + amount)


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
    out: str | Path | None = None,
) -> Comparison:
    """Hold the VCF or BCF `calls` against `truth`, on haplotypes of the FASTA `reference`.

    regions (as `20:1,000-2,000`) or the BED file `bed` restrict what is counted. samples: names in
    truth and calls, where a file has several. squash_ploidy: any allele of a record may match,
    whatever the genotypes. all_records: those that failed a filter too. out: a folder for
    tp-baseline and fn (records of truth), tp and fp (of calls), each a `.vcf.gz` with its index.
    LingquError on files that cannot be read or do not fit the reference.
    """
    paths = (Path(truth), Path(calls))
    genome = open_reference(reference)
    lengths = dict(zip(genome.names, genome.lengths.tolist(), strict=True))
    targets = read_bed(bed, lengths) if bed else parse_regions(regions, lengths) or None
    choice = _Choice(targets, squash_ploidy, all_records)
    result = Comparison()
    labelled: tuple[dict[int, int], dict[int, int]] = ({}, {})
    with progress("compare", "records") as shown:
        read = [
            _read(path, genome, sample, choice, skipped)
            for path, sample, skipped in zip(paths, samples, result.skipped, strict=True)
        ]
        judge = _Judge(squash_ploidy)
        for tid, contig in enumerate(genome.names):
            if not any(contig in part for part in read):
                continue
            parts = [part.pop(contig, None) or _Contig() for part in read]
            lists = tuple(part.changes() for part in parts)
            labels, bounded = judge.labels(genome.contig(tid), lists)
            result.bounded += bounded
            for which, (part, changes, label) in enumerate(zip(parts, lists, labels, strict=True)):
                if targets is not None:
                    label[~_inside(changes, targets[contig])] = _UNCOUNTED
                _count(result.rows, which, changes, label)
                if out:
                    labelled[which].update(zip(part.number, label.tolist(), strict=True))
                shown.advance(len(label))
    if out:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        for path, labels, names in zip(
            paths, labelled, (("tp-baseline", "fn"), ("tp", "fp")), strict=True
        ):
            _write_labelled(path, labels, *(folder / f"{name}.vcf.gz" for name in names))
    return result
