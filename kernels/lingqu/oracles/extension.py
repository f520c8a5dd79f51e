"""Alignments of reads by Gotoh's recursion in plain Python, cell by cell."""

import numpy as np

from lingqu.align.kernels.extend import LANES, NARROW, I, M, align_lanes, trace
from lingqu.align.kernels.scoring import (
    END_BONUS,
    GAP_EXTEND,
    GAP_OPEN,
    MATCH,
    MISMATCH,
    READ_N,
    UNKNOWN,
)
from lingqu.oracles.trial import Trial, on_cache_line

_NEVER = -(10**6)
_BEST, _BEST_ROW, _BEST_COLUMN = 4, 5, 6
_LAST = 3
_BEYOND = 6
"""Code past a read's end."""


def base_score(query: int, target: int) -> int:
    """Score of a read's base against the reference's."""
    return MATCH if query == target else UNKNOWN if query == READ_N else MISMATCH


def best_score(query, target, low: int, high: int) -> int:
    """Best local score with end bonuses over diagonals low to high - 1 (target minus query)."""
    height: dict[tuple[int, int], int] = {}
    insert: dict[tuple[int, int], int] = {}
    delete: dict[tuple[int, int], int] = {}
    best = 0
    for i in range(len(query)):
        for t in range(max(0, i + low), min(len(target), i + high)):
            start = END_BONUS if i == 0 else 0
            score = max(height.get((i - 1, t - 1), _NEVER), start)
            score += base_score(query[i], target[t])
            insert[i, t] = max(
                height.get((i - 1, t), _NEVER) - GAP_OPEN - GAP_EXTEND,
                insert.get((i - 1, t), _NEVER) - GAP_EXTEND,
            )
            delete[i, t] = max(
                height.get((i, t - 1), _NEVER) - GAP_OPEN - GAP_EXTEND,
                delete.get((i, t - 1), _NEVER) - GAP_EXTEND,
            )
            height[i, t] = max(score, insert[i, t], delete[i, t])
            best = max(best, height[i, t] + (END_BONUS if i == len(query) - 1 else 0))
    return best


def replay(query, target, q: int, t: int, operations) -> tuple[int, int, int]:
    """(score without end bonuses, read end, target end) of operations (length, kind) from q, t."""
    score = 0
    for length, operation in operations:
        if operation == M:
            score += sum(base_score(query[q + i], target[t + i]) for i in range(length))
            q, t = q + length, t + length
            continue
        score -= GAP_OPEN + GAP_EXTEND * length
        if operation == I:
            q += length
        else:
            t += length
    return score, q, t


def worn(rng, codes: np.ndarray) -> np.ndarray:
    """A read of `codes` with a few substitutions and, often, a gap or an N."""
    read = codes.tolist()
    for _ in range(rng.integers(0, 1 + len(read) // 12)):
        read[rng.integers(len(read))] = int(rng.integers(0, 4))
    if len(read) > 20:
        where, size = int(rng.integers(5, len(read) - 5)), int(rng.integers(1, 9))
        kind = rng.integers(3)
        if kind == 0:
            read[where:where] = rng.integers(0, 4, size).tolist()
        elif kind == 1:
            del read[where : where + size]
    if rng.integers(4) == 0:
        read[rng.integers(len(read))] = READ_N
    return np.array(read, np.uint8)


def _lanes(rng, size):
    """Reads of up to `size` bases, and their windows with half a band on either side."""
    letters = rng.choice([2, 4])
    reads, windows = [], []
    for _ in range(LANES):
        n = int(rng.integers(max(size * 3 // 4, 1), size + 1))
        window = rng.integers(0, letters, size + 8 + NARROW).astype(np.uint8)
        reads.append(worn(rng, window[NARROW // 2 : NARROW // 2 + n]))
        windows.append(window)
    return {"reads": reads, "windows": windows}


def _bind_lanes(reads, windows):
    rows = max(map(len, reads))
    query = on_cache_line(rows * LANES, np.int16)
    target = on_cache_line((rows + NARROW) * LANES, np.int16)
    state = on_cache_line(7 * LANES, np.int16)
    moves = on_cache_line(rows * NARROW * LANES, np.uint8)
    cells = on_cache_line(2 * (NARROW + 1) * LANES, np.int16)
    query[:], state[:] = _BEYOND, 0
    for lane, (read, window) in enumerate(zip(reads, windows, strict=True)):
        query[lane : len(read) * LANES : LANES] = read
        target[lane::LANES] = window[: rows + NARROW]
        state[_LAST * LANES + lane] = len(read) - 1

    def call():
        align_lanes(rows, NARROW, query, target, cells, state, moves)
        return state.reshape(7, LANES), moves

    return call


def _best_scores(reads, windows):
    """Row i may meet columns i to i + NARROW - 1."""
    rows = max(map(len, reads))
    return [
        best_score(read, window[: rows + NARROW], 0, NARROW)
        for read, window in zip(reads, windows, strict=True)
    ]


def _same_scores_and_paths(inputs, ours, wanted):
    """Scores agree, and the path that is traced back earns the score."""
    state, moves = ours
    path = np.empty(len(moves) // LANES + 1, np.uint32)
    for lane, best in enumerate(wanted):
        score, row, column = (int(state[k, lane]) for k in (_BEST, _BEST_ROW, _BEST_COLUMN))
        if score != best:
            return f"lane {lane}: score {score}, wanted {best}"
        if row < 0:
            continue
        n, first, begin = trace(moves, NARROW, lane, row, column, path, 0)
        read, window = inputs["reads"][lane], inputs["windows"][lane]
        operations = [(int(step >> 4), int(step & 15)) for step in path[:n]]
        earned, end, _ = replay(read, window, int(first), int(first + begin), operations)
        earned += END_BONUS * (int(first == 0) + int(end == len(read)))
        if (earned, end) != (best, row + 1):
            return f"lane {lane}: the path {operations} earns {earned}, wanted {best}"
    return ""


EXTEND = Trial(
    make=_lanes,
    bind=_bind_lanes,
    oracle=_best_scores,
    differ=_same_scores_and_paths,
    unit="cell",
    units=lambda reads, windows: LANES * NARROW * max(map(len, reads)),
    largest=60,
    timed=150,
    floor=0.8,
)
