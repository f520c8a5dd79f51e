"""Read a VCF for a comparison: keep what can be compared, count what cannot."""

import re
from array import array
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.base.progress import Progress
from lingqu.call.compare_strata import UNKNOWN
from lingqu.call.kernels.compare_table import Alleles, Changes, find_changes
from lingqu.formats.bed import Intervals, merge
from lingqu.formats.reference import Reference
from lingqu.formats.vcf import VcfReader, VcfRecord, open_vcf

LONGEST = 1000
"""Records with a longer REF or ALT are left out: this is no comparison of structural variants."""

CONTEXT = 10_000
"""Records this near to a region help to match those inside it, and are not counted."""

_LETTERS = re.compile("[ACGT]+")


class Contig:
    """What is kept of one list on one contig while it is read; grows record by record."""

    def __init__(self):
        self.number, self.depth = array("q"), array("q")
        self._allele_start, self._option_start = array("q", [0]), array("q", [0])
        self._options, self._alleles, self._text = array("q"), array("q"), bytearray()

    def add(
        self, record: VcfRecord, called: dict[int, str], genotype: Sequence[int], depth: int
    ) -> None:
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
        self.depth.append(depth)
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
class Choice:
    """Which records are compared, and how; depth: whether their DP is wanted."""

    regions: Intervals | None
    squash: bool
    all_records: bool
    depth: bool = False

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


def _depth(record: VcfRecord, sample: int | None) -> int:
    """DP of the sample, else of the record; UNKNOWN where neither is a number."""
    words = dict(word.partition("=")[::2] for word in record.fields[7].split(";"))
    if sample is not None:
        keys, values = (record.fields[k].split(":") for k in (8, 9 + sample))
        words.update(pair for pair in zip(keys, values, strict=False) if pair[1] != ".")
    told = words.get("DP", "")
    return int(told) if told.isdecimal() else UNKNOWN


def _reason_to_skip(record: VcfRecord, called: dict[int, str]) -> str | None:
    if not called:
        return "reference or no call"
    if not all(map(_LETTERS.fullmatch, called.values())):
        return "symbolic or unknown allele"
    if max(len(record.ref), *map(len, called.values())) > LONGEST:
        return f"longer than {LONGEST} bases"
    return None


def read_records(
    path: Path,
    reference: Reference,
    sample_name: str | None,
    choice: Choice,
    skipped: Counter,
    shown: Progress,
) -> dict[str, Contig]:
    """The records of a file that take part, per contig; counts the others in `skipped`."""
    contigs: dict[str, Contig] = defaultdict(Contig)
    near = choice.near()
    with open_vcf(path, reference) as vcf:
        sample = _sample(vcf, sample_name, choice.squash)
        for record in vcf:
            shown.advance(1)
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
                if allele > 0 and record.alts[allele - 1].upper() not in ("*", record.ref)
            }
            reason = _reason_to_skip(record, called)
            if reason is None and len(genotype) > 2 and not choice.squash:
                reason = "more than two alleles in GT"
            if reason:
                skipped[reason] += 1
                continue
            depth = _depth(record, sample) if choice.depth else UNKNOWN
            contigs[record.contig].add(record, called, genotype, depth)
    return contigs
