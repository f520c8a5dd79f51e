"""Bits and bytes, compiled and in plain Python, against counting them one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingqu.base.bits import LANES, differences, lowest_bit, popcount, spread
from lingqu.base.jit import kernel


@kernel
def _all(a, i, b, j, word):
    return differences(a, i, b, j), popcount(word), lowest_bit(word)


words = st.integers(0, 2**64 - 1) | st.integers(0, 63).map(lambda bit: 1 << bit) | st.just(0)


@given(st.integers(0, 2**32 - 1), st.integers(0, 100), st.integers(0, 100), words)
def test_bits_and_bytes_are_those_counted_one_by_one(seed, i, j, word):
    a, b = np.random.default_rng(seed).integers(0, 3, (2, 100 + LANES)).astype(np.uint8)
    unequal = sum(int(a[i + k] != b[j + k]) << k for k in range(LANES))
    text = f"{word:064b}"
    lowest = len(text) - 1 - text.rindex("1") if word else 64
    for function in (_all, _all.py_func):
        mask, count, lowest_set = function(a, i, b, j, np.uint64(word))
        assert (int(mask), count, lowest_set) == (unequal, text.count("1"), lowest)


@kernel
def _spread(packed, i, ranks, j):
    spread(packed, i, ranks, j)


def test_the_bits_of_halves_of_bytes():
    packed = np.random.default_rng(1).permutation(256).astype(np.uint8)
    halves = np.column_stack((packed >> 4, packed & 15)).ravel()
    ranks = [{1: 0, 2: 1, 4: 2, 8: 3}.get(half, 4) for half in halves.tolist()]
    for function in (_spread, _spread.py_func):
        out = np.full(7 + LANES + 1, 9, np.uint8)
        for i in (0, 33, 256 - LANES // 2):
            function(packed, i, out, 7)
            assert out[7 : 7 + LANES].tolist() == ranks[2 * i : 2 * i + LANES]
        assert (out[:7] == 9).all()
        assert out[-1] == 9
