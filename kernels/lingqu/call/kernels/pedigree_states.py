"""States of people: how many there are, where they come from, and their chances."""

from lingqu.base.jit import leaf
from lingqu.call.kernels.numbers import log10, pow10
from lingqu.call.kernels.pedigree import (
    AUTOSOME,
    BOTH,
    FATHER,
    FEMALE,
    FLOOR,
    MALE,
    MOTHER,
    NOBODY,
    X,
    Y,
)


@leaf
def count_states(ploidy, alleles):
    """Genotypes of `alleles` alleles."""
    if ploidy == 2:
        return alleles * (alleles + 1) // 2
    return alleles if ploidy == 1 else 1


@leaf
def usual_ploidy(inheritance, sex):
    """Copies a person has; who is not known to be female has one X and one Y."""
    if inheritance == AUTOSOME:
        return 2
    if inheritance == X:
        return 2 if sex == FEMALE else 1
    if inheritance == Y:
        return 0 if sex == FEMALE else 1
    return 1


@leaf
def source(inheritance, ploidy, sex):
    """From whom a child of that ploidy has its alleles; a ploidy that cannot be: NOBODY."""
    if ploidy == 2 and (inheritance == AUTOSOME or (inheritance == X and sex != MALE)):
        return BOTH
    if ploidy == 1 and inheritance == Y:
        return FATHER
    if ploidy == 1 and inheritance != AUTOSOME:
        return MOTHER
    return NOBODY


@leaf
def origin_of(layout, scratch, person, inheritance):
    """`source` of a person at the site that is loaded."""
    return source(inheritance, scratch.ploidy[person], layout.sex[person])


@leaf
def scale(values, states):
    """Divide by the greatest of values[:states], whose log10 is returned; lift to FLOOR of it."""
    top = 0.0
    for g in range(states):
        top = max(top, values[g])
    for g in range(states):
        values[g] = max(values[g] / top, FLOOR) if top > 0.0 else 1.0
    return log10(top)


@leaf
def read_likelihoods(pl, states, out):
    """PLs (int32[states], a negative one: missing) to chances; whether they say anything."""
    told = False
    for g in range(states):
        if pl[g] < 0:
            for k in range(states):
                out[k] = 1.0
            return False
        out[g] = pow10(-0.1 * pl[g])
        told |= pl[g] > 0
    scale(out, states)
    return told


@leaf
def hardy_weinberg(frequency, alleles, ploidy, out):
    """Chances of the states of somebody of whom nothing is known."""
    if ploidy == 0:
        out[0] = 1.0
    elif ploidy == 1:
        for a in range(alleles):
            out[a] = frequency[a]
    else:
        for b in range(alleles):
            for a in range(b + 1):
                out[b * (b + 1) // 2 + a] = (1.0 + (a != b)) * frequency[a] * frequency[b]


@leaf
def load_site(layout, scratch, pl, ploidy, inheritance, alleles):
    """Ploidies, states and likelihoods of all people at a site."""
    for p in range(len(layout.column)):
        column = layout.column[p]
        copies = ploidy[column] if column >= 0 else usual_ploidy(inheritance, layout.sex[p])
        states = count_states(copies, alleles)
        scratch.ploidy[p], scratch.states[p] = copies, states
        if column >= 0:
            scratch.told[p] = read_likelihoods(pl[column], states, scratch.data[p])
        else:
            scratch.told[p] = False
            scratch.data[p, :states] = 1.0


@leaf
def set_founders(layout, scratch, inheritance, alleles):
    """base[]: likelihoods, and for those without parents at this site, the prior."""
    for p in range(len(layout.column)):
        states = scratch.states[p]
        if layout.is_child[p] and origin_of(layout, scratch, p, inheritance) != NOBODY:
            scratch.base[p, :states] = 1.0
        else:
            hardy_weinberg(scratch.frequency, alleles, scratch.ploidy[p], scratch.base[p])
        for g in range(states):
            scratch.base[p, g] *= scratch.data[p, g]
        scratch.base_log[p] = scale(scratch.base[p], states)
