"""Where the reads lie: classes, insert sizes, mapping quality, mismatches by cycle."""

from lingqu.report.blocks import (
    Block,
    axis,
    cards,
    column,
    digits,
    facts,
    folded,
    line,
    plot,
    split,
    steps,
    table,
)
from lingqu.report.rows import group_rows

EACH = True


def gather(sample: dict) -> dict | None:
    """The alignment's quality control and its counts by read group."""
    qc = (sample.get("qc") or {}).get("alignment") or {}
    stats = sample.get("alignment_stats") or {}
    if not qc and not stats:
        return None
    return {"stats": stats, "file": sample["alignment"], **qc}


def build(told: dict) -> list[Block]:
    """The classes as one bar, the plots, then the numbers of each read group."""
    mapping = told.get("mapping") or told["stats"]
    plots = [*_insert(told), *_mapq(told), *_mismatches(told)]
    return [_classes(mapping), *cards(plots), *_counts(mapping), *_groups(told)]


def _classes(mapping: dict) -> Block:
    mapped, proper = mapping.get("mapped", 0), mapping.get("properly_paired", 0)
    duplicates = mapping.get("duplicates", 0)
    single, elsewhere = mapping.get("singletons", 0), mapping.get("mate_elsewhere", 0)
    other = max(0, mapped - proper - single - elsewhere)
    kept = max(0, proper - duplicates)
    parts = [
        (
            "@class.proper" if proper else "@class.mapped",
            kept if proper else mapped - duplicates,
            1,
        ),
        ("@class.duplicates", duplicates, 3),
        ("@class.improper" if proper else "@class.single_end", other if proper else 0, 2),
        ("@class.elsewhere", elsewhere, 5),
        ("@class.singletons", single, 4),
        ("@class.unmapped", mapping.get("reads", 0) - mapped, 7),
    ]
    return split("@split.classes", parts)


def _insert(told: dict) -> list[Block]:
    sizes = told.get("insert_size") or {}
    kinds = {kind: sizes[kind] for kind in ("FR", "RF", "TANDEM") if sizes.get(kind)}
    if not kinds:
        return []
    median, mad = sizes.get("median") or 0, sizes.get("mad") or 0
    first = min(kind["first"] for kind in kinds.values())
    last = max(kind["first"] + len(kind["counts"]) for kind in kinds.values())
    if mad:  # far tails would squeeze the picture; they are few
        last = min(last, int(median + 20 * mad) + 1)
    series = []
    for number, (name, kind) in enumerate(kinds.items(), 1):
        counts = dict(enumerate(kind["counts"], kind["first"]))
        series.append(line(name, [counts.get(size, 0) for size in range(first, last)], number))
    numbers = {key: sizes.get(key) for key in ("median", "mad", "mean", "sd")}
    return [
        plot(
            "@plot.insert",
            axis("@axis.insert"),
            axis("@axis.pairs", "short", low=0),
            steps(first, last - first),
            series,
            shape="area",
            note="@note.insert",
            marks=[{"x": median, "label": "@series.median"}] if median else [],
            alt=["@alt.insert", numbers],
            key=True,
        )
    ]


def _mapq(told: dict) -> list[Block]:
    counts = (told.get("mapping") or {}).get("mapq")
    if not counts:
        return []
    series = [line("@axis.reads", counts, 1)]
    y = axis("@axis.reads", "short", log=True)
    at = steps(0, len(counts))
    more = {"shape": "bars", "note": "@note.mapq"}
    return [plot("@plot.mapq", axis("@axis.mapq"), y, at, series, **more)]


def _mismatches(told: dict) -> list[Block]:
    by = told.get("mismatch_by_cycle") or {}
    if not by:
        return []
    count = max(map(len, by.values()))
    series = [
        line(
            ["@mate", {"mate": mate}],
            digits(shares, 3) + [None] * (count - len(shares)),
            number,
        )
        for number, (mate, shares) in enumerate(by.items(), 1)
    ]
    y = axis("@axis.mismatches", "percent", low=0)
    cycles = ((told.get("mates") or {}).get(next(iter(by))) or {}).get("cycles")
    at = cycles if cycles and len(cycles) == count and cycles[-1] != count else steps(1, count)
    more = {"note": "@note.mismatches"}
    return [plot("@plot.mismatches", axis("@axis.cycle"), y, at, series, **more)]


def _counts(mapping: dict) -> list[Block]:
    names = {
        "library_size": "short",
        "optical_duplicates": "count",
        "supplementary": "count",
        "secondary": "count",
        "soft_clipped_bases": "short",
        "error_rate": "percent",
    }
    return [facts((f"@count.{name}", mapping.get(name), how) for name, how in names.items())]


def _groups(told: dict) -> list[Block]:
    if not told["stats"].get("read_groups"):
        return []
    heads, rows = group_rows(told["stats"])
    columns = [column(heads[0]), *(column(head, "count") for head in heads[1:])]
    return [folded("@table.groups", [table(columns, rows, "@table.groups")])]
