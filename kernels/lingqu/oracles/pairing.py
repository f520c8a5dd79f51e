"""MAPQ by its formula; duplicates by sets."""

import math

import numpy as np

from lingqu.align.kernels.dedup import DUPLICATE, KEPT, MARK, SINGLE, resolve
from lingqu.align.kernels.pair import MAX_MAPQ, mapq_of, phred_limits
from lingqu.base.jit import kernel
from lingqu.oracles.trial import Trial


@kernel
def _mapq_each(own, other, limits, mapq):
    for r in range(own.size):
        mapq[r] = mapq_of(own[r], other[r], limits)


def _weights(rng, size):
    own, other = 10 ** rng.uniform(-7, 0, (2, size))
    other[rng.random(size) < 0.1] = 0
    return {"own": own, "other": other}


def _bind_mapq(own, other):
    limits, mapq = phred_limits(), np.empty(len(own), np.uint8)

    def call():
        _mapq_each(own, other, limits, mapq)
        return mapq

    return call


def phred(own: float, other: float) -> int:
    """Phred score of other / (own + other), whole dB; 0 where it is 3 or less."""
    if other == 0:
        return MAX_MAPQ
    score = min(math.floor(-10 * math.log10(other / (own + other))), MAX_MAPQ)
    return score if score > 3 else 0


MAPQ = Trial(
    make=_weights,
    bind=_bind_mapq,
    oracle=lambda own, other: [phred(*both) for both in zip(own, other, strict=True)],
    unit="read",
    units=lambda own, other: len(own),
)


def _template_ends(rng, size):
    """Rows of pairs, of the marks of their other ends and of single ends, at few places."""
    rows = []
    for _ in range(size):
        low, high = sorted(rng.integers(10, 10 + max(size // 3, 2), 2).tolist())
        score = int(rng.integers(0, 5))
        if rng.random() < 0.3:
            rows.append((low, SINGLE, score))
        else:
            rows += [(low, high, score), (high, MARK, score)]
    rows.sort(key=lambda row: row[:2])
    first, second, score = np.array(rows, np.int64).T
    return {"first": first.copy(), "second": second.copy(), "score": score.astype(np.int32)}


def _bind_resolve(first, second, score):
    kind, group = np.empty(len(first), np.uint8), np.empty(len(first), np.int64)

    def call():
        resolve(first, second, score, kind, group)
        return kind

    return call


def judge(first, second, score) -> list[int]:
    """KEPT or DUPLICATE of each row, by the rules of Picard's MarkDuplicates.

    Of the rows that share both ends the first of the best score is kept; a single end loses to
    any pair that has an end there; the marks of pairs are no templates.
    """
    rows = list(zip(first.tolist(), second.tolist(), score.tolist(), strict=True))
    ends_of_pairs = {low for low, high, _ in rows if high != SINGLE}
    kept: dict[tuple[int, int], int] = {}
    for i, (low, high, points) in enumerate(rows):
        if (low, high) not in kept or points > rows[kept[low, high]][2]:
            kept[low, high] = i
    kinds = []
    for i, (low, high, _) in enumerate(rows):
        lost = (high == SINGLE and low in ends_of_pairs) or kept[low, high] != i
        kinds.append(DUPLICATE if lost and high != MARK else KEPT)
    return kinds


DUPLICATES = Trial(
    make=_template_ends,
    bind=_bind_resolve,
    oracle=judge,
    unit="end",
    units=lambda first, second, score: len(first),
    largest=60,
)
