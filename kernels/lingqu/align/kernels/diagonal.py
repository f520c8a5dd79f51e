"""Align a read along a diagonal of the reference, or along two with one gap between them.

The bases that differ from the reference are the bits of a few words, 64 compared at a time: the
Hamming distance on any diagonal costs a handful of instructions, and so does each of the shifted
ones on which the rest of the read lies after a gap. After the idea of Xin et al., "Shifted Hamming
distance: a fast and accurate SIMD-friendly filter to accelerate alignment verification in read
mapping", Bioinformatics 31:1553, 2015; here it finds the alignment itself.
"""

import numpy as np

from lingqu.align.batch import MAX_READ
from lingqu.align.kernels.scoring import (
    END_BONUS,
    GAP_EXTEND,
    GAP_OPEN,
    MATCH,
    MISMATCH,
    READ_N,
    UNKNOWN,
)
from lingqu.base.bits import LANES, differences, lowest_bit, popcount
from lingqu.base.jit import kernel, leaf
from lingqu.sequence.kmers import K

REACH = 40
"""Longest gap sought beside a diagonal, in bases."""

FAR = 70
"""Score lost from which on no gap is sought: too much of the read is elsewhere."""

CROWD = 24
"""Bases within which two gaps may stand for what looks like a crowd of mismatches."""

_WORDS = MAX_READ // LANES + 2
_WRONG = MATCH - MISMATCH
_FLANK = 2
_INSIDE = 4

SCORE, LOST, READ_BEGIN, READ_END, REF_BEGIN, REF_END, TURN, GAP = range(8)
"""What `align_simply` finds. TURN is where in the read a gap begins (0: no gap), GAP the change of
diagonal there; LOST is what score and end bonuses are below those of a perfect match."""


@kernel
def new_scratch():
    """What `align_simply` works on: its masks, places and result."""
    return (
        np.empty((2, _WORDS), np.uint64),
        np.empty(MAX_READ + 1, np.int64),
        np.empty(8, np.int64),
    )


@leaf
def mark_mismatches(query, begin, target, at, n, masks):
    """Set bit i of masks where query[begin + i] is not target[at + i]; returns how many are set."""
    found = 0
    for w in range((n + LANES - 1) >> 6):
        mask = differences(query, begin + LANES * w, target, at + LANES * w)
        left = n - LANES * w
        if left < LANES:
            mask &= (np.uint64(1) << np.uint64(left)) - np.uint64(1)
        masks[w] = mask
        found += popcount(mask)
    return found


@leaf
def _list_places(masks, n, places):
    """Places of the set bits; returns how many."""
    m = 0
    for w in range((n + LANES - 1) >> 6):
        mask = masks[w]
        while mask:
            places[m] = LANES * w + lowest_bit(mask)
            m += 1
            mask &= mask - np.uint64(1)
    return m


@leaf
def _best_stretch(query, begin, places, m, n, result):
    """Best part of a read whose bases mismatch at `places`; its score with end bonuses."""
    score = END_BONUS
    first = 0
    best = -1
    previous = 0
    for k in range(m):
        at = places[k]
        score += (at - previous) * MATCH
        if score > best and at > first:
            best = score
            result[READ_BEGIN], result[READ_END] = first, at
        score += UNKNOWN if query[begin + at] == READ_N else MISMATCH
        previous = at + 1
        if score <= 0:
            score = 0
            first = at + 1
    score += (n - previous) * MATCH + END_BONUS
    if score > best and first < n:
        best = score
        result[READ_BEGIN], result[READ_END] = first, n
    return best


@leaf
def _may_gap(places, m, n):
    """(left, right): on which side of the read's longest matching stretches a gap could pay.

    Beyond a stretch as long as a seed a gap pays only if it mends two mismatches; between two such
    stretches two gaps are needed, which cost as much as three.
    """
    left = right = 0
    while left < m and places[left] - (places[left - 1] if left else -1) <= K:
        left += 1
    if left == m:
        return True, True
    while right < m - left:
        after = places[m - right] if right else n
        if after - places[m - 1 - right] > K:
            break
        right += 1
    inside = m - left - right >= _INSIDE
    return left >= _FLANK or inside, right >= _FLANK or inside


@leaf
def _mismatches_from(masks, n, begin):
    word = begin >> 6
    found = popcount(masks[word] >> np.uint64(begin & 63))
    for w in range(word + 1, (n + LANES - 1) >> 6):
        found += popcount(masks[w])
    return found


@leaf
def best_turn(first, second, n, gap, least):
    """Cheapest way to leave the diagonal of mask `first` for that of `second`: (price, place).

    gap: second diagonal minus first, in bases; an insertion where negative. The best place to turn
    is at a mismatch of the first. `least`, 0 where no way costs less than that.
    """
    inserted = max(-gap, 0)
    spent = GAP_OPEN + GAP_EXTEND * abs(gap) + MATCH * inserted
    last = n - inserted - 1
    turn, previous = 0, 0
    for w in range((n + LANES - 1) >> 6):
        mask = first[w]
        while mask:
            if spent >= least or previous >= last:
                return least, turn
            place = min(LANES * w + lowest_bit(mask), last)
            mask &= mask - np.uint64(1)
            if place > previous:
                price = spent + _WRONG * _mismatches_from(second, n, place + inserted)
                if price < least:
                    least, turn = price, place
            previous = place
            spent += _WRONG
    return least, turn


@leaf
def _take_turn(lost, place, diagonal, gap, n, result):
    result[LOST], result[TURN], result[GAP] = lost, place, gap
    result[READ_BEGIN], result[READ_END] = 0, n
    result[REF_BEGIN], result[REF_END] = diagonal, diagonal + gap + n


@leaf
def _seek_gap(query, begin, n, target, diagonal, left, right, places, m, masks, result):
    """Look for one gap of up to REACH bases that beats result[LOST]; masks[0] is of `diagonal`.

    To pay, a gap must mend two mismatches: what lies beyond the second one from the end tells
    whether a diagonal is worth a closer look.
    """
    head, tail = places[1] + 1, places[m - 2]
    for size in range(1, REACH + 1):
        for sign in range(-1, 2, 2):
            gap = sign * size
            inserted = max(-gap, 0)
            spent = GAP_OPEN + GAP_EXTEND * size + MATCH * inserted
            if right:
                wrong = _count(query, begin, target, diagonal + gap, tail + inserted, n)
                if spent + _WRONG * wrong < result[LOST]:
                    mark_mismatches(query, begin, target, diagonal + gap, n, masks[1])
                    lost, turn = best_turn(masks[0], masks[1], n, gap, result[LOST])
                    if turn:
                        _take_turn(lost, turn, diagonal, gap, n, result)
            if left:
                wrong = _count(query, begin, target, diagonal - gap, 0, head - inserted)
                if spent + _WRONG * wrong < result[LOST]:
                    mark_mismatches(query, begin, target, diagonal - gap, n, masks[1])
                    lost, turn = best_turn(masks[1], masks[0], n, gap, result[LOST])
                    if turn:
                        _take_turn(lost, turn, diagonal - gap, gap, n, result)


@leaf
def _count(query, begin, target, diagonal, first, last):
    """Mismatches of the read's bases [first, last), at most LANES of them, on a diagonal."""
    n = last - first
    if n <= 0:
        return 0
    mask = differences(query, begin + first, target, diagonal + first)
    if n < LANES:
        mask &= (np.uint64(1) << np.uint64(n)) - np.uint64(1)
    return popcount(mask)


@leaf
def align_flat(query, begin, n, target, diagonal, masks, places, result):
    """Align along one diagonal; returns the number of mismatches, which are left in `places`.

    masks: uint64[words], out. The rest is as in `align_simply`.
    """
    mark_mismatches(query, begin, target, diagonal, n, masks)
    m = _list_places(masks, n, places)
    result[LOST] = n * MATCH + 2 * END_BONUS - _best_stretch(query, begin, places, m, n, result)
    result[REF_BEGIN] = diagonal + result[READ_BEGIN]
    result[REF_END] = diagonal + result[READ_END]
    result[TURN] = 0
    bonus = int(result[READ_BEGIN] == 0) + int(result[READ_END] == n)
    result[SCORE] = n * MATCH + (2 - bonus) * END_BONUS - result[LOST]
    return m


@leaf
def _unknowns(query, begin, end):
    found = 0
    for i in range(begin, end):
        found += query[i] == READ_N
    return found


@leaf
def align_simply(query, begin, n, unknown, target, low, high, masks, places, result):
    """Align query[begin:begin + n] along diagonal `low` or `high`, with at most one gap.

    query, target: uint8[], with 64 values more than are looked at. unknown: whether the read has
    an N. masks: uint64[2, words], scratch. places: int64[MAX_READ + 1], scratch. result: int64[8],
    out. Without a gap the alignment is local; one with a gap takes in the whole read.
    """
    m = align_flat(query, begin, n, target, low, masks[0], places, result)
    if low != high:
        mark_mismatches(query, begin, target, high, n, masks[1])
        lost, turn = best_turn(masks[0], masks[1], n, high - low, result[LOST])
        if turn:
            _take_turn(lost, turn, low, high - low, n, result)
        lost, turn = best_turn(masks[1], masks[0], n, low - high, result[LOST])
        if turn:
            _take_turn(lost, turn, high, low - high, n, result)
    elif m >= _FLANK and result[LOST] < FAR:
        left, right = _may_gap(places, m, n)
        if left or right:
            _seek_gap(query, begin, n, target, low, left, right, places, m, masks, result)
    if not result[TURN]:
        return
    if unknown:
        end = begin + n
        skipped = max(-result[GAP], 0)
        if skipped:
            end = begin + result[TURN]
        found = _unknowns(query, begin, end) + _unknowns(query, end + skipped, begin + n)
        result[LOST] -= (UNKNOWN - MISMATCH) * found
    result[SCORE] = n * MATCH - result[LOST]


@leaf
def _keep_outside(first, second, begin, end, n):
    """Bits of `first` before `begin` and of `second` from `end` on, left in `first`."""
    for w in range((n + LANES - 1) >> 6):
        at = LANES * w
        first[w] = (first[w] & _below(begin - at)) | (second[w] & ~_below(end - at))


@leaf
def _below(bit):
    if bit <= 0:
        return np.uint64(0)
    if bit >= LANES:
        return ~np.uint64(0)
    return (np.uint64(1) << np.uint64(bit)) - np.uint64(1)


@leaf
def is_crowded(query, begin, n, target, masks, places, result):
    """Whether mismatches of what `align_simply` found stand so close that gaps may explain them.

    Two gaps cost more than two mismatches, a second one more than one. The arguments are its own.
    """
    least = _FLANK if result[TURN] else _INSIDE
    if n * MATCH - result[SCORE] < least * _WRONG:
        return False
    diagonal = result[REF_BEGIN] - result[READ_BEGIN]
    mark_mismatches(query, begin, target, diagonal, n, masks[0])
    if result[TURN]:
        mark_mismatches(query, begin, target, diagonal + result[GAP], n, masks[1])
        inserted = max(-result[GAP], 0)
        _keep_outside(masks[0], masks[1], result[TURN], result[TURN] + inserted, n)
    m = _list_places(masks[0], n, places)
    for k in range(m - least + 1):
        last = places[k + least - 1]
        if result[READ_BEGIN] <= places[k] and last < min(places[k] + CROWD, result[READ_END]):
            return True
    return False
