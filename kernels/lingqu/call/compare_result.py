"""What a comparison found: counts per type, and the table and the JSON made of them."""

from collections import Counter
from dataclasses import asdict, dataclass, field

TYPES = ("SNV", "INDEL", "ALL")
"""Rows of the result. A record that changes the length is an INDEL, any other an SNV (MNVs too)."""

_HEADS = (
    *("type", "TP.truth", "FN", "recall", "TP.calls", "FP", "precision", "F1"),
    *("GT.FN", "GT.FP"),
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
        lines = [list(_HEADS)] + [
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
