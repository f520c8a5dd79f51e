"""Reads under haplotypes by the textbook; genotypes, phases and detours by brute force."""

import functools
import itertools
import math

import numpy as np

from lingqu.call.kernels.genotype import NEAR_PRIOR, all_pairs
from lingqu.call.kernels.pairhmm import (
    LANES,
    WIDTH,
    forward,
    load_haplotype,
    load_read,
    new_workspace,
)
from lingqu.call.kernels.phase import LOOK, REACH, link
from lingqu.call.kernels.spelling import align
from lingqu.call.model import base_tables
from lingqu.oracles.trial import Trial, within

EXTEND = 0.1
_SCALE = 30


def textbook(read, quals, hap, gap, first: int, last: int) -> float:
    """Likelihood of a read: the sum over alignments whose cell (i, j) keeps first <= j - i <= last.

    The recursion of `lingqu.call.kernels.pairhmm` in float64, without lanes.
    """
    n, m = len(read), len(hap)
    right, wrong = base_tables()
    match = np.zeros((n + 1, m + 1))
    insertion, deletion = np.zeros((n + 1, m + 1)), np.zeros((n + 1, m + 1))
    for j in range(m + 1):
        match[0, j] = first <= j <= last
    for i in range(1, n + 1):
        q = int(quals[i - 1])
        for j in range(max(1, i + first), min(m, i + last) + 1):
            g = float(gap[j - 1])
            if read[i - 1] > 3:
                emit = 0.25
            else:
                emit = float(right[q] if read[i - 1] == hap[j - 1] else wrong[q])
            stay = match[i - 1, j - 1] * (1 - 2 * g)
            back = (insertion[i - 1, j - 1] + deletion[i - 1, j - 1]) * (1 - EXTEND)
            match[i, j] = emit * (stay + back)
            insertion[i, j] = match[i - 1, j] * g + insertion[i - 1, j] * EXTEND
            deletion[i, j] = match[i, j - 1] * g + deletion[i, j - 1] * EXTEND
    return float((match[n] + insertion[n]).sum())


def read_of_haplotype(rng, start: int, size: int):
    """(read, quals, haplotype, chance of a gap at each base): a read with a gap and errors."""
    hap = rng.integers(0, 4, 260).astype(np.uint8)
    gap = (10 ** rng.uniform(-4.5, -1.5, len(hap))).astype(np.float32)
    read = hap[start : start + size].copy()
    if size > 10:
        cut, kind = int(rng.integers(5, size - 5)), rng.integers(0, 3)
        if kind == 1:
            read = np.delete(read, [cut, cut + 1])
        elif kind == 2:
            read = np.insert(read, cut, rng.integers(0, 4, 3)).astype(np.uint8)
    read[rng.integers(0, len(read), 2)] = rng.integers(0, 5)
    return read, rng.integers(2, 60, len(read)).astype(np.uint8), hap, gap


def _reads_of_haplotypes(rng, size):
    """One read a lane, of up to `size` bases (160 at most), each with its start."""
    starts = rng.integers(20, 80, LANES).tolist()
    most = min(size, 160)
    sizes = rng.integers(max(most // 2, 1), most + 1, LANES).tolist()
    lanes = [read_of_haplotype(rng, *both) for both in zip(starts, sizes, strict=True)]
    return {"starts": starts, "lanes": lanes}


def _bind_forward(starts, lanes):
    space, rows = new_workspace(), np.zeros(LANES, np.int64)
    result = np.zeros(LANES, np.float32)
    right, wrong = base_tables()
    for lane, (start, (read, quals, hap, gap)) in enumerate(zip(starts, lanes, strict=True)):
        rows[lane] = len(read)
        load_read(space, lane, read, quals, right, wrong)
        load_haplotype(space, lane, hap, gap, start, len(read))

    def call():
        forward(space, rows, np.float32(10.0**_SCALE), result)
        return np.log10(result) - _SCALE

    return call


def _log_likelihoods(starts, lanes):
    logs = []
    for start, lane in zip(starts, lanes, strict=True):
        first = start - WIDTH // 2
        logs.append(math.log10(textbook(*lane, first, first + WIDTH - 1)))
    return logs


PAIR_HMM = Trial(
    make=_reads_of_haplotypes,
    bind=_bind_forward,
    oracle=_log_likelihoods,
    differ=within(1e-4),
    unit="cell",
    units=lambda starts, lanes: LANES * WIDTH * max(len(lane[0]) for lane in lanes),
    largest=120,
    timed=150,
    floor=1.0,
)


def _chances(rng, size):
    """Chances of `size` read pairs under a few haplotypes of up to 3 edits each."""
    haps = int(rng.integers(1, 7))
    chances = 10 ** rng.uniform(-4, 0, (size, haps))
    return {
        "chances": chances / chances.max(1, keepdims=True),
        "masks": rng.integers(0, 8, haps),
        "prior": rng.uniform(-5, -1, 3),
        "near": np.array([0, rng.integers(0, 2), rng.integers(0, 4)], np.int64),
        "ploidy": int(rng.integers(1, 3)),
    }


def _bind_genotypes(chances, masks, prior, near, ploidy):
    posterior = np.full((len(masks), len(masks)), np.nan)

    def call():
        sizes = len(masks), len(prior)
        all_pairs(chances, len(chances), masks, sizes[0], prior, near, sizes[1], ploidy, posterior)
        upper = np.triu_indices(len(masks))
        return posterior[upper] if ploidy == 2 else posterior.diagonal()

    return call


def log_likelihood(chances, one: int, two: int) -> float:
    """log10 of the product over read pairs of the mean chance under two haplotypes."""
    return sum(math.log10((row[one] + row[two]) / 2) for row in chances)


def log_prior(prior, near, one: int, two: int) -> float:
    """log10 prior of two haplotypes (sets of edits as bits): each edit once, halved on both; more
    where a haplotype has it and one of the edits near it.
    """
    total = 0.0
    for e, own in enumerate(prior):
        holders = [hap for hap in (one, two) if hap >> e & 1]
        if holders:
            total += own - math.log10(len(holders))
            total += NEAR_PRIOR * any(hap & int(near[e]) for hap in holders)
    return total


def _posteriors(chances, masks, prior, near, ploidy):
    pairs = itertools.combinations_with_replacement(range(len(masks)), 2)
    return [
        log_likelihood(chances, one, two) + log_prior(prior, near, int(masks[one]), int(masks[two]))
        for one, two in pairs
        if ploidy == 2 or one == two
    ]


GENOTYPE = Trial(
    make=_chances,
    bind=_bind_genotypes,
    oracle=_posteriors,
    differ=within(1e-9),
    unit="read pair and genotype",
    units=lambda chances, masks, prior, near, ploidy: (
        len(chances) * (len(masks) * (len(masks) + 1) // 2 if ploidy == 2 else len(masks))
    ),
    timed=20_000,
)


def _shown(rng, size):
    """What templates say of `size` sites, near each other and farther than a template reaches."""
    names = [np.unique(rng.integers(0, 12, int(rng.integers(0, 12)))) for _ in range(size)]
    return {
        "pos": np.cumsum(rng.choice([1, 60, 130, 700], size)),
        "names": [one.astype(np.uint64) for one in names],
        "shares": [rng.uniform(1e-4, 1 - 1e-4, len(one)).astype(np.float32) for one in names],
    }


def _bind_link(pos, names, shares):
    first = np.cumsum([0, *map(len, names)])
    flat = np.concatenate([np.empty(0, np.uint64), *names]), np.concatenate(shares)
    parent, odds = np.empty(len(pos), np.int64), np.empty(len(pos))

    def call():
        link(pos, first, *flat, np.int64(0), parent, odds)
        return np.stack((parent, odds))

    return call


def log_odds(one: dict, two: dict) -> float:
    """log10 of cis over trans of two sites, from the shares of their templates by name."""
    both = sorted(one.keys() & two.keys())
    cis = [one[t] * two[t] + (1 - one[t]) * (1 - two[t]) for t in both]
    trans = [one[t] * (1 - two[t]) + (1 - one[t]) * two[t] for t in both]
    return sum(map(math.log10, cis)) - sum(map(math.log10, trans))


def _links(pos, names, shares):
    told = [
        dict(zip(one.tolist(), map(float, two), strict=True))
        for one, two in zip(names, shares, strict=True)
    ]
    parents, odds = [], []
    for j in range(len(pos)):
        near = [i for i in range(max(j - LOOK, 0), j) if pos[j] - pos[i] <= REACH]
        values = {i: log_odds(told[i], told[j]) for i in near}
        best = max(values, key=lambda i: (abs(values[i]), i), default=-1)
        clear = best >= 0 and values[best] != 0
        parents.append(best if clear else -1)
        odds.append(values[best] if clear else 0.0)
    return np.array([parents, odds])


PHASE = Trial(
    make=_shown,
    bind=_bind_link,
    oracle=_links,
    differ=within(1e-6),
    unit="site",
    units=lambda pos, names, shares: len(pos),
    largest=40,
    timed=5000,
)


MISMATCH, OPEN, GAP = 350, 360, 111
"""What a match of 200 more than a mismatch of -150 is, and than -260 (and -11) of a gap's bases."""


def least_cost(one, two) -> int:
    """Least cost of a global alignment in which no gap stands beside one in the other sequence."""

    @functools.cache
    def least(i, j, state):
        if i == 0 and j == 0:
            return 0 if state == 0 else 1_000_000
        costs = [1_000_000]
        if state == 0 and i and j:
            more = 0 if one[i - 1] == two[j - 1] else MISMATCH
            costs = [least(i - 1, j - 1, s) + more for s in range(3)]
        if state == 1 and i:
            costs = [least(i - 1, j, 0) + OPEN, least(i - 1, j, 1) + GAP]
        if state == 2 and j:
            costs = [least(i, j - 1, 0) + OPEN, least(i, j - 1, 2) + GAP]
        return min(costs)

    return min(least(len(one), len(two), s) for s in range(3))


def cost_of_moves(one, two, moves) -> tuple[int, int, int]:
    """(cost, bases of `one` used, of `two`) of moves: 0 both, 1 of `one` only, 2 of `two`."""
    cost, i, j, before = 0, 0, 0, 0
    for move in moves:
        if move == 0:
            cost += 0 if one[i] == two[j] else MISMATCH
        else:
            cost += GAP if before == move else OPEN
        i, j, before = i + (move != 2), j + (move != 1), move
    return cost, i, j


def _detour(rng, size):
    one = rng.integers(0, 3, size).astype(np.uint8)
    cut = int(rng.integers(0, size))
    put = rng.integers(0, 3, rng.integers(0, 4))
    two = np.concatenate((one[:cut], put, one[cut + int(rng.integers(0, 4)) :])).astype(np.uint8)
    return {"one": one, "two": two}


def _bind_align(one, two):
    table = np.empty((3, len(one) + 1, len(two) + 1), np.int32)
    moves = np.empty(len(one) + len(two) + 1, np.uint8)

    def call():
        return moves[: align(one, two, table, moves)][::-1]

    return call


def _best_detour(inputs, ours, wanted):
    one, two = inputs["one"], inputs["two"]
    cost, i, j = cost_of_moves(one, two, ours.tolist())
    if (i, j) != (len(one), len(two)):
        return f"{i} and {j} bases are aligned, wanted {len(one)} and {len(two)}"
    return "" if cost == wanted else f"cost {cost}, wanted {wanted}"


DETOUR = Trial(
    make=_detour,
    bind=_bind_align,
    oracle=lambda one, two: least_cost(tuple(one.tolist()), tuple(two.tolist())),
    differ=_best_detour,
    unit="cell",
    units=lambda one, two: (len(one) + 1) * (len(two) + 1),
    largest=60,
    timed=300,
)
