"""What was found: kinds, substitutions, lengths, balance, a table to search, and pile-ups."""

from lingqu.report.blocks import (
    Block,
    axis,
    cards,
    column,
    digits,
    facts,
    line,
    plot,
    prose,
    split,
    steps,
    table,
)

EACH = True
LENGTHS = range(-50, 51)


def gather(sample: dict) -> dict | None:
    """The variants of the calls' quality control, and those to look at."""
    qc = (sample.get("qc") or {}).get("calls") or {}
    counted = sample.get("variants") or {}
    told = {
        "counts": {**counted, **(qc.get("variants") or {})},
        "sex": qc.get("sex"),
        "contamination": qc.get("contamination"),
        "loci": sample.get("loci"),
        "file": sample["calls"],
    }
    return told if told["counts"] else None


def build(told: dict) -> list[Block]:
    """Kinds and identity, plots, the table, the gallery."""
    counts = told["counts"]
    plots = [
        *_substitutions(counts),
        *_indels(counts),
        *_balance(counts, "allele_balance", "balance"),
        *_balance(counts, "strand", "strand"),
        *_spread(counts, "quality", "quality_of_calls", 10),
        *_spread(counts, "depth", "depth_of_calls", 1),
    ]
    return [_kinds(counts), *_facts(told), *cards(plots), *_loci(told)]


def _kinds(counts: dict) -> Block:
    parts = [
        ("@kind.snvs", counts.get("snvs"), 1),
        ("@kind.indels", counts.get("indels"), 2),
        ("@kind.mnvs", counts.get("mnvs"), 5),
    ]
    return split("@split.kinds", parts)


def _facts(told: dict) -> list[Block]:
    counts = told["counts"]
    sex, mixed = told["sex"] or {}, told["contamination"] or {}
    filtered = counts.get("filtered")
    known = counts.get("known") or {}
    rows = [
        ("@count.records", counts.get("records"), "count"),
        (
            "@count.filtered",
            sum(filtered.values()) if isinstance(filtered, dict) else filtered,
            "count",
        ),
        ("@count.multiallelic", counts.get("multiallelic"), "count"),
        ("@measures.ts_tv.label", counts.get("ts_tv"), "ratio"),
        ("@measures.het_hom.label", counts.get("het_hom"), "ratio"),
        ("@measures.known.label", known.get("share"), "percent"),
        ("@summary.sex", sex.get("found"), "text"),
        ("@count.sex_told", sex.get("told"), "text"),
        (_mixed_label(mixed), mixed.get("share"), "percent"),
        ("@count.contamination_sites", mixed.get("sites"), "count"),
        (
            "@count.contamination_method",
            f"@method.{mixed['method']}" if mixed.get("method") else None,
            "text",
        ),
    ]
    return [facts(rows)]


def _mixed_label(mixed: dict) -> str:
    of_homozygous = mixed.get("method") == "homozygous"
    return f"@measures.{'ref_at_homozygous' if of_homozygous else 'contamination'}.label"


def _substitutions(counts: dict) -> list[Block]:
    found = counts.get("substitutions")
    if not found or not any(found.values()):
        return []
    transitions = {"A>G", "G>A", "C>T", "T>C"}
    names = sorted(found, key=lambda name: (name not in transitions, name))
    series = [
        line("@series.transitions", [found[n] if n in transitions else None for n in names], 1),
        line("@series.transversions", [None if n in transitions else found[n] for n in names], 2),
    ]
    x, y = axis("@axis.substitution", names=names), axis("@axis.variants", "short", low=0)
    more = {"shape": "bars", "note": "@note.substitutions"}
    return [plot("@plot.substitutions", x, y, steps(0, len(names)), series, **more)]


def _indels(counts: dict) -> list[Block]:
    found = {int(length): n for length, n in (counts.get("indel_lengths") or {}).items()}
    if not any(found.values()):
        return []
    far = min(50, max(10, *(abs(length) for length, n in found.items() if n)))
    lengths = range(-far, far + 1)
    series = [
        line("@series.deletions", [found.get(n, 0) if n < 0 else None for n in lengths], 2),
        line("@series.insertions", [found.get(n, 0) if n > 0 else None for n in lengths], 1),
    ]
    x, y = axis("@axis.indel"), axis("@axis.variants", "short", low=0)
    more = {"shape": "bars", "note": "@note.indels"}
    return [plot("@plot.indels", x, y, steps(-far, len(lengths)), series, **more)]


def _balance(counts: dict, key: str, name: str) -> list[Block]:
    bins = counts.get(key)
    if not bins or not any(bins):
        return []
    width = 1 / len(bins)
    return [
        plot(
            f"@plot.{name}",
            axis(f"@axis.{name}", "percent", low=0, high=1),
            axis("@axis.variants", "short", low=0),
            steps(width / 2, len(bins), width),
            [line("@axis.variants", bins, 1)],
            shape="bars",
            note=f"@note.{name}",
            marks=[{"x": 0.5, "label": ""}],
        )
    ]


def _spread(counts: dict, key: str, name: str, width: int) -> list[Block]:
    bins = counts.get(key)
    if not isinstance(bins, list) or not any(bins):
        return []
    while len(bins) > 20 and not bins[-1]:
        bins = bins[:-1]
    x, y = axis(f"@axis.{name}"), axis("@axis.variants", "short", low=0)
    at = steps(width / 2 if width > 1 else 0, len(bins), width)
    series = [line("@axis.variants", digits(bins), 1)]
    return [plot(f"@plot.{name}", x, y, at, series, shape="area", note=f"@note.{name}")]


def _loci(told: dict) -> list[Block]:
    loci = told["loci"]
    if not loci or not loci["rows"]:
        return []
    columns = [
        column("@column.place", "place"),
        column("@column.ref", "code"),
        column("@column.alt", "code"),
        column("@column.genotype", "code"),
        column("@column.depth", "count"),
        column("@column.balance", "share"),
        column("@column.quality", "number"),
        column("@column.filter"),
        column("@column.why", "why"),
    ]
    shown = {"shown": len(loci["rows"]), "all": loci["records"], "file": told["file"]}
    found = table(columns, loci["rows"], ["@table.variants", shown], search=True)
    found["piles"] = True
    rule = prose(["@rule.top", shown], "quiet")
    return [found, rule, {"kind": "piles", "piles": loci["piles"]}]
