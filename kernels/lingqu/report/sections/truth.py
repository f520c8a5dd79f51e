"""Calls held against a truth set, for the samples that have one."""

from lingqu.report.blocks import Block, column, table

EACH = False


def gather(numbers: dict) -> dict | None:
    """Comparisons by sample."""
    found = {
        one["name"]: one["compare"]["rows"] for one in numbers["samples"] if one.get("compare")
    }
    return found or None


def build(told: dict) -> list[Block]:
    """One table; precision, recall and F1 as shares."""
    columns = [
        column("@column.sample"),
        column("@column.kind"),
        *(column(f"@column.{name}", "count") for name in ("truth", "hits", "missed", "extra")),
        *(column(f"@column.{name}", "ratio4") for name in ("precision", "recall", "f1")),
    ]
    rows = [
        [sample, kind, row["tp_truth"] + row["fn"], row["tp_truth"], row["fn"], row["fp"]]
        + [row.get(rate) for rate in ("precision", "recall", "f1")]
        for sample, kinds in told.items()
        for kind, row in kinds.items()
    ]
    return [table(columns, rows, "@sections.truth", search=len(rows) > 20, bare=True)]
