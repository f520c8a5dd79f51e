"""From parents to a child and back: what is passed on, unchanged or not."""

from lingqu.base.jit import leaf
from lingqu.call.kernels.pedigree import BOTH, MOTHER
from lingqu.call.kernels.pedigree_states import count_states, scale


@leaf
def fill_change(indel, alleles, snv_rate, indel_rate, change):
    """change[a, b]: chance that a parent's allele a is passed on as b.

    indel: bool[alleles], alleles of another length than REF. A substitution makes each of three
    bases alike.
    """
    for a in range(alleles):
        change[a, a] = 1.0
        for b in range(alleles):
            if a != b:
                change[a, b] = indel_rate if indel[a] or indel[b] else snv_rate / 3.0
                change[a, a] -= change[a, b]


@leaf
def fill_gametes(change, frequency, alleles, given, kept):
    """given[ploidy, state, allele]: chance to pass the allele on; kept: and unchanged.

    Who has no copy that could be passed on stands for somebody unknown.
    """
    for a in range(alleles):
        given[0, 0, a] = kept[0, 0, a] = frequency[a]
        for b in range(alleles):
            given[1, a, b] = change[a, b]
            kept[1, a, b] = change[a, b] if a == b else 0.0
    for b in range(alleles):
        for a in range(b + 1):
            g = b * (b + 1) // 2 + a
            for c in range(alleles):
                given[2, g, c] = 0.5 * (given[1, a, c] + given[1, b, c])
                kept[2, g, c] = 0.5 * (kept[1, a, c] + kept[1, b, c])


@leaf
def from_child(like, origin, father, mother, fathers, mothers, alleles, pairs, table):
    """table[gf, gm]: chance of what a child says, like[states], under its parents' genotypes.

    father, mother: float64[states, alleles], gametes; fathers, mothers: their numbers of states.
    """
    if origin == BOTH:
        for c in range(alleles):
            for gf in range(fathers):
                total = 0.0
                for a in range(alleles):
                    low, high = min(a, c), max(a, c)
                    total += father[gf, a] * like[high * (high + 1) // 2 + low]
                pairs[c, gf] = total
    for gf in range(fathers):
        for gm in range(mothers):
            total = 0.0
            for c in range(alleles):
                if origin == BOTH:
                    total += mother[gm, c] * pairs[c, gf]
                elif origin == MOTHER:
                    total += mother[gm, c] * like[c]
                else:
                    total += father[gf, c] * like[c]
            table[gf, gm] = total


@leaf
def to_child(weight, origin, father, mother, fathers, mothers, alleles, pairs, out):
    """Message to a child: weight[gf, gm] of its parents' genotypes, summed; as `scale`."""
    states = count_states(2 if origin == BOTH else 1, alleles)
    for g in range(states):
        out[g] = 0.0
    for a in range(alleles):
        for gm in range(mothers):
            pairs[a, gm] = 0.0
            for gf in range(fathers):
                passed = father[gf, a] if origin != MOTHER else mother[gm, a]
                pairs[a, gm] += weight[gf, gm] * passed
    for a in range(alleles):
        for gm in range(mothers):
            if origin != BOTH:
                out[a] += pairs[a, gm]
                continue
            for c in range(alleles):
                low, high = min(a, c), max(a, c)
                out[high * (high + 1) // 2 + low] += pairs[a, gm] * mother[gm, c]
    return scale(out, states)
