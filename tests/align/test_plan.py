"""Stretches cover everything once, in order, and stay near their weight."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align import plan


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 200))
@settings(max_examples=500)
def test_cut(weights, limit):
    weight = np.array(weights, np.int64)
    bounds = plan.cut(weight, limit)
    if not sum(weights):
        assert bounds == [0]
        return
    assert (bounds[0], bounds[-1]) == (0, len(weights))
    for low, high in pairwise(bounds):
        assert 0 < weight[low:high].sum() < limit + 50


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 200))
def test_unplaced(sizes, limit):
    tasks = plan.unplaced_stretches(Path("x"), Path("y"), 5, sizes, limit)
    assert [task.number for task in tasks] == list(range(5, 5 + len(tasks)))
    assert all(task.cut == 5 and not task.placed for task in tasks)
    covered = [chunk for task in tasks for chunk in range(task.first, task.last)]
    assert covered == (list(range(len(sizes))) if any(sizes) else [])


def test_fair():
    least, most = plan.SHARD_BYTES
    assert plan.fair(np.array([10]), least, most) == least
    assert plan.fair(np.array([1 << 50]), least, most) == most
    assert least < plan.fair(np.array([100 << 30]), least, most) < most
