"""Blocks as bytes against a search in the table they are made of."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.call.kernels.cohort_blocks import BLOCK, END, PLOIDY, START, tell_places
from lingqu.call.pieces import block_bytes

GREAT = 2**31 - 1
step = st.one_of(st.just(0), st.integers(-3, 400), st.integers(100_000, 200_000))
values = st.one_of(st.integers(0, 300), st.integers(0, GREAT))
block = st.tuples(step, st.integers(1, 70_000), st.integers(1, 2), values, values, values)


def table(drawn) -> np.ndarray:
    """Blocks that begin in order, which may overlap."""
    rows, end, last = [], 0, 0
    for distance, length, *rest in drawn:
        last = max(end + distance, last)
        end = last + length
        rows.append((last, end, *rest))
    return np.array(rows, np.int64).reshape(-1, BLOCK)


@given(st.lists(block, max_size=30), st.integers(1, 2), st.data())
@settings(max_examples=150, deadline=None)
def test_places(drawn, ploidy, data):
    rows = table(drawn)
    edges = {0, 1, *(x + d for x in rows[:, :PLOIDY].ravel().tolist() for d in (-1, 0, 1))}
    some = data.draw(st.lists(st.integers(0, 10_000), max_size=20))
    places = np.array(sorted({x for x in edges if x >= 0} | set(some)), np.int64)
    told, row = np.full((len(places), 4), -7, np.int32), np.empty(len(places), np.int64)
    packed = np.frombuffer(block_bytes(rows), np.uint8)
    tell_places(packed, places, ploidy, row, told)
    for place, found in zip(places.tolist(), told.tolist(), strict=True):
        before = rows[rows[:, START] <= place]
        wanted = [int(rows[0, PLOIDY]) if len(rows) else ploidy, 0, 0, 0]
        if len(before) and place < before[-1, END]:
            wanted = before[-1, PLOIDY:].tolist()
        assert found == wanted


def test_usual_blocks_are_small():
    rng = np.random.default_rng(3)
    ends = np.cumsum(rng.integers(1, 20, 5000))
    rows = np.column_stack((
        np.concatenate(([0], ends[:-1])), ends, np.full(5000, 2), rng.integers(10, 60, 5000),
        rng.integers(0, 100, 5000), rng.integers(0, 1800, 5000),
    )).astype(np.int64)  # fmt: skip
    assert len(block_bytes(rows)) < 5.1 * 5000
    assert block_bytes(rows[:0]) == b""
