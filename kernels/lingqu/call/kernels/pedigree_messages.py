"""Messages of families to their members, and what they make of the data of all."""

from lingqu.base.jit import leaf
from lingqu.call.kernels.numbers import log10
from lingqu.call.kernels.pedigree import FLOOR, NOBODY
from lingqu.call.kernels.pedigree_gametes import from_child, to_child
from lingqu.call.kernels.pedigree_states import origin_of, scale


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
def propagate(layout, scratch, inheritance, alleles):
    """Send all messages; exact where the pedigree has no loop."""
    for slot in range(len(layout.person)):
        scratch.message_log[slot] = 0.0
        for g in range(scratch.states[layout.person[slot]]):
            scratch.messages[slot, g] = 1.0
    for k in range(len(layout.order)):
        send_messages(layout, scratch, layout.order[k], inheritance, alleles)


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
