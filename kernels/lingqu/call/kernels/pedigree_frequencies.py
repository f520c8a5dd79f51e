"""Allele frequencies of the founders: estimated, or one of the nodes that are summed over."""

from lingqu.base.jit import leaf
from lingqu.call.kernels.numbers import log10, pow10
from lingqu.call.kernels.pedigree import FLOOR, NOBODY
from lingqu.call.kernels.pedigree_states import count_states, hardy_weinberg, origin_of

NODES = 17
"""Frequencies that are summed over where founders are too few to tell."""
_ROUNDS = 50
_CHANGE = 1e-6


@leaf
def _add_alleles(like, ploidy, alleles, prior, posterior, counts):
    """Add the expected copies of each allele in one person to counts."""
    states = count_states(ploidy, alleles)
    hardy_weinberg(prior, alleles, ploidy, posterior)
    total = 0.0
    for g in range(states):
        posterior[g] *= like[g]
        total += posterior[g]
    if ploidy == 1:
        for a in range(alleles):
            counts[a] += posterior[a] / total
    else:
        for b in range(alleles):
            for a in range(b + 1):
                share = posterior[b * (b + 1) // 2 + a] / total
                counts[a] += share
                counts[b] += share


@leaf
def share_out(counts, alleles, frequency):
    """Counts as shares of their sum into frequency; returns by how much one changed at most."""
    total = moved = 0.0
    for a in range(alleles):
        total += counts[a]
    for a in range(alleles):
        moved = max(moved, abs(counts[a] / total - frequency[a]))
        frequency[a] = counts[a] / total
    return moved


@leaf
def estimate_frequencies(scratch, counted, alleles, pseudo):
    """Allele frequencies of those who are `counted`, into scratch.frequency, by EM.

    pseudo: float64[alleles], copies that are seen before any sample is. Li 2011, equation 9, with
    these added.
    """
    frequency, counts = scratch.frequency, scratch.counts
    share_out(pseudo, alleles, frequency)
    for _ in range(_ROUNDS):
        for a in range(alleles):
            counts[a] = pseudo[a]
        for p in range(len(counted)):
            if counted[p] and scratch.told[p] and scratch.ploidy[p]:
                _add_alleles(
                    scratch.data[p], scratch.ploidy[p], alleles, frequency, scratch.pairs[0], counts
                )
        if share_out(counts, alleles, frequency) < _CHANGE:
            break


@leaf
def is_mixed(layout, scratch, inheritance):
    """Whether the frequency is summed over: layout has roots, and all children have parents."""
    for p in range(len(layout.column)):
        if layout.is_child[p] and origin_of(layout, scratch, p, inheritance) == NOBODY:
            return False
    return len(layout.roots) > 0


@leaf
def set_node(scratch, node, alleles, theta):
    """Frequencies of a node of the sum over them; returns log10 of its prior chance.

    theta: chance that two chromosomes differ. Node 0: REF alone. The others: ALT alleles together
    from 1e-4 to 1, evenly in the logarithm, each as likely (Ewens 1972: theta / x), with shares[]
    of their sum.
    """
    step = 4.0 / (NODES - 1)
    alt = FLOOR if node == 0 else pow10(-step * (node - 0.5))
    scratch.frequency[0] = 1.0 - alt
    for a in range(1, alleles):
        scratch.frequency[a] = alt * scratch.shares[a]
    each = theta * step / 0.4342944819032518
    return log10(1.0 - each * (NODES - 1)) if node == 0 else log10(each)
