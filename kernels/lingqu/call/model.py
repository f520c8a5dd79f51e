"""The numbers of the caller's model: errors, gaps, priors, thresholds.

All tables are made from decimal literals and powers rounded to 12 digits, the same everywhere.
"""

import numpy as np

MIN_MAPQ = 10
"""Reads mapped less surely are not used."""

MIN_BASE = 10
"""Bases of lower quality do not make a candidate."""

MAX_BASE = 40
"""No base is trusted more than this."""

PCR_CAP = 40
"""Phred: least chance that a template shows what its molecule is not (mapping, PCR)."""


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

DEPTH = 30
"""Reads over a locus, for the spread of its share of errors."""

_HOMOPOLYMER = (45, 45, 45, 45, 44, 43, 41, 38, 35, 32, 30, 28, 26, 24, 23, 22, 21, 20, 19, 18)
_REPEAT = (45, 45, 45, 43, 40, 37, 34, 32, 30, 28, 27, 26, 25, 24, 23, 22, 21, 20, 20, 20)
_WEIGHT = 300
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


def _error_rate(shares: np.ndarray) -> tuple[float, float]:
    """(reads, indels) of the loci of a class where the indels are errors.

    shares: int64[BINS, 2]. Loci whose share of indels is out of line (three standard deviations
    and a read above the mean) are where the sample differs; they are left out, step by step.
    """
    last = BINS
    for _ in range(8):
        reads, indels = shares[:last].sum(0).tolist()
        if not reads:
            break
        rate = indels / reads
        last = min(last, int(BINS * (rate + 3 * (rate / DEPTH) ** 0.5 + 1.5 / DEPTH)) + 1)
    return shares[:last].sum(0).tolist()


def gap_table(tally: np.ndarray) -> np.ndarray:
    """float32[PERIODS, COPIES]: chance of a gap to open at a place, as this sample's reads have it.

    tally: int64[PERIODS, COPIES, BINS, 2], see `tally_gaps`. A gap may open at any place of a
    repeat and gives the same bases each time, and it may go either way: the indels of a repeat are
    shared out among twice its length. Longer repeats never have fewer errors; what is expected of a
    class before its reads are counted is what the class before it has, times the usual growth.
    Units of two to six bases are counted together.
    """
    usual = default_gaps()
    pooled = tally.copy()
    pooled[2:] = tally[2:].sum(0)
    pooled[0] = tally[0].sum(0)
    table = np.empty((PERIODS, COPIES), np.float32)
    for period in range(PERIODS):
        unit = 1 if period < 2 else 3
        chance = usual[period, 0]
        for copies in range(COPIES):
            spread = 2 * max(copies, 1) * unit if period else 2
            reads, indels = _error_rate(pooled[period, copies])
            expected = chance * usual[period, copies] / usual[period, max(copies - 1, 0)]
            seen = (indels + _WEIGHT * expected * spread) / (reads + _WEIGHT) / spread
            chance = min(max(chance if copies else LEAST_GAP, seen), GREATEST_GAP)
            table[period, copies] = chance
    return table


SNV_PRIOR = -3.0
INDEL_PRIOR = -4.0
REPEAT_INDEL_PRIOR = -3.3
GIVEN_PRIOR = -1.5
"""log10 of the chance of an edit on one of two haplotypes; GIVEN: of one seen in the cohort."""
