"""What the reference repeats where a record changes it."""

import numpy as np

from lingqu.base.jit import kernel

PERIODS = 6
"""Longest unit of a tandem repeat."""
COPIES = 3
"""Fewest copies of one, in whole bases: a repeat has at least COPIES times its unit."""
FARTHEST = 1000
"""Bases looked at beyond a change, to either side."""


@kernel
def _equal(codes, i, period):
    return i >= period and i < len(codes) and codes[i] < 4 and codes[i] == codes[i - period]


@kernel
def _is_primitive(codes, start, end, period):
    """Whether the repeat codes[start:end] of `period` is none of a shorter unit that divides it."""
    for shorter in range(1, period // 2 + 1):
        if period % shorter:
            continue
        same = True
        for i in range(start + shorter, end):
            same = same and codes[i] == codes[i - shorter]
        if same:
            return False
    return True


@kernel
def _longest(codes, left, right, period):
    """(start, end) of the longest repeat of `period` that shares a base with [left, right), at
    most FARTHEST bases beyond it; (0, 0) where nothing is repeated.
    """
    best_start, best_end = np.int64(0), np.int64(0)
    i = left
    while i < right + period:
        if not _equal(codes, i, period):
            i += 1
            continue
        first, last = i, i
        while left - first < FARTHEST and _equal(codes, first - 1, period):
            first -= 1
        while last - right < FARTHEST and _equal(codes, last + 1, period):
            last += 1
        if last + 1 - first + period > best_end - best_start:
            best_start, best_end = first - period, last + 1
        i = last + 1
    return best_start, best_end


@kernel
def find_repeats(codes, first, last, homopolymer, period, length):
    """The repeats that changes lie in or beside.

    codes: uint8, the contig. first, last: int64[n], a change replaces codes[first:last]; the bases
    on both its sides count too. Filled, int64[n]: homopolymer, bases of the longest there; period
    and length, bases of the unit and of the longest tandem repeat of units of 2 to PERIODS bases
    and COPIES of it or more, both 0 where there is none. Of equal ones that with the shorter unit.
    """
    for k in range(len(first)):
        left, right = max(first[k] - 1, 0), min(last[k] + 1, len(codes))
        start, end = _longest(codes, left, right, 1)
        homopolymer[k] = max(end - start, 1)
        period[k] = 0
        length[k] = 0
        for unit in range(2, PERIODS + 1):
            start, end = _longest(codes, left, right, unit)
            longer = end - start >= COPIES * unit and end - start > length[k]
            if longer and _is_primitive(codes, start, end, unit):
                period[k] = unit
                length[k] = end - start
