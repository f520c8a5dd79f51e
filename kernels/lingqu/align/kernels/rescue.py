"""Find a lost mate near its partner: short words of the read against a window of the reference."""

import numpy as np

from lingqu.align.kernels.chain import pack_anchor, score_anchors, sort_anchors, take_chains
from lingqu.align.kernels.scoring import MIN_SCORE
from lingqu.base.jit import kernel

WORD = 11
MIN_CHAIN = 17
"""Least chain score of a rescued place."""

MOST = 2
"""Places taken from one window."""

TRIED = 16
"""Best places of a read around which its mate is sought."""

_TABLE_BITS = 12
_ODD = np.uint32(0x9E3779B1)
_MASK = np.uint32((1 << (2 * WORD)) - 1)


@kernel(inline="always")
def _slot(word):
    return np.int64(np.uint32(word * _ODD) >> np.uint32(32 - _TABLE_BITS))


@kernel
def _fill_words(query, n, epoch, heads, words, links):
    """Enter the read's words into a chained hash table that `epoch` makes empty."""
    word = np.uint32(0)
    valid = 0
    for i in range(n):
        code = query[i]
        if code > 3:
            valid = 0
            continue
        word = ((word << np.uint32(2)) | np.uint32(code)) & _MASK
        valid += 1
        if valid >= WORD:
            at = i - WORD + 1
            slot = _slot(word)
            words[at] = word
            links[at] = heads[slot, 1] if heads[slot, 0] == epoch else -1
            heads[slot, 0] = epoch
            heads[slot, 1] = at


@kernel
def _scan_window(reference, begin, end, strand, epoch, heads, words, links, anchors):
    """Pack every shared word of reference[begin:end] and the read; returns their number."""
    word = np.uint32(0)
    valid = 0
    found = 0
    for g in range(begin, end):
        code = reference[g]
        if code > 3:
            valid = 0
            continue
        word = ((word << np.uint32(2)) | np.uint32(code)) & _MASK
        valid += 1
        if valid < WORD:
            continue
        slot = _slot(word)
        if heads[slot, 0] != epoch:
            continue
        at = heads[slot, 1]
        while at >= 0:
            if words[at] == word and found < anchors.size:
                anchors[found] = pack_anchor(strand, g - WORD + 1, at)
                found += 1
            at = links[at]
    return found


@kernel(inline="always")
def outer_distance(table, a, length_a, b, length_b):
    """Insert size if candidates a and b face each other, else -1; clipped ends included."""
    if table.strand[a] == table.strand[b]:
        return np.int64(-1)
    if table.strand[a]:
        a, b = b, a
        length_a, length_b = length_b, length_a
    left = table.ref_begin[a] - table.read_begin[a]
    right = table.ref_end[b] + length_b - table.read_end[b]
    return max(right - left, np.int64(-1))


@kernel
def _has_partner(table, a, length_a, first, count, length_b, low, high):
    for b in range(first, first + count):
        if low <= outer_distance(table, a, length_a, b, length_b) <= high:
            return True
    return False


@kernel
def rescue_mates(table, slots, counts, codes, start, keep, reference, low, high):
    """Add to the candidates of a paired chunk the places found near their mates'.

    counts: int32[n], in and out. low, high: bounds of the outer distance, in bases. Returns how
    many places were added; they are fresh (ref_end 0), to be extended.
    """
    heads = np.zeros((1 << _TABLE_BITS, 2), np.int32)
    longest = keep.max() if keep.size else 0
    words = np.empty(longest + 1, np.uint32)
    links = np.empty(longest + 1, np.int32)
    anchors = np.empty(4096, np.int64)
    scores = np.empty(4096, np.int32)
    previous = np.empty(4096, np.int32)
    epoch = 0
    added = 0
    for r in range(keep.size):
        mate = r ^ 1
        n = keep[mate]
        slot = slots[mate]
        had = counts[mate]
        if n < WORD:
            continue
        best = 0
        for c in range(slots[r], slots[r] + counts[r]):
            if table.ref_end[c]:
                best = max(best, table.score[c])
        tried = 0
        for c in range(slots[r], slots[r] + counts[r]):
            if not table.ref_end[c] or table.score[c] < max(best - 12, MIN_SCORE):
                continue
            if tried == TRIED or slot + counts[mate] + MOST > slots[mate + 1]:
                break
            if _has_partner(table, c, keep[r], slot, had, n, low, high):
                continue
            tried += 1
            strand = 1 - table.strand[c]
            if strand:
                begin = table.ref_begin[c] - table.read_begin[c]
                end = begin + high
            else:
                end = table.ref_end[c] + keep[r] - table.read_end[c]
                begin = end - high
            begin = max(begin, 0)
            end = min(end, reference.size)
            epoch += 1
            _fill_words(codes[strand, start[mate] : start[mate] + n], n, epoch, heads, words, links)
            hits = _scan_window(reference, begin, end, strand, epoch, heads, words, links, anchors)
            if hits < 2:
                continue
            sort_anchors(anchors, hits)
            score_anchors(anchors, hits, WORD, scores, previous)
            at = slot + counts[mate]
            taken = take_chains(anchors, hits, WORD, scores, previous, MOST, table, at)
            for k in range(taken):
                if table.chain[at + k] < MIN_CHAIN:
                    taken = k
                    break
                table.ref_end[at + k] = 0
            counts[mate] += taken
            added += taken
    return added
