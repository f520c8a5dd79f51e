"""Genotypes of relatives, together: sums over all genotypes of families, by peeling.

A pedigree is a graph of people and nuclear families (father, mother, their children). A family
tells each of its members how likely the data of all others beyond it are under each genotype of
the member: a message. Where the graph has no loop, messages sent once from the leaves to a root
and back are exact (Elston and Stewart 1971; Lauritzen and Sheehan 2003). Where it has (cousins who
marry, two brothers with two sisters), they are sent several times over, which is an approximation
(Pearl's loopy propagation).

Genotypes are states in the order of VCF's PL: alleles `a` for ploidy 1, pairs a <= b at
b (b + 1) / 2 + a for ploidy 2, one empty state for ploidy 0. All numbers are chances relative to
the greatest of their kind, and none is below FLOOR of it.
"""

from typing import NamedTuple

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.call.kernels.numbers import log10, pow10

MAX_ALLELES = 8
"""Alleles of a site, REF among them, up to which families are looked at."""
FLOOR = 1e-60
"""Least chance, relative to the greatest: many children who contradict each other stay above 0."""

AUTOSOME, X, Y, MT = 0, 1, 2, 3
"""How a site is inherited; X and Y without their pseudoautosomal parts, which are AUTOSOME."""
UNKNOWN, MALE, FEMALE = 0, 1, 2
NOBODY, FATHER, MOTHER, BOTH = 0, 1, 2, 3
"""From whom a child has its alleles; NOBODY: it is looked at as a founder."""
UNCHECKED, INHERITED, CONFLICT = 0, 1, 2

MAX_QUALITY = 99.0
NODES = 17
"""Frequencies that are summed over where founders are too few to tell."""
_ROUNDS = 50
_CHANGE = 1e-6


class Layout(NamedTuple):
    """A pedigree for the sample columns of a VCF; n people, f families, s slots.

    A family's slots are its father, its mother and its children.
    """

    column: np.ndarray  # int64[n], the sample column, -1: none
    sex: np.ndarray  # int8[n]
    counted: np.ndarray  # bool[n], whose alleles make the frequencies: no parent is a sample
    is_child: np.ndarray  # bool[n], has a family above
    start: np.ndarray  # int64[f + 1], first slot of each family
    person: np.ndarray  # int64[s], who stands there
    own_start: np.ndarray  # int64[n + 1]
    own: np.ndarray  # int64[s], the slots of each person
    order: np.ndarray  # int64[steps], families in the order in which they send their messages
    roots: np.ndarray  # int64[r], one of each group of relatives; none: see `is_mixed`


class Scratch(NamedTuple):
    """Memory for one site, see `new_scratch`."""

    base: np.ndarray
    data: np.ndarray
    states: np.ndarray
    ploidy: np.ndarray
    told: np.ndarray
    messages: np.ndarray
    heard: np.ndarray
    base_log: np.ndarray
    message_log: np.ndarray
    heard_log: np.ndarray
    mix: np.ndarray
    unchanged: np.ndarray
    shares: np.ndarray
    tables: np.ndarray
    weight: np.ndarray
    given: np.ndarray
    kept: np.ndarray
    change: np.ndarray
    frequency: np.ndarray
    counts: np.ndarray
    pairs: np.ndarray


def new_scratch(layout: Layout, alleles: int) -> Scratch:
    """Scratch for sites of up to `alleles` alleles."""
    people, slots = len(layout.column), len(layout.person)
    wide = int(np.diff(layout.start).max(initial=2))
    states = alleles * (alleles + 1) // 2
    return Scratch(
        base=np.empty((people, states)),
        data=np.empty((people, states)),
        states=np.empty(people, np.int64),
        ploidy=np.empty(people, np.int64),
        told=np.empty(people, np.bool_),
        messages=np.empty((slots, states)),
        heard=np.empty((wide, states)),
        base_log=np.empty(people),
        message_log=np.empty(slots),
        heard_log=np.empty(wide),
        mix=np.empty((people, states)),
        unchanged=np.empty(slots),
        shares=np.empty(alleles),
        tables=np.empty((wide, states, states)),
        weight=np.empty((states, states)),
        given=np.empty((3, states, alleles)),
        kept=np.empty((3, states, alleles)),
        change=np.empty((alleles, alleles)),
        frequency=np.empty(alleles),
        counts=np.empty(alleles),
        pairs=np.empty((alleles, states)),
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


@leaf
def listen(layout, scratch, person, but, out):
    """What a person says to slot `but` (-1: to all): own data and all other messages.

    Returns log10 of what it was divided by.
    """
    states, log = scratch.states[person], scratch.base_log[person]
    for g in range(states):
        out[g] = scratch.base[person, g]
    for k in range(layout.own_start[person], layout.own_start[person + 1]):
        slot = layout.own[k]
        if slot != but:
            for g in range(states):
                out[g] *= scratch.messages[slot, g]
            log += scratch.message_log[slot] + scale(out, states)
    return log


@leaf
def weigh_parents(scratch, children, but, fathers, mothers, with_parents):
    """scratch.weight[gf, gm]: product of the children's tables but one's (-1: of all's).

    with_parents: times what the parents themselves say. Returns log10 of what it was divided by.
    """
    weight = scratch.weight
    log = scratch.heard_log[0] + scratch.heard_log[1] if with_parents else 0.0
    for gf in range(fathers):
        for gm in range(mothers):
            weight[gf, gm] = scratch.heard[0, gf] * scratch.heard[1, gm] if with_parents else 1.0
    for k in range(children):
        if k == but:
            continue
        top = 0.0
        for gf in range(fathers):
            for gm in range(mothers):
                weight[gf, gm] *= scratch.tables[k, gf, gm]
                top = max(top, weight[gf, gm])
        for gf in range(fathers):
            for gm in range(mothers):
                weight[gf, gm] = max(weight[gf, gm] / top, FLOOR * FLOOR)
        log += scratch.heard_log[k + 2] + log10(top)
    return log


@leaf
def hear_family(layout, scratch, family, inheritance, alleles):
    """What the members of a family say into heard[], the children's tables into tables[]."""
    first = layout.start[family]
    father, mother = layout.person[first], layout.person[first + 1]
    scratch.heard_log[0] = listen(layout, scratch, father, first, scratch.heard[0])
    scratch.heard_log[1] = listen(layout, scratch, mother, first + 1, scratch.heard[1])
    for slot in range(first + 2, layout.start[family + 1]):
        k = slot - first - 2
        child = layout.person[slot]
        origin = origin_of(layout, scratch, child, inheritance)
        if origin == NOBODY:
            scratch.heard_log[k + 2] = 0.0
            for gf in range(scratch.states[father]):
                for gm in range(scratch.states[mother]):
                    scratch.tables[k, gf, gm] = 1.0
            continue
        scratch.heard_log[k + 2] = listen(layout, scratch, child, slot, scratch.heard[k + 2])
        from_child(
            scratch.heard[k + 2], origin, scratch.given[scratch.ploidy[father]],
            scratch.given[scratch.ploidy[mother]], scratch.states[father], scratch.states[mother],
            alleles, scratch.pairs, scratch.tables[k],
        )  # fmt: skip


@leaf
def send_messages(layout, scratch, family, inheritance, alleles):
    """Renew the messages of a family to all of its members."""
    hear_family(layout, scratch, family, inheritance, alleles)
    first, end = layout.start[family], layout.start[family + 1]
    father, mother = layout.person[first], layout.person[first + 1]
    fathers, mothers = scratch.states[father], scratch.states[mother]
    weight = scratch.weight
    log = weigh_parents(scratch, end - first - 2, -1, fathers, mothers, False)
    scratch.messages[first, :fathers] = 0.0
    scratch.messages[first + 1, :mothers] = 0.0
    for gf in range(fathers):
        for gm in range(mothers):
            scratch.messages[first, gf] += weight[gf, gm] * scratch.heard[1, gm]
            scratch.messages[first + 1, gm] += weight[gf, gm] * scratch.heard[0, gf]
    scratch.message_log[first] = (
        log + scratch.heard_log[1] + scale(scratch.messages[first], fathers)
    )
    scratch.message_log[first + 1] = (
        log + scratch.heard_log[0] + scale(scratch.messages[first + 1], mothers)
    )
    for slot in range(first + 2, end):
        origin = origin_of(layout, scratch, layout.person[slot], inheritance)
        if origin != NOBODY:
            log = weigh_parents(scratch, end - first - 2, slot - first - 2, fathers, mothers, True)
            scratch.message_log[slot] = log + to_child(
                weight, origin, scratch.given[scratch.ploidy[father]],
                scratch.given[scratch.ploidy[mother]], fathers, mothers, alleles, scratch.pairs,
                scratch.messages[slot],
            )  # fmt: skip


@leaf
def chance_unchanged(layout, scratch, family, child, inheritance, alleles):
    """Chance that child number `child` of the family has no new mutation.

    To be called behind `hear_family`, whose tables it leaves as they are.
    """
    first = layout.start[family]
    father, mother = layout.person[first], layout.person[first + 1]
    fathers, mothers = scratch.states[father], scratch.states[mother]
    children = layout.start[family + 1] - first - 2
    weigh_parents(scratch, children, child, fathers, mothers, True)
    weight, table = scratch.weight, scratch.tables[children]
    person = layout.person[first + 2 + child]
    from_child(
        scratch.heard[child + 2], origin_of(layout, scratch, person, inheritance),
        scratch.kept[scratch.ploidy[father]], scratch.kept[scratch.ploidy[mother]],
        fathers, mothers, alleles, scratch.pairs, table,
    )  # fmt: skip
    total = unchanged = 0.0
    for gf in range(fathers):
        for gm in range(mothers):
            total += weight[gf, gm] * scratch.tables[child, gf, gm]
            unchanged += weight[gf, gm] * table[gf, gm]
    return unchanged / total


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


@leaf
def propagate(layout, scratch, inheritance, alleles):
    """Send all messages; exact where the pedigree has no loop."""
    for slot in range(len(layout.person)):
        scratch.message_log[slot] = 0.0
        for g in range(scratch.states[layout.person[slot]]):
            scratch.messages[slot, g] = 1.0
    for k in range(len(layout.order)):
        send_messages(layout, scratch, layout.order[k], inheritance, alleles)


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


@leaf
def evidence(layout, scratch):
    """log10 of the chance of all data, but for a constant; right where there is no loop."""
    total = 0.0
    for k in range(len(layout.roots)):
        person = layout.roots[k]
        total += listen(layout, scratch, person, -1, scratch.heard[0])
        chance = 0.0
        for g in range(scratch.states[person]):
            chance += scratch.heard[0, g]
        total += log10(chance)
    return total


@leaf
def add_posteriors(layout, scratch, inheritance, alleles, weight, old):
    """Into mix and unchanged: what they hold times old, and weight times the present posteriors."""
    for p in range(len(layout.column)):
        out, states, total = scratch.heard[0], scratch.states[p], 0.0
        listen(layout, scratch, p, -1, out)
        for g in range(states):
            total += out[g]
        for g in range(states):
            before = scratch.mix[p, g] * old if old > 0.0 else 0.0
            scratch.mix[p, g] = before + weight * out[g] / total
    for family in range(len(layout.start) - 1):
        hear_family(layout, scratch, family, inheritance, alleles)
        first = layout.start[family]
        for slot in range(first + 2, layout.start[family + 1]):
            if origin_of(layout, scratch, layout.person[slot], inheritance) == NOBODY:
                continue
            chance = chance_unchanged(
                layout, scratch, family, slot - first - 2, inheritance, alleles
            )
            before = scratch.unchanged[slot] * old if old > 0.0 else 0.0
            scratch.unchanged[slot] = before + weight * chance


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
