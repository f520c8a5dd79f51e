"""How samples are related, by the alleles that they share: KING-robust, which needs no frequencies.

Counts of a pair are sums over its shards, of whole numbers: they come out the same in any order.
Kinship (Manichaikul et al. 2010, equation 11; PLINK 2's --make-king) is the chance that an allele
drawn of each sample is the same by descent: 0.5 of one person's samples, 0.25 of a child and a
parent, and of siblings, half of it with each degree more. Unrelated people of one population have
0, of several less than 0: E[both heterozygous] = 4 p^2 q^2 = 2 E[no allele shared], whatever the
frequency. So every site counts as it is. A choice of sites by the cohort's own alleles would undo
that (of two samples, the sites with one ALT allele in each are what relatives share), and leaving
out neighbours takes information away and corrects nothing: linkage blurs an average, it does not
shift it.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from lingqu.call.kernels.kinship import (
    COUNTS,
    HETS_A,
    HETS_B,
    IBS0,
    PLANES,
    SHARED,
    SITES,
    count_pairs,
)

FOUND = ("same", "parent-child", "siblings", "second degree", "unrelated")
SAME, PARENT_CHILD, SIBLINGS, SECOND, UNRELATED = range(5)
NOT_TOLD = -1
"""Numbers of FOUND."""
EXPECTED = (0.5, 0.25, 0.25, 0.125, 0.0)
"""Kinship, by FOUND."""

BOUNDS = (2**-1.5, 2**-2.5, 2**-3.5)
"""Kinship above which samples are of one person, of first and of second degree (KING's bounds:
between 1/2, 1/4, 1/8 and 1/16, in the middle of their logarithms)."""
OPPOSITE = 0.012
"""Sites without a shared allele, by heterozygous ones, up to which first degree is parent and
child. They share one everywhere, errors aside (ten reads show one of two alleles 1 time in 512).
Siblings are as strangers in a quarter of the genome, and strangers have 1/6 (neutral spectrum of
frequencies) to 1/4 (frequencies of a half): siblings 0.042 to 0.063, more or less by a sixth."""
REFUTED = 0.03
"""The same, from which nobody is another's parent, in however small a part of the genome."""

STRETCH = 25_000_000
"""Bases that siblings mostly have from a parent in one piece or two (about 25 cM)."""
LEAST_STRETCHES, LEAST_SAME = 50, 3
"""Stretches with markers (of some 120 of a human genome) that are needed to tell relatives. Kinship
of siblings at one place is 0, 1/4 or 1/2 (sd 0.18): its mean over 50 places has an sd of 0.025, and
the bounds lie three of these away. Three stretches without a difference no siblings have (1 in 64)
and cousins all the less."""
LEAST_HETS = 500
"""Heterozygous sites of either sample: kinship of a pair then has an sd of 0.02 by chance alone."""

_WORDS = 1 << 12
"""Words of each sample that are held until they are counted."""


class PairCounts:
    """Counts of all pairs of n samples; planes of bits are taken in by the shard."""

    def __init__(self, samples: int, threads: int = 1):
        self.counts = np.zeros((samples * (samples - 1) // 2, COUNTS), np.int64)
        self._held = np.empty((PLANES, samples, _WORDS), np.uint64)
        self._filled, self._threads = 0, max(1, min(threads, samples // 2))

    def add(self, planes: np.ndarray) -> None:
        """Take in the genotypes of some sites: uint64[PLANES, samples, words]."""
        words = planes.shape[2]
        for at in range(0, words, _WORDS):
            some = planes[:, :, at : at + _WORDS]
            if self._filled + some.shape[2] > _WORDS:
                self.count()
            self._held[:, :, self._filled : self._filled + some.shape[2]] = some
            self._filled += some.shape[2]

    def count(self) -> np.ndarray:
        """Count what is held; the counts, int64[pairs, COUNTS], see `kernels.kinship`."""
        held = np.ascontiguousarray(self._held[:, :, : self._filled])
        if held.size:
            with ThreadPoolExecutor(self._threads) as pool:
                steps = [
                    pool.submit(count_pairs, held, first, self._threads, self.counts)
                    for first in range(self._threads)
                ]
            for step in steps:
                step.result()
        self._filled = 0
        return self.counts


def pairs_of(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """int64[pairs] each: the first and the second sample of the pairs, in their order."""
    a, b = np.triu_indices(samples, 1)
    return a, b


def squared(values: np.ndarray, samples: int, diagonal: float = 0) -> np.ndarray:
    """[n, n]: values of pairs in both triangles."""
    out = np.full((samples, samples), diagonal, values.dtype)
    a, b = pairs_of(samples)
    out[a, b] = out[b, a] = values
    return out


def fewer_hets(counts: np.ndarray) -> np.ndarray:
    """int64[pairs]: heterozygous sites of the sample that has fewer, at those that both tell."""
    return np.minimum(counts[:, HETS_A], counts[:, HETS_B])


def ibs1(counts: np.ndarray) -> np.ndarray:
    """int64[pairs]: sites where one allele is shared, which are those where one sample is het."""
    return counts[:, HETS_A] + counts[:, HETS_B] - 2 * counts[:, SHARED]


def ibs2(counts: np.ndarray) -> np.ndarray:
    """int64[pairs]: sites with the same genotype."""
    return counts[:, SITES] - counts[:, IBS0] - ibs1(counts)


def relatedness(counts: np.ndarray) -> np.ndarray:
    """float64[pairs]: (shared hets - 2 IBS0) by the hets of the sample with fewer (as peddy).

    NaN where that has none.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return (counts[:, SHARED] - 2 * counts[:, IBS0]) / _or_nan(fewer_hets(counts))


def kinship(counts: np.ndarray) -> np.ndarray:
    """float64[pairs]: KING-robust, as between families; NaN where a sample has no het site."""
    fewer = _or_nan(fewer_hets(counts))
    more = 2 * counts[:, SHARED] - 4 * counts[:, IBS0] - counts[:, HETS_A] - counts[:, HETS_B]
    return (more + 2 * fewer) / (4 * fewer)


def _or_nan(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)


def found(counts: np.ndarray, stretches: int) -> np.ndarray:
    """int8[pairs]: numbers of FOUND; NOT_TOLD where too little of the genome is seen."""
    told, enough = kinship(counts), fewer_hets(counts) >= LEAST_HETS
    opposite = counts[:, IBS0] > OPPOSITE * fewer_hets(counts)
    degree = sum((told <= bound).astype(np.int8) for bound in BOUNDS)
    names = np.array([SAME, PARENT_CHILD, SECOND, UNRELATED], np.int8)[degree]
    names[(degree == 1) & opposite] = SIBLINGS
    names[~enough | (stretches < LEAST_STRETCHES) & (names != SAME)] = NOT_TOLD
    if stretches < LEAST_SAME:
        names[:] = NOT_TOLD
    return names


def is_refuted(counts: np.ndarray) -> np.ndarray:
    """bool[pairs]: cannot be parent and child nor one person, however little is seen."""
    fewer = fewer_hets(counts)
    return (fewer >= LEAST_HETS) & (counts[:, IBS0] > REFUTED * fewer)
