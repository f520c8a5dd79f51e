"""Chaining against exhaustive search on few anchors."""

from itertools import combinations, pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align.kernels.candidates import CANDIDATE, CHAINED, MOST
from lingqu.align.kernels.chain import (
    pack_anchor,
    score_anchors,
    sort_anchors,
    take_chains,
)
from lingqu.oracles.chains import link

WORD = 20


def _exhaustive(anchors):
    """Best score of any chain."""
    best = 0
    for size in range(1, len(anchors) + 1):
        for chosen in combinations(sorted(anchors), size):
            links = [link(a, b, WORD) for a, b in pairwise(chosen)]
            if None not in links:
                best = max(best, WORD + sum(links))
    return best


def _chains(anchors):
    packed = np.array([pack_anchor(0, place, query) for place, query in anchors], np.int64)
    n = len(packed)
    sort_anchors(packed, n)
    scores, previous = np.empty(n, np.int32), np.empty(n, np.int32)
    score_anchors(packed, n, WORD, scores, previous)
    table = np.zeros(MOST, CANDIDATE).view(np.recarray)
    taken = take_chains(packed, n, WORD, scores, previous, np.empty(n, np.int64), CHAINED, table, 0)
    return table, taken


anchors = st.lists(
    st.tuples(st.integers(5_000, 5_400), st.integers(0, 130)), min_size=1, max_size=7, unique=True
)


@settings(max_examples=200)
@given(anchors)
def test_no_chain_scores_more_than_the_best_there_is(some):
    table, taken = _chains(some)
    assert taken >= 1
    assert table.chain[0] <= _exhaustive(some)
    assert table.chain[0] >= WORD


@settings(max_examples=100)
@given(st.integers(0, 60), st.lists(st.integers(0, 120), min_size=1, max_size=12, unique=True))
def test_seeds_on_one_diagonal_are_one_chain_that_covers_them(diagonal, queries):
    table, taken = _chains([(5_000 + diagonal + q, q) for q in queries])
    covered = set()
    for query in queries:
        covered |= set(range(query, query + WORD))
    assert taken == 1
    assert table.chain[0] == len(covered)
    assert table.diagonal_low[0] == table.diagonal_high[0] == 5_000 + diagonal
    assert (table.read_begin[0], table.read_end[0]) == (min(queries), max(queries) + WORD)


def test_two_places_are_two_chains_best_first():
    near = [(5_000 + q, q) for q in (0, 30, 60)]
    far = [(900_000 + q, q) for q in (0, 30)]
    table, taken = _chains(near + far)
    assert taken == 2
    assert table.chain[:2].tolist() == [60, 40]
    assert table.diagonal_low[:2].tolist() == [5_000, 900_000]
