"""Stretches cover everything once, in order, and stay near their weight."""

from itertools import pairwise
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align import plan
from lingqu.align.records import UNPLACED


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 200))
@settings(max_examples=500)
def test_cut(weights, limit):
    weight = np.array(weights, np.int64)
    stretches = plan.cut(weight, limit)
    if not sum(weights):
        assert stretches == []
        return
    assert stretches[0][0] == 0
    assert stretches[-1][1] == len(weights) << plan.WINDOW_BITS
    for (_, end), (start, _) in pairwise(stretches):
        assert end == start
    for low, high in stretches:
        inside = weight[low >> plan.WINDOW_BITS : high >> plan.WINDOW_BITS]
        assert 0 < inside.sum() < limit + 50


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 200))
def test_unplaced(sizes, limit):
    tasks = plan.unplaced_stretches(Path("x"), Path("y"), 5, sizes, limit)
    assert [task.number for task in tasks] == list(range(5, 5 + len(tasks)))
    assert all(task.low == UNPLACED < task.high for task in tasks)
    covered = [chunk for task in tasks for chunk in range(task.first, task.last)]
    assert covered == (list(range(len(sizes))) if any(sizes) else [])


def test_shard_limit():
    least, most = plan.SHARD_BYTES
    assert plan.shard_limit(np.array([10])) == least
    assert plan.shard_limit(np.array([1 << 50])) == most
    assert least < plan.shard_limit(np.array([100 << 30])) < most
