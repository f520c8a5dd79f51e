"""What quality control counts of a chunk: tables that are summed over chunks, in any order.

Beside the tables a chunk keeps what is judged when all chunks are there: the insert size of each
pair (duplicates do not count) and a number for the beginning of each read (what is
over-represented).
"""

from dataclasses import dataclass
from math import prod

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch
from lingqu.align.kernels.tally_reads import (
    CYCLES,
    GC_CELLS,
    KITS,
    PREFIX,
    QUALITIES,
    ReadTally,
    count_reads,
    hash_prefixes,
)
from lingqu.align.kernels.tally_records import (
    NO_PAIR,
    SUMS,
    RecordTally,
    count_records,
    reference_ends,
)
from lingqu.base.bits import LANES
from lingqu.base.scratch import empty
from lingqu.formats.reference import Reference
from lingqu.sequence.codes import encode

_READS = {
    "quality": (CYCLES, QUALITIES),
    "bases": (CYCLES, 4),
    "length": (CYCLES + 1,),
    "total": (1,),
    "mean": (QUALITIES,),
    "gc": (GC_CELLS,),
    "adapter": (len(KITS) + 1, CYCLES),
}
_RECORDS = {
    "sums": (len(SUMS),),
    "mapq": (256,),
    "aligned": (2, CYCLES + 1),
    "mismatch": (2, CYCLES),
}
_SHAPES = [*_READS.values(), *_READS.values(), *_RECORDS.values()]
_SIZE = sum(map(prod, _SHAPES))

ONE_IN = 1000
"""A sequence is over-represented where more than one in so many reads has it."""


@dataclass
class Tables:
    """Views of one flat array (`cells`): the tables of reads, by mate, and of records."""

    cells: np.ndarray
    reads: tuple[ReadTally, ReadTally]
    records: RecordTally


def new_tables(kind: type = np.int64) -> Tables:
    """Tables of zeros."""
    cells, views, at = np.zeros(_SIZE, kind), [], 0
    for shape in _SHAPES:
        views.append(cells[at : at + prod(shape)].reshape(shape))
        at += prod(shape)
    one, two, rest = views[: len(_READS)], views[len(_READS) : 2 * len(_READS)], views[-4:]
    return Tables(cells, (ReadTally(*one), ReadTally(*two)), RecordTally(*rest))


def _random_words() -> np.ndarray:
    """uint64[PREFIX, 5] for `hash_prefixes`, by splitmix64 (Steele, Lea and Flood 2014)."""
    word = np.arange(1, 5 * PREFIX + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (word ^ (word >> np.uint64(31))).reshape(PREFIX, 5)


_CODES = np.array([encode(kit) for kit in KITS.values()])
_WORDS = _random_words()


def tally_reads(
    reads: ReadBatch, rows: tuple[np.ndarray, ...], tables: Tables, zero: int = 33
) -> None:
    """Add reads to tables (int32): rows[m] (int64[]) are those of mate m.

    zero: what stands in `text` for Phred 0. A qual_start of -1 tells that a read has no qualities.
    """
    words, hits, seen = empty(CYCLES), empty(CYCLES), np.zeros((4, CYCLES), np.uint8)
    for own, table in zip(rows, tables.reads, strict=False):
        count_reads(
            own, reads.text, reads.qual_start, zero, reads.codes, reads.start, reads.length,
            reads.keep, _CODES, words, hits, seen, table,
        )  # fmt: skip


def tally_records(
    reads: ReadBatch,
    found: AlignmentBatch,
    end: np.ndarray,
    mate_end: np.ndarray,
    reference: Reference,
    tables: Tables,
) -> np.ndarray:
    """Add records to tables (int32); what each tells of its pair (uint32[m]).

    end, mate_end: int64[m]; this, and what is told, as of `count_records`.
    """
    pair, row = np.empty(found.n, np.uint32), empty(int(reads.length.max(initial=1)) + LANES)
    count_records(
        found.read, found.flag, found.tid, found.pos, found.mapq, found.cigar_start,
        found.cigar_len, found.cigar, found.mate_tid, found.mate_pos, found.tlen, end, mate_end,
        reads.codes, reads.start, reads.length, reference.codes, reference.offsets,
        reference.offsets + reference.lengths, row, tables.records, pair,
    )  # fmt: skip
    return pair


def ends_of(found: AlignmentBatch) -> np.ndarray:
    """int64[m]: the place on its contig behind each record's last base."""
    end = empty(found.n, np.int64)
    reference_ends(found.pos, found.cigar_start, found.cigar_len, found.cigar, end)
    return end


def _frequent(words: np.ndarray) -> np.ndarray:
    """The rows (int64[]) where words (uint64[n]) that are more than one in ONE_IN come first.

    What is that in all chunks is so in one of them at least.
    """
    bucket = (words >> np.uint64(48)).astype(np.int64)
    crowded = np.flatnonzero(np.bincount(bucket)[bucket] * ONE_IN > len(words))
    _, first, counts = np.unique(words[crowded], return_index=True, return_counts=True)
    return crowded[first[counts * ONE_IN > len(words)]]


def _sequences(reads: ReadBatch, rows: np.ndarray) -> np.ndarray:
    """The codes of the first PREFIX bases of some reads: uint8[n, PREFIX], 255 behind their end."""
    out = np.full((len(rows), PREFIX), 255, np.uint8)
    for row, r in zip(out, rows, strict=True):
        size = min(int(reads.length[r]), PREFIX)
        row[:size] = reads.codes[int(reads.start[r]) :][:size]
    return out


def tally_chunk(
    reads: ReadBatch, found: AlignmentBatch, reference: Reference
) -> dict[str, np.ndarray]:
    """What quality control keeps of a chunk.

    cell (int32[k]) and count (int32[k]): the cells of Tables that are not 0. pair: uint32[t], of
    each template as `count_records` tells it. prefix: uint64[n], of each read (`hash_prefixes`).
    often (uint64[f]) and sequence (uint8[f, PREFIX]): of those frequent in the chunk.
    """
    tables, mates = new_tables(np.int32), 2 if reads.paired else 1
    rows = tuple(np.arange(mate, reads.n, mates) for mate in range(mates))
    tally_reads(reads, rows, tables)
    end, first = ends_of(found), found.record_start[:-1]
    mate_end = np.zeros(found.n, np.int64)
    if reads.paired:
        mate_end[first], mate_end[first + 1] = end[first + 1], end[first]
    pair = tally_records(reads, found, end, mate_end, reference, tables)
    prefix = np.empty(reads.n, np.uint64)
    hash_prefixes(reads.codes, reads.start, reads.length, _WORDS, prefix)
    often = np.concatenate([own[_frequent(prefix[own])] for own in rows])
    cell = np.flatnonzero(tables.cells).astype(np.int32)
    return {
        "cell": cell,
        "count": tables.cells[cell],
        "pair": pair[first + 1] if reads.paired else np.full(len(first), NO_PAIR),
        "prefix": prefix,
        "often": prefix[often],
        "sequence": _sequences(reads, often),
    }
