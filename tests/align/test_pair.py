"""MAPQ and insert prices against their formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.align.kernels.pair import (
    FINE,
    MAX_MAPQ,
    UNPAIRED,
    insert_prices,
    mapq_of,
    phred_limits,
    weights,
)

LIMITS = phred_limits()


@given(st.floats(1e-9, 1), st.floats(1e-9, 1))
def test_mapq_is_the_phred_score_of_the_rest(own, other):
    exact = -10 * math.log10(other / (own + other))
    expected = min(math.floor(exact + 1e-9), MAX_MAPQ)
    found = mapq_of(own, other, LIMITS)
    if abs(exact - round(exact)) > 1e-6:
        assert found == (expected if expected > 3 else 0)


def test_a_tie_is_nought_and_certainty_is_the_most():
    assert mapq_of(1.0, 1.0, LIMITS) == 0
    assert mapq_of(1.0, 0.0, LIMITS) == MAX_MAPQ


def test_a_mismatch_is_nineteen_decibel():
    table = weights()
    assert table[0] == 1
    assert np.allclose(-10 * np.log10(table), 3.8 * np.arange(len(table)))


def test_insert_prices_grow_with_the_square_of_the_distance():
    prices = insert_prices(400.0, 50.0, 200, 600, True)
    assert len(prices) == 401
    assert prices[200] == 0
    assert prices[200 + 100] == round(FINE * 0.36 * 4)
    assert prices.max() < FINE * UNPAIRED
    assert (prices == prices[::-1]).all()
    assert not insert_prices(0.0, 0.0, 1, 1000, False).any()


@pytest.mark.parametrize("ratio", [0.5, 1e-2, 1e-4])
def test_plain_python_agrees(ratio):
    assert mapq_of.py_func(1.0, ratio, LIMITS) == mapq_of(1.0, ratio, LIMITS)
