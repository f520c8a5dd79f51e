"""The reads as the machine wrote them: quality, composition, length, adapters, duplication."""

from lingqu.report.blocks import (
    Block,
    axis,
    band,
    cards,
    column,
    digits,
    line,
    plot,
    steps,
    table,
)

EACH = True


def gather(sample: dict) -> dict | None:
    """Mates by name, of the alignment's quality control."""
    return ((sample.get("qc") or {}).get("alignment") or {}).get("mates") or None


def build(mates: dict) -> list[Block]:
    """Plots of both mates, those of single mates side by side."""
    plots = [_quality(mate, told) for mate, told in mates.items() if told.get("quality_by_cycle")]
    plots += [_scores(mates), _gc(mates), *_lengths(mates)]
    plots += [_composition(mate, told) for mate, told in mates.items() if told.get("composition")]
    plots += [*_adapters(mates), *_levels(mates)]
    return cards([found for found in plots if found]) + _overrepresented(mates)


def _cycles(told: dict, count: int) -> dict | list:
    given = told.get("cycles")
    if given and given != list(range(1, count + 1)):
        return given
    return steps(1, count)


def _mate(mate: str) -> list:
    return ["@mate", {"mate": mate}]


def _quality(mate: str, told: dict) -> Block:
    by = told["quality_by_cycle"]
    series = [
        band("@series.p10_90", by["p10"], by["p90"], 1),
        band("@series.p25_75", by["p25"], by["p75"], 1),
        line("@series.median", by["median"], 1),
        line("@series.mean", digits(by["mean"], 3), 2, dash=True),
    ]
    ends = {"mate": mate, "first": round(by["mean"][0]), "last": round(by["mean"][-1])}
    return plot(
        ["@plot.quality", {"mate": mate}],
        axis("@axis.cycle"),
        axis("@axis.phred", low=0, high=max(42, *by["p90"])),
        _cycles(told, len(by["mean"])),
        series,
        note="@note.quality",
        marks=[{"y": 30, "label": "Q30"}, {"y": 20, "label": "Q20"}],
        alt=["@alt.quality", ends],
        key=True,
    )


def _counts(mates: dict, key: str) -> list[dict]:
    """A line of shares for each mate that tells `key`, coloured by mate."""
    series = []
    for number, (mate, told) in enumerate(mates.items(), 1):
        if counts := told.get(key):
            whole = sum(counts) or 1
            series.append(line(_mate(mate), [count / whole for count in counts], number))
    return series


def _scores(mates: dict) -> Block | None:
    series = _counts(mates, "quality_of_reads")
    if not series:
        return None
    count = max(len(one["values"]) for one in series)
    return plot(
        "@plot.scores",
        axis("@axis.phred_mean"),
        axis("@axis.share_reads", "percent", low=0),
        steps(0, count),
        _same_length(series, count),
        shape="area",
        note="@note.scores",
    )


def _gc(mates: dict) -> Block | None:
    series = _counts(mates, "gc_of_reads")
    if not series:
        return None
    return plot(
        "@plot.gc",
        axis("@axis.gc"),
        axis("@axis.share_reads", "percent", low=0),
        steps(0, 101),
        series,
        shape="area",
        note="@note.gc",
    )


def _lengths(mates: dict) -> list[Block]:
    told = {mate: found["length"] for mate, found in mates.items() if found.get("length")}
    if all(sum(map(bool, length["counts"])) <= 1 for length in told.values()):
        return []
    first = min(length["first"] for length in told.values())
    last = max(length["first"] + len(length["counts"]) for length in told.values())
    series = [
        line(
            _mate(mate),
            [0] * (length["first"] - first)
            + length["counts"]
            + [0] * (last - length["first"] - len(length["counts"])),
            number,
        )
        for number, (mate, length) in enumerate(told.items(), 1)
    ]
    x, y = axis("@axis.length"), axis("@axis.reads", "short", log=True)
    return [plot("@plot.length", x, y, steps(first, last - first), series, note="@note.length")]


def _composition(mate: str, told: dict) -> Block:
    shares = {base: values for base, values in told["composition"].items() if any(values)}
    count = max(map(len, shares.values()), default=0)
    series = [line(base, digits(values, 3), base) for base, values in shares.items()]
    return plot(
        ["@plot.composition", {"mate": mate}],
        axis("@axis.cycle"),
        axis("@axis.share_bases", "percent", low=0),
        _cycles(told, count),
        series,
        note="@note.composition",
    )


def _adapters(mates: dict) -> list[Block]:
    named = [
        (name, mate, shares)
        for mate, told in mates.items()
        for name, shares in (told.get("adapters") or {}).items()
        if any(shares)
    ]
    if not named:
        return []
    names = list(dict.fromkeys(name for name, _, _ in named))
    colours = {name: 1 + number % 8 for number, name in enumerate(names)}
    count = max(len(shares) for _, _, shares in named)
    series = [
        line(
            ["@series.of_mate", {"name": name, "mate": mate}],
            shares,
            colours[name],
            dash=mate == "2",
        )
        for name, mate, shares in named
    ]
    at = _cycles(next(iter(mates.values())), count)
    y = axis("@axis.share_reads", "percent", low=0)
    more = {"note": "@note.adapters"}
    return [plot("@plot.adapters", axis("@axis.cycle"), y, at, _same_length(series, count), **more)]


def _levels(mates: dict) -> list[Block]:
    names = [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        ">10",
        ">50",
        ">100",
        ">500",
        ">1k",
        ">5k",
    ]
    names += [">10k"]
    found = [
        (mate, told["duplication_by_sequence"]["levels"])
        for mate, told in mates.items()
        if (told.get("duplication_by_sequence") or {}).get("levels")
    ]
    if not found:
        return []
    series = []
    for number, (mate, levels) in enumerate(found, 1):
        whole = sum(levels) or 1
        series.append(line(_mate(mate), [level / whole for level in levels], number))
    x = axis("@axis.copies", names=names[: len(found[0][1])])
    y = axis("@axis.share_reads", "percent", low=0)
    at = steps(0, len(found[0][1]))
    return [plot("@plot.levels", x, y, at, series, note="@note.levels")]


def _same_length(series: list[dict], count: int) -> list[dict]:
    for one in series:
        one["values"] += [None] * (count - len(one["values"]))
    return series


def _overrepresented(mates: dict) -> list[Block]:
    rows = [
        [row["sequence"], mate, row["count"], row["share"], row.get("source")]
        for mate, told in mates.items()
        for row in told.get("overrepresented") or ()
    ]
    if not rows:
        return []
    columns = [
        column("@column.sequence", "code"),
        column("@column.mate"),
        column("@axis.reads", "count"),
        column("@column.share", "percent"),
        column("@column.source"),
    ]
    return [table(columns, rows[:40], "@table.overrepresented")]
