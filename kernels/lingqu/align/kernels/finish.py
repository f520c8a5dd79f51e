"""From extended candidates to a short, ranked list a read: clip, drop, tell apart, sort."""

import numpy as np

from lingqu.align.kernels.extend import D, I, M
from lingqu.align.kernels.scoring import GAP_EXTEND, GAP_OPEN, MATCH, MISMATCH
from lingqu.base.jit import kernel, leaf

MIN_KEPT = 24
"""Least score of a candidate that pairing may use."""


@leaf
def contig_of(offsets, place):
    """Index of the contig whose start is the last at or before a global position, or 0."""
    low, high = 0, offsets.size
    while high - low > 1:
        middle = (low + high) >> 1
        if offsets[middle] <= place:
            low = middle
        else:
            high = middle
    return np.int32(low)


@kernel(inline="always")
def _cost(length, operation):
    """What an operation beyond the contig's end has cost: its bases lie on N."""
    return -MISMATCH * length if operation == M else GAP_OPEN + GAP_EXTEND * length


@leaf
def _cut_front(table, c, cigar, limit):
    """Cut the operations of a gapped alignment until it starts at `limit` or later."""
    at, n = table.cigar_start[c], table.cigar_len[c]
    while n:
        length, operation = np.int64(cigar[at] >> 4), cigar[at] & 15
        outside = limit - table.ref_begin[c]
        if outside <= 0 and operation == M:
            break
        if operation == M and length > outside:
            cigar[at] = np.uint32(((length - outside) << 4) | M)
            table.score[c] += _cost(outside, M)
            table.ref_begin[c] += outside
            table.read_begin[c] += outside
            break
        table.score[c] += _cost(length, operation)
        if operation != I:
            table.ref_begin[c] += length
        if operation != D:
            table.read_begin[c] += length
        at += 1
        n -= 1
    table.cigar_start[c], table.cigar_len[c] = at, n


@leaf
def _cut_back(table, c, cigar, limit):
    """Cut the operations of a gapped alignment until it ends at `limit` or before."""
    at, n = table.cigar_start[c], table.cigar_len[c]
    while n:
        length, operation = np.int64(cigar[at + n - 1] >> 4), cigar[at + n - 1] & 15
        outside = table.ref_end[c] - limit
        if outside <= 0 and operation == M:
            break
        if operation == M and length > outside:
            cigar[at + n - 1] = np.uint32(((length - outside) << 4) | M)
            table.score[c] += _cost(outside, M)
            table.ref_end[c] -= outside
            table.read_end[c] -= outside
            break
        table.score[c] += _cost(length, operation)
        if operation != I:
            table.ref_end[c] -= length
        if operation != D:
            table.read_end[c] -= length
        n -= 1
    table.cigar_len[c] = n


@leaf
def clip_to_contig(table, c, cigar, begin, end):
    """Clip an alignment to the contig [begin, end); its score loses what lies beyond."""
    before, after = begin - table.ref_begin[c], table.ref_end[c] - end
    if before <= 0 and after <= 0:
        return
    if table.cigar_len[c]:
        _cut_front(table, c, cigar, begin)
        _cut_back(table, c, cigar, end)
        if table.cigar_len[c] == 0:
            table.score[c] = 0
    else:
        table.score[c] += _cost(max(before, 0) + max(after, 0), M)
        table.ref_begin[c] += max(before, 0)
        table.read_begin[c] += max(before, 0)
        table.ref_end[c] -= max(after, 0)
        table.read_end[c] -= max(after, 0)
    table.score[c] = min(table.score[c], MATCH * (table.read_end[c] - table.read_begin[c]))


@leaf
def _same_place(table, a, b):
    """Whether two candidates share a diagonal at either end."""
    if table.strand[a] != table.strand[b]:
        return False
    heads = table.ref_begin[a] - table.read_begin[a] == table.ref_begin[b] - table.read_begin[b]
    tails = table.ref_end[a] - table.read_end[a] == table.ref_end[b] - table.read_end[b]
    apart = table.read_begin[a] >= table.read_end[b] or table.read_begin[b] >= table.read_end[a]
    return (heads or tails) and not apart


@kernel
def rank_candidates(table, slots, counts, offsets, ends, cigar, order, kept):
    """List each read's distinct candidates, best first, in order[slots[r]:][:kept[r]].

    offsets, ends: int64[contigs], global starts and ends. The contig of a
    kept candidate is written to the table.
    """
    for r in range(counts.size):
        slot = slots[r]
        n = 0
        for c in range(slot, slot + counts[r]):
            if table.score[c] < MIN_KEPT:
                continue
            tid = contig_of(offsets, (table.ref_begin[c] + table.ref_end[c]) >> 1)
            clip_to_contig(table, c, cigar, offsets[tid], ends[tid])
            if table.score[c] < MIN_KEPT:
                continue
            table.tid[c] = tid
            twin = -1
            for k in range(n):
                if _same_place(table, c, order[slot + k]):
                    twin = k
                    break
            if twin >= 0:
                if table.score[order[slot + twin]] >= table.score[c]:
                    continue
                for k in range(twin, n - 1):
                    order[slot + k] = order[slot + k + 1]
                n -= 1
            at = n
            while at and table.score[order[slot + at - 1]] < table.score[c]:
                order[slot + at] = order[slot + at - 1]
                at -= 1
            order[slot + at] = c
            n += 1
        kept[r] = n
