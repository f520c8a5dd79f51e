"""Genotypes of relatives, together, site by site."""

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.call.kernels.numbers import pow10
from lingqu.call.kernels.pedigree import MAX_ALLELES
from lingqu.call.kernels.pedigree_calls import (
    check_children,
    find_de_novo,
    keep_own,
    own_genotype,
    tell_sample,
)
from lingqu.call.kernels.pedigree_frequencies import NODES, estimate_frequencies, is_mixed, set_node
from lingqu.call.kernels.pedigree_gametes import fill_change, fill_gametes
from lingqu.call.kernels.pedigree_messages import add_posteriors, evidence, propagate
from lingqu.call.kernels.pedigree_states import load_site, set_founders


@leaf
def sum_up(layout, scratch, inheritance, alleles, nodes, theta):
    """Posteriors of all people into mix, at scratch.frequency, or summed over `nodes` of them."""
    top = 0.0
    for a in range(1, alleles):
        scratch.shares[a] = scratch.frequency[a] / (1.0 - scratch.frequency[0])
    for node in range(nodes):
        log = set_node(scratch, node, alleles, theta) if nodes > 1 else 0.0
        fill_gametes(scratch.change, scratch.frequency, alleles, scratch.given, scratch.kept)
        set_founders(layout, scratch, inheritance, alleles)
        propagate(layout, scratch, inheritance, alleles)
        log += evidence(layout, scratch)
        weight, old = 1.0, 0.0
        if node > 0 and log > top:
            old = pow10(top - log)
        elif node > 0:
            weight, old = pow10(log - top), 1.0
        top = max(top, log) if node > 0 else log
        add_posteriors(layout, scratch, inheritance, alleles, weight, old)


@kernel
def refine_sites(
    layout, scratch, pl, ploidy, alleles, inheritance, indel, frequency, pseudo, rates,
    own_gt, own_check, gt, gq, pp, check, dq,
):  # fmt: skip
    """Refine the genotypes of a batch of sites; see lingqu.call.refinement.refine for all arrays.

    pseudo: float64[3], copies of REF, of each substitution and of each indel that are seen before
    any sample is; rates: float64[2], of substitutions and indels. Outputs are to be filled with
    what is missing.
    """
    seen = np.empty(MAX_ALLELES)
    for site in range(len(pl)):
        few = alleles[site]
        for sample in range(pl.shape[1]):
            own_genotype(pl[site, sample], ploidy[site, sample], few, own_gt[site, sample])
        check_children(layout, ploidy[site], inheritance[site], own_gt[site], own_check[site])
        if few > MAX_ALLELES:
            keep_own(pl[site], ploidy[site], few, own_gt[site], gt[site], gq[site], pp[site])
            check[site] = own_check[site]
            continue
        load_site(layout, scratch, pl[site], ploidy[site], inheritance[site], few)
        if len(frequency):
            for a in range(few):
                scratch.frequency[a] = frequency[site, a]
        else:
            for a in range(few):
                seen[a] = pseudo[0] if a == 0 else pseudo[2] if indel[site, a] else pseudo[1]
            estimate_frequencies(scratch, layout.counted, few, seen)
        nodes, theta = 1, 0.0
        if few > 1 and not len(frequency) and is_mixed(layout, scratch, inheritance[site]):
            nodes = NODES
            for a in range(1, few):
                theta = max(theta, seen[a] / seen[0])
        fill_change(indel[site], few, rates[0], rates[1], scratch.change)
        sum_up(layout, scratch, inheritance[site], few, nodes, theta)
        find_de_novo(layout, scratch, inheritance[site], dq[site])
        for p in range(len(layout.column)):
            sample = layout.column[p]
            if sample >= 0:
                quality = tell_sample(scratch, p, gt[site, sample], pp[site, sample])
                gq[site, sample] = quality
                if own_gt[site, sample, 0] < 0:
                    gt[site, sample, 0] = own_gt[site, sample, 0]
                    gt[site, sample, 1] = own_gt[site, sample, 1]
                    gq[site, sample] = 0
        check_children(layout, ploidy[site], inheritance[site], gt[site], check[site])
