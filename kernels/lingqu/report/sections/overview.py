"""Every sample in a row: a heat table of its measures, to sort and to search."""

from lingqu.report.blocks import Block
from lingqu.report.measures import MEASURES

EACH = False
LEADING = ("mean_depth", "covered_15x", "mapped", "duplicates", "contamination", "sex", "snvs")
LEADING += ("indels", "ts_tv", "het_hom")
"""Columns that stand first, when they have values."""
_SECTIONS = {measure.name: measure.section for measure in MEASURES}


def gather(numbers: dict) -> dict:
    """Measures that any sample has a value of, and by sample the values and verdicts."""
    samples = numbers["samples"]
    told = [{one["measure"]: one for one in sample["verdicts"]} for sample in samples]
    names = dict.fromkeys([*LEADING, *(name for verdicts in told for name in verdicts)])
    kept = [
        name for name in names if any((v.get(name) or {}).get("value") is not None for v in told)
    ]
    return {
        "names": [sample["name"] for sample in samples],
        "verdicts": [sample.get("verdict") for sample in samples],
        "measures": kept,
        "told": [[verdicts.get(name) or {} for name in kept] for verdicts in told],
    }


def build(told: dict) -> list[Block]:
    """One block: a letter stands for a verdict, "-" for none."""
    return [
        {
            "kind": "heat",
            "names": told["names"],
            "verdicts": "".join(map(letter, told["verdicts"])),
            "measures": told["measures"],
            "parts": [_SECTIONS[name] for name in told["measures"]],
            "values": [[cell.get("value") for cell in row] for row in told["told"]],
            "marks": ["".join(letter(cell.get("verdict")) for cell in row) for row in told["told"]],
        }
    ]


def letter(verdict: str | None) -> str:
    """p, w, f or -."""
    return verdict[0] if verdict else "-"
