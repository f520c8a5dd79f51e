"""What a run tells about itself in OUT.stats.json."""

from pathlib import Path

import numpy as np

from lingqu import __version__
from lingqu.align.kernels.dedup import KEPT, OPTICAL
from lingqu.formats.arrays import open_arrays, whole_facts


def insert_path(folder: Path, group: int) -> Path:
    """Where the insert sizes of a read group, its fields of InsertModel, are kept."""
    return folder / f"insert-{group}"


def _duplicates(folder: Path, facts: list[dict]) -> list[tuple[int, int]]:
    """(duplicate reads, optical ones) of each chunk."""
    _, table = open_arrays(folder / "chunks")
    _, arrays = open_arrays(folder / "duplicates")
    found = []
    for fact, first in zip(facts, table["first_template"], strict=True):
        kind = arrays["kind"][first : first + fact["templates"]]
        mates = 2 if fact["paired"] else 1
        found.append((mates * int((kind != KEPT).sum()), mates * int((kind == OPTICAL).sum())))
    return found


def stats_of(
    folder: Path, facts: list[dict], groups: list[dict], sample: str, command: str
) -> dict:
    """Counts of the whole sample and of each read group, insert sizes, version and command.

    Counts are of reads: `duplicates` and `optical_duplicates` count both mates of a template.
    """
    names = [*facts[0]["counts"], "duplicates", "optical_duplicates"]
    sums = np.zeros((len(groups), len(names)), np.int64)
    for fact, duplicates in zip(facts, _duplicates(folder, facts), strict=True):
        sums[fact["group"]] += [*fact["counts"].values(), *duplicates]
    rows = {
        group["ID"]: dict(zip(names, map(int, row), strict=True))
        | {"insert_size": whole_facts(insert_path(folder, number)), "fields": group}
        for number, (group, row) in enumerate(zip(groups, sums, strict=True))
    }
    total = dict(zip(names, map(int, sums.sum(axis=0)), strict=True))
    about = {"sample": sample, "version": __version__, "command": command}
    return about | total | {"read_groups": rows}
