"""`look`: the variants of a sample worth a look and the reads over the first of them, as JSON."""

import json
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.formats.reference import open_reference
from lingqu.report.loci import loci
from lingqu.report.pileup import piles

ROWS, PILES = 2000, 24


def look(
    reference: str | Path, alignment: str | Path, calls: str | Path, output: str | Path
) -> None:
    """Write {"records", "rows", "piles"} (see loci and pileup) of at most ROWS and PILES.

    alignment: a BAM or CRAM with its index, from which `calls` were made. LingquError where a file
    is missing or damaged.
    """
    told = loci(Path(calls), ROWS, PILES)
    told["piles"] = piles(Path(alignment), open_reference(reference), told["piles"])
    with publish(output) as beside:
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        beside.write_text(f"{text}\n", encoding="utf-8")
