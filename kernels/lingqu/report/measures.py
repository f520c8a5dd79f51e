"""What a report says of a sample in one row, and how nested numbers become rows."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lingqu.report.html import Cell

Sample = dict


@dataclass(frozen=True)
class Measure:
    """A column of the overview: `of(sample)` is None where a step did not tell."""

    name: str
    meaning: str
    of: Callable[[Sample], Cell]


def percent(part: float | None, whole: float | None) -> str | None:
    """`part` of `whole` as text."""
    return f"{100 * part / whole:.2f} %" if part is not None and whole else None


def _ratio(part: float | None, whole: float | None) -> str | None:
    return f"{part / whole:.2f}" if part is not None and whole else None


def reads(sample: Sample, name: str) -> int | None:
    """A count of the sample's alignment."""
    return sample["alignment_stats"].get(name)


def depth(sample: Sample) -> str | None:
    """Mean depth of the called regions."""
    found = sample["call_stats"].get("mean_depth")
    return None if found is None else f"{found:.1f}"


def _share(name: str) -> Callable[[Sample], Cell]:
    return lambda sample: percent(reads(sample, name), reads(sample, "reads"))


def _genotypes(sample: Sample, name: str) -> int:
    return sum(counts[name] for counts in sample["variants"]["genotypes"].values())


OVERVIEW = (
    Measure("reads", "reads of the input, each mate by itself", lambda s: reads(s, "reads")),
    Measure("mapped", "share of the reads that have a place", _share("mapped")),
    Measure("proper", "share of the reads in proper pairs", _share("properly_paired")),
    Measure("duplicates", "share of the reads marked as duplicates", _share("duplicates")),
    Measure("mean depth", "reads over a called base, without duplicates", depth),
    Measure("SNVs", "records that pass; every ALT as long as REF", lambda s: s["variants"]["snvs"]),
    Measure(
        "indels", "records that pass; any ALT of another length", lambda s: s["variants"]["indels"]
    ),
    Measure(
        "ts/tv",
        "transitions by transversions; about 2.0 to 2.1 in a human genome",
        lambda s: _ratio(s["variants"]["transitions"], s["variants"]["transversions"]),
    ),
    Measure(
        "het/hom",
        "heterozygous by homozygous genotypes; about 1.5 to 2 in a human genome",
        lambda s: _ratio(_genotypes(s, "heterozygous"), _genotypes(s, "homozygous")),
    ),
)
"""The columns of the overview, in their order."""


def flat(told: dict, above: str = "") -> Iterator[tuple[str, Cell]]:
    """The leaves of nested numbers as (name, value); names of inner keys follow a dot."""
    for key, value in told.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, dict) and value:
            yield from flat(value, f"{name}: ")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for number, item in enumerate(value, 1):
                yield from flat(item, f"{name} {number}: ")
        elif isinstance(value, list | dict):
            yield name, ", ".join(map(str, value)) or None
        else:
            yield name, value


def group_table(stats: dict) -> tuple[list[str], list[list[Cell]]]:
    """Heads and rows of an alignment's counts: the sample, then each of its read groups."""
    groups = stats.get("read_groups", {})
    names = [name for name, value in stats.items() if isinstance(value, int)]
    rows: list[list[Cell]] = [
        [name.replace("_", " "), stats[name], *(group.get(name) for group in groups.values())]
        for name in names
    ]
    for name in ("mean", "sd"):
        sizes = [(group.get("insert_size") or {}).get(name) for group in groups.values()]
        rows += [[f"insert size, {name}", None, *sizes]] if any(sizes) else []
    return ["measure", "sample", *groups], rows


def compare_rows(compare: dict) -> Iterator[list[Cell]]:
    """Rows of type, truth, found, missed, extra, precision, recall, F1."""
    for name, row in compare["rows"].items():
        rates = [row.get(key) for key in ("precision", "recall", "f1")]
        told = [None if rate is None else f"{rate:.4f}" for rate in rates]
        yield [name, row["tp_truth"] + row["fn"], row["tp_truth"], row["fn"], row["fp"], *told]
