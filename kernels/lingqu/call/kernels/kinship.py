"""Genotypes of a cohort as bits, 64 sites a word; what two samples share, by counting bits.

Two bits a genotype, as PLINK 2 has them for the same end: `homozygous`, and `with REF` (a copy of
it, so REF/REF or heterozygous). Neither: no genotype that is trusted.
"""

import numpy as np

from lingqu.base.bits import popcount
from lingqu.base.jit import kernel, leaf

HOMOZYGOUS, WITH_REF, PLANES = range(3)
SITES, HETS_A, HETS_B, SHARED, IBS0, COUNTS = range(6)
"""What is counted of a pair, of the sites that both tell: these sites, those where the first and
where the second is heterozygous, those where both are, and those where they share no allele."""
REFERENCE, HETEROZYGOUS, ALTERNATE, MISSING, SINGLETONS, TALLIES = range(6)
CALLED, DEPTH, SUMS = range(3)
"""Of the sites that are judged: those at which a sample has a copy of the contig; its depths."""
_TILE = 512
"""Words of two samples that are held against each other at once: all rows of them stay near."""


@kernel
def add_site(gt, gq, ploidy, depth, least_gq, least_depth, bit, planes, genotypes, sums):
    """Put the genotypes of a biallelic site into bit number `bit` of the planes, and count them.

    gt: int16[n, 2], 0 for REF, any other allele is the ALT, below 0: none. gq, ploidy, depth:
    int64[n]. A genotype is trusted from these least values on, and if it is of two copies. planes:
    uint64[PLANES, n, words], its bits so far clear. genotypes: int64[n, TALLIES], counted are the
    trusted ones; sums: int64[n, SUMS].
    """
    word, one = bit >> 6, np.uint64(1) << np.uint64(bit & 63)
    for s in range(len(gt)):
        if ploidy[s] == 0:
            continue
        sums[s, CALLED] += 1
        sums[s, DEPTH] += depth[s]
        if ploidy[s] != 2 or gt[s, 0] < 0 or gq[s] < least_gq or depth[s] < least_depth:
            continue
        copies = np.int64(gt[s, 0] == 0) + np.int64(gt[s, 1] == 0)
        genotypes[s, ALTERNATE - copies] += 1
        if copies != 1:
            planes[HOMOZYGOUS, s, word] |= one
        if copies > 0:
            planes[WITH_REF, s, word] |= one


@kernel
def tally_record(gt, ploidy, alone, genotypes):
    """Count the genotypes of a record of any kind into genotypes (int64[n, TALLIES]).

    gt: int16[n, 2], see `add_site`; of one copy the second is below 0. Homozygous are two copies of
    one ALT, or one copy that is an ALT. alone: bool[alleles], those that stand once in the cohort.
    """
    for s in range(len(gt)):
        if ploidy[s] == 0:
            continue
        a, b = gt[s, 0], gt[s, 1] if ploidy[s] == 2 else gt[s, 0]
        if a < 0 or b < 0:
            genotypes[s, MISSING] += 1
            continue
        genotypes[s, HETEROZYGOUS if a != b else ALTERNATE if a > 0 else REFERENCE] += 1
        genotypes[s, SINGLETONS] += np.int64(alone[a])
        if ploidy[s] == 2:
            genotypes[s, SINGLETONS] += np.int64(alone[b])


@leaf
def _compare(hom_a, ref_a, hom_b, ref_b, counts):
    """Add what two samples share over some words."""
    sites = hets_a = hets_b = shared = none = 0
    for w in range(len(hom_a)):
        told_a, told_b = hom_a[w] | ref_a[w], hom_b[w] | ref_b[w]
        het_a, het_b = told_a & ~hom_a[w], told_b & ~hom_b[w]
        sites += popcount(told_a & told_b)
        hets_a += popcount(het_a & told_b)
        hets_b += popcount(told_a & het_b)
        shared += popcount(het_a & het_b)
        none += popcount(hom_a[w] & hom_b[w] & (ref_a[w] ^ ref_b[w]))
    counts[SITES] += sites
    counts[HETS_A] += hets_a
    counts[HETS_B] += hets_b
    counts[SHARED] += shared
    counts[IBS0] += none


@kernel
def count_pairs(planes, first, step, counts):
    """Add to counts what pairs of samples share, of the samples first, first + step, ... and those
    behind each.

    planes: uint64[PLANES, n, words], contiguous. counts: int64[n * (n - 1) / 2, COUNTS], the pairs
    (0, 1), (0, 2), ... (1, 2), ...: no two calls of other `first` write the same lines.
    """
    n, words = planes.shape[1], planes.shape[2]
    for start in range(0, words, _TILE):
        end = min(start + _TILE, words)
        for i in range(first, n, step):
            before = i * (2 * n - i - 1) // 2 - i - 1
            hom, ref = planes[HOMOZYGOUS, i, start:end], planes[WITH_REF, i, start:end]
            for j in range(i + 1, n):
                other = planes[HOMOZYGOUS, j, start:end], planes[WITH_REF, j, start:end]
                _compare(hom, ref, other[0], other[1], counts[before + j])
