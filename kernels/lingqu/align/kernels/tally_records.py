"""Counts over alignments: classes, MAPQ, CIGAR's bases, mismatches by cycle, insert sizes.

By the definitions of samtools stats and of Picard's CollectInsertSizeMetrics.
"""

from typing import NamedTuple

import numpy as np

from lingqu.align.kernels.encode import (
    DELETE,
    INSERT,
    MATCH,
    REVERSE,
    SECONDARY,
    SKIP,
    SOFT,
    UNMAPPED,
    fetch,
    oriented,
)
from lingqu.align.kernels.tally_reads import CYCLES
from lingqu.base.bits import LANES, differences, lowest_bit, popcount
from lingqu.base.jit import kernel, leaf

SUMS = (
    "reads", "bases", "mapped", "unmapped", "properly_paired", "singletons", "mate_elsewhere",
    "secondary", "supplementary", "duplicates", "aligned_bases", "soft_clipped_bases",
    "mismatches", "inserted_bases", "deleted_bases", "cigar_bases", "edits",
)  # fmt: skip
"""Names of the sums: of reads, by their primary records; cigar_bases and edits of supplementary
records too, as samtools has them."""

_AT = {name: place for place, name in enumerate(SUMS)}
(
    _READS, _BASES, _MAPPED, _UNMAPPED, _PROPER, _SINGLETONS, _ELSEWHERE, _SECONDARY,
    _SUPPLEMENTARY, _DUPLICATES, _ALIGNED, _CLIPPED, _MISMATCHES, _INSERTED, _DELETED, _CIGAR,
    _EDITS,
) = _AT.values()  # fmt: skip

FR, RF, TANDEM, NEITHER = 0, 1, 2, 3
NO_PAIR = np.uint32(0xFFFFFFFF)
"""`pair` of a record that is not the second one of a mapped pair."""

LARGEST = (1 << 29) - 1
"""Largest insert size that is told apart from larger ones."""

_PAIRED, _IS_PROPER, _MATE_UNMAPPED, _MATE_REVERSE, _LAST = 0x1, 0x2, 0x8, 0x20, 0x80
_SUPPLEMENT, _DUPLICATE, _HARD = 0x800, 0x400, 5
_AHEAD, _BIT = 16, np.uint64(1)


class RecordTally(NamedTuple):
    """Counts of records (int32). [2, …] are by mate."""

    sums: np.ndarray  # [len(SUMS)]
    mapq: np.ndarray  # [256], mapped reads
    aligned: np.ndarray  # [2, CYCLES + 1], reads aligned at a cycle, less those at the one before
    mismatch: np.ndarray  # [2, CYCLES], reads that differ there, N on neither side


@kernel
def reference_ends(pos, cigar_start, cigar_len, cigar, end):
    """Fill end (int64[m]) with the place behind each record's last base on its contig."""
    for i in range(len(pos)):
        end[i] = pos[i]
        for k in range(cigar_start[i], cigar_start[i] + cigar_len[i]):
            op = cigar[k] & 15
            if op == MATCH or op == DELETE or op == SKIP or op > 6:
                end[i] += cigar[k] >> 4


@leaf
def _read_span(cigar, first, ops):
    """(bases of the record, hard-clipped ones) of a CIGAR."""
    bases = hard = np.int64(0)
    for k in range(first, first + ops):
        op, size = cigar[k] & 15, np.int64(cigar[k] >> 4)
        bases += size if op == MATCH or op > 6 or op == INSERT or op == SOFT else 0
        hard += size if op == _HARD else 0
    return bases, hard


@leaf
def _mismatches(bases, read, genome, at, size, cycle, step, mismatch, mate):
    """How many of `size` aligned bases differ; those without N are counted by cycle.

    mate: the row of mismatch to count in, -1 for none.
    """
    wrong = np.int64(0)
    for j in range(0, size, LANES):
        unequal = differences(bases, read + j, genome, at + j)
        if size - j < LANES:
            unequal &= (_BIT << np.uint64(size - j)) - _BIT
        wrong += popcount(unequal)
        while unequal and mate >= 0:
            k = j + lowest_bit(unequal)
            own = cycle + step * k
            if bases[read + k] < 4 and genome[at + k] < 4 and own < CYCLES:
                mismatch[mate, own] += 1
            unequal &= unequal - _BIT
    return wrong


@leaf
def _count_bases(bases, read, genome, at, cigar, first, ops, cycle, step, mate, out):
    """Count the bases of a mapped record.

    bases: its codes from `read` on, as `oriented` gives them; genome: from `at` on. cycle, step: of
    its first base, hard-clipped ones included, and to the next one. mate: -1 of supplementary
    records, of which only cigar_bases and edits count.
    """
    matched = clipped = wrong = inserted = deleted = np.int64(0)
    for k in range(first, first + ops):
        op, size = cigar[k] & 15, np.int64(cigar[k] >> 4)
        if op == MATCH or op > 6:
            matched += size
            wrong += _mismatches(bases, read, genome, at, size, cycle, step, out.mismatch, mate)
            if mate >= 0:
                low = cycle if step > 0 else cycle - size + 1
                out.aligned[mate, min(low, CYCLES)] += 1
                out.aligned[mate, min(low + size, CYCLES)] -= 1
        elif op == INSERT:
            inserted += size
        elif op == SOFT:
            clipped += size
        elif op == DELETE:
            deleted += size
        of_read = op == MATCH or op > 6 or op == INSERT or op == SOFT
        at += size if op == MATCH or op > 6 or op == DELETE or op == SKIP else 0
        read += size if of_read else 0
        cycle += step * size if of_read or op == _HARD else 0
    sums = out.sums
    sums[_CIGAR] += matched + inserted
    sums[_EDITS] += wrong + inserted + deleted
    if mate >= 0:
        sums[_ALIGNED] += matched
        sums[_CLIPPED] += clipped
        sums[_MISMATCHES] += wrong
        sums[_INSERTED] += inserted
        sums[_DELETED] += deleted


@leaf
def _pair_of(flag, pos, end, tid, mate_tid, mate_pos, mate_end, tlen):
    """Insert size * 4 + orientation of the second record of a mapped pair, as Picard tells them."""
    if mate_tid != tid or tlen == 0:
        return np.uint32(NEITHER)
    reverse, mate_reverse = flag & REVERSE > 0, flag & _MATE_REVERSE > 0
    kind = TANDEM
    if reverse != mate_reverse:
        forward_start, reverse_end = (mate_pos, end) if reverse else (pos, mate_end)
        kind = FR if forward_start < reverse_end else RF
    return np.uint32(min(abs(np.int64(tlen)), LARGEST) << 2 | kind)


@leaf
def _count_class(flag, size, tid, mate_tid, mapq, out):
    """Count a record of `size` bases in its class; whether its alignment counts."""
    sums = out.sums
    if flag & SECONDARY:
        sums[_SECONDARY] += 1
        return False
    if flag & _SUPPLEMENT:
        sums[_SUPPLEMENTARY] += 1
        return not flag & UNMAPPED
    sums[_READS] += 1
    sums[_BASES] += size
    sums[_DUPLICATES] += flag & _DUPLICATE > 0
    if flag & UNMAPPED:
        sums[_UNMAPPED] += 1
        return False
    sums[_MAPPED] += 1
    out.mapq[mapq] += 1
    if flag & _PAIRED:
        sums[_PROPER] += flag & _IS_PROPER > 0
        alone = flag & _MATE_UNMAPPED > 0
        sums[_SINGLETONS] += alone
        sums[_ELSEWHERE] += not alone and mate_tid != tid
    return True


@kernel
def count_records(
    read, flag, tid, pos, mapq, cigar_start, cigar_len, cigar, mate_tid, mate_pos, tlen,
    end, mate_end, codes, start, length, genome, offsets, ends, row, out, pair,
):  # fmt: skip
    """Add records to a tally.

    In the first line columns of an AlignmentBatch, whose `read` tells the rows of codes, start and
    length (as of ReadBatch: as sequenced). end, mate_end (int64[m]): the places on the contig
    behind the record's last base and its mate's. genome, offsets, ends: the reference, and where
    its contigs begin and end there. row: uint8 scratch of the longest read and LANES. out:
    RecordTally. pair (uint32[m]) is filled: insert size * 4 + FR, RF or TANDEM, or NEITHER, of the
    second record of a pair that is mapped, of all others NO_PAIR. Of records without bases, and
    that reach beyond the reference, no bases count.
    """
    for i in range(len(read)):
        if i % _AHEAD == 0:
            fetch(genome, offsets, tid, pos, i, i + _AHEAD, row)
        own, size, start_of = np.int64(flag[i]), np.int64(length[read[i]]), start[read[i]]
        pair[i] = NO_PAIR
        if not _count_class(own, size, tid[i], mate_tid[i], mapq[i], out):
            continue
        if own & (_SUPPLEMENT | _PAIRED | _LAST | _MATE_UNMAPPED) == _PAIRED | _LAST:
            pair[i] = _pair_of(
                own, pos[i], end[i], tid[i], mate_tid[i], mate_pos[i], mate_end[i], tlen[i]
            )
        place = offsets[tid[i]] + np.int64(pos[i])
        bases, hard = _read_span(cigar, cigar_start[i], cigar_len[i])
        if bases != size or size == 0 or place + end[i] - pos[i] > ends[tid[i]]:
            continue
        letters, first = oriented(codes, start_of, size, own & REVERSE, row)
        mate = np.int64(-1) if own & _SUPPLEMENT else (own & _LAST) >> 7
        back = own & REVERSE > 0
        _count_bases(
            letters, first, genome, place, cigar, cigar_start[i], cigar_len[i],
            size + hard - 1 if back else np.int64(0), np.int64(-1 if back else 1), mate, out,
        )  # fmt: skip
