"""The kernel that counts what pairs of samples share, and its oracle: genotype by genotype."""

from itertools import combinations

import numpy as np

from lingqu.call.kernels.kinship import COUNTS, PLANES, count_pairs
from lingqu.oracles.trial import Trial

_SAMPLES = 5
_WORD = 64


def _make_genotypes(rng, size):
    """Copies of ALT of some samples at `size` sites, -1 where a genotype is not trusted."""
    return {"copies": rng.integers(-1, 3, (_SAMPLES, size))}


def pack(copies: np.ndarray) -> np.ndarray:
    """uint64[PLANES, n, words] of int[n, sites]: homozygous, and with a copy of REF."""
    n, sites = copies.shape
    bits = np.zeros((PLANES, n, -(-sites // _WORD) * _WORD // 8), np.uint8)
    for plane, chosen in enumerate(((0, 2), (0, 1))):
        packed = np.packbits(np.isin(copies, chosen), axis=1, bitorder="little")
        bits[plane, :, : packed.shape[1]] = packed
    return bits.view("<u8").astype(np.uint64)


def _bind_count(copies):
    planes, pairs = pack(copies), len(copies) * (len(copies) - 1) // 2

    def call():
        counts = np.zeros((pairs, COUNTS), np.int64)
        for first in range(2):
            count_pairs(planes, first, 2, counts)
        return counts

    return call


def _count(copies):
    rows = []
    for one, two in combinations(copies.tolist(), 2):
        both = [(a, b) for a, b in zip(one, two, strict=True) if min(a, b) >= 0]
        hets = [a == 1 for a, _ in both], [b == 1 for _, b in both]
        shared = sum(a == b == 1 for a, b in both)
        rows.append([len(both), *map(sum, hets), shared, sum(abs(a - b) == 2 for a, b in both)])
    return np.array(rows, np.int64)


def _genotypes(copies):
    return copies.shape[1] * len(copies) * (len(copies) - 1) // 2


KINSHIP = Trial(
    _make_genotypes,
    _bind_count,
    _count,
    "pair of genotypes",
    _genotypes,
    largest=300,
    timed=50_000,
    floor=0.2,
)
