"""How deep the reads lie: over the genome, by depth, by GC, by contig and gene."""

from itertools import accumulate

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
    steps,
    table,
)

EACH = True
_GENES = 400
_TAIL = 0.999


def gather(sample: dict) -> dict | None:
    """The coverage of the calls' quality control."""
    return ((sample.get("qc") or {}).get("calls") or {}).get("coverage") or None


def build(told: dict) -> list[Block]:
    """The profile over all contigs, the plots, the tables."""
    plots = [*_histogram(told), *_reached(told), *_gc_bias(told)]
    return [*_facts(told), *_profile(told), *cards(plots), *_genes(told), *_contigs(told)]


def _facts(told: dict) -> list[Block]:
    target = told.get("on_target") or {}
    rows = [
        ("@measures.mean_depth.label", told.get("mean"), "depth"),
        ("@count.median_depth", told.get("median"), "depth"),
        ("@count.at_20", (told.get("at_least") or {}).get("20"), "percent"),
        ("@measures.evenness.label", told.get("evenness"), "percent"),
        ("@measures.fold_80.label", told.get("fold_80"), "ratio"),
        ("@measures.on_target.label", target.get("share"), "percent"),
        ("@count.target_bases", told.get("target_bases"), "short"),
    ]
    return [facts(rows)]


def _profile(told: dict) -> list[Block]:
    profile = told.get("profile") or {}
    contigs = {name: depths for name, depths in (profile.get("contigs") or {}).items() if depths}
    if not contigs:
        return []
    lengths = [len(depths) for depths in contigs.values()]
    starts = [0, *accumulate(lengths)]
    values = [depth for depths in contigs.values() for depth in depths]
    median = told.get("median") or 0
    window = profile.get("window", 0)
    places = window if told.get("regions") == "genome" else 0  # else windows are not in a row
    spans = [
        [name, start, start + n] for name, start, n in zip(contigs, starts, lengths, strict=False)
    ]
    return [
        plot(
            "@plot.profile",
            axis("@axis.genome", spans=spans, window=places),
            axis("@axis.depth", "depth", low=0, high=3 * median or None),
            steps(0, len(values)),
            [line("@axis.depth", digits(values, 3), 1)],
            shape="area",
            note=["@note.profile", {"window": f"{window:,}"}],
            marks=[{"y": median, "label": "@series.median"}] if median else [],
            alt=["@alt.profile", {"contigs": len(contigs), "median": median}],
            wide=True,
            key=True,
        )
    ]


def _shown(counts: list[int]) -> int:
    """How many depths a picture shows: those of all but the deepest thousandth."""
    whole = sum(counts)
    enough = next((d for d, n in enumerate(accumulate(counts)) if n >= _TAIL * whole), 0)
    return min(len(counts), max(int(enough * 1.1) + 2, 20))


def _histogram(told: dict) -> list[Block]:
    counts = told.get("histogram")
    if not counts or not sum(counts):
        return []
    whole, shown = sum(counts), _shown(counts)
    mean = told.get("mean") or 0
    return [
        plot(
            "@plot.depth",
            axis("@axis.depth"),
            axis("@axis.share_bases", "percent", low=0),
            steps(0, shown),
            [line("@axis.share_bases", digits([n / whole for n in counts[:shown]], 3), 1)],
            shape="area",
            note="@note.depth",
            marks=[{"x": mean, "label": "@series.mean"}],
            alt=["@alt.depth", {"mean": mean, "share": told.get("at_least", {}).get("20")}],
            key=True,
        )
    ]


def _reached(told: dict) -> list[Block]:
    counts = told.get("histogram")
    if not counts or not sum(counts):
        return []
    whole, shown = sum(counts), _shown(counts)
    below = [0, *accumulate(counts[: shown - 1])]
    return [
        plot(
            "@plot.reached",
            axis("@axis.depth"),
            axis("@axis.share_bases", "percent", low=0, high=1),
            steps(0, shown),
            [line("@series.reached", [1 - n / whole for n in below], 1)],
            note="@note.reached",
            marks=[{"x": 20, "label": "20×"}] if shown > 20 else [],
        )
    ]


def _gc_bias(told: dict) -> list[Block]:
    bias = told.get("gc_bias") or {}
    if not bias.get("depth"):
        return []
    windows = bias.get("windows") or [0] * 101
    most = max(windows) or 1
    usual = [
        depth if n >= most / 2000 else None for depth, n in zip(bias["depth"], windows, strict=True)
    ]
    high = max(2, min(4, max((value for value in usual if value), default=2)))
    return [
        plot(
            "@plot.gc_bias",
            axis("@axis.gc_window"),
            axis("@axis.relative_depth", "ratio", low=0, high=high),
            steps(0, len(usual)),
            [
                line("@series.windows", [n / most for n in windows], 7, fill=True),
                line("@axis.relative_depth", digits(usual, 3), 1),
            ],
            note="@note.gc_bias",
            marks=[{"y": 1, "label": ""}],
        )
    ]


def _genes(told: dict) -> list[Block]:
    genes = told.get("genes")
    if not genes:
        return []
    worst = sorted(
        genes, key=lambda gene: (gene.get("at_least_20") or 0, gene["mean"], gene["name"])
    )
    columns = [
        column("@column.gene"),
        column("@column.place", "code"),
        column("@column.bases", "count"),
        column("@measures.mean_depth.label", "depth"),
        column("@column.min_depth", "depth"),
        column("@count.at_20", "percent"),
        column("@count.at_30", "percent"),
    ]
    rows = [
        [
            gene["name"],
            f"{gene['contig']}:{gene['start'] + 1:,}-{gene['end']:,}",
            gene["bases"],
            gene["mean"],
            gene["min"],
            gene.get("at_least_20"),
            gene.get("at_least_30"),
        ]
        for gene in worst[:_GENES]
    ]
    label = ["@table.genes", {"shown": len(rows), "all": len(genes)}]
    return [table(columns, rows, label, search=True)]


def _contigs(told: dict) -> list[Block]:
    contigs = told.get("contigs")
    if not contigs:
        return []
    columns = [
        column("@column.contig"),
        column("@column.length", "count"),
        column("@count.target_bases", "count"),
        column("@measures.mean_depth.label", "depth"),
        column("@count.median_depth", "depth"),
        column("@column.covered", "percent"),
    ]
    keys = ("name", "length", "target_bases", "mean", "median", "covered")
    rows = [[contig.get(key) for key in keys] for contig in contigs]
    if others := told.get("others"):
        rows.append([["@table.others", {"count": others["contigs"]}], *map(others.get, keys[1:])])
    return [
        folded("@table.contigs", [table(columns, rows, "@table.contigs", search=len(rows) > 30)])
    ]
