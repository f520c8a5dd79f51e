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

PCR_CAP = 45
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


_HOMOPOLYMER = (45, 45, 45, 45, 44, 43, 41, 38, 35, 32, 30, 28, 26, 24, 23, 22, 21, 20, 19, 18)
_REPEAT = (45, 45, 45, 43, 40, 37, 34, 32, 30, 28, 27, 26, 25, 24, 23, 22, 21, 20, 20, 20)
"""Phred of a gap to open by copies of the unit: of one base, and of two to six."""


def gap_table() -> np.ndarray:
    """float32[7, 20]: chance of a gap to open, by length of the repeat unit and its copies."""
    table = np.empty((7, 20), np.float32)
    table[0] = _power(45)
    table[1] = [_power(q) for q in _HOMOPOLYMER]
    for period in range(2, 7):
        table[period] = [_power(q) for q in _REPEAT]
    return table


SNV_PRIOR = -3.0
INDEL_PRIOR = -4.0
REPEAT_INDEL_PRIOR = -3.3
GIVEN_PRIOR = -1.5
"""log10 of the chance of an edit on one of two haplotypes; GIVEN: of one seen in the cohort."""
