"""Insert sizes and library size, as Picard tells them, from what each pair tells."""

from decimal import Decimal
from math import isqrt

import numpy as np

from lingqu.align.kernels.dedup import KEPT, OPTICAL
from lingqu.align.kernels.tally_records import NO_PAIR

ORIENTATIONS = ("FR", "RF", "TANDEM")
_NEAR = 1 << 14
_WIDTH = 10
_LISTED = 10_000


class InsertSizes:
    """Insert sizes by orientation, of any number of pairs, added in any order."""

    def __init__(self):
        self._near = np.zeros((3, _NEAR), np.int64)
        self._far = [[np.empty(0, np.int64)] for _ in ORIENTATIONS]

    def add(self, pair: np.ndarray) -> None:
        """Add pairs, duplicates left out by the caller: uint32[n], as `count_records` tells."""
        for kind in range(len(ORIENTATIONS)):
            sizes = (pair[(pair != NO_PAIR) & (pair & 3 == kind)] >> 2).astype(np.int64)
            far = sizes >= _NEAR
            self._near[kind] += np.bincount(sizes[~far], minlength=_NEAR)
            if far.any():
                self._far[kind].append(sizes[far])

    def _histogram(self, kind: int) -> tuple[np.ndarray, np.ndarray]:
        """(sizes in order, how many pairs have each)."""
        near = np.flatnonzero(self._near[kind])
        far, counts = np.unique(np.concatenate(self._far[kind]), return_counts=True)
        return np.append(near, far), np.append(self._near[kind][near], counts)

    def told(self) -> dict | None:
        """Histogram and statistics of each orientation, and those of the most frequent one."""
        found = {}
        for kind, name in enumerate(ORIENTATIONS):
            sizes, counts = self._histogram(kind)
            if len(sizes):
                found[name] = _statistics(sizes, counts)
        if not found:
            return None
        most = max(found.values(), key=lambda one: one["pairs"])
        return found | {name: most[name] for name in ("median", "mad", "mean", "sd")}


def _median(values: np.ndarray, counts: np.ndarray) -> float:
    """Median of sorted values with counts; between two of them, their mean."""
    below, total = np.cumsum(counts), int(counts.sum())
    low = values[np.searchsorted(below, (total + 1) // 2)]
    high = values[np.searchsorted(below, total // 2 + 1)]
    return float(low + high) / 2


def _statistics(sizes: np.ndarray, counts: np.ndarray) -> dict:
    """Of one orientation, as CollectInsertSizeMetrics has them.

    Mean and standard deviation are of sizes up to the median and ten median absolute deviations;
    so is the histogram, which also ends after _LISTED sizes.
    """
    median = _median(sizes, counts)
    away = np.abs(sizes - median)
    order = np.argsort(away, kind="stable")
    mad = _median(away[order], counts[order])
    pairs = int(counts.sum())
    inside = sizes <= int(median + _WIDTH * mad)
    sizes, counts = sizes[inside], counts[inside]
    first = int(sizes[0])
    listed = sizes < first + _LISTED
    told = np.zeros(int(sizes[listed][-1]) - first + 1, np.int64)
    told[sizes[listed] - first] = counts[listed]
    mean, sd = _moments(sizes, counts)
    about = {"pairs": pairs, "median": median, "mad": mad, "mean": mean, "sd": sd}
    return about | {"first": first, "counts": told.tolist()}


def _moments(sizes: np.ndarray, counts: np.ndarray) -> tuple[float, float | None]:
    """(mean, standard deviation), from whole numbers alone; of one pair no deviation."""
    number = int(counts.sum())
    total = sum(a * b for a, b in zip(sizes.tolist(), counts.tolist(), strict=True))
    squares = sum(a * a * b for a, b in zip(sizes.tolist(), counts.tolist(), strict=True))
    if number < 2:
        return total / number, None
    spread = (number * squares - total * total) * 10**24 // (number * (number - 1))
    return total / number, isqrt(spread) / 1e12


def library_size(pairs: int, duplicates: int, opticals: int) -> int | None:
    """Different molecules of a library, by Lander and Waterman's equation; None without duplicates.

    Picard's DuplicationMetrics, step by step: C / X = 1 - exp(-N / X), with N the pairs that are no
    optical duplicates, C those that are no duplicates, solved for X by 40 bisections.
    """
    seen, different = pairs - opticals, pairs - duplicates
    if seen <= 0 or seen <= different or not different:
        return None

    def excess(times: float) -> float:
        size = times * different
        return different / size - 1 + float(Decimal(-seen / size).exp())

    low, high = 1.0, 100.0
    while excess(high) > 0:
        high *= 10
    for _ in range(40):
        middle = (low + high) / 2
        found = excess(middle)
        if found == 0:
            break
        low, high = (middle, high) if found > 0 else (low, middle)
    return int(different * (low + high) / 2)


def pair_counts(pair: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """int64[3]: mapped pairs, the duplicates among them, the optical ones among those.

    pair: as of `count_records`; kind: uint8, 0 of those kept, 2 of optical duplicates.
    """
    own = kind[pair != NO_PAIR]
    return np.array([len(own), (own != KEPT).sum(), (own == OPTICAL).sum()], np.int64)
