"""How haplotypes are spelled: by the cheapest simple edits, whatever found them.

The bases of a haplotype can mostly be had from the reference by several sets of edits. Which of
them the candidates happened to hold, or an assembled detour as a whole, is no matter of the sample.
So once a region's haplotypes are weighed, those of the likeliest pair are aligned anew, each as a
whole. Where that makes the pair cheaper, an edit that both hold counting once, all haplotypes of
the region are spelled so.

The costs are those of GATK's alignment of haplotypes (match 200, mismatch -150, gap -260 and -11),
which most known variants and truth sets are spelled by: two gaps rather than one and a mismatch.
"""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call import model
from lingqu.call.kernels.scan import (
    left_shift_deletion,
    left_shift_insertion,
    right_shift,
)

MAX_NEW = 22
"""Edits that spelling may add to those of a region; masks have 63 bits, see MAX_EDITS."""
MAX_CORE = 400
"""Longest stretch, of the reference or the haplotype, that is aligned."""
_MISMATCH, _OPEN, _EXTEND = 350, 249, 111
"""Costs of a mismatch, of a gap and of each base in it, where a match costs nothing."""
_COMPLEX = 1 << 20
_FAR = 1 << 28
_BOTH, _DOWN, _RIGHT = 0, 1, 2
_MAX_REACH = 300
_PRIORS = model.repeat_priors()


@kernel
def _substitution_prior(old, new):
    return model.TRANSITION_PRIOR if old ^ new == 2 else model.TRANSVERSION_PRIOR


@kernel
def _period(bases):
    """Length of the shortest unit whose copies the bases (uint8) are."""
    size = np.int64(len(bases))
    for period in range(1, size):
        same = size % period == 0
        for k in range(period, size):
            same = same and bases[k] == bases[k - period]
        if same:
            return period
    return size


@kernel
def prior_of(ref, start, removed, put):
    """log10 of the prior of the edit of ref[start:start + removed] to `put` (uint8).

    An indel that is shifted to the left has that of its repeat, see `model.repeat_priors`: by the
    unit, the copies in the reference, and the copies that are put in or removed.
    """
    if removed == 1 and len(put) == 1:
        return _substitution_prior(ref[start], put[0])
    if removed and len(put):
        return model.COMPLEX_PRIOR
    unit = put if len(put) else ref[start : start + removed]
    period = _period(unit)
    if period >= model.PERIODS:
        return model.INDEL_PRIOR
    copies = (right_shift(ref, start + removed, unit, _MAX_REACH) - start) // period
    return _PRIORS[
        period, min(copies, model.COPIES - 1), min(len(unit) // period, model.COPIES - 1)
    ]


@kernel
def align(one, two, table, moves):
    """Cheapest global alignment of two sequences (uint8) without gaps beside each other.

    After Gotoh (1982). table: int32[3, rows, columns], scratch. moves: uint8, filled from the end
    to the start with 0 both, 1 a base of `one` only, 2 of `two` only; gaps as far left as they cost
    the same. Returns how many.
    """
    far, differ, extend = np.int32(_FAR), np.int32(_MISMATCH), np.int32(_EXTEND)
    opened = np.int32(_OPEN + _EXTEND)
    n, m = len(one), len(two)
    for i in range(n + 1):
        for j in range(m + 1):
            both, down, right = far, far, far
            if i == 0 and j == 0:
                both = np.int32(0)
            if i and j:
                both = min(
                    table[_BOTH, i - 1, j - 1],
                    min(table[_DOWN, i - 1, j - 1], table[_RIGHT, i - 1, j - 1]),
                )
                if one[i - 1] != two[j - 1]:
                    both += differ
            if i:
                down = min(table[_BOTH, i - 1, j] + opened, table[_DOWN, i - 1, j] + extend)
            if j:
                right = min(table[_BOTH, i, j - 1] + opened, table[_RIGHT, i, j - 1] + extend)
            table[_BOTH, i, j] = both
            table[_DOWN, i, j] = down
            table[_RIGHT, i, j] = right
    return _trace(n, m, table, moves)


@kernel
def _cheapest(table, i, j):
    """The state to come from at (i, j): of equal ones a pair of bases."""
    state = _BOTH
    for s in (_DOWN, _RIGHT):
        if table[s, i, j] < table[state, i, j]:
            state = s
    return state


@kernel
def _trace(n, m, table, moves):
    """The moves of an alignment from its end to its start."""
    extend = np.int32(_EXTEND)
    i, j = np.int64(n), np.int64(m)
    count = np.int64(0)
    state = _cheapest(table, i, j)
    while i > 0 or j > 0:
        moves[count] = state
        count += 1
        value = table[state, i, j]
        if state == _BOTH:
            i -= 1
            j -= 1
            state = _cheapest(table, i, j)
        elif state == _DOWN:
            i -= 1
            if table[_DOWN, i, j] + extend != value:
                state = _BOTH
        else:
            j -= 1
            if table[_RIGHT, i, j] + extend != value:
                state = _BOTH
    return count


@kernel
def _enter(ref, edits, first, count, most, start, removed, put, behind):
    """Bit of an edit among edits [first, first + count), where a new one gets the next place.

    It is shifted to the left as far as `behind`. -1 where there would be more than `most` edits.
    """
    e = first + count
    at = edits.at[e - 1] + edits.put[e - 1] if e else np.int64(0)
    own = edits.bases[at : at + len(put)]
    for i in range(len(put)):
        own[i] = put[i]
    if len(put) == 0:
        start = left_shift_deletion(ref, start, removed, behind)
    elif removed == 0:
        start = left_shift_insertion(ref, start, own, len(put), behind)
    for k in range(count):
        same = edits.start[first + k] == start and edits.removed[first + k] == removed
        same = same and edits.put[first + k] == len(put)
        for i in range(len(put)):
            same = same and edits.bases[edits.at[first + k] + i] == own[i]
        if same:
            return np.int64(k)
    if count == most:
        return np.int64(-1)
    edits.start[e] = start
    edits.removed[e] = removed
    edits.put[e] = len(put)
    edits.at[e] = at
    edits.anchor[e] = start if removed and len(put) else start - 1
    edits.site[e] = edits.anchor[e]
    edits.prior[e] = prior_of(ref, start, removed, own)
    return np.int64(count)


@kernel
def _spelled(ref, begin, end, hap, edits, first, count, most, table, moves):
    """(mask, edits of the region) of a haplotype over ref[begin:end]; mask -1: it stays."""
    low, high, top = np.int64(begin), np.int64(end), np.int64(len(hap))
    while high > low and top > 0 and ref[high - 1] == hap[top - 1]:
        high -= 1
        top -= 1
    base = np.int64(0)
    while low < high and base < top and ref[low] == hap[base]:
        low += 1
        base += 1
    if high - low > MAX_CORE or top - base > MAX_CORE:
        return np.int64(-1), count
    length = align(ref[low:high], hap[base:top], table, moves)
    mask, behind, gap = np.int64(0), np.int64(max(begin, 1)), np.int64(0)
    k = length - 1
    while k >= 0:
        move = moves[k]
        size = np.int64(1)
        while move and k >= size and moves[k - size] == move:
            size += 1
        removed = size if move != _RIGHT else np.int64(0)
        taken = size if move != _DOWN else np.int64(0)
        if move or ref[low] != hap[base]:
            for i in range(low, low + removed):
                if ref[i] > 3:
                    return np.int64(-1), count
            put = hap[base : base + taken]
            bit = _enter(ref, edits, first, count, most, low, removed, put, behind + gap)
            if bit < 0:
                return np.int64(-1), count
            count = max(count, bit + 1)
            mask |= np.int64(1) << bit
            behind, gap = low + removed, np.int64(move > 0)
        low += removed
        base += taken
        k -= size
    return mask, count


@kernel
def _is_open(edits, first, count, mask):
    """Whether a haplotype may have another spelling that is as good."""
    held, sized = 0, 0
    for e in range(first, first + count):
        if mask >> (e - first) & 1:
            held += 1
            if edits.removed[e] != edits.put[e]:
                sized += 1
            if edits.removed[e] and edits.put[e] and edits.removed[e] + edits.put[e] > 2:
                return True
    return held > 2 or (held == 2 and sized > 0)


@kernel
def _cost(edits, first, count, mask):
    """What the edits of a mask cost; several bases for several are never worth it."""
    total = np.int64(0)
    for e in range(first, first + count):
        if mask >> (e - first) & 1:
            removed, put = np.int64(edits.removed[e]), np.int64(edits.put[e])
            if removed == 1 and put == 1:
                total += _MISMATCH
            elif removed and put:
                total += _COMPLEX
            else:
                total += _OPEN + _EXTEND * (removed + put)
    return total


@kernel
def respell(
    ref, begin, end, edits, first, count, masks, haps, hap_len, n_haps, one, two, table, moves,
):  # fmt: skip
    """Spell the haplotypes of a region anew where that makes the pair (one, two) cheaper.

    haps: uint8[n_haps, ...], of lengths hap_len, each ref[begin:end] with the edits of its mask
    among edits [first, first + count): Edits with room behind these for new ones. Scratch: table,
    int32[3, MAX_CORE + 1, MAX_CORE + 1]; moves, uint8[2 * MAX_CORE].
    Changes the masks; returns how many edits the region has then.
    """
    old_one, old_two = masks[one], masks[two]
    if not (_is_open(edits, first, count, old_one) or _is_open(edits, first, count, old_two)):
        return count
    known, most = count, count + MAX_NEW
    new_one, known = _spelled(
        ref, begin, end, haps[one, : hap_len[one]], edits, first, known, most, table, moves,
    )  # fmt: skip
    new_two, known = _spelled(
        ref, begin, end, haps[two, : hap_len[two]], edits, first, known, most, table, moves,
    )  # fmt: skip
    if new_one < 0 or new_two < 0:
        return count
    before = _cost(edits, first, known, old_one | old_two)
    if _cost(edits, first, known, new_one | new_two) >= before:
        return count
    for h in range(n_haps):
        mask, known = _spelled(
            ref, begin, end, haps[h, : hap_len[h]], edits, first, known, most, table, moves,
        )  # fmt: skip
        if mask >= 0:
            masks[h] = mask
    return known
