"""Genotypes of many samples at one site, and how often each allele is among them.

Expectation and maximisation over the allele frequencies (Li 2011, section 2.3), with pseudo-counts
for what is known before any sample is seen.
"""

from functools import cache

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.call.kernels.numbers import log10, pow10

_ROUNDS = 100
_ENOUGH = 1e-4
_LEAST = 3000
"""PL above which a likelihood is 0, see `pow10`."""


@cache
def chances() -> np.ndarray:
    """float64[PL]: likelihoods by PL; 0 beyond the last."""
    return np.array([pow10.py_func(-0.1 * pl) for pl in range(_LEAST + 1)])


@leaf
def _weights(likes, ploidy, frequency, weights):
    """weights[g]: likelihood times the chance of genotype g (Hardy-Weinberg); returns their sum."""
    alleles = len(frequency)
    total = 0.0
    g = 0
    for b in range(alleles):
        if ploidy == 1:
            weights[b] = likes[b] * frequency[b]
            total += weights[b]
            continue
        for a in range(b + 1):
            weights[g] = likes[g] * frequency[a] * frequency[b] * (1.0 if a == b else 2.0)
            total += weights[g]
            g += 1
    return total


@kernel
def genotype_samples(pls, ploidy, told, pseudo, silent, chance, frequency, chosen, quality):
    """Genotype all samples at a site; returns log10 of the chance that none has a telling allele.

    pls: int32[samples, genotypes], in VCF order; where ploidy (int64[samples]) is 1 the first
    `alleles` of a row. told: bool[samples]; others are left out. pseudo: float64[alleles], copies
    of each allele that are taken as seen. silent: bool[alleles], alleles that do not tell: the
    reference and `*`. chance: see `chances`. Filled: frequency (float64[alleles]); chosen
    (int64[samples], number of the likeliest genotype given the frequencies, the first of equals)
    and quality (float64[samples], log10 of the chance that it is another).
    """
    samples, genotypes = pls.shape
    alleles = len(pseudo)
    likes = np.empty((samples, genotypes))
    for s in range(samples):
        for g in range(genotypes):
            likes[s, g] = chance[pls[s, g]] if pls[s, g] < len(chance) else 0.0
    weights = np.empty(genotypes)
    count = np.empty(alleles)
    for a in range(alleles):
        frequency[a] = 1.0 / alleles
    for _ in range(_ROUNDS):
        whole = 0.0
        for a in range(alleles):
            count[a] = pseudo[a]
            whole += pseudo[a]
        for s in range(samples):
            if not told[s]:
                continue
            total = _weights(likes[s], ploidy[s], frequency, weights)
            whole += ploidy[s]
            g = 0
            for b in range(alleles):
                if ploidy[s] == 1:
                    count[b] += weights[b] / total
                    continue
                for a in range(b + 1):
                    count[a] += weights[g] / total
                    count[b] += weights[g] / total
                    g += 1
        moved = 0.0
        for a in range(alleles):
            moved = max(moved, abs(count[a] / whole - frequency[a]))
            frequency[a] = count[a] / whole
        if moved < _ENOUGH / whole:
            break
    none = 0.0
    for s in range(samples):
        if not told[s]:
            continue
        total = _weights(likes[s], ploidy[s], frequency, weights)
        used = alleles if ploidy[s] == 1 else genotypes
        best = 0
        for g in range(used):
            if weights[g] > weights[best]:
                best = g
        rest, quiet = 0.0, 0.0
        g = 0
        for b in range(alleles):
            for a in range(b if ploidy[s] == 1 else 0, b + 1):
                if g != best:
                    rest += weights[g]
                if silent[a] and silent[b]:
                    quiet += weights[g]
                g += 1
        chosen[s] = best
        quality[s] = log10(rest / total)
        none += log10(quiet / total)
    return none


@kernel
def judge_site(pls, ploidy, pseudo, silent, chance, gt, gq):
    """Genotypes of all samples into gt (int16[samples, 2], lower allele first) and gq (int64).

    -1 stands for no genotype, where all PLs are alike, -2 for a copy that is not there. The others:
    see `genotype_samples`, whose sum is returned.
    """
    samples, genotypes = pls.shape
    alleles = len(pseudo)
    told = np.zeros(samples, np.bool_)
    for s in range(samples):
        for g in range(alleles if ploidy[s] == 1 else genotypes):
            told[s] |= pls[s, g] != pls[s, 0]
    frequency, chosen = np.empty(alleles), np.zeros(samples, np.int64)
    quality = np.zeros(samples)
    none = genotype_samples(pls, ploidy, told, pseudo, silent, chance, frequency, chosen, quality)
    for s in range(samples):
        gt[s, 0] = gt[s, 1] = -1
        if ploidy[s] == 1:
            gt[s, 1] = -2
        if not told[s]:
            continue
        gq[s] = int(min(max(-10 * quality[s], 0.0), 99.0))
        if ploidy[s] == 1:
            gt[s, 0] = chosen[s]
            continue
        b = 0
        while (b + 1) * (b + 2) // 2 <= chosen[s]:
            b += 1
        gt[s, 0], gt[s, 1] = chosen[s] - b * (b + 1) // 2, b
    return none
