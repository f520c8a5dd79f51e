"""Which alleles of two sites lie on one haplotype, told by the templates that show both.

A template shows a site if it tells the two alleles of its genotype apart; its share is the
likelihood of the first of them over the sum of both, p. With p and q at two sites, it comes from a
molecule that has both first or both second alleles (cis) in proportion to pq + (1 - p)(1 - q), and
from one that mixes them (trans) to p(1 - q) + (1 - p)q; templates multiply. Both phases are as
likely beforehand, so the log of the ratio is the log of the odds.
"""

from lingqu.base.jit import kernel
from lingqu.call.kernels.numbers import log10

LOOK = 8
"""A site is held against so many heterozygous sites before it."""
REACH = 1000
"""Bases between two sites that a template is trusted to join; farther mates are mostly mapped
wrongly."""


@kernel
def odds_of(names, shares, begin, end, other_begin, other_end):
    """log10 of cis over trans of the sites whose evidence is [begin, end) and [other_...).

    names: uint64, sorted within a site. shares: float32, within (0, 1).
    """
    total = 0.0
    i, j = begin, other_begin
    while i < end and j < other_end:
        if names[i] == names[j]:
            p, q = float(shares[i]), float(shares[j])
            cis = p * q + (1.0 - p) * (1.0 - q)
            total += log10(cis / (1.0 - cis))
            i += 1
            j += 1
        elif names[i] < names[j]:
            i += 1
        else:
            j += 1
    return total


@kernel
def link(pos, first, names, shares, from_site, parent, odds):
    """Join each site from `from_site` on to the earlier one to which the odds are clearest.

    pos: int64[n], sorted. first: int64[n + 1], where the evidence of a site begins; names and
    shares: see `odds_of`. parent: int64[n], out: the earlier site, the nearest of equal ones, -1
    where no template shows both. odds: float64[n], out: log10 of cis over trans.
    """
    for j in range(from_site, len(pos)):
        parent[j] = -1
        odds[j] = 0.0
        for back in range(1, min(LOOK, j) + 1):
            i = j - back
            if pos[j] - pos[i] > REACH:
                break
            value = odds_of(names, shares, first[i], first[i + 1], first[j], first[j + 1])
            if abs(value) > abs(odds[j]):
                parent[j] = i
                odds[j] = value
