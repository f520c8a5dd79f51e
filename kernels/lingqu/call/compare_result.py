"""What a comparison found: counts per type, and the table and the JSON made of them."""

from collections import Counter
from dataclasses import asdict, dataclass, field

TYPES = ("SNV", "INDEL", "ALL")
"""Rows of the result. A record that changes the length is an INDEL, any other an SNV (MNVs too)."""

_HEADS = (
    *("TP.truth", "FN", "recall", "TP.calls", "FP", "precision", "F1"),
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

    def add(self, which: int, matched: int, genotype: int, absent: int) -> None:
        """Add records of truth (which: 0) or of the calls (1), by what they are found to be."""
        if which == 0:
            self.tp_truth += matched
            self.fn += genotype + absent
            self.genotype_fn += genotype
        else:
            self.tp_calls += matched
            self.fp += genotype + absent
            self.genotype_fp += genotype


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None


@dataclass
class Comparison:
    """The result. skipped: why records of either list were left out, and how many.

    bounded: records in places so dense that the search kept only its best part. strata: rows by
    stratification and class (see `lingqu.call.compare_strata`), where that was asked for.
    """

    rows: dict[str, Counts] = field(default_factory=lambda: {name: Counts() for name in TYPES})
    skipped: tuple[Counter, Counter] = field(default_factory=lambda: (Counter(), Counter()))
    bounded: int = 0
    strata: dict[str, dict[str, Counts]] = field(default_factory=dict)

    def numbers(self) -> dict:
        """All of it as JSON takes it: `rows` by type, `skipped` by list, `bounded`, `strata`."""
        found = {
            "rows": _as_numbers(self.rows),
            "skipped": dict(zip(("truth", "calls"), map(dict, self.skipped), strict=True)),
            "bounded": self.bounded,
        }
        if self.strata:
            found["strata"] = {name: _as_numbers(rows) for name, rows in self.strata.items()}
        return found

    def table(self) -> list[str]:
        """The lines that a user sees."""
        notes = [
            f"left out of {which}: {amount} {reason}"
            for which, skipped in zip(("truth", "calls"), self.skipped, strict=True)
            for reason, amount in sorted(skipped.items())
        ]
        if self.bounded:
            notes.append(
                f"{self.bounded} records lie too densely for a full search; some may match"
            )
        lines = _lines("type", self.rows) + notes
        for name, rows in self.strata.items():
            lines += ["", *_lines(name, {row: found for row, found in rows.items() if _any(found)})]
        return lines


def _any(row: Counts) -> bool:
    """Whether a row counts a record."""
    return bool(row.tp_truth or row.fn or row.tp_calls or row.fp)


def _as_numbers(rows: dict[str, Counts]) -> dict:
    ratios = ("recall", "precision", "f1")
    return {
        name: asdict(row) | {ratio: getattr(row, ratio) for ratio in ratios}
        for name, row in rows.items()
    }


def _lines(head: str, rows: dict[str, Counts]) -> list[str]:
    lines = [[head, *_HEADS]] + [
        [
            *(name, str(row.tp_truth), str(row.fn), _ratio(row.recall)),
            *(str(row.tp_calls), str(row.fp), _ratio(row.precision), _ratio(row.f1)),
            *(str(row.genotype_fn), str(row.genotype_fp)),
        ]
        for name, row in rows.items()
    ]
    width = max(10, *(len(line[0]) + 1 for line in lines))
    return [f"{name:>{width}}" + "".join(f"{cell:>10}" for cell in cells) for name, *cells in lines]


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
