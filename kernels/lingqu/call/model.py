"""The numbers of the caller's model: errors, gaps, priors, thresholds.

All tables are made from decimal literals and powers rounded to 12 digits, the same everywhere.
"""

import math

import numpy as np

MIN_MAPQ = 10
"""Reads mapped less surely are not used."""

MIN_BASE = 10
"""Bases of lower quality do not make a candidate."""

MAX_BASE = 40
"""No base is trusted more than this."""

PCR_CAP = 45
"""Phred: least chance that a template shows a given allele which its molecule has not: an error of
the library (PCR, damage) is in one of 10,000 bases, and makes one of three others of it."""


def _power(phred) -> float:
    return float(f"{10 ** (-phred / 10):.12e}")


def base_tables() -> tuple[np.ndarray, np.ndarray]:
    """(right, wrong): float32[256], chance of an agreeing and of one disagreeing base by Phred."""
    error = np.array([_power(min(max(q, 2), MAX_BASE)) for q in range(256)])
    return (1 - error).astype(np.float32), (error / 3).astype(np.float32)


def mismap_table() -> np.ndarray:
    """float64[256]: least chance of a template under any haplotype, by MAPQ."""
    return np.array([_power(min(max(q, 1), PCR_CAP)) for q in range(256)])


PERIODS, COPIES, BINS = 7, 24, 64
"""Repeat units are of less than PERIODS bases; all from COPIES - 1 copies on are one class."""
TALLY = PERIODS, COPIES, BINS, 2
"""Shape of the counts of reads and indels by repeat, see `tally_gaps`."""

DEPTH = 30
"""Reads over a locus, for the spread of its share of errors."""

_HOMOPOLYMER = (45, 45, 45, 45, 45, 45, 44, 42, 39, 36, 33, 31, 29, 28, 27, 26, 25, 24, 24, 23)
_REPEAT = (45, 45, 45, 45, 44, 42, 40, 39, 38, 37, 36, 35, 34, 33, 33, 32, 32, 31, 31, 30)
_WEIGHT = 100
"""Phred of a gap to open by copies of the unit (of one base; of two to six) before any read is
seen, and the number of reads that this knowledge is worth."""

LEAST_GAP, GREATEST_GAP = _power(50), _power(15)


def default_gaps() -> np.ndarray:
    """float64[PERIODS, COPIES]: chance of a gap to open in a repeat of that unit and copies."""
    table = np.empty((PERIODS, COPIES))
    for period in range(PERIODS):
        known = (45,) if period == 0 else _HOMOPOLYMER if period == 1 else _REPEAT
        table[period] = [_power(known[min(c, len(known) - 1)]) for c in range(COPIES)]
    return table


def _error_rate(shares: np.ndarray, known: float) -> tuple[int, int]:
    """(reads, indels) of the loci of a class where the indels are errors.

    shares: int64[BINS, 2]. known: share of indels before any read is seen. From the half of the
    reads with the smallest shares on, none of them so great as a genotype's, all loci within three
    standard deviations (and a read) of the mean are taken, until these are the same; where the
    share is greater, the sample differs from the reference.
    """
    half = np.cumsum(shares[:, 0])
    last = min(int(np.searchsorted(half, half[-1] / 2)) + 1, BINS // 4)
    for _ in range(8):
        reads, indels = shares[:last].sum(0).tolist()
        rate = (indels + _WEIGHT * known) / (reads + _WEIGHT)
        last = min(BINS, int(BINS * (rate + 3 * (rate / DEPTH) ** 0.5 + 1.5 / DEPTH)) + 1)
    return tuple(shares[:last].sum(0).tolist())


def _rising(values: list[tuple[float, float]]) -> list[float]:
    """Ratios that never fall, of (part, whole) pairs: neighbours that would are put together.

    Pool adjacent violators (Ayer et al. 1955).
    """
    blocks: list[tuple[float, float, int]] = []
    for part, whole in values:
        blocks.append((part, whole, 1))
        while len(blocks) > 1 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            one, two = blocks.pop(), blocks.pop()
            blocks.append((one[0] + two[0], one[1] + two[1], one[2] + two[2]))
    return [part / whole for part, whole, count in blocks for _ in range(count)]


def gap_table(tally: np.ndarray) -> np.ndarray:
    """float32[PERIODS, COPIES]: chance of a gap to open at a place, as this sample's reads have it.

    tally: int64[PERIODS, COPIES, BINS, 2], see `tally_gaps`. A gap may open at any place of a
    repeat and gives the same bases each time, and it may go either way: the indels of a repeat are
    shared out among twice its length. More copies never have fewer errors. Units of two to six
    bases are counted together.
    """
    usual = default_gaps()
    pooled = tally.copy()
    pooled[2:] = tally[2:].sum(0)
    pooled[0] = tally[0].sum(0)
    table = np.empty((PERIODS, COPIES), np.float32)
    for period in range(PERIODS):
        unit = 1 if period < 2 else 3
        values = []
        for copies in range(COPIES):
            spread = 2 * max(copies, 1) * unit if period else 2
            reads, indels = _error_rate(pooled[period, copies], spread * usual[period, copies])
            known = _WEIGHT * spread
            values.append((indels + known * usual[period, copies], reads * spread + known))
        table[period] = np.clip(_rising(values), LEAST_GAP, GREATEST_GAP)
    return table


TRANSITION_PRIOR = -3.2
TRANSVERSION_PRIOR = -3.8
INDEL_PRIOR = -4.0
COMPLEX_PRIOR = -7.0
GIVEN_PRIOR = -1.5
"""log10 of the chance of an edit on one of two haplotypes; GIVEN: of one seen in the cohort.

A base is another in one of a thousand places, and two of three times by its transition.
"""
_HOMOPOLYMER_PRIOR = (-4.0, -4.0, -4.0, -3.7, -3.4, -3.2, -2.5, -2.0, -1.6, -1.2, -1.0)
_REPEAT_PRIOR = (-4.0, -4.0, -3.5, -2.8, -2.2, -1.7, -1.4, -1.2, -1.0, -0.9, -0.8, -0.7, -0.6)
"""log10 of the chance that one of two haplotypes has another number of copies, by those of the
reference: of one base; of a unit of two to six."""
_FURTHER = {True: 0.25, False: 0.5}
"""Share of such changes that go on by one more copy; of one base, of longer units."""


def repeat_priors() -> np.ndarray:
    """float64[PERIODS, COPIES, COPIES]: log10 of the prior of an indel, by the bases of the unit,
    its copies in the reference, and those that are put in or removed.

    Counted in the truth set of NA12878 (Genome in a Bottle 3.3) on chromosome 20, apart from what
    the benchmarks score: longer repeats vary by orders of magnitude more (as in Willems et al.
    2014), mostly by one copy, either way as often. INDEL_PRIOR is the least.
    """
    table = np.full((PERIODS, COPIES, COPIES), INDEL_PRIOR)
    for period in range(1, PERIODS):
        known = _HOMOPOLYMER_PRIOR if period == 1 else _REPEAT_PRIOR
        further = _FURTHER[period == 1]
        for copies in range(COPIES):
            for units in range(1, COPIES):
                share = math.log10((1 - further) / 2) + (units - 1) * math.log10(further)
                prior = known[min(copies, len(known) - 1)] + share
                table[period, copies, units] = round(max(prior, INDEL_PRIOR), 6)
    return table
