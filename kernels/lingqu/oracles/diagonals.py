"""Alignments on one diagonal, or on two with one gap between them, by trying all of them."""

import numpy as np

from lingqu.align.kernels.diagonal import GAP as CHANGE
from lingqu.align.kernels.diagonal import (
    READ_BEGIN,
    READ_END,
    REF_BEGIN,
    REF_END,
    SCORE,
    TURN,
    align_simply,
    new_scratch,
)
from lingqu.align.kernels.scoring import END_BONUS, GAP_EXTEND, GAP_OPEN, READ_N
from lingqu.base.bits import LANES as OVERHANG
from lingqu.base.jit import kernel
from lingqu.oracles.extension import base_score
from lingqu.oracles.trial import Trial

_LONGEST_GAP = 12
_MARGIN = 64
_NEVER = -(10**6)


def best_flat(read, reference, diagonal: int) -> int:
    """Best local score with end bonuses on one diagonal."""
    steps = [base_score(base, reference[diagonal + i]) for i, base in enumerate(read)]
    n, best = len(steps), 0
    for first in range(n):
        score = END_BONUS * (first == 0)
        for last in range(first, n):
            score += steps[last]
            best = max(best, score + END_BONUS * (last == n - 1))
    return best


def best_turned(read, reference, diagonal: int, gap: int) -> int:
    """Best score, without bonuses, of the whole read on `diagonal` and, after `gap`, beside it."""
    n, skipped = len(read), max(-gap, 0)
    before = [base_score(base, reference[diagonal + i]) for i, base in enumerate(read)]
    after = [base_score(base, reference[diagonal + gap + i]) for i, base in enumerate(read)]
    best = max(sum(before[:k]) + sum(after[k + skipped :]) for k in range(1, n - skipped))
    return best - GAP_OPEN - GAP_EXTEND * abs(gap)


def score_of(read, reference, result) -> int:
    """Score, without bonuses, of the alignment that a result describes, if its ends agree."""
    turn, gap = (result[TURN], result[CHANGE]) if result[TURN] else (result[READ_END], 0)
    first = result[REF_BEGIN] - result[READ_BEGIN]
    inside = 0 <= result[READ_BEGIN] < result[READ_END] <= len(read)
    if not inside or result[REF_END] != first + gap + result[READ_END]:
        return _NEVER
    score = sum(base_score(read[i], reference[first + i]) for i in range(result[READ_BEGIN], turn))
    if gap:
        score -= GAP_OPEN + GAP_EXTEND * abs(gap)
    for i in range(turn + max(-gap, 0), result[READ_END]):
        score += base_score(read[i], reference[first + gap + i])
    return score


def _reads(rng, size):
    """Reads of up to 150 bases in pieces of reference, half of them with a gap."""
    n, count = min(size + 2 * _LONGEST_GAP, 150), max(size // 50, 1)
    reference = rng.integers(0, rng.choice([2, 4]), (count, 2 * n + 2 * _MARGIN)).astype(np.uint8)
    reads = np.empty((count, n), np.uint8)
    gaps = rng.integers(-_LONGEST_GAP, _LONGEST_GAP + 1, count) * rng.integers(0, 2, count)
    for r, gap in enumerate(gaps.tolist()):
        turn = int(rng.integers(1, n - _LONGEST_GAP))
        body = reference[r, _MARGIN:]
        put = rng.integers(0, 4, max(-gap, 0)).astype(np.uint8)
        reads[r] = np.concatenate((body[:turn], put, body[turn + max(gap, 0) :]))[:n]
    wrong = rng.random(reads.shape) < rng.choice([0, 0.01, 0.03])
    reads[wrong] = rng.choice([0, 1, 2, 3, READ_N], int(wrong.sum()))
    return {"reads": reads, "reference": reference, "gaps": gaps}


@kernel
def _align_each(codes, length, unknown, reference, low, high, results):
    masks, places, result = new_scratch()
    for r in range(low.size):
        align_simply(
            codes, r * length, length, unknown[r], reference, low[r], high[r], masks, places, result
        )
        results[r] = result


def _bind(reads, reference, gaps):
    length = reads.shape[1]
    codes = np.concatenate((reads.ravel(), np.full(OVERHANG, READ_N, np.uint8)))
    flat = np.concatenate((reference.ravel(), np.full(OVERHANG, 4, np.uint8)))
    at = np.arange(len(reads)) * reference.shape[1] + _MARGIN
    low, high = at + np.minimum(gaps, 0), at + np.maximum(gaps, 0)
    unknown, results = (reads == READ_N).any(1), np.zeros((len(reads), 8), np.int64)

    def call():
        _align_each(codes, length, unknown, flat, low, high, results)
        return results

    return call


def _bests(reads, reference, gaps):
    """(on the lower diagonal, with a gap up from it, with a gap down to it) of each read."""
    found = []
    for read, row, gap in zip(reads.tolist(), reference.tolist(), gaps.tolist(), strict=True):
        low, high = _MARGIN + min(gap, 0), _MARGIN + max(gap, 0)
        turned = [best_turned(read, row, low, abs(gap)), best_turned(read, row, high, -abs(gap))]
        found.append((best_flat(read, row, low), max(turned) + 2 * END_BONUS if gap else 0))
    return found


def _as_good(inputs, ours, wanted):
    """The score is that of the alignment, and no flat and no turned one is better (N apart)."""
    for r, (result, (flat, turned)) in enumerate(zip(ours.tolist(), wanted, strict=True)):
        read, row = inputs["reads"][r].tolist(), inputs["reference"][r].tolist()
        shifted = list(result)
        for k in (REF_BEGIN, REF_END):
            shifted[k] -= r * len(row)
        ends = (result[READ_BEGIN] == 0) + (result[READ_END] == len(read))
        best = result[SCORE] + END_BONUS * ends
        earned = score_of(read, row, shifted)
        if earned != result[SCORE]:
            return f"read {r}: score {result[SCORE]}, and the alignment earns {earned}"
        least = flat if READ_N in read else max(flat, turned)
        if best < least:
            return f"read {r}: score with bonuses {best}, wanted {least}"
    return ""


DIAGONAL = Trial(
    make=_reads,
    bind=_bind,
    oracle=_bests,
    differ=_as_good,
    unit="read",
    units=lambda reads, reference, gaps: len(reads),
)
