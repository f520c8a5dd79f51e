"""Find a lost mate near its partner: short words of the read against a window of the reference."""

import numpy as np

from lingqu.align.kernels.candidates import WINDOW
from lingqu.align.kernels.chain import pack_anchor, score_anchors, sort_anchors, take_chains
from lingqu.align.kernels.scoring import MIN_SCORE, UNPAIRED
from lingqu.base.jit import kernel, leaf

WORD = 11
MIN_CHAIN = 17
"""Least chain score of a rescued place."""

WITHIN = 12
"""Score units below a read's best within which a place counts as one of its best."""

MAX_ANCHORS = 4096
"""Shared words of a window at most."""

TRIED = 16
"""Best places of a read around which its mate is sought."""

_TABLE_BITS = 12
_ODD = np.uint32(0x9E3779B1)
_MASK = np.uint32((1 << (2 * WORD)) - 1)


@kernel(inline="always")
def _slot(word):
    return np.int64(np.uint32(word * _ODD) >> np.uint32(32 - _TABLE_BITS))


@leaf
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


@leaf
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


@leaf
def _has_partner(table, a, length_a, first, count, length_b, low, high):
    """Whether candidate a faces one of the mate's that is hardly worse than the mate's best."""
    best = 0
    for b in range(first, first + count):
        best = max(best, table.score[b])
    for b in range(first, first + count):
        if table.score[b] + UNPAIRED >= best:
            if low <= outer_distance(table, a, length_a, b, length_b) <= high:
                return True
    return False


@leaf
def _window(table, c, length, high, limit):
    """Where the mate of candidate c may lie: (strand, begin, end) within [0, limit)."""
    if table.strand[c]:
        end = table.ref_end[c] + length - table.read_end[c]
        return 0, max(end - high, 0), min(end, limit)
    begin = table.ref_begin[c] - table.read_begin[c]
    return 1, max(begin, 0), min(begin + high, limit)


@leaf
def _least_score(table, first, count):
    """Score from which on a candidate is good enough to seek a mate beside it."""
    best = MIN_SCORE + WITHIN
    for c in range(first, first + count):
        if table.ref_end[c]:
            best = max(best, table.score[c])
    return best - WITHIN


@leaf
def _take_places(anchors, hits, scores, previous, ends, table, at):
    """Chain the shared words into fresh candidates at table[at:]; returns how many."""
    if hits < 2:
        return 0
    sort_anchors(anchors, hits)
    score_anchors(anchors, hits, WORD, scores, previous)
    taken = take_chains(anchors, hits, WORD, scores, previous, ends, WINDOW, table, at)
    kept = 0
    while kept < taken and table.chain[at + kept] >= MIN_CHAIN:
        kept += 1
    return kept


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
    anchors = np.empty(MAX_ANCHORS, np.int64)
    scores = np.empty(MAX_ANCHORS, np.int32)
    previous = np.empty(MAX_ANCHORS, np.int32)
    ends = np.empty(MAX_ANCHORS, np.int64)
    epoch = 0
    added = 0
    for r in range(keep.size):
        mate = r ^ 1
        n = keep[mate]
        slot = slots[mate]
        had = counts[mate]
        if n < WORD:
            continue
        least = _least_score(table, slots[r], counts[r])
        tried = 0
        for c in range(slots[r], slots[r] + counts[r]):
            if not table.ref_end[c] or table.score[c] < least:
                continue
            at = slot + counts[mate]
            if tried == TRIED or at + WINDOW > slots[mate + 1]:
                break
            if _has_partner(table, c, keep[r], slot, had, n, low, high):
                continue
            tried += 1
            strand, begin, end = _window(table, c, keep[r], high, reference.size)
            epoch += 1
            query = codes[strand, start[mate] : start[mate] + n]
            _fill_words(query, n, epoch, heads, words, links)
            hits = _scan_window(reference, begin, end, strand, epoch, heads, words, links, anchors)
            taken = _take_places(anchors, hits, scores, previous, ends, table, at)
            counts[mate] += taken
            added += taken
    return added
