"""Genotypes of many samples at one site, and how often each allele is among them.

Expectation and maximisation over the allele frequencies (Li 2011, section 2.3), with pseudo-counts
for what is known before any sample is seen.
"""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.numbers import log10, pow10

_ROUNDS = 100
_ENOUGH = 1e-4


@kernel
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
def genotype_samples(pls, ploidy, told, pseudo, silent, frequency, chosen, quality):
    """Genotype all samples at a site; returns log10 of the chance that none has a telling allele.

    pls: int32[samples, genotypes], in VCF order; where ploidy (int64[samples]) is 1 the first
    `alleles` of a row. told: bool[samples]; others are left out. pseudo: float64[alleles], copies
    of each allele that are taken as seen. silent: bool[alleles], alleles that do not tell: the
    reference and `*`. Filled: frequency (float64[alleles]); chosen (int64[samples], number of the
    likeliest genotype given the frequencies, the first of equals) and quality (float64[samples],
    log10 of the chance that it is another).
    """
    samples, genotypes = pls.shape
    alleles = len(pseudo)
    likes = np.empty((samples, genotypes))
    for s in range(samples):
        for g in range(genotypes):
            likes[s, g] = pow10(-0.1 * pls[s, g])
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
