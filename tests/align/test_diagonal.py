"""Alignments along diagonals against exhaustive search of the same kind of alignment."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align.kernels.diagonal import (
    CROWD,
    FAR,
    GAP,
    LOST,
    REACH,
    READ_BEGIN,
    READ_END,
    REF_BEGIN,
    SCORE,
    TURN,
    align_simply,
    is_crowded,
)
from lingqu.align.kernels.scoring import END_BONUS, READ_N
from lingqu.oracles.diagonals import best_flat, best_turned, score_of

AT = 200
SLACK = 64
WORDS = 18


def _align(read, reference, low, high):
    query = np.concatenate((read, np.full(SLACK, 7, np.uint8))).astype(np.uint8)
    result, places = np.zeros(8, np.int64), np.empty(1001, np.int64)
    masks = np.empty((2, WORDS), np.uint64)
    align_simply(query, 0, len(read), READ_N in read, reference, low, high, masks, places, result)
    return result


def _planted(seed, letters, n, most):
    """A reference, a read of it with substitutions, an N at times and a gap, and where it is."""
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, letters, 2 * AT + n + SLACK).astype(np.uint8)
    gap = int(rng.integers(-most, most + 1))
    turn = int(rng.integers(1, n - most))
    body = reference[AT : AT + 2 * n].tolist()
    if gap < 0:
        body[turn:turn] = rng.integers(0, letters, -gap).tolist()
    else:
        del body[turn : turn + gap]
    read = np.array(body[:n], np.uint8)
    for _ in range(rng.integers(0, 4)):
        read[rng.integers(n)] = rng.integers(0, 4)
    if rng.integers(3) == 0:
        read[rng.integers(n)] = READ_N
    return reference, read, gap


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4]))
def test_without_a_gap_no_local_alignment_of_the_diagonal_is_better(seed, letters):
    reference, read, _ = _planted(seed, letters, 90, 5)
    result = _align(read, reference, AT, AT)
    bonus = END_BONUS * (int(result[READ_BEGIN] == 0) + int(result[READ_END] == len(read)))
    assert result[SCORE] == score_of(read, reference, result)
    assert result[SCORE] + bonus >= best_flat(read, reference, AT)
    assert len(read) + 2 * END_BONUS - result[LOST] == result[SCORE] + bonus


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4]))
def test_between_two_diagonals_no_other_turn_is_better(seed, letters):
    reference, read, gap = _planted(seed, letters, 60, 12)
    if READ_N in read or not gap:
        return
    result = _align(read, reference, min(AT, AT + gap), max(AT, AT + gap))
    low = min(AT, AT + gap)
    best = max(
        best_turned(read, reference, low, abs(gap)),
        best_turned(read, reference, low + abs(gap), -abs(gap)),
    )
    bonus = END_BONUS * (int(result[READ_BEGIN] == 0) + int(result[READ_END] == len(read)))
    assert result[SCORE] == score_of(read, reference, result)
    assert result[SCORE] + bonus >= best + 2 * END_BONUS


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_a_planted_gap_is_found_from_the_longer_side(seed):
    reference, read, gap = _planted(seed, 4, 100, REACH // 2)
    if not gap:
        return
    for diagonal in (AT, AT + gap):
        result = _align(read, reference, diagonal, diagonal)
        flat = best_flat(read, reference, diagonal)
        bonus = END_BONUS * (int(result[READ_BEGIN] == 0) + int(result[READ_END] == len(read)))
        assert result[SCORE] == score_of(read, reference, result)
        near = len(read) + 2 * END_BONUS - flat < FAR
        turned = (best_turned(read, reference, at, gap) for at in (diagonal, diagonal - gap))
        wanted = max(turned) + 2 * END_BONUS
        if near and wanted >= flat + 7 and READ_N not in read:
            assert result[SCORE] + bonus >= wanted


@settings(max_examples=200)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4]), st.integers(0, 12))
def test_crowds_of_mismatches(seed, letters, most):
    reference, read, gap = _planted(seed, letters, 150, most + 1)
    read = np.where(read == READ_N, 0, read).astype(np.uint8)
    result = _align(read, reference, min(AT, AT + gap), max(AT, AT + gap))
    diagonal = result[REF_BEGIN] - result[READ_BEGIN]
    shift = np.zeros(len(read), np.int64)
    begin, end = result[READ_BEGIN], result[READ_END]
    aligned = (np.arange(len(read)) >= begin) & (np.arange(len(read)) < end)
    if result[TURN]:
        inserted = max(-result[GAP], 0)
        shift[result[TURN] :] = result[GAP]
        aligned[result[TURN] : result[TURN] + inserted] = False
    there = reference[np.arange(len(read)) + diagonal + shift]
    wrong = np.flatnonzero((there != read) & aligned)
    least = 2 if result[TURN] else 4
    spans = (
        wrong[least - 1 :] - wrong[: len(wrong) - least + 1] if len(wrong) >= least else wrong[:0]
    )
    query = np.concatenate((read, np.full(SLACK, 7, np.uint8))).astype(np.uint8)
    masks, places = np.empty((2, WORDS), np.uint64), np.empty(1001, np.int64)
    found = is_crowded(query, 0, len(read), reference, masks, places, result)
    assert found == bool((spans < CROWD).any())
