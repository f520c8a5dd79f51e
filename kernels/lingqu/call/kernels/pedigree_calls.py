"""Genotypes, qualities and Mendelian conflicts from posteriors and from PLs."""

from lingqu.base.jit import leaf
from lingqu.call.kernels.numbers import log10
from lingqu.call.kernels.pedigree import (
    CONFLICT,
    FATHER,
    FLOOR,
    INHERITED,
    MOTHER,
    NOBODY,
    UNCHECKED,
)
from lingqu.call.kernels.pedigree_states import count_states, origin_of, source

MAX_QUALITY = 99.0


@leaf
def phred(chance):
    """Phred of a chance, from 0 to MAX_QUALITY."""
    return min(max(-10.0 * log10(chance), 0.0), MAX_QUALITY)


@leaf
def spell(state, ploidy, gt):
    """The alleles of a state into gt[2], in rising order; -2 where there is none."""
    gt[0] = gt[1] = -2
    if ploidy == 1:
        gt[0] = state
    elif ploidy == 2:
        b = 0
        while (b + 1) * (b + 2) // 2 <= state:
            b += 1
        gt[0], gt[1] = state - b * (b + 1) // 2, b


@leaf
def call_genotype(chances, states, ploidy, gt):
    """The likeliest state (the first of them) as alleles into gt[2]; returns its quality."""
    best = 0
    for g in range(states):
        if chances[g] > chances[best]:
            best = g
    others = total = 0.0
    for g in range(states):
        total += chances[g]
        if g != best:
            others += chances[g]
    spell(best, ploidy, gt)
    return phred(others / total)


@leaf
def own_genotype(pl, ploidy, alleles, gt):
    """The genotype of least PL (-1: nothing was seen) into gt[2]; returns whether there is one."""
    gt[0] = gt[1] = -2
    states = count_states(ploidy, alleles)
    best, told = 0, False
    for g in range(states):
        told |= pl[g] != pl[0]
        if pl[g] < pl[best]:
            best = g
    if told and pl[best] >= 0:
        spell(best, ploidy, gt)
        return True
    for copy in range(ploidy):
        gt[copy] = -1
    return False


@leaf
def keep_own(pl, ploidy, alleles, own_gt, gt, gq, pp):
    """Genotypes by the samples' own PLs, at a site of more alleles than families are looked at."""
    for sample in range(len(pl)):
        gt[sample, 0], gt[sample, 1] = own_gt[sample, 0], own_gt[sample, 1]
        gq[sample] = 0
        if own_gt[sample, 0] < 0:
            continue
        states = count_states(ploidy[sample], alleles)
        best, second, ties = pl[sample, 0], 99, 0
        for g in range(states):
            best = min(best, pl[sample, g])
        for g in range(states):
            pp[sample, g] = pl[sample, g] - best
            ties += pl[sample, g] == best
            if pl[sample, g] > best:
                second = min(second, pl[sample, g] - best)
        gq[sample] = second if ties == 1 else 0


@leaf
def tell_sample(scratch, person, gt, pp):
    """Genotype and PP of a person in the light of the family; returns its quality."""
    out, states = scratch.mix[person], scratch.states[person]
    top = 0.0
    for g in range(states):
        top = max(top, out[g])
    for g in range(states):
        pp[g] = int(-10.0 * log10(max(out[g] / top, FLOOR)) + 0.5)
    return int(call_genotype(out, states, scratch.ploidy[person], gt) + 1e-9)


@leaf
def find_de_novo(layout, scratch, inheritance, dq):
    """Quality of a mutation in each child who was seen, as were those who gave it its alleles."""
    for family in range(len(layout.start) - 1):
        first = layout.start[family]
        father = scratch.told[layout.person[first]]
        mother = scratch.told[layout.person[first + 1]]
        for slot in range(first + 2, layout.start[family + 1]):
            child = layout.person[slot]
            origin = origin_of(layout, scratch, child, inheritance)
            if origin == NOBODY or not scratch.told[child]:
                continue
            if (father or origin == MOTHER) and (mother or origin == FATHER):
                total = 0.0
                for g in range(scratch.states[child]):
                    total += scratch.mix[child, g]
                dq[layout.column[child]] = phred(scratch.unchanged[slot] / total)


@leaf
def _gives(gt, parent, allele):
    return gt[parent, 0] == allele or gt[parent, 1] == allele


@leaf
def _is_called(gt, sample):
    return sample >= 0 and gt[sample, 0] >= 0


@leaf
def mendel(gt, child, father, mother, origin):
    """UNCHECKED, INHERITED or CONFLICT.

    gt: int16[samples, 2] (-1: not called, -2: no allele); child, father, mother: samples, -1: none.
    """
    if origin == NOBODY or not _is_called(gt, child):
        return UNCHECKED
    if origin != MOTHER and not _is_called(gt, father):
        return UNCHECKED
    if origin != FATHER and not _is_called(gt, mother):
        return UNCHECKED
    a, b = gt[child, 0], gt[child, 1]
    if origin == FATHER:
        agrees = _gives(gt, father, a)
    elif origin == MOTHER:
        agrees = _gives(gt, mother, a)
    else:
        agrees = (_gives(gt, father, a) and _gives(gt, mother, b)) or (
            _gives(gt, father, b) and _gives(gt, mother, a)
        )
    return INHERITED if agrees else CONFLICT


@leaf
def check_children(layout, ploidy, inheritance, gt, check):
    """`mendel` of the genotypes of each child and its parents at a site, into check[samples]."""
    for family in range(len(layout.start) - 1):
        first = layout.start[family]
        father = layout.column[layout.person[first]]
        mother = layout.column[layout.person[first + 1]]
        for slot in range(first + 2, layout.start[family + 1]):
            person = layout.person[slot]
            child = layout.column[person]
            if child >= 0:
                origin = source(inheritance, ploidy[child], layout.sex[person])
                check[child] = mendel(gt, child, father, mother, origin)
