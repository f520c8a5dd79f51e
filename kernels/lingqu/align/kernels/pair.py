"""Choose each template's placement and say how sure it is.

Every combination of the mates' candidates is weighed: its score is the sum of the two alignment
scores less a price for an unlikely insert size, or UNPAIRED where the two do not face each other
at a plausible distance. A score unit is worth 3.8 dB, so that a place that is one mismatch ahead of
another is wrong at most once in 80 times. MAPQ is the Phred-scaled share of all the weight that
speaks for another place of the read, with two kinds of place that were not seen added: a chance
match, and the copies of seeds too frequent to look at.
"""

import numpy as np

from lingqu.align.kernels.rescue import outer_distance
from lingqu.align.kernels.scoring import MIN_SCORE, UNPAIRED
from lingqu.base.jit import kernel, leaf

MAX_MAPQ = 60
FINE = 16
"""Parts of a score unit in which pairs are compared."""

_CHANCE = 20
_STEP = 0.416869383470335  # 10^-0.38; literals, since pow differs between C libraries
_DECIBEL = 0.7943282347242815  # 10^-0.1
_WEIGHTS = 64


def weights():
    """float64[64]: weight of a combination by how many score units it is below the best."""
    table = np.ones(_WEIGHTS)
    for i in range(1, _WEIGHTS):
        table[i] = table[i - 1] * _STEP
    return table


def phred_limits():
    """float64[MAX_MAPQ + 1]: error probability of each Phred score."""
    table = np.ones(MAX_MAPQ + 1)
    for i in range(1, MAX_MAPQ + 1):
        table[i] = table[i - 1] * _DECIBEL
    return table


def insert_prices(mean, sd, low, high, known):
    """int32[high - low + 1]: price of an insert size, 0 at the mean; all 0 where not `known`.

    In FINE parts of a score unit, 0.36 z^2: insert sizes have longer tails than the normal density,
    which would ask 0.57 z^2. In a tandem repeat the insert size is all that tells places apart.
    """
    sizes = np.arange(low, high + 1)
    if not known:
        return np.zeros(len(sizes), np.int32)
    z = (sizes - mean) / max(sd, 1.0)
    return np.minimum(FINE * 0.36 * z * z + 0.5, FINE * (UNPAIRED - 1)).astype(np.int32)


@leaf
def mapq_of(own, other, limits):
    """Phred score (0 to MAX_MAPQ) of other / (own + other); 0 where it is a coin toss."""
    wrong = other / (own + other)
    if wrong <= limits[MAX_MAPQ]:
        return MAX_MAPQ
    low, high = 0, MAX_MAPQ
    while high - low > 1:
        middle = (low + high) >> 1
        if wrong <= limits[middle]:
            low = middle
        else:
            high = middle
    return low if low > 3 else 0


@kernel(inline="always")
def _weight(below, table):
    return table[min(max(below, 0), table.size - 1)]


@leaf
def unseen_score(table, c, length, unseen):
    """Score that a place of the read nobody looked at may have; `unseen` as `chain_reads` says."""
    aligned = table.read_end[c] - table.read_begin[c]
    return max(_CHANCE + (length - aligned) // 10, unseen)


@leaf
def _combination(table, a, length_a, b, length_b, low, prices):
    """(score in parts, whether proper) of candidates a and b as a pair."""
    total = FINE * (table.score[a] + table.score[b])
    if table.tid[a] == table.tid[b]:
        at = outer_distance(table, a, length_a, b, length_b) - low
        if 0 <= at < prices.size:
            return total - prices[at], True
    return total - FINE * UNPAIRED, False


@kernel(inline="always")
def _pick(ordinal, ties):
    """One of `ties` equals, by the template's ordinal: the same whatever the chunking."""
    mixed = np.uint64(ordinal + 1) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed >> np.uint64(33)) % np.uint64(ties))


@leaf
def _place_single(r, ordinal, table, slots, order, kept, keep, unseen, w, limits, chosen, mapq):
    slot = slots[r]
    n = kept[r]
    chosen[r] = -1
    mapq[r] = 0
    if n == 0 or table.score[order[slot]] < MIN_SCORE:
        return
    best = table.score[order[slot]]
    ties = 0
    total = 0.0
    for k in range(n):
        score = table.score[order[slot + k]]
        ties += score == best
        total += _weight(best - score, w)
    c = order[slot + _pick(ordinal, ties)]
    chosen[r] = c
    ghost = _weight(best - unseen_score(table, c, keep[r], unseen[r]), w)
    mapq[r] = mapq_of(1.0, total - 1.0 + ghost, limits)


@leaf
def _place_pair(t, ordinal, table, slots, order, kept, keep, low, prices, unseen, w, limits):
    """Best combination of template t: (candidate of R1, of R2, proper, MAPQ of R1, of R2)."""
    r1, r2 = 2 * t, 2 * t + 1
    slot1, slot2 = slots[r1], slots[r2]
    if kept[r1] == 1 and kept[r2] == 1:
        c1, c2 = order[slot1], order[slot2]
        best, proper = _combination(table, c1, keep[r1], c2, keep[r2], low, prices)
        mapq1, mapq2 = _pair_mapq(
            1.0, 1.0, 1.0, best // FINE, table.score[c1], table.score[c2], unseen, w, limits
        )
        return c1, c2, proper, mapq1, mapq2
    best = -(1 << 30)
    ties = 0
    for i in range(kept[r1]):
        for j in range(kept[r2]):
            score, _ = _combination(
                table, order[slot1 + i], keep[r1], order[slot2 + j], keep[r2], low, prices
            )
            if score > best:
                best = score
                ties = 0
            ties += score == best
    wanted = _pick(ordinal, ties)
    c1 = c2 = np.int64(-1)
    proper = False
    for i in range(kept[r1]):
        for j in range(kept[r2]):
            a, b = order[slot1 + i], order[slot2 + j]
            score, facing = _combination(table, a, keep[r1], b, keep[r2], low, prices)
            if score == best:
                if wanted == 0:
                    c1, c2, proper = a, b, facing
                wanted -= 1
    own1 = own2 = total = 0.0
    for i in range(kept[r1]):
        for j in range(kept[r2]):
            a, b = order[slot1 + i], order[slot2 + j]
            score, _ = _combination(table, a, keep[r1], b, keep[r2], low, prices)
            weight = _weight((best - score + FINE // 2) // FINE, w)
            total += weight
            if a == c1:
                own1 += weight
            if b == c2:
                own2 += weight
    mapq1, mapq2 = _pair_mapq(
        own1, own2, total, best // FINE, table.score[c1], table.score[c2], unseen, w, limits
    )
    return c1, c2, proper, mapq1, mapq2


@leaf
def _pair_mapq(own1, own2, total, best, score1, score2, unseen, w, limits):
    """MAPQ of both mates: own1, own2, total are weights of combinations, `best` the best score."""
    ghost1 = _weight(best - (unseen[0] + score2 - UNPAIRED), w)
    ghost2 = _weight(best - (unseen[1] + score1 - UNPAIRED), w)
    both = _weight(best - (unseen[0] + unseen[1]), w)
    mapq1 = mapq_of(own1 + ghost2, total - own1 + ghost1 + both, limits)
    return mapq1, mapq_of(own2 + ghost1, total - own2 + ghost2 + both, limits)


@kernel
def place_templates(
    paired, first_ordinal, table, slots, order, kept, keep, unseen, low, prices, w, limits, chosen,
    mapq, proper,
):  # fmt: skip
    """Place every template of a chunk.

    order, kept: as `rank_candidates` leaves them; unseen: as `chain_reads` does. low, prices:
    insert size of prices[0], and `insert_prices`. w, limits: `weights()`, `phred_limits()`. Out:
    chosen int64[reads], candidate or -1; mapq uint8[reads]; proper bool[templates].
    """
    reads = keep.size
    ghosts = np.zeros(2, np.int64)
    for t in range(reads // 2 if paired else reads):
        ordinal = first_ordinal + t
        proper[t] = False
        r1 = 2 * t if paired else t
        if paired and kept[r1] and kept[r1 + 1]:
            for k in range(2):
                r = r1 + k
                ghosts[k] = unseen_score(table, order[slots[r]], keep[r], unseen[r])
            c1, c2, facing, q1, q2 = _place_pair(
                t, ordinal, table, slots, order, kept, keep, low, prices, ghosts, w, limits
            )
            if facing or (table.score[c1] >= MIN_SCORE and table.score[c2] >= MIN_SCORE):
                chosen[r1], chosen[r1 + 1] = c1, c2
                mapq[r1], mapq[r1 + 1] = q1, q2
                proper[t] = facing
                continue
        for r in range(r1, r1 + (2 if paired else 1)):
            _place_single(
                r, ordinal, table, slots, order, kept, keep, unseen, w, limits, chosen, mapq
            )
