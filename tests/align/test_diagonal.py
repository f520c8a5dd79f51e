"""Alignments along diagonals against exhaustive search of the same kind of alignment."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align.kernels.diagonal import (
    FAR,
    GAP,
    LOST,
    REACH,
    READ_BEGIN,
    READ_END,
    REF_BEGIN,
    REF_END,
    SCORE,
    TURN,
    align_simply,
)
from lingqu.align.kernels.scoring import END_BONUS, GAP_EXTEND, GAP_OPEN, MISMATCH, READ_N, UNKNOWN

AT = 200
SLACK = 64
WORDS = 18


def _base(query, target):
    return 1 if query == target else UNKNOWN if query == READ_N else MISMATCH


def _align(read, reference, low, high):
    query = np.concatenate((read, np.full(SLACK, 7, np.uint8))).astype(np.uint8)
    result, places = np.zeros(8, np.int64), np.empty(1001, np.int64)
    masks = np.empty((2, WORDS), np.uint64)
    align_simply(query, 0, len(read), READ_N in read, reference, low, high, masks, places, result)
    return result


def _score(read, reference, result):
    """Score of the alignment that a result describes, base by base."""
    turn, gap = (result[TURN], result[GAP]) if result[TURN] else (result[READ_END], 0)
    first = result[REF_BEGIN] - result[READ_BEGIN]
    score = sum(_base(read[i], reference[first + i]) for i in range(result[READ_BEGIN], turn))
    if gap:
        score -= GAP_OPEN + GAP_EXTEND * abs(gap)
    for i in range(turn + max(-gap, 0), result[READ_END]):
        score += _base(read[i], reference[first + gap + i])
    assert result[REF_END] == first + gap + result[READ_END]
    return score


def _best_flat(read, reference, diagonal):
    """Best local score with end bonuses on one diagonal."""
    bases = [_base(x, reference[diagonal + i]) for i, x in enumerate(read)]
    n = len(read)
    return max(
        sum(bases[i:j]) + END_BONUS * ((i == 0) + (j == n))
        for i in range(n)
        for j in range(i + 1, n + 1)
    )


def _best_turned(read, reference, diagonal, gaps):
    """Best score of the whole read with one of the gaps, on `diagonal` before or after it."""
    n, best = len(read), -(10**6)
    for gap in gaps:
        for first in (diagonal, diagonal - gap):
            skipped = max(-gap, 0)
            for turn in range(1, n - skipped):
                score = sum(_base(read[i], reference[first + i]) for i in range(turn))
                rest = range(turn + skipped, n)
                score += sum(_base(read[i], reference[first + gap + i]) for i in rest)
                best = max(best, score - GAP_OPEN - GAP_EXTEND * abs(gap))
    return best


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
    assert result[SCORE] == _score(read, reference, result)
    assert result[SCORE] + bonus >= _best_flat(read, reference, AT)
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
        _best_turned(read, reference, low, [abs(gap)]),
        _best_turned(read, reference, low + abs(gap), [-abs(gap)]),
    )
    bonus = END_BONUS * (int(result[READ_BEGIN] == 0) + int(result[READ_END] == len(read)))
    assert result[SCORE] == _score(read, reference, result)
    assert result[SCORE] + bonus >= best + 2 * END_BONUS


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_a_planted_gap_is_found_from_the_longer_side(seed):
    reference, read, gap = _planted(seed, 4, 100, REACH // 2)
    if not gap:
        return
    for diagonal in (AT, AT + gap):
        result = _align(read, reference, diagonal, diagonal)
        flat = _best_flat(read, reference, diagonal)
        bonus = END_BONUS * (int(result[READ_BEGIN] == 0) + int(result[READ_END] == len(read)))
        assert result[SCORE] == _score(read, reference, result)
        near = len(read) + 2 * END_BONUS - flat < FAR
        wanted = _best_turned(read, reference, diagonal, [gap]) + 2 * END_BONUS
        if near and wanted >= flat + 7 and READ_N not in read:
            assert result[SCORE] + bonus >= wanted
