"""The key figures of all samples as one table, for spreadsheets and Snakemake's own report."""

from lingqu.report.measures import MEASURES


def overview(numbers: dict) -> str:
    """Tab-separated: a line of heads, then one a sample: its verdict, and each measure's value.

    Shares are fractions; a value that lacks is empty.
    """
    lines = ["\t".join(["sample", "verdict", "look_at", *(measure.name for measure in MEASURES)])]
    for sample in numbers["samples"]:
        marked = [v["measure"] for v in sample["verdicts"] if v["verdict"] in ("warn", "fail")]
        values = {told["measure"]: told["value"] for told in sample["verdicts"]}
        cells = [_cell(values[measure.name]) for measure in MEASURES]
        verdict = sample["verdict"] or ""
        lines.append("\t".join([sample["name"], verdict, ",".join(marked), *cells]))
    return "\n".join(lines) + "\n"


def _cell(value: float | bool | None) -> str:
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: ""}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)
