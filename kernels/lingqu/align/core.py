"""Align a chunk of reads: the order of the kernels, and the arrays between them."""

from dataclasses import dataclass, replace

import numpy as np

from lingqu.align.batch import AlignmentBatch, InsertModel, ReadBatch
from lingqu.align.index import SeedIndex
from lingqu.align.kernels.candidates import CANDIDATE, new_candidates
from lingqu.align.kernels.chain import chain_reads
from lingqu.align.kernels.extend import NARROW, WIDE, extend_chains, extend_gapped, list_clipped
from lingqu.align.kernels.finish import rank_candidates
from lingqu.align.kernels.insert import fit_insert, insert_sizes
from lingqu.align.kernels.pair import insert_prices, phred_limits, place_templates, weights
from lingqu.align.kernels.probe import choose_probes, keep_hard, place_easy
from lingqu.align.kernels.record import MAX_SPLIT, new_records, write_records
from lingqu.align.kernels.rescue import rescue_mates
from lingqu.align.kernels.seed import look_up, seed_reads
from lingqu.align.kernels.strand import OVERHANG, both_strands
from lingqu.base.scratch import empty

_WEIGHTS = weights()
_LIMITS = phred_limits()

_TELLING = 8192
"""Reads from which insert sizes are estimated: enough for the mean within a hundredth of the sd."""


@dataclass
class _Chunk:
    """What one chunk's kernels share."""

    index: SeedIndex
    reads: ReadBatch
    codes: np.ndarray  # uint8[2, bases + OVERHANG]
    unknowns: np.ndarray
    unseen: np.ndarray
    table: np.recarray
    slots: np.ndarray
    counts: np.ndarray
    cigar: np.ndarray
    cigar_used: int


def _look_up(index: SeedIndex, hashes: np.ndarray, total: int) -> tuple[np.ndarray, ...]:
    first, found_at = empty(total, np.int64), empty(total, np.int64)
    count = empty(total, np.int32)
    look_up(hashes, total, index.buckets, index.entries, index.shift, first, count, found_at)
    return first, count, found_at


def _find_places(index: SeedIndex, reads: ReadBatch) -> _Chunk:
    """Place the easy reads by a few seeds, seed and chain the others, and extend the chains."""
    n, bases = reads.n, len(reads.codes)
    codes, unknowns = empty((2, bases + OVERHANG), np.uint8), empty(n, np.bool_)
    both_strands(reads.codes, reads.start, reads.keep, codes, unknowns)
    seed_start, probe_start = empty(n + 1, np.int64), empty(n + 1, np.int64)
    hashes, places = empty(bases + 1, np.uint64), empty(bases + 1, np.int64)
    total = seed_reads(reads.codes, reads.start, reads.keep, seed_start, hashes, places)
    probe_hashes, probe_places = empty(total, np.uint64), empty(total, np.int64)
    probes = choose_probes(seed_start, places, hashes, probe_start, probe_places, probe_hashes)
    _, count, found_at = _look_up(index, probe_hashes, probes)
    easy, placed = empty(n, CANDIDATE).view(np.recarray), empty(n, np.bool_)
    pool = empty(6 * n + (1 << 16), np.uint32)
    used, _ = place_easy(
        codes, unknowns, reads.start, reads.keep, probe_start, probe_places, count, found_at,
        index.reference.codes, easy, placed, pool, 0,
    )  # fmt: skip
    first, count, found_at = _look_up(index, hashes, keep_hard(placed, seed_start, places, hashes))
    table, slots = new_candidates(n), empty(n + 1, np.int64)
    counts, unseen = np.zeros(n, np.int32), np.zeros(n, np.int32)
    chain_reads(
        codes, reads.start, reads.keep, index.reference.codes, easy, placed, seed_start, places,
        first, count, found_at, index.entries, table, slots, counts, unseen,
    )  # fmt: skip
    chunk = _Chunk(index, reads, codes, unknowns, unseen, table, slots, counts, pool, used)
    _extend(chunk)
    return chunk


def _reserve(chunk: _Chunk, operations: int) -> None:
    """Make room in the chunk's CIGAR pool."""
    room = chunk.cigar_used + operations
    if room > len(chunk.cigar):
        chunk.cigar = np.concatenate((chunk.cigar, empty(room, np.uint32)))


def _extend(chunk: _Chunk) -> None:
    """Extend the fresh candidates: on their diagonals, then where needed in a band."""
    reads, table = chunk.reads, chunk.table
    size = int(chunk.slots[-1])
    tasks, wide_tasks = empty(size, np.int64), empty(size, np.int64)
    _reserve(chunk, 3 * int(chunk.counts.sum()))
    narrow, wide, chunk.cigar_used = extend_chains(
        table, chunk.slots, chunk.counts, chunk.codes, chunk.unknowns, reads.start, reads.keep,
        chunk.index.reference.codes, chunk.cigar, chunk.cigar_used, tasks, wide_tasks,
    )  # fmt: skip
    _extend_gapped(chunk, tasks[:narrow], NARROW)
    wide = list_clipped(
        table, chunk.slots, chunk.counts, reads.keep, tasks[:narrow], wide_tasks, wide
    )
    _extend_gapped(chunk, wide_tasks[:wide], WIDE)


def _extend_gapped(chunk: _Chunk, tasks: np.ndarray, width: int) -> None:
    if not len(tasks):
        return
    reads = chunk.reads
    tasks = tasks[np.argsort(reads.keep[chunk.table.read[tasks]], kind="stable")]
    # A gap costs more than six matches earn, so operations are under a third of the bases.
    _reserve(chunk, len(tasks) * (int(reads.keep.max()) // 3 + 8))
    chunk.cigar_used = extend_gapped(
        tasks, width, chunk.table, chunk.codes, reads.start, reads.keep,
        chunk.index.reference.codes, chunk.cigar, chunk.cigar_used,
    )  # fmt: skip


def _rank(chunk: _Chunk) -> tuple[np.ndarray, np.ndarray]:
    reference = chunk.index.reference
    order = empty(int(chunk.slots[-1]), np.int64)
    kept = empty(chunk.reads.n, np.int32)
    ends = reference.offsets + reference.lengths
    rank_candidates(
        chunk.table, chunk.slots, chunk.counts, reference.offsets, ends, chunk.cigar, order, kept
    )
    return order, kept


def _first(reads: ReadBatch, n: int) -> ReadBatch:
    """The first n reads of a chunk, or all."""
    if n >= reads.n:
        return reads
    columns = ("name_start", "name_len", "qual_start", "start", "length", "keep")
    some = {name: getattr(reads, name)[:n] for name in columns}
    return replace(reads, codes=reads.codes[: int(reads.start[n])], **some)


def estimate_insert(index: SeedIndex, reads: ReadBatch) -> InsertModel:
    """Insert sizes of a read group from a chunk at its start (paired): from its first reads.

    Mates that are each placed alone and without rival tell; outliers beyond three interquartile
    ranges are left out. With fewer than 30 of them the model is not `known`.
    """
    reads = _first(reads, _TELLING)
    chunk = _find_places(index, reads)
    order, kept = _rank(chunk)
    sizes = empty(reads.n // 2, np.int64)
    found = insert_sizes(chunk.table, chunk.slots, order, kept, reads.keep, sizes)
    return InsertModel(*fit_insert(sizes[:found]))


def align_reads(
    index: SeedIndex,
    reads: ReadBatch,
    insert: InsertModel,
    first_template: int,
    most_secondary: int = 0,
) -> AlignmentBatch:
    """Align a chunk.

    first_template: ordinal in the input of the chunk's first template; it decides between equals.
    most_secondary: secondary records a read at most.
    """
    chunk = _find_places(index, reads)
    if reads.paired:
        added = rescue_mates(
            chunk.table, chunk.slots, chunk.counts, chunk.codes, reads.start, reads.keep,
            index.reference.codes, insert.low, insert.high,
        )  # fmt: skip
        if added:
            _extend(chunk)
    order, kept = _rank(chunk)
    templates = reads.n // 2 if reads.paired else reads.n
    chosen = empty(reads.n, np.int64)
    mapq = empty(reads.n, np.uint8)
    proper = np.zeros(templates, np.bool_)
    prices = insert_prices(insert.mean, insert.sd, insert.low, insert.high, insert.known)
    place_templates(
        reads.paired, first_template, chunk.table, chunk.slots, order, kept, reads.keep,
        chunk.unseen, insert.low, prices, _WEIGHTS, _LIMITS, chosen, mapq,
        proper,
    )  # fmt: skip
    return _records(chunk, order, kept, chosen, mapq, proper, most_secondary)


def _records(chunk, order, kept, chosen, mapq, proper, most_secondary) -> AlignmentBatch:
    reads = chunk.reads
    most = 1 + MAX_SPLIT + most_secondary
    room = int(np.minimum(kept, most).sum() + (kept == 0).sum())
    out = new_records(len(proper), room)
    cigar = empty(chunk.cigar_used + 3 * room, np.uint32)
    records, operations = write_records(
        2 if reads.paired else 1, chunk.table, chunk.slots, order, kept, reads.keep, reads.length,
        chunk.index.reference.offsets, chunk.cigar, chosen, mapq, proper, chunk.unseen,
        _WEIGHTS, _LIMITS, most_secondary, out, cigar,
    )  # fmt: skip
    fields = {name: array[:records] for name, array in out._asdict().items()}
    fields["record_start"] = out.record_start
    return AlignmentBatch(cigar=cigar[:operations], **fields)
