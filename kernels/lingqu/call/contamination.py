"""How many of a sample's reads are another person's.

With a VCF of common SNVs and their frequencies by VerifyBamID's likelihood (kernels/mixture.py).
Without one by the REF reads at homozygous calls: errors and the other person's reads, of which only
those with REF show, so that it is an index and a lower bound rather than the share itself.
"""

import math
import re
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.call.kernels.mixture import QUALITIES, likelihood
from lingqu.call.known import open_known
from lingqu.call.ploidy import chromosome
from lingqu.call.variant_counts import significant
from lingqu.sequence.codes import CODE_OF_ASCII

LEAST_FREQUENCY = 0.01
_TOLD = re.compile(r"(?:^|;)(AC|AN|AF)=([^;]+)")
_FINE = (0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075)
_GRID = (*_FINE, *(k / 20 for k in range(2, 11)))
"""Shares that are tried first."""
_CLOSE = 1e-5
_DROP = 1.920729410347 * 0.4342944819032518
"""Half of the 95 % quantile of chi-square with one degree of freedom, as log10."""
_GOLDEN = 0.6180339887498949
_NONE_SEEN = -math.log(0.05)
"""Mean below which none of something is seen in 5 % of cases."""


class Sites(NamedTuple):
    """n sites: rows int64[n, 3], (place, code of REF, code of ALT), and frequency float64[n]."""

    rows: np.ndarray
    frequency: np.ndarray


def no_sites() -> Sites:
    """None."""
    return Sites(np.zeros((0, 3), np.int64), np.zeros(0))


def _frequency(info: str) -> float:
    """Frequency of ALT in an INFO column: AC by AN, else AF, else -1; as VerifyBamID has it."""
    told = dict(_TOLD.findall(info))
    try:
        if float(told.get("AN", 0)) > 0 and "AC" in told:
            return float(told["AC"]) / float(told["AN"])
        return float(told.get("AF", -1))
    except ValueError:
        return -1.0


def _snvs(path: Path, contig: str, start: int, end: int):
    """(place, REF, ALT, frequency) of the common SNVs in [start, end)."""
    opened = open_known(path)
    for line in opened.fetch(contig, start, end) if contig in opened.contigs else ():
        _, pos, _, ref, alt, _, _, info = line.split("\t", 8)[:8]
        if len(ref) == len(alt) == 1 and start <= int(pos) - 1 < end:
            frequency = _frequency(info)
            if LEAST_FREQUENCY <= frequency <= 1 - LEAST_FREQUENCY:
                yield int(pos) - 1, ref, alt, frequency


def read_sites(
    path: Path, contig: str, codes: np.ndarray, intervals: tuple[tuple[int, int], ...], most: int
) -> Sites:
    """The common SNVs of a VCF (indexed) in some intervals of an autosome, at most so many.

    Of more, those whose alleles are the most alike in frequency; none where a place has several.
    LingquError where REF is not the reference's.
    """
    found = []
    for start, end in intervals if chromosome(contig) is None else ():
        for place, same in groupby(_snvs(path, contig, start, end), key=lambda site: site[0]):
            (_, ref, alt, frequency), *more = same
            row = [place, *(int(CODE_OF_ASCII[ord(letter)]) for letter in (ref, alt))]
            if row[1] != codes[place]:
                raise LingquError(
                    f"{path}: {contig}:{place + 1}: REF is {ref}, not the reference's base; give"
                    " the sites of this reference"
                )
            if not more and max(row[1:]) < 4:
                found.append((abs(frequency - 0.5), *row, frequency))
    kept = sorted(sorted(found)[:most], key=lambda site: site[1])
    rows = np.array([site[1:4] for site in kept], np.int64).reshape(-1, 3)
    return Sites(rows, np.array([site[4] for site in kept], np.float64))


class Mixture:
    """The likelihood of shares, of the bases at sites; see the kernel."""

    def __init__(self, frequency: np.ndarray, bases: np.ndarray):
        self._data = (frequency, *(np.ascontiguousarray(row) for row in bases))
        self._scratch = np.empty((9, 2, QUALITIES)), np.empty(9)
        self._known: dict[float, float] = {}

    def __call__(self, share: float) -> float:
        """log10 likelihood of a share."""
        if share not in self._known:
            self._known[share] = likelihood(float(share), *self._data, *self._scratch)
        return self._known[share]

    def best(self) -> float:
        """The likeliest share up to a half, by golden section about the best of a grid."""
        k = max(range(len(_GRID)), key=lambda k: self(_GRID[k]))
        low, high = float(_GRID[max(k - 1, 0)]), float(_GRID[min(k + 1, len(_GRID) - 1)])
        while high - low > _CLOSE:
            a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
            if self(a) >= self(b):
                high = b
            else:
                low = a
        return max((low, high, float(_GRID[k])), key=self)

    def bound(self, best: float, end: float) -> float:
        """How far from the best towards an end shares are not excluded, by bisection."""
        floor = self(best) - _DROP
        if self(end) >= floor:
            return end
        while abs(end - best) > _CLOSE:
            middle = (best + end) / 2
            if self(middle) >= floor:
                best = middle
            else:
                end = middle
        return best


def by_sites(frequency: np.ndarray, bases: np.ndarray) -> dict:
    """The block `contamination`, from float64[sites] and int32[4, m] as `Measured` has them."""
    told = {"method": "sites", "share": None, "low": None, "high": None, "sites": len(frequency)}
    if len(frequency):
        mixture = Mixture(frequency, bases)
        best = mixture.best()
        bounds = mixture.bound(best, 0.0), mixture.bound(best, 0.5)
        told |= dict(zip(("share", "low", "high"), map(_rounded, (best, *bounds)), strict=True))
    return told


def _rounded(share: float) -> float:
    """As exact as the search is."""
    return significant(round(share, 5))


def by_homozygous(pure: np.ndarray) -> dict:
    """The block `contamination`, from the sums `pure` of `count_lines`.

    The bounds are those of a ratio estimator over the sites (Cochran 1977, section 2.11); the upper
    one is never below that of reads of which none is REF.
    """
    sites, ref, both, ref_ref, ref_both, both_both = map(int, pure)
    told = {"method": "homozygous", "share": None, "low": None, "high": None, "sites": sites}
    if sites > 1:
        share = ref / both
        squares = ref_ref - 2 * share * ref_both + share * share * both_both
        wide = 1.959963984540054 * math.sqrt(max(squares, 0) * sites / (sites - 1)) / both
        bounds = share, max(share - wide, 0), min(max(share + wide, _NONE_SEEN / both), 1)
        told |= dict(zip(("share", "low", "high"), map(_rounded, bounds), strict=True))
    return told
