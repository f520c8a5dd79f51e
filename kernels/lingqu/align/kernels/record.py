"""Write the placed templates as records: flags, CIGARs, mate fields, supplementary lines.

Field semantics: SAM specification, sections 1.4 and 2.
"""

import numpy as np

from lingqu.align.kernels.candidates import MAX_CANDIDATES
from lingqu.align.kernels.extend import M
from lingqu.align.kernels.pair import mapq_of, unseen_score
from lingqu.align.kernels.scoring import MIN_SCORE
from lingqu.base.jit import kernel

PAIRED, PROPER, UNMAPPED, MATE_UNMAPPED = 0x1, 0x2, 0x4, 0x8
REVERSE, MATE_REVERSE, FIRST, LAST = 0x10, 0x20, 0x40, 0x80
SECONDARY, SUPPLEMENTARY = 0x100, 0x800

MAX_SPLIT = 3
"""Supplementary records of a read at most."""

_CLIP = 4


@kernel
def write_cigar(table, c, keep, length, pool, out, at):
    """Write the whole read's CIGAR at out[at:]; returns the number of operations.

    keep: bases that were aligned; the length - keep bases of adapter after them are clipped.
    """
    front, back = table.read_begin[c], keep - table.read_end[c]
    if table.strand[c]:
        front += length - keep
    else:
        back += length - keep
    n = 0
    if front:
        out[at] = (front << 4) | _CLIP
        n = 1
    if table.cigar_len[c]:
        for i in range(table.cigar_len[c]):
            out[at + n] = pool[table.cigar_start[c] + i]
            n += 1
    else:
        out[at + n] = ((table.read_end[c] - table.read_begin[c]) << 4) | M
        n += 1
    if back:
        out[at + n] = (back << 4) | _CLIP
        n += 1
    return n


@kernel(inline="always")
def _span(table, c, keep):
    """What of the read, as sequenced, candidate c aligns: [begin, end)."""
    if table.strand[c]:
        return keep - table.read_end[c], keep - table.read_begin[c]
    return table.read_begin[c], table.read_end[c]


@kernel
def overlap_much(table, a, b, keep):
    """Whether two candidates of a read share over half of the shorter one's bases."""
    begin_a, end_a = _span(table, a, keep)
    begin_b, end_b = _span(table, b, keep)
    shared = min(end_a, end_b) - max(begin_a, begin_b)
    return 2 * shared > min(end_a - begin_a, end_b - begin_b)


@kernel
def sub_score(table, order, kept, r, c, keep):
    """Best score among the read's other candidates over the same bases, -1 for none."""
    best = -1
    for k in range(kept[r]):
        other = order[r * MAX_CANDIDATES + k]
        if other != c and overlap_much(table, other, c, keep):
            best = max(best, table.score[other])
    return best


@kernel
def find_splits(table, order, kept, r, primary, keep, splits):
    """List candidates of other parts of the read in `splits`; returns how many."""
    n = 0
    for k in range(kept[r]):
        c = order[r * MAX_CANDIDATES + k]
        if table.score[c] < MIN_SCORE or c == primary or n == MAX_SPLIT:
            continue
        free = not overlap_much(table, c, primary, keep)
        for i in range(n):
            free = free and not overlap_much(table, c, splits[i], keep)
        if free:
            splits[n] = c
            n += 1
    return n


@kernel
def split_mapq(table, order, kept, r, c, keep, seeds, repeats, w, limits):
    """MAPQ of a supplementary alignment, against the candidates of the same bases."""
    other = 0.0
    for k in range(kept[r]):
        rival = order[r * MAX_CANDIDATES + k]
        if rival != c and overlap_much(table, rival, c, keep):
            other += w[min(max(table.score[c] - table.score[rival], 0), w.size - 1)]
    unseen = unseen_score(table, c, table.read_end[c] - table.read_begin[c], seeds, repeats)
    other += w[min(max(table.score[c] - unseen, 0), w.size - 1)]
    return mapq_of(1.0, other, limits)


@kernel(inline="always")
def _template_length(begin, end, mate_begin, mate_end, first):
    """Signed distance from the leftmost to the rightmost mapped base."""
    length = max(end, mate_end) - min(begin, mate_begin)
    if begin < mate_begin or (begin == mate_begin and first):
        return length
    return -length


@kernel
def write_records(
    paired, table, order, kept, keep, length, tids, offsets, pool, chosen, mapq, proper,
    seed_start, repeats, w, limits, most_secondary, out, cigar,
):  # fmt: skip
    """Fill `out`, the arrays of an AlignmentBatch, with a chunk's records.

    out: (record_start, read, flag, tid, pos, mapq, cigar_start, cigar_len, mate_tid, mate_pos, tlen,
    score, sub_score) with room for (1 + MAX_SPLIT + most_secondary) records a read. cigar:
    uint32[], out. Returns (records, operations).
    """
    (record_start, read, flags, tid, pos, quality, cigar_start, cigar_len,
     mate_tid, mate_pos, tlen, score, sub) = out  # fmt: skip
    splits = np.empty(MAX_SPLIT, np.int64)
    mates = 2 if paired else 1
    m = 0
    used = 0
    for t in range(keep.size // mates):
        record_start[t] = m
        for k in range(mates):
            r = t * mates + k
            read[m + k] = r
        lead = m
        m += mates
        for k in range(mates):
            r = t * mates + k
            c = chosen[r]
            mate = chosen[t * mates + 1 - k] if paired else np.int64(-1)
            flag = 0
            if paired:
                flag = PAIRED | (LAST if k else FIRST)
                if mate < 0:
                    flag |= MATE_UNMAPPED
                elif table.strand[mate]:
                    flag |= MATE_REVERSE
                if proper[t]:
                    flag |= PROPER
            mate_place = mate if mate >= 0 else c
            their_tid = their_pos = -1
            if paired and mate_place >= 0:
                their_tid = tids[mate_place]
                their_pos = table.ref_begin[mate_place] - offsets[their_tid]
            distance = 0
            if c >= 0 and mate >= 0 and tids[c] == tids[mate]:
                distance = _template_length(
                    table.ref_begin[c], table.ref_end[c],
                    table.ref_begin[mate], table.ref_end[mate], k == 0,
                )  # fmt: skip
            emitted = np.int64(1)
            split_count = 0
            if c >= 0:
                split_count = find_splits(table, order, kept, r, c, keep[r], splits)
                others = min(max(kept[r] - 1 - split_count, 0), most_secondary)
                emitted += split_count + others
            secondary = 0
            for e in range(emitted):
                at = lead + k if e == 0 else m
                own = c
                extra = 0
                q = mapq[r]
                if e and e <= split_count:
                    own = splits[e - 1]
                    extra = SUPPLEMENTARY
                    seeds = seed_start[r + 1] - seed_start[r]
                    q = split_mapq(
                        table, order, kept, r, own, keep[r], seeds, repeats[r], w, limits
                    )
                elif e:
                    own, secondary = _next_secondary(
                        order, kept, r, c, splits, split_count, secondary
                    )
                    extra = SECONDARY
                    q = 0
                if e:
                    read[at] = r
                    m += 1
                mate_tid[at], mate_pos[at] = their_tid, their_pos
                tlen[at] = distance
                cigar_start[at] = used
                cigar_len[at] = 0
                score[at] = 0
                sub[at] = -1
                quality[at] = 0
                if own < 0:
                    flags[at] = flag | UNMAPPED
                    tid[at], pos[at] = their_tid, their_pos
                    continue
                flags[at] = flag | extra | (REVERSE if table.strand[own] else 0)
                tid[at] = tids[own]
                pos[at] = table.ref_begin[own] - offsets[tids[own]]
                quality[at] = q
                score[at] = table.score[own]
                sub[at] = sub_score(table, order, kept, r, own, keep[r])
                n = write_cigar(table, own, keep[r], length[r], pool, cigar, used)
                cigar_len[at] = n
                used += n
    record_start[keep.size // mates] = m
    return m, used


@kernel
def _next_secondary(order, kept, r, primary, splits, split_count, rank):
    """The next candidate, from `rank` on, that is no other record; and the rank after it."""
    while rank < kept[r]:
        c = order[r * MAX_CANDIDATES + rank]
        rank += 1
        taken = c == primary
        for i in range(split_count):
            taken = taken or c == splits[i]
        if not taken:
            return c, rank
    return np.int64(-1), rank
