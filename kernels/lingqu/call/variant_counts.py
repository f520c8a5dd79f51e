"""What is told of a sample's calls in numbers, counted as their lines are written."""

from collections import Counter
from typing import NamedTuple

import numpy as np

from lingqu.call.kernels.variants import BINS, LONGEST, NUMBERS, count_lines

_QUALITIES, _DEPTHS = 101, 501
_PASSED = np.frombuffer(b"PASS", np.uint8)
_BIASED = np.frombuffer(b"StrandBias", np.uint8)
_STATS = (
    "records", "pass", "snv", "mnv", "insertion", "deletion", "other", "transition",
    "transversion", "heterozygous", "homozygous",
)  # fmt: skip


class Counts(NamedTuple):
    """Arrays that `count_lines` adds to; see there."""

    numbers: np.ndarray
    substitutions: np.ndarray
    lengths: np.ndarray
    balance: np.ndarray
    qualities: np.ndarray
    depths: np.ndarray
    pure: np.ndarray


def significant(value: float) -> float:
    """A number with six significant digits."""
    return float(f"{value:.6g}")


def ratio(a: float, b: float) -> float | None:
    """The first by the second, with six significant digits; None where the second is 0."""
    return significant(a / b) if b else None


class VariantCounts:
    """Counts of the lines that were fed; par: of X, int64[n, 2]."""

    def __init__(self, par: np.ndarray):
        shapes = (len(NUMBERS), (4, 4), 2 * LONGEST + 1, BINS, _QUALITIES, _DEPTHS, 6)
        self.counts = Counts(*(np.zeros(shape, np.int64) for shape in shapes))
        self.filtered: Counter[str] = Counter()
        self._par, self._at = par, np.empty(11, np.int64)

    def feed(self, text: bytes, lines: int, where: int) -> None:
        """Count so many whole lines of one contig, which is `where` (see the kernel)."""
        failed = np.empty((lines, 2), np.int64)
        wrong = count_lines(
            np.frombuffer(text, np.uint8), where, self._par, _PASSED, _BIASED, self._at, failed,
            tuple(self.counts),
        )  # fmt: skip
        for begin, end in failed[:wrong].tolist():
            self.filtered.update(text[begin:end].decode().split(";"))

    def number(self, name: str) -> int:
        """One of NUMBERS."""
        return int(self.counts.numbers[NUMBERS.index(name)])

    def stats(self) -> dict[str, int]:
        """Counts of records, and of alleles of those that pass by kind; none of 0."""
        found = {name: self.number(name) for name in _STATS}
        found["homozygous"] += self.number("haploid")
        return {name: count for name, count in sorted(found.items()) if count}

    def told(self, strand: np.ndarray, with_known: bool) -> dict:
        """The block `variants` of the quality control; strand: int64[BINS]."""
        number, counts = self.number, self.counts
        changes = counts.substitutions.tolist()
        transitions, transversions = number("transition"), number("transversion")
        lengths = counts.lengths.tolist()
        known = None
        if with_known:
            own = number("known_transition"), number("known_transversion")
            known = {
                "records": number("known"),
                "share": ratio(number("known"), number("pass")),
                "ts_tv_known": ratio(*own),
                "ts_tv_novel": ratio(transitions - own[0], transversions - own[1]),
            }
        return {
            "records": number("records"),
            "passed": number("pass"),
            "filtered": dict(sorted(self.filtered.items())),
            "snvs": number("snv_records"),
            "indels": number("indel_records"),
            "mnvs": number("mnv_records"),
            "multiallelic": number("multiallelic"),
            "transitions": transitions,
            "transversions": transversions,
            "ts_tv": ratio(transitions, transversions),
            "heterozygous": number("heterozygous"),
            "homozygous": number("homozygous"),
            "haploid": number("haploid"),
            "het_hom": ratio(number("heterozygous"), number("homozygous")),
            "substitutions": {
                f"{a}>{b}": changes[i][j]
                for i, a in enumerate("ACGT")
                for j, b in enumerate("ACGT")
                if i != j
            },
            "indel_lengths": {
                str(size): lengths[size + LONGEST] for size in range(-LONGEST, LONGEST + 1) if size
            },
            "allele_balance": counts.balance.tolist(),
            "strand": strand.tolist(),
            "strand_bias": ratio(number("strand_biased"), number("strand_tested")),
            "quality": counts.qualities.tolist(),
            "depth": counts.depths.tolist(),
            "known": known,
        }
