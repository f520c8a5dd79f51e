"""The three steps that run on workers: align a chunk, judge duplicates, write a shard.

Each takes a task that says where its files are, and leaves one file that is whole or not there,
so that a step may run again after anything went wrong.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lingqu.align.batch import InsertModel
from lingqu.align.core import align_reads, estimate_insert
from lingqu.align.counts import count
from lingqu.align.duplicates import (
    COLUMNS,
    UMI,
    duplicate_records,
    find_duplicates,
    optical_distance,
)
from lingqu.align.eqx import tell_matches
from lingqu.align.index import open_index
from lingqu.align.kernels.shard import fill_block
from lingqu.align.reads import read_batch
from lingqu.align.records import UNPLACED, sorted_records
from lingqu.base.plugins import ALIGNERS, function
from lingqu.base.scratch import empty, scratch
from lingqu.formats import bgzf
from lingqu.formats.arrays import (
    array_start,
    open_arrays,
    read_exactly,
    whole_facts,
    write_arrays,
)
from lingqu.formats.bam_deflate import RecordCompressor
from lingqu.formats.bam_index import depth_for, shard_index
from lingqu.formats.fastq import Chunk
from lingqu.formats.reference import Reference, open_reference

WINDOW_BITS = 15
"""Bits of a sort key below its window: 2^14 bases and the strand."""

_ENDS = "ends_"


@dataclass(frozen=True)
class ChunkTask:
    """A chunk to align: group_id is its read group's ID, number counts chunks from 0.

    aligner: as in Options.
    """

    fasta: Path
    folder: Path
    number: int
    first_template: int
    group_id: bytes
    insert: InsertModel
    secondary: int
    eqx: bool
    aligner: str
    chunk: Chunk


@dataclass(frozen=True)
class StretchTask:
    """Keys [low, high) of the chunks [first, last) to bring together as file `number`."""

    fasta: Path
    folder: Path
    number: int
    first: int
    last: int
    low: int
    high: int


def chunk_path(folder: Path, number: int) -> Path:
    """Where a chunk's records wait for their shard."""
    return folder / f"chunk-{number:06d}"


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard's blocks wait to be joined."""
    return folder / f"shard-{number:06d}"


def _weigh(key: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Windows of sorted keys, and the sum of the weights in each."""
    window, first = np.unique(key >> WINDOW_BITS, return_index=True)
    total = np.add.reduceat(weight, first) if len(first) else weight[:0]
    return window.astype(np.int64), total.astype(np.int64)


def insert_of(task: tuple[Path, Chunk]) -> dict:
    """The insert size model that a chunk tells, as the fields of InsertModel."""
    fasta, chunk = task
    with scratch():
        return asdict(estimate_insert(open_index(fasta), read_batch(chunk)))


def align_chunk(task: ChunkTask) -> dict:
    """Align a chunk, leave its sorted records and duplicate records; its facts.

    What an earlier run has left whole is not done again.
    """
    path = chunk_path(task.folder, task.number)
    facts = whole_facts(path)
    if facts is None:
        with scratch():
            facts = _align_chunk(task, path)
    return facts


def _align_chunk(task: ChunkTask, path: Path) -> dict:
    index = open_index(task.fasta)
    reads = read_batch(task.chunk)
    run = function(ALIGNERS, task.aligner) if task.aligner else align_reads
    found = run(index, reads, task.insert, task.first_template, task.secondary)
    if task.eqx:
        found = tell_matches(reads, found, index.reference)
    records = sorted_records(reads, found, index.reference, task.group_id)
    ends = duplicate_records(reads, found, index.reference)
    placed = int(np.searchsorted(records.key, UNPLACED))
    window, size = _weigh(records.key[:placed], np.diff(records.offset[: placed + 1]))
    end_window, end_rows = _weigh(ends["first_key"], np.ones(len(ends["first_key"]), np.int64))
    facts = {
        "templates": len(found.record_start) - 1,
        "paired": reads.paired,
        "umis": reads.umis is not None,
        "group": task.chunk.group,
        "distance": optical_distance(reads),
        "unplaced_bytes": int(records.offset[-1] - records.offset[placed]),
        "unplaced": len(records.key) - placed,
        "counts": count(reads, found),
    }
    arrays = vars(records) | {_ENDS + name: column for name, column in ends.items()}
    weights = {
        "window": window,
        "window_bytes": size,
        "end_window": end_window,
        "end_rows": end_rows,
    }
    write_arrays(path, facts, arrays | weights)
    return facts


def judge_duplicates(task: StretchTask) -> tuple[np.ndarray, np.ndarray]:
    """(template ordinals, kinds) of the duplicates whose first end lies in the stretch."""
    facts, table = open_arrays(task.folder / "chunks")
    parts, counts = {name: [] for name in COLUMNS}, []
    umis = [] if facts["umis"] else None
    for number in range(task.first, task.last):
        _, arrays = open_arrays(chunk_path(task.folder, number))
        low, high = np.searchsorted(arrays[_ENDS + "first_key"], [task.low, task.high])
        for name, part in parts.items():
            part.append(arrays[_ENDS + name][low:high].copy())  # a map is an open file
        if umis is not None:
            none = np.zeros((high, 2), np.int64)  # of a lane without UMIs
            umis.append(arrays.get(_ENDS + UMI, none)[low:high].copy())
        counts.append(high - low)
    columns = {name: np.concatenate(part) for name, part in parts.items()}
    if umis is not None:
        columns[UMI] = np.concatenate(umis)
    of = {name: np.repeat(column[task.first : task.last], counts) for name, column in table.items()}
    ordinal = of["first_template"] + columns["template"]
    return find_duplicates(columns, ordinal, of["library"], of["group"], of["distance"])


def _bytes_of(places: list[tuple[Path, int, int]]) -> np.ndarray:
    """Bytes [begin, end) of each file, one after another."""
    data, at = empty(sum(end - begin for _, begin, end in places)), 0
    for path, begin, end in places:
        read_exactly(path, begin, data[at : at + end - begin])
        at += end - begin
    return data


def _gather(task: StretchTask) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns key, span, begin, size, kind of the stretch's records in chunk order; their bytes.

    No chunk's map outlives its turn: each is an open file, and chunks are many.
    """
    _, table = open_arrays(task.folder / "chunks")
    _, duplicates = open_arrays(task.folder / "duplicates")
    columns, places, at = {name: [] for name in ("key", "span", "begin", "size", "kind")}, [], 0
    for number in range(task.first, task.last):
        path = chunk_path(task.folder, number)
        _, chunk = open_arrays(path)
        low, high = np.searchsorted(chunk["key"], [task.low, task.high])
        offset = chunk["offset"][low : high + 1].copy()
        start, _ = array_start(path, "data")
        places.append((path, start + int(offset[0]), start + int(offset[-1])))
        columns["key"].append(chunk["key"][low:high].copy())
        columns["span"].append(chunk["span"][low:high].copy())
        columns["begin"].append(offset[:-1] - offset[0] + at)
        columns["size"].append(np.diff(offset))
        ordinal = table["first_template"][number] + chunk["template"][low:high]
        columns["kind"].append(duplicates["kind"][ordinal])
        at += int(offset[-1] - offset[0])
    return {name: np.concatenate(parts) for name, parts in columns.items()}, _bytes_of(places)


def _compress(columns: dict, order: np.ndarray, data: np.ndarray) -> tuple[list[bytes], np.ndarray]:
    """Blocks of the records in order, and each record's virtual offset (uint64[n])."""
    compressor = RecordCompressor(int(columns["size"].max(initial=0)) + 64)
    within, begin = np.zeros(len(order), np.int64), np.empty(len(order), np.uint64)
    blocks, done, at = [], 0, 0
    while done < len(order):
        first = done
        done, filled = fill_block(
            data, columns["begin"], columns["size"], order, columns["kind"], first,
            compressor.data, bgzf.PAYLOAD, within,
        )  # fmt: skip
        begin[first:done] = (within[first:done] + (at << 16)).astype(np.uint64)
        blocks.append(compressor.compress(filled))
        at += len(blocks[-1])
    return blocks, begin


def _places(key: np.ndarray, reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    """Contig and position (int64[n]) of sort keys."""
    place = key >> 1
    tid = np.searchsorted(reference.offsets, place, side="right") - 1
    return tid, place - reference.offsets[tid]


def write_shard(task: StretchTask) -> dict:
    """Sort a stretch's records, mark duplicates, compress and index them; its facts."""
    path = shard_path(task.folder, task.number)
    facts = whole_facts(path)
    if facts is None:
        with scratch():
            facts = _write_shard(task, path)
    return facts


def _write_shard(task: StretchTask, path: Path) -> dict:
    columns, data = _gather(task)
    order = np.argsort(columns["key"], kind="stable")
    blocks, begin = _compress(columns, order, data)
    index = {}
    if task.low < UNPLACED:
        reference = open_reference(task.fasta)
        tid, pos = _places(columns["key"][order], reference)
        depth = depth_for(int(reference.lengths.max()))
        stop = sum(map(len, blocks)) << 16
        index = shard_index(tid, pos, columns["span"][order], begin, stop, depth)
    joined = np.frombuffer(b"".join(blocks), np.uint8)
    facts = {"placed": task.low < UNPLACED, "records": len(order), "bytes": len(joined)}
    write_arrays(path, facts, index | {"blocks": joined})
    return facts
