"""Quality control of a sample's reads and alignments: sums to what stands in OUT.qc.json.

The keys are described in report/schemas/alignment.schema.json.
"""

from math import floor
from pathlib import Path

import numpy as np

from lingqu.align.insert_sizes import InsertSizes, library_size, pair_counts
from lingqu.align.kernels.dedup import KEPT, OPTICAL
from lingqu.align.kernels.tally_reads import KITS, ReadTally, gc_cell
from lingqu.align.kernels.tally_records import SUMS, RecordTally
from lingqu.align.prefixes import Prefixes
from lingqu.align.spill import chunk_path
from lingqu.align.tally import Tables, new_tables
from lingqu.base.json_text import significant
from lingqu.formats.arrays import open_arrays

TRIMMED = "Found by trimming"
_SINGLE = 300
_PERCENTILES = {"p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90}
_CUT = (*range(1, 101), *range(200, 1001, 100))


def _groups(cycles: int) -> np.ndarray:
    """First cycles (from 0) of the groups in which so many cycles are told, and the last's end.

    Up to 300 each stands for itself; more are put together as FastQC does: after nine single ones
    by as many as make fewer than 75 groups.
    """
    if cycles <= _SINGLE:
        return np.arange(cycles + 1)
    steps = (base * 10**power for power in range(7) for base in (2, 5, 10))
    step = next(step for step in steps if 9 - (9 - cycles) // step < 75)
    first = [*range(9), 9, *range(step - 1 if step > 10 else 9 + step, cycles, step)]
    return np.array([*first, cycles])


def _mean(values: np.ndarray, groups: np.ndarray) -> list[float]:
    """Means of values (float64[cycles]) by group."""
    return (np.add.reduceat(values, groups[:-1]) / np.diff(groups)).tolist()


def _share(part: np.ndarray, whole: np.ndarray, groups: np.ndarray) -> list[float]:
    """Sums of part over sums of whole (int64[cycles]) by group; 0 of nothing."""
    sums = [np.add.reduceat(one, groups[:-1]) for one in (part, whole)]
    return (sums[0] / np.maximum(sums[1], 1)).tolist()


def _qualities(table: np.ndarray, groups: np.ndarray) -> dict | None:
    """Mean and percentiles by cycle, of int64[cycles, QUALITIES]; None of no qualities.

    FastQC's percentile: the least score that so many per cent, rounded down, do not exceed.
    """
    total = table.sum(axis=1)
    if not total.any():
        return None
    means = table @ np.arange(table.shape[1]) / np.maximum(total, 1)
    told, below = {"mean": _mean(means, groups)}, np.cumsum(table, axis=1)
    for name, percent in _PERCENTILES.items():
        least = np.maximum(total * percent // 100, 1)
        scores = (below < least[:, None]).sum(axis=1)
        told[name] = _mean(np.where(total > 0, scores, 0).astype(float), groups)
    return told


def _claims(length: int) -> list[range]:
    """The per cents that reads so long with 0, 1, ... G and C stand for (FastQC's GCModel)."""
    ends = [min(max(count - 0.5, 0), length) * 100 / length for count in range(length + 2)]
    low = [floor(end + 0.5) for end in ends]
    return [range(low[count], low[count + 1] + 1) for count in range(length + 1)]


def _gc_of_reads(cells: np.ndarray) -> list[float]:
    """Reads by per cent of G and C, 0 to 100: each shared out to all that it may stand for."""
    found = np.zeros(101)
    for length in _CUT:
        counts = cells[gc_cell(length) :][: length + 1]
        if not counts.any():
            continue
        claims = _claims(length)
        claimed = np.bincount([percent for own in claims for percent in own], minlength=101)
        for own, count in zip(claims, counts.tolist(), strict=True):
            for percent in own:
                found[percent] += count / claimed[percent]
    return found.tolist()


def _adapters(table: np.ndarray, reads: int, cycles: int, groups: np.ndarray) -> dict:
    """Share of reads in which an adapter began up to a cycle; those never seen are left out."""
    names = (*KITS, TRIMMED)
    return {
        name: _mean(np.cumsum(row[:cycles]) / reads, groups)
        for name, row in zip(names, table, strict=True)
        if row.any()
    }


def _reads(tally: ReadTally, groups: np.ndarray, prefixes: Prefixes | None) -> dict:
    """What is told of the reads of a mate."""
    lengths = np.flatnonzero(tally.length)
    reads, cycles = int(tally.length.sum()), int(lengths[-1])
    there = reads - np.cumsum(tally.length)[:cycles]
    quality, bases = tally.quality[:cycles], tally.bases[:cycles]
    called, scored = bases.sum(axis=1), max(int(quality.sum()), 1)
    means = np.flatnonzero(tally.mean)
    composition = {base: _share(bases[:, code], called, groups) for code, base in enumerate("ACGT")}
    return {
        "reads": reads,
        "bases": int(tally.total[0]),
        "length": {
            "first": int(lengths[0]),
            "counts": tally.length[lengths[0] : cycles + 1].tolist(),
        },
        "cycles": (groups[:-1] + 1).tolist(),
        "quality_by_cycle": _qualities(quality, groups),
        "quality_of_reads": tally.mean[: means[-1] + 1].tolist() if len(means) else [],
        "q20": int(quality[:, 20:].sum()) / scored,
        "q30": int(quality[:, 30:].sum()) / scored,
        "composition": composition | {"N": _share(there - called, there, groups)},
        "gc_of_reads": _gc_of_reads(tally.gc),
        "gc": int(bases[:, 1:3].sum()) / max(int(called.sum()), 1),
        "adapters": _adapters(tally.adapter, reads, cycles, groups),
        "overrepresented": prefixes.overrepresented() if prefixes else None,
        "duplication_by_sequence": prefixes.duplication() if prefixes else None,
    }


def _mismatches(tally: RecordTally, mate: int, groups: np.ndarray) -> list[float]:
    cycles = int(groups[-1])
    aligned = np.cumsum(tally.aligned[mate])[:cycles]
    return _share(tally.mismatch[mate][:cycles], aligned, groups)


def _mapping(tally: RecordTally, opticals: int | None, library: int | None) -> dict:
    told = dict(zip(SUMS, tally.sums.tolist(), strict=True))
    mapq = tally.mapq.tolist()
    while len(mapq) > 61 and not mapq[-1]:
        mapq.pop()
    return told | {
        "optical_duplicates": opticals,
        "library_size": library,
        "error_rate": told["edits"] / max(told["cigar_bases"], 1),
        "mapq": mapq,
    }


def told_of(
    sample: str,
    tables: Tables,
    sizes: InsertSizes,
    opticals: int | None,
    library: int | None,
    prefixes: tuple[Prefixes, Prefixes] | None,
) -> dict:
    """What OUT.qc.json tells, from the sums of all chunks (int64).

    opticals: optical duplicates; library: different molecules; both None where nobody can tell.
    prefixes: of both mates, None where the order of the reads is not the sequencer's.
    """
    mates, mismatches = {}, {}
    for mate, tally in enumerate(tables.reads):
        lengths = np.flatnonzero(tally.length)
        if not lengths.any():
            continue
        groups, name = _groups(int(lengths[-1])), str(mate + 1)
        mates[name] = _reads(tally, groups, prefixes[mate] if prefixes else None)
        mismatches[name] = _mismatches(tables.records, mate, groups)
    told = {
        "schema": 1,
        "sample": sample,
        "mates": mates,
        "mapping": _mapping(tables.records, opticals, library),
        "insert_size": sizes.told(),
        "mismatch_by_cycle": mismatches,
    }
    return significant(told)


def qc_of(folder: Path, facts: list[dict], groups: list[dict], sample: str) -> dict:
    """What OUT.qc.json tells of all chunks in a folder, whose duplicates are judged."""
    _, table = open_arrays(folder / "chunks")
    kinds = open_arrays(folder / "duplicates")[1]["kind"]
    tables, sizes, prefixes = new_tables(), InsertSizes(), (Prefixes(), Prefixes())
    libraries: dict[str, np.ndarray] = {}
    duplicates = opticals = 0
    for number, fact in enumerate(facts):
        _, kept = open_arrays(chunk_path(folder, number))
        kind = kinds[table["first_template"][number] :][: fact["templates"]]
        mates = 2 if fact["paired"] else 1
        tables.cells[kept["tally_cell"]] += kept["tally_count"]
        sizes.add(kept["tally_pair"][kind == KEPT])
        for mate in range(mates):
            words = np.array(kept["tally_prefix"][mate::mates])
            prefixes[mate].add(words, kept["tally_often"], kept["tally_sequence"])
        duplicates += mates * int((kind != KEPT).sum())
        opticals += mates * int((kind == OPTICAL).sum())
        library, counts = groups[fact["group"]]["LB"], pair_counts(kept["tally_pair"], kind)
        libraries[library] = libraries.get(library, 0) + counts
    tables.records.sums[SUMS.index("duplicates")] = duplicates
    found = [library_size(*counts.tolist()) for counts in libraries.values() if counts[0]]
    library = sum(found) if found and None not in found else None
    return told_of(sample, tables, sizes, opticals, library, prefixes)
