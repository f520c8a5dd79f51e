import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call.kernels.numbers import log10, pow10

FUNCTIONS = [(log10, pow10), (log10.py_func, pow10.py_func)]


@pytest.mark.parametrize(("log", "power"), FUNCTIONS)
def test_against_the_mathematical_library(log, power):
    rng = np.random.default_rng(1)
    for x in 10.0 ** rng.uniform(-290, 290, 300):
        assert log(x) == pytest.approx(math.log10(x), abs=1e-12)
    for x in rng.uniform(-290, 0, 300):
        assert power(x) == pytest.approx(10.0**x, rel=1e-12)


def test_edges():
    assert log10(0.0) == log10(-1.0) == -400
    assert log10(1.0) == 0
    assert pow10(0.0) == 1
    assert pow10(-1e30) == 0


@given(st.floats(-250, 0))
def test_they_are_inverse(x):
    assert log10(pow10(x)) == pytest.approx(x, abs=1e-11)
