"""All samples together: who is related to whom, principal components, swaps, genotypes."""

from lingqu.report.blocks import (
    Block,
    axis,
    cards,
    code,
    column,
    digits,
    facts,
    folded,
    line,
    plot,
    prose,
    table,
)

EACH = False
KINDS = ("same", "parent-child", "siblings", "second degree", "unrelated", "unknown")
_PAIRS = 5000


def gather(numbers: dict) -> dict | None:
    """The cohort's counts and quality control."""
    cohort = numbers.get("cohort")
    return {**(cohort.get("qc") or {}), "counts": cohort} if cohort else None


def build(told: dict) -> list[Block]:
    """Swaps first, then the pictures, then pairs and genotypes."""
    plots = [*_relatedness(told), *_components(told)]
    return [*_swaps(told), *cards(plots), *_sites(told["counts"]), *_pairs(told), *_genotypes(told)]


def _swaps(told: dict) -> list[Block]:
    return [prose(_in_words(swap), "fail") for swap in told.get("swaps") or ()]


def _in_words(swap: dict) -> list:
    facts = {"samples": ", ".join(swap["samples"]), "why": swap["why"]}
    return [f"@swap.{swap['kind']}", facts]


def _scattered(points: list[tuple[float, float, str, int]], names: list) -> dict:
    """Positions in rising order, their labels, and a series for each group that has points."""
    points = sorted(points)
    series = []
    for number, name in enumerate(names):
        values = [y if group == number else None for _, y, _, group in points]
        if any(value is not None for value in values):
            series.append(line(name, values, number + 1))
    at = digits(x for x, _, _, _ in points)
    return {"at": at, "series": series, "points": [label for _, _, label, _ in points]}


def _relatedness(told: dict) -> list[Block]:
    pairs = told.get("pairs") or []
    if not pairs:
        return []
    points = [
        (
            pair["ibs0"] / max(1, pair["sites"]),
            pair["relatedness"],
            f"{pair['a']} · {pair['b']}",
            KINDS.index(pair["found"] or "unknown"),
        )
        for pair in pairs[:_PAIRS]
        if pair.get("relatedness") is not None
    ]
    dots = _scattered(points, [f"@kin.{kind.replace(' ', '_')}" for kind in KINDS])
    x, y = axis("@axis.ibs0", "percent", low=0), axis("@axis.relatedness", "ratio")
    return [plot("@plot.kin", x, y, shape="dots", note="@note.kin", **dots)]


def _components(told: dict) -> list[Block]:
    pca = told.get("pca")
    if not pca or not pca.get("samples"):
        return []
    points = [
        (place[0], place[1], name, 0) for name, place in pca["samples"].items() if len(place) > 1
    ]
    dots = _scattered(points, ["@axis.samples"])
    shares = [*pca.get("explained", ()), None, None]
    x, y = (
        axis(
            [f"@axis.pc{n}", {"share": f"{100 * shares[n - 1]:.1f}"}] if shares[n - 1] else f"PC{n}"
        )
        for n in (1, 2)
    )
    return [plot("@plot.pca", x, y, shape="dots", note="@note.pca", **dots)]


def _sites(counts: dict) -> list[Block]:
    names = ("records", "filtered", "snvs", "indels", "multiallelic")
    rows = [(f"@count.{name}", counts.get(name), "count") for name in names]
    return [facts(rows), code(counts["file"])] if "file" in counts else [facts(rows)]


def _pairs(told: dict) -> list[Block]:
    pairs = told.get("pairs") or []
    if not pairs:
        return []
    wrong = sorted(
        pairs, key=lambda p: (p.get("agrees") is not False, -(p.get("relatedness") or 0))
    )
    columns = [
        column("@column.sample"),
        column("@column.sample"),
        column("@column.relatedness", "ratio"),
        column("@column.kinship", "ratio"),
        column("IBS0", "count"),
        column("@column.sites", "count"),
        column("@column.found", "kin"),
        column("@column.told", "kin"),
        column("@column.agrees", "agrees"),
    ]
    keys = ("a", "b", "relatedness", "kinship", "ibs0", "sites", "found", "told", "agrees")
    rows = [[pair.get(key) for key in keys] for pair in wrong[:_PAIRS]]
    label = ["@table.pairs", {"shown": len(rows), "all": len(pairs)}]
    return [folded(label, [table(columns, rows, label, search=True)])]


def _genotypes(told: dict) -> list[Block]:
    genotypes = told.get("genotypes") or told["counts"].get("genotypes") or {}
    if not genotypes:
        return []
    names = ("heterozygous", "homozygous", "reference", "missing", "singletons")
    kept = [name for name in names if any(name in counts for counts in genotypes.values())]
    columns = [column("@column.sample"), *(column(f"@count.{name}", "count") for name in kept)]
    rows = [[name, *(counts.get(key) for key in kept)] for name, counts in genotypes.items()]
    return [folded("@table.genotypes", [table(columns, rows, "@table.genotypes", search=True)])]
