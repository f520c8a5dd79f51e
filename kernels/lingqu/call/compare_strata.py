"""The records of a comparison by what they are and where they lie."""

import numpy as np

from lingqu.call.compare_result import Counts
from lingqu.call.kernels.compare_strata import find_repeats
from lingqu.call.kernels.compare_table import Changes

UNKNOWN = -1
"""Depth that no record tells."""
NEAR = 500
"""A record of truth has the depth of the nearest call, if that is so near."""

_SIZES = (2, 6, 16, 50)
_RUNS = (4, 7, 11, 16)
_UNITS = (3, 4, 5)
_LENGTHS = (20, 40)
_DEPTHS = (10, 20, 30, 50, 100)


def _names(edges: tuple[int, ...], least: int) -> list[str]:
    """Names of the classes that the edges cut: `least` to the first, ..., the last and more."""
    starts = [least, *edges]
    named = [f"{a}-{b - 1}" if a < b - 1 else str(a) for a, b in zip(starts, edges, strict=False)]
    return [*named, f"{edges[-1]}+"]


STRATA = {
    "length": [
        *("SNV", "MNV"),
        *(f"{kind} {size}" for kind in ("deletion", "insertion") for size in _names(_SIZES, 1)),
    ],
    "homopolymer": _names(_RUNS, 1),
    "repeat": [
        "none",
        *(f"{unit} x {size}" for unit in ("2", "3", "4", "5-6") for size in _names(_LENGTHS, 6)),
    ],
    "depth": ["unknown", *_names(_DEPTHS, 0)],
}
"""Names of the classes of each stratification; together they hold every record once."""


def _lengths(changes: Changes) -> np.ndarray:
    """Class by length: of the allele that changes it the most, the first of equal ones."""
    alleles = changes.alleles
    grown = alleles.alt_count - alleles.ref_count
    starts = alleles.allele_start[:-1]
    most = np.maximum.reduceat(np.abs(grown), starts)
    owner = np.repeat(np.arange(len(starts)), np.diff(alleles.allele_start))
    candidates = np.flatnonzero(np.abs(grown) == most[owner])
    _, chosen = np.unique(owner[candidates], return_index=True)
    inserts = grown[candidates[chosen]] > 0
    sized = 2 + np.searchsorted(_SIZES, most, "right") + (len(_SIZES) + 1) * inserts
    widest = np.maximum.reduceat(changes.letter_count, starts)
    return np.where(most > 0, sized, widest > 1)


def classify(sequence: np.ndarray, changes: Changes, depth: np.ndarray) -> dict[str, np.ndarray]:
    """By stratification, the class (int64[records], index into STRATA) of each record.

    sequence: uint8, codes of the contig. depth: int64[records], UNKNOWN where not told.
    """
    n = len(changes.first)
    if not n:
        return {name: np.empty(0, np.int64) for name in STRATA}
    run, period, length = (np.empty(n, np.int64) for _ in range(3))
    find_repeats(sequence, changes.first, changes.last, run, period, length)
    units = np.searchsorted(_UNITS, period, "right")
    repeats = 1 + units * (len(_LENGTHS) + 1) + np.searchsorted(_LENGTHS, length, "right")
    return {
        "length": _lengths(changes),
        "homopolymer": np.searchsorted(_RUNS, run, "right"),
        "repeat": np.where(period > 0, repeats, 0),
        "depth": np.where(depth == UNKNOWN, 0, 1 + np.searchsorted(_DEPTHS, depth, "right")),
    }


def nearest_depth(places: np.ndarray, calls: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """int64[]: for each of `places` the depth of the nearest call, UNKNOWN beyond NEAR bases.

    calls: places of the calls; depth: theirs. Of two as near, the one to the left.
    """
    if not len(calls):
        return np.full(len(places), UNKNOWN, np.int64)
    order = np.argsort(calls, kind="stable")
    calls, depth = calls[order], depth[order]
    right = np.searchsorted(calls, places).clip(0, len(calls) - 1)
    left = (right - 1).clip(0)
    nearest = np.where(np.abs(places - calls[left]) <= np.abs(calls[right] - places), left, right)
    return np.where(np.abs(places - calls[nearest]) <= NEAR, depth[nearest], UNKNOWN)


def new_strata() -> dict[str, dict[str, Counts]]:
    """Empty counts of every class."""
    return {name: {row: Counts() for row in rows} for name, rows in STRATA.items()}
