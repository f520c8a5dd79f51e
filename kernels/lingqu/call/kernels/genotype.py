"""From likelihoods of read pairs under haplotypes to genotypes and their qualities.

The reads of one template come from one molecule, so they are one observation: under a genotype of
two haplotypes its likelihood is the mean of both (Li 2011, equation 2, with haplotypes for bases).
"""

import math

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.numbers import log10, pow10

LOG10_2 = 0.30102999566398120
IMPOSSIBLE = -1e30
NEAR, NEAR_PRIOR = 20, 0.7
"""A base is five times as likely (log10) another within NEAR bases of an edit of its haplotype: so
are the heterozygous ones of NA12878 (Genome in a Bottle 3.3, chromosome 20)."""


@kernel
def pair_likelihood(chances, templates, one, two):
    """log10 of the product over templates of the mean of columns `one` and `two`.

    chances: float64[templates, haplotypes], each row relative to its best, never below 1e-9.
    """
    product = 1.0
    exponent = np.int64(0)
    for t in range(templates):
        product *= 0.5 * (chances[t, one] + chances[t, two])
        if product < 1e-200:
            product, power = math.frexp(product)
            exponent += power
    return log10(product) + exponent * LOG10_2


@kernel
def pair_prior(edit_prior, near, one, two, edits):
    """log10 of the prior of two haplotypes (masks): each edit once, half as likely on both.

    near: int64[edits], mask of the edits that make an edit likelier, by NEAR_PRIOR, where one of
    them is on the same haplotype.
    """
    total = 0.0
    for e in range(edits):
        bits = (one >> e & 1) + (two >> e & 1)
        if bits:
            total += edit_prior[e]
            if (one >> e & 1 and one & near[e]) or (two >> e & 1 and two & near[e]):
                total += NEAR_PRIOR
        if bits == 2:
            total -= LOG10_2
    return total


@kernel
def all_pairs(chances, templates, masks, haps, edit_prior, near, edits, ploidy, posterior):
    """log10 posteriors (not normalised) of haplotype pairs into posterior[one, two], one <= two.

    ploidy 1: only posterior[one, one]. Returns the greatest. See `pair_prior`.
    """
    best = IMPOSSIBLE
    for one in range(haps):
        for two in range(one, haps):
            if ploidy == 1 and one != two:
                posterior[one, two] = IMPOSSIBLE
                continue
            value = pair_likelihood(chances, templates, one, two)
            value += pair_prior(edit_prior, near, masks[one], masks[two], edits)
            posterior[one, two] = value
            best = max(best, value)
    return best


@kernel
def site_genotypes(posterior, haps, allele_of, alleles, table):
    """log10 of the summed posteriors of the pairs of each genotype into table[a, b], a <= b.

    allele_of: int64[haps], allele of each haplotype at the site, -1: none that is told. Sums are
    taken relative to the greatest of each genotype, in the order of the haplotypes.
    """
    for a in range(alleles):
        for b in range(alleles):
            table[a, b] = IMPOSSIBLE
    for one in range(haps):
        for two in range(one, haps):
            a = min(allele_of[one], allele_of[two])
            b = max(allele_of[one], allele_of[two])
            if a < 0:
                continue
            table[a, b] = max(table[a, b], posterior[one, two])
    for a in range(alleles):
        for b in range(a, alleles):
            top = table[a, b]
            if top > IMPOSSIBLE:
                total = 0.0
                for one in range(haps):
                    for two in range(one, haps):
                        if min(allele_of[one], allele_of[two]) == a:
                            if max(allele_of[one], allele_of[two]) == b:
                                total += pow10(posterior[one, two] - top)
                table[a, b] = top + log10(total)


@kernel
def log_sum(table, alleles, skip_a, skip_b, only_without):
    """log10 of the sum of 10 ** table[a, b] but for (skip_a, skip_b).

    only_without: bool[alleles]; genotypes that hold an allele for which it is True are left out.
    """
    top = IMPOSSIBLE
    for a in range(alleles):
        for b in range(a, alleles):
            if not (a == skip_a and b == skip_b) and not only_without[a] and not only_without[b]:
                top = max(top, table[a, b])
    if top <= IMPOSSIBLE:
        return IMPOSSIBLE
    total = 0.0
    for a in range(alleles):
        for b in range(a, alleles):
            if not (a == skip_a and b == skip_b) and not only_without[a] and not only_without[b]:
                total += pow10(table[a, b] - top)
    return top + log10(total)
