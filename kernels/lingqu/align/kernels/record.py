"""Write the placed templates as records: flags, CIGARs, mate fields, supplementary lines.

Field semantics: SAM specification, sections 1.4 and 2.
"""

from typing import NamedTuple

import numpy as np

from lingqu.align.kernels.extend import D, I, M
from lingqu.align.kernels.pair import mapq_of, unseen_score
from lingqu.align.kernels.scoring import GAP_OPEN, MIN_SCORE
from lingqu.base.jit import kernel, leaf
from lingqu.base.scratch import empty

PAIRED, PROPER, UNMAPPED, MATE_UNMAPPED = 0x1, 0x2, 0x4, 0x8
REVERSE, MATE_REVERSE, FIRST, LAST = 0x10, 0x20, 0x40, 0x80
SECONDARY, SUPPLEMENTARY = 0x100, 0x800

MAX_SPLIT = 3
"""Supplementary records of a read at most."""

_CLIP = 4


class Records(NamedTuple):
    """The arrays of an AlignmentBatch, but for its CIGAR pool; see there."""

    record_start: np.ndarray
    read: np.ndarray
    flag: np.ndarray
    tid: np.ndarray
    pos: np.ndarray
    mapq: np.ndarray
    cigar_start: np.ndarray
    cigar_len: np.ndarray
    mate_tid: np.ndarray
    mate_pos: np.ndarray
    tlen: np.ndarray
    score: np.ndarray
    sub_score: np.ndarray


def new_records(templates, room):
    """Records with room for `room` of them."""
    kinds = (np.int32, np.uint16, np.int32, np.int32, np.uint8, np.int64, *[np.int32] * 6)
    return Records(empty(templates + 1, np.int64), *(empty(room, kind) for kind in kinds))


@leaf
def _append(out, at, n, word):
    """Append an operation to the n at out[at:]; returns how many there are then.

    Gaps side by side become one insertion before one deletion.
    """
    op, to = word & 15, at + n
    swaps = n > 0 and op == I and out[to - 1] & 15 == D
    same = to - 2 if swaps else to - 1
    if same >= at and out[same] & 15 == op:
        out[same] += word >> 4 << 4
        return n
    if swaps:
        word, out[to - 1] = out[to - 1], word
    out[to] = word
    return n + 1


@leaf
def write_cigar(table, c, keep, length, pool, out, at):
    """Write the whole read's CIGAR at out[at:].

    keep: bases that were aligned; the length - keep bases of adapter after them are clipped.
    Returns (operations, gaps that became part of another).
    """
    front, back = table.read_begin[c], keep - table.read_end[c]
    if table.strand[c]:
        front += length - keep
    else:
        back += length - keep
    n = merged = 0
    if front:
        out[at] = (front << 4) | _CLIP
        n = 1
    if table.cigar_len[c]:
        merged = n + table.cigar_len[c]
        for i in range(table.cigar_len[c]):
            n = _append(out, at, n, pool[table.cigar_start[c] + i])
        merged -= n
    else:
        out[at + n] = ((table.read_end[c] - table.read_begin[c]) << 4) | M
        n += 1
    if back:
        out[at + n] = (back << 4) | _CLIP
        n += 1
    return n, merged


@kernel(inline="always")
def _span(table, c, keep):
    """What of the read, as sequenced, candidate c aligns: [begin, end)."""
    if table.strand[c]:
        return keep - table.read_end[c], keep - table.read_begin[c]
    return table.read_begin[c], table.read_end[c]


@leaf
def overlap_much(table, a, b, keep):
    """Whether two candidates of a read share over half of the shorter one's bases."""
    begin_a, end_a = _span(table, a, keep)
    begin_b, end_b = _span(table, b, keep)
    shared = min(end_a, end_b) - max(begin_a, begin_b)
    return 2 * shared > min(end_a - begin_a, end_b - begin_b)


@leaf
def sub_score(table, slots, order, kept, r, c, keep):
    """Best score among the read's other candidates over the same bases, -1 for none."""
    best = -1
    for k in range(kept[r]):
        other = order[slots[r] + k]
        if other != c and overlap_much(table, other, c, keep):
            best = max(best, table.score[other])
    return best


@leaf
def find_splits(table, slots, order, kept, r, primary, keep, splits):
    """List candidates of other parts of the read in `splits`; returns how many."""
    n = 0
    for k in range(kept[r]):
        c = order[slots[r] + k]
        if table.score[c] < MIN_SCORE or c == primary or n == MAX_SPLIT:
            continue
        free = not overlap_much(table, c, primary, keep)
        for i in range(n):
            free = free and not overlap_much(table, c, splits[i], keep)
        if free:
            splits[n] = c
            n += 1
    return n


@leaf
def split_mapq(table, slots, order, kept, r, c, keep, unseen, w, limits):
    """MAPQ of a supplementary alignment, against the candidates of the same bases."""
    other = 0.0
    for k in range(kept[r]):
        rival = order[slots[r] + k]
        if rival != c and overlap_much(table, rival, c, keep):
            other += w[min(max(table.score[c] - table.score[rival], 0), w.size - 1)]
    ghost = unseen_score(table, c, table.read_end[c] - table.read_begin[c], unseen)
    other += w[min(max(table.score[c] - ghost, 0), w.size - 1)]
    return mapq_of(1.0, other, limits)


@kernel(inline="always")
def _template_length(begin, end, mate_begin, mate_end, first):
    """Signed distance from the leftmost to the rightmost mapped base.

    Of two that begin at one place the one that ends first is the left one, as CRAM readers say.
    """
    length = max(end, mate_end) - min(begin, mate_begin)
    if (begin, end) < (mate_begin, mate_end) or ((begin, end) == (mate_begin, mate_end) and first):
        return length
    return -length


@leaf
def _pair_flag(mates, k, mate, table, proper):
    """The bits that mate `k` of a template owes to its partner `mate` (-1 if unmapped)."""
    if mates == 1:
        return 0
    flag = PAIRED | (LAST if k else FIRST)
    if mate < 0:
        flag |= MATE_UNMAPPED
    elif table.strand[mate]:
        flag |= MATE_REVERSE
    return flag | (PROPER if proper else 0)


@leaf
def _other_records(table, slots, order, kept, r, primary, keep, most_secondary, others):
    """List the read's further candidates to report; returns (supplementary ones, all)."""
    splits = find_splits(table, slots, order, kept, r, primary, keep, others)
    n = splits
    for k in range(kept[r]):
        c = order[slots[r] + k]
        if n - splits == most_secondary:
            break
        taken = c == primary or table.score[c] < MIN_SCORE
        for i in range(splits):
            taken = taken or c == others[i]
        if not taken:
            others[n] = c
            n += 1
    return splits, n


@leaf
def _write_place(out, at, table, c, offsets, keep, length, pool, cigar, used):
    """Write where candidate c stands: contig, position, CIGAR, score; returns the next free op."""
    out.tid[at] = table.tid[c]
    out.pos[at] = table.ref_begin[c] - offsets[table.tid[c]]
    n, merged = write_cigar(table, c, keep, length, pool, cigar, used)
    out.score[at] = table.score[c] + GAP_OPEN * merged
    out.cigar_start[at] = used
    out.cigar_len[at] = n
    return used + n


@kernel
def write_records(
    mates, table, slots, order, kept, keep, length, offsets, pool, chosen, mapq, proper,
    unseen, w, limits, most_secondary, out, cigar,
):  # fmt: skip
    """Fill `out` with a chunk's records, in template order: primaries, then the others.

    mates: reads a template, 1 or 2. out: Records with room for 1 + MAX_SPLIT + most_secondary
    records a read. cigar: uint32[], out. Returns (records, operations).
    """
    others = np.empty(MAX_SPLIT + most_secondary, np.int64)
    m = used = 0
    for t in range(keep.size // mates):
        out.record_start[t] = m
        lead = m
        m += mates
        for k in range(mates):
            r = t * mates + k
            c = chosen[r]
            mate = chosen[r ^ 1] if mates == 2 else np.int64(-1)
            flag = _pair_flag(mates, k, mate, table, proper[t])
            splits = n = 0
            if c >= 0:
                splits, n = _other_records(
                    table, slots, order, kept, r, c, keep[r], most_secondary, others
                )
            for e in range(n + 1):
                at = lead + k if e == 0 else m
                own = c if e == 0 else others[e - 1]
                m += e > 0
                out.read[at] = r
                _write_mate(out, at, table, c, mate, mates, k, offsets)
                out.sub_score[at] = -1
                if own < 0:
                    _write_unmapped(out, at, flag, used)
                    continue
                used = _write_place(
                    out, at, table, own, offsets, keep[r], length[r], pool, cigar, used
                )
                out.sub_score[at] = sub_score(table, slots, order, kept, r, own, keep[r])
                flag_here = flag | (REVERSE if table.strand[own] else 0)
                out.mapq[at] = mapq[r] if e == 0 else 0
                if 0 < e <= splits:
                    flag_here |= SUPPLEMENTARY
                    out.mapq[at] = split_mapq(
                        table, slots, order, kept, r, own, keep[r], unseen[r], w, limits
                    )
                elif e:
                    flag_here |= SECONDARY
                out.flag[at] = flag_here
    out.record_start[keep.size // mates] = m
    return m, used


@leaf
def _write_mate(out, at, table, c, mate, mates, k, offsets):
    """Write the mate's place (the read's own where only that is mapped) and the template length."""
    out.mate_tid[at] = out.mate_pos[at] = -1
    out.tlen[at] = 0
    if mates == 1:
        return
    place = mate if mate >= 0 else c
    if place >= 0:
        out.mate_tid[at] = table.tid[place]
        out.mate_pos[at] = table.ref_begin[place] - offsets[table.tid[place]]
    if c >= 0 and mate >= 0 and table.tid[c] == table.tid[mate]:
        out.tlen[at] = _template_length(
            table.ref_begin[c], table.ref_end[c],
            table.ref_begin[mate], table.ref_end[mate], k == 0,
        )  # fmt: skip


@leaf
def _write_unmapped(out, at, flag, used):
    """Write an unmapped record, at its mate's place where that is mapped."""
    out.flag[at] = flag | UNMAPPED
    out.tid[at], out.pos[at] = out.mate_tid[at], out.mate_pos[at]
    out.mapq[at] = 0
    out.score[at] = 0
    out.cigar_start[at] = used
    out.cigar_len[at] = 0
