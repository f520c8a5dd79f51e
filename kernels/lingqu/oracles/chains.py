"""Chains by a dynamic programme without bounds; places near a mate by counting on diagonals."""

import numpy as np

from lingqu.align.kernels.candidates import CHAINED, MOST, new_candidates
from lingqu.align.kernels.chain import (
    MAX_SHIFT,
    pack_anchor,
    score_anchors,
    sort_anchors,
    take_chains,
)
from lingqu.align.kernels.rescue import MIN_CHAIN, WORD, rescue_mates
from lingqu.align.kernels.scoring import READ_N
from lingqu.base.jit import kernel
from lingqu.oracles.trial import Trial
from lingqu.sequence.codes import reverse_complement
from lingqu.sequence.kmers import K

_MOST_APART = 1024

Anchor = tuple[int, int]


def link(a: Anchor, b: Anchor, word: int = K) -> int | None:
    """What anchor b (place, query) adds after a, None where it may not follow."""
    on_reference, on_query = b[0] - a[0], b[1] - a[1]
    shift = abs(on_reference - on_query)
    if min(on_reference, on_query) <= 0 or shift > MAX_SHIFT or on_reference > _MOST_APART:
        return None
    return min(on_reference, on_query, word) - (4 + shift // 4 if shift else 0)


def best_chain(anchors: list[Anchor]) -> int:
    """Score of the best chain of seeds of K bases."""
    anchors, best = sorted(anchors), []
    for b in anchors:
        gains = [
            score + gain
            for a, score in zip(anchors, best, strict=False)
            if (gain := link(a, b)) is not None
        ]
        best.append(max([K, *gains]))
    return max(best)


def _on_one_diagonal(anchors: list[Anchor]) -> int:
    """Score of the best chain without a change of diagonal."""
    diagonals: dict[int, list[Anchor]] = {}
    for place, query in anchors:
        diagonals.setdefault(place - query, []).append((place, query))
    return max(map(best_chain, diagonals.values()))


def _reads_of_anchors(rng, size):
    """Anchors of reads, `size` in all: most on a diagonal, others beside it or anywhere."""
    reads, left = [], size
    while left > 0:
        n = min(int(rng.integers(1, 31)), left)
        query = rng.integers(0, 131, n)
        off = rng.choice([0, 0, 0, 1, -3, 40, 500], n) + np.where(
            rng.random(n) < 0.1, rng.integers(-900, 900, n), 0
        )
        reads.append(sorted(set(zip((5_000 + query + off).tolist(), query.tolist(), strict=True))))
        left -= n
    return {"reads": reads}


@kernel
def _chain_each(start, anchors, scores, previous, ends, table, taken):
    for r in range(taken.size):
        own = anchors[start[r] : start[r + 1]]
        sort_anchors(own, own.size)
        score_anchors(own, own.size, K, scores, previous)
        slot = r * MOST
        taken[r] = take_chains(own, own.size, K, scores, previous, ends, CHAINED, table, slot)


def _bind_chain(reads):
    start = np.cumsum([0, *map(len, reads)]).astype(np.int64)
    anchors = np.array([pack_anchor(0, *anchor) for read in reads for anchor in read], np.int64)
    scores, previous = np.empty(64, np.int32), np.empty(64, np.int32)
    ends = np.empty(64, np.int64)
    table, taken = new_candidates(len(reads)), np.empty(len(reads), np.int64)

    def call():
        _chain_each(start, anchors, scores, previous, ends, table, taken)
        return table.chain[::MOST], taken

    return call


def _bounds(reads):
    return [(_on_one_diagonal(read), best_chain(read)) for read in reads]


def _within_bounds(_inputs, ours, wanted):
    """The kernel may miss a change of diagonal that would pay, and nothing else."""
    for r, (score, taken, (least, most)) in enumerate(zip(*ours, wanted, strict=True)):
        if taken < 1 or not least <= score <= most:
            return f"read {r}: {taken} chains, best {score}; wanted {least} to {most}"
    return ""


CHAIN = Trial(
    make=_reads_of_anchors,
    bind=_bind_chain,
    oracle=_bounds,
    differ=_within_bounds,
    unit="anchor",
    units=lambda reads: sum(map(len, reads)),
)

_LOW, _HIGH, _READ = 100, 500, 80
_STRETCH = 3_000


def _lost_mates(rng, size):
    """A pair per 3 kb of random reference: the first mate is placed, the second is worn."""
    pairs = max(size // 20, 1)
    reference = rng.integers(0, 4, (pairs + 1) * _STRETCH).astype(np.uint8)
    place = np.arange(pairs) * _STRETCH + 1000
    mate = place + rng.integers(_LOW, _HIGH - _READ, pairs)
    reads = []
    for at in mate.tolist():
        read = reference[at : at + _READ].copy()
        worn = rng.choice(_READ, int(rng.integers(0, 12)), replace=False)
        read[worn] = (read[worn] + rng.integers(1, 4, len(worn))) % 4
        reads.append(read)
    return {"reference": reference, "place": place, "reads": np.array(reads)}


def _bind_rescue(reference, place, reads):
    pairs = len(place)
    start = np.arange(2 * pairs, dtype=np.int64) * _READ
    keep = np.full(2 * pairs, _READ, np.int32)
    codes = np.full((2, 2 * pairs * _READ), READ_N, np.uint8)
    table, counts = new_candidates(2 * pairs), np.zeros(2 * pairs, np.int32)
    slots = np.arange(2 * pairs + 1, dtype=np.int64) * MOST
    for p in range(pairs):
        at = int(start[2 * p + 1])
        codes[0, at : at + _READ] = reverse_complement(reads[p])
        codes[1, at : at + _READ] = reads[p]
        c = slots[2 * p]
        counts[2 * p], table.strand[c], table.score[c] = 1, 0, _READ
        table.read_begin[c], table.read_end[c] = 0, _READ
        table.ref_begin[c], table.ref_end[c] = place[p], place[p] + _READ

    def call():
        rescue_mates(table, slots, counts, codes, start, keep, reference, _LOW, _HIGH)
        return table, slots[1::2], counts[1::2]

    return call


def _covered_by_diagonal(reference, place, reads):
    """For each mate, the diagonal with most bases in shared words of WORD, and how many."""
    found = []
    for begin, read in zip(place.tolist(), reads, strict=True):
        covered = {}
        for at in range(begin, begin + _HIGH - _READ + 1):
            same = reference[at : at + _READ] == read
            in_words = np.zeros(_READ, bool)
            for i in range(_READ - WORD + 1):
                if same[i : i + WORD].all():
                    in_words[i : i + WORD] = True
            covered[at] = int(in_words.sum())
        best = max(covered, key=covered.get)
        found.append((best, covered[best]))
    return found


def _rescued(_inputs, ours, wanted):
    table, slots, counts = ours
    for p, (diagonal, covered) in enumerate(wanted):
        places = range(slots[p], slots[p] + counts[p])
        hit = any(table.diagonal_low[c] <= diagonal <= table.diagonal_high[c] for c in places)
        if covered >= MIN_CHAIN and not hit:
            return f"mate {p}: not found at {diagonal}, where {covered} bases are in shared words"
    return ""


RESCUE = Trial(
    make=_lost_mates,
    bind=_bind_rescue,
    oracle=_covered_by_diagonal,
    differ=_rescued,
    unit="mate",
    units=lambda reference, place, reads: len(reads),
    largest=100,
    timed=20_000,
)
