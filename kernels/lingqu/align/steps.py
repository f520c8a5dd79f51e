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
    UMI,
    duplicate_records,
    find_duplicates,
    optical_distance,
)
from lingqu.align.eqx import tell_matches
from lingqu.align.index import open_index
from lingqu.align.kernels.shard import fill_block
from lingqu.align.reads import read_batch
from lingqu.align.records import sorted_records
from lingqu.align.spill import END, ROW, TWO_WORDS, Cuts, chunk_path, unpacked, write_chunk
from lingqu.align.tally import tally_chunk
from lingqu.base.plugins import ALIGNERS, function
from lingqu.base.scratch import scratch
from lingqu.formats import bgzf
from lingqu.formats.arrays import finished, open_arrays, write_arrays
from lingqu.formats.bam_deflate import RecordCompressor
from lingqu.formats.bam_index import depth_for, shard_index
from lingqu.formats.fastq import Chunk
from lingqu.formats.reference import Reference, open_reference


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
    """Stretch `cut` of the chunks [first, last) to bring together as file `number`."""

    fasta: Path
    folder: Path
    number: int
    cut: int
    first: int
    last: int
    placed: bool


def shard_path(folder: Path, number: int) -> Path:
    """Where a shard's blocks wait to be joined."""
    return folder / f"shard-{number:06d}"


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
    with scratch():
        return finished(path, lambda: _align_chunk(task, path))


def _align_chunk(task: ChunkTask, path: Path) -> dict:
    index = open_index(task.fasta)
    reads = read_batch(task.chunk)
    run = function(ALIGNERS, task.aligner) if task.aligner else align_reads
    found = run(index, reads, task.insert, task.first_template, task.secondary)
    if task.eqx:
        found = tell_matches(reads, found, index.reference)
    tally = tally_chunk(reads, found, index.reference)  # now that the genome's lines are at hand
    records = sorted_records(reads, found, index.reference, task.group_id)
    ends = duplicate_records(reads, found, index.reference)
    facts = {
        "templates": len(found.record_start) - 1,
        "paired": reads.paired,
        "group": task.chunk.group,
        "distance": optical_distance(reads),
        "counts": count(reads, found),
    }
    write_chunk(path, facts, records, ends, tally)
    return facts


def judge_duplicates(task: StretchTask) -> tuple[np.ndarray, np.ndarray]:
    """(template ordinals, kinds) of the duplicates whose first end lies in the stretch."""
    facts, table = open_arrays(task.folder / "chunks")
    chunks, cuts = slice(task.first, task.last), Cuts(task.folder)
    counts = cuts.rows("end", task.cut, chunks)
    columns = unpacked(cuts.read("ends", "end", task.cut, chunks, END))
    if facts["umis"]:
        columns[UMI] = cuts.read(UMI, "end", task.cut, chunks, TWO_WORDS)["words"]
    of = {name: np.repeat(column[chunks], counts) for name, column in table.items()}
    ordinal = of["first_template"] + columns["template"]
    return find_duplicates(columns, ordinal, of["library"], of["group"], of["distance"])


def _gather(task: StretchTask) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns key, span, begin, size, kind of the stretch's records in chunk order; their bytes."""
    _, table = open_arrays(task.folder / "chunks")
    _, duplicates = open_arrays(task.folder / "duplicates")
    chunks, cuts = slice(task.first, task.last), Cuts(task.folder)
    columns = unpacked(cuts.read("records", "record", task.cut, chunks, ROW))
    counts = cuts.rows("record", task.cut, chunks)
    ordinal = np.repeat(table["first_template"][chunks], counts) + columns.pop("template")
    size = columns["size"].astype(np.int64)
    columns |= {"size": size, "begin": np.cumsum(size) - size, "kind": duplicates["kind"][ordinal]}
    return columns, cuts.read("data", "byte", task.cut, chunks, np.dtype(np.uint8))


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
    with scratch():
        return finished(path, lambda: _write_shard(task, path))


def _write_shard(task: StretchTask, path: Path) -> dict:
    columns, data = _gather(task)
    order = np.argsort(columns["key"], kind="stable")
    blocks, begin = _compress(columns, order, data)
    index = {}
    if task.placed:
        reference = open_reference(task.fasta)
        tid, pos = _places(columns["key"][order], reference)
        depth = depth_for(int(reference.lengths.max()))
        stop = sum(map(len, blocks)) << 16
        index = shard_index(tid, pos, columns["span"][order], begin, stop, depth)
    joined = np.frombuffer(b"".join(blocks), np.uint8)
    facts = {"placed": task.placed, "records": len(order), "bytes": len(joined)}
    write_arrays(path, facts, index | {"blocks": joined})
    return facts
