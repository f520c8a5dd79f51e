"""From weighed haplotypes to the record of a site: alleles, genotype, what reads tell of them."""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels import genotype
from lingqu.call.kernels.limits import MAX_ALLELES
from lingqu.call.kernels.numbers import log10

STAR = -1
"""Mask of an allele that an upstream deletion took away."""
INTS = 8 + 5 * MAX_ALLELES
UNSEEN = 2 + MAX_ALLELES * (MAX_ALLELES + 1) // 2
FLOATS = UNSEEN + 2 * MAX_ALLELES
"""Columns of the record tables, see `_write_record`."""

_INFORMATIVE = 1.6


@kernel
def copy_edits(edits, first, count, to, out):
    """Put edits [first, first + count) at place `to` of out."""
    at = out.at[to - 1] + out.put[to - 1] if to else np.int64(0)
    for e in range(count):
        out.start[to + e] = edits.start[first + e]
        out.removed[to + e] = edits.removed[first + e]
        out.put[to + e] = edits.put[first + e]
        out.anchor[to + e] = edits.anchor[first + e]
        out.site[to + e] = edits.site[first + e]
        out.prior[to + e] = edits.prior[first + e]
        out.at[to + e] = at
        for k in range(edits.put[first + e]):
            out.bases[at + k] = edits.bases[edits.at[first + e] + k]
        at += edits.put[first + e]


@kernel
def _alleles(edits, first, count, site, masks, haps, allele_of, allele_mask):
    """Alleles of the haplotypes at a site: allele_of (int64[haps]), allele_mask (int64[alleles]).

    Allele 0 is the reference; masks are of the region's edits; STAR where a deletion that began
    earlier covers the site. Returns the number of alleles, at most MAX_ALLELES: haplotypes with
    further ones get -1.
    """
    own = np.int64(0)
    pos = np.int64(0)
    for e in range(count):
        if edits.site[first + e] == site:
            own |= np.int64(1) << e
            pos = edits.anchor[first + e]
    allele_mask[0] = 0
    alleles = np.int64(1)
    for h in range(haps):
        value = masks[h] & own
        if value == 0:
            for e in range(count):
                if masks[h] >> e & 1 and edits.removed[first + e] > edits.put[first + e]:
                    start = edits.start[first + e] + edits.put[first + e]
                    if start <= pos < edits.start[first + e] + edits.removed[first + e]:
                        value = np.int64(STAR)
        allele_of[h] = -1
        for a in range(alleles):
            if allele_mask[a] == value:
                allele_of[h] = a
        if allele_of[h] < 0 and alleles < MAX_ALLELES:
            allele_mask[alleles] = value
            allele_of[h] = alleles
            alleles += 1
    return alleles


@kernel
def _weigh_unseen(value, alleles, unseen):
    """Add what a template tells of an allele that no haplotype holds.

    It fits no better than the worst of those that were weighed. unseen[2a], unseen[2a + 1]: log10
    of the likelihood of genotypes (a, unseen) and (unseen, unseen), relative to (a, a).
    """
    worst = value[0]
    for a in range(1, alleles):
        worst = min(worst, value[a])
    for a in range(alleles):
        if worst > 0.0 and worst < value[a]:
            unseen[2 * a] += log10(0.5 * (value[a] + worst) / value[a])
            unseen[2 * a + 1] += log10(worst / value[a])


@kernel
def _count_support(reads, region, room, haps, allele_of, alleles, pos, ints, unseen):
    """Fill depth, squared MAPQ, and templates and reads by strand of each allele in ints.

    unseen: float64[2 * MAX_ALLELES], see `_weigh_unseen`.
    """
    slots, who, chances = region.slots, room.who, room.chances
    for k in range(2 * alleles):
        unseen[k] = 0.0
    best_of = np.full((slots, 2), -1, np.int64)
    covers = np.zeros(slots, np.bool_)
    quality = np.zeros(slots, np.int64)
    value = np.empty(MAX_ALLELES)
    for i in range(region.n):
        r = who[i, 0]
        if reads.pos[r] <= pos + 1 and reads.end[r] > pos:
            covers[who[i, 1]] = True
        quality[who[i, 1]] = max(quality[who[i, 1]], np.int64(reads.mapq[r]))
    for s in range(slots):
        if not covers[s]:
            continue
        ints[5] += 1
        ints[6] += quality[s] * quality[s]
        for a in range(alleles):
            value[a] = 0.0
        for h in range(haps):
            if allele_of[h] >= 0:
                value[allele_of[h]] = max(value[allele_of[h]], chances[s, h])
        _weigh_unseen(value, alleles, unseen)
        top = 0
        for a in range(alleles):
            if value[a] > value[top]:
                top = a
        clear = True
        for a in range(alleles):
            if a != top and value[top] < _INFORMATIVE * value[a]:
                clear = False
        if clear:
            best_of[s, 0] = top
            ints[8 + top * 5 + 1] += 1
    for i in range(region.n):
        top = best_of[who[i, 1], 0]
        r = who[i, 0]
        if top >= 0 and reads.pos[r] <= pos + 1 and reads.end[r] > pos:
            reverse = 1 if reads.flag[r] & 16 else 0
            ints[8 + top * 5 + 2 + reverse] += 1
            ints[8 + top * 5 + 4] += reads.mapq[r]


@kernel
def _write_evidence(reads, region, room, haps, allele_of, one, two, pos, names, shares, filled):
    """Append what each template over a site says of its alleles `one` and `two` (see
    call/kernels/phase.py); returns the new length of names and shares.

    Nothing is told by a template whose haplotypes of both alleles fit about as well.
    """
    slots, who, chances = region.slots, room.who, room.chances
    name_of = np.zeros(slots, np.uint64)
    covers = np.zeros(slots, np.bool_)
    for i in range(region.n):
        r = who[i, 0]
        name_of[who[i, 1]] = reads.name_hash[r]
        if reads.pos[r] <= pos + 1 and reads.end[r] > pos:
            covers[who[i, 1]] = True
    for s in range(slots):
        if not covers[s]:
            continue
        first, second = 0.0, 0.0
        for h in range(haps):
            if allele_of[h] == one:
                first = max(first, chances[s, h])
            elif allele_of[h] == two:
                second = max(second, chances[s, h])
        if max(first, second) >= _INFORMATIVE * min(first, second):
            names[filled] = name_of[s]
            shares[filled] = first / (first + second)
            filled += 1
    return filled


@kernel
def _write_record(table, alleles, allele_mask, region, site, prior_of, ints, floats, ploidy):
    """Choose the genotype of a site and write its record.

    ints: [region, site, alleles, a, b, depth, sum of squared MAPQ, mask of the edits of the region
    that were weighed], then for each allele its mask, fragments, forward and reverse reads, sum of
    MAPQ. floats: log10 of the posterior of no ALT allele, of a genotype other than (a, b), then
    log10 likelihoods of the genotypes in VCF order (relative to the best); from UNSEEN on, what
    `_weigh_unseen` adds. Returns whether the genotype holds an ALT allele.
    """
    none = np.zeros(alleles, np.bool_)
    real = np.zeros(alleles, np.bool_)
    a_best, b_best = 0, 0
    for a in range(alleles):
        real[a] = allele_mask[a] > 0
        for b in range(a, alleles):
            if table[a, b] > table[a_best, b_best]:
                a_best, b_best = a, b
    total = genotype.log_sum(table, alleles, -1, -1, none)
    floats[0] = genotype.log_sum(table, alleles, -1, -1, real) - total
    floats[1] = genotype.log_sum(table, alleles, a_best, b_best, none) - total
    top = genotype.IMPOSSIBLE
    for b in range(alleles):
        for a in range(b + 1):
            value = table[a, b]
            if value > genotype.IMPOSSIBLE:
                value -= prior_of[a] + (prior_of[b] if a != b else 0.0)
                if a == b and a > 0 and ploidy == 2:
                    value += genotype.LOG10_2
            floats[2 + b * (b + 1) // 2 + a] = value
            top = max(top, value)
    for k in range(alleles * (alleles + 1) // 2):
        floats[2 + k] -= top
    ints[0] = region
    ints[1] = site
    ints[2] = alleles
    ints[3] = a_best
    ints[4] = b_best
    for a in range(alleles):
        ints[8 + a * 5] = allele_mask[a]
    return real[a_best] or real[b_best]


@kernel
def _priors(edits, first, count, allele_mask, alleles, prior_of):
    """log10 of the priors of the alleles of a site into prior_of."""
    for a in range(alleles):
        prior_of[a] = 0.0
        for k in range(count):
            if allele_mask[a] > 0 and allele_mask[a] >> k & 1:
                prior_of[a] += edits.prior[first + k]


@kernel
def is_first(edits, first, e):
    """Whether edit first + e is the first of its site among those from `first` on."""
    seen = False
    for k in range(e):
        seen = seen or edits.site[first + k] == edits.site[first + e]
    return not seen


@kernel
def tell_site(
    reads, number, region, room, haps, edits, first, count, e, tried, ints, floats, names, shares,
    filled,
):  # fmt: skip
    """Write the record of the site of edit first + e, if its genotype holds an ALT allele or it is
    given, and what templates tell of its phase; (whether it was written, length of names then).

    edits: those that the masks of the room are of, from `first` on. number: that of the region.
    """
    allele_of = np.empty(len(room.masks), np.int64)
    allele_mask = np.empty(MAX_ALLELES, np.int64)
    prior_of, table = np.empty(MAX_ALLELES), np.empty((MAX_ALLELES, MAX_ALLELES))
    site, pos = edits.site[first + e], np.int64(edits.anchor[first + e])
    alleles = _alleles(edits, first, count, site, room.masks, haps, allele_of, allele_mask)
    _priors(edits, first, count, allele_mask, alleles, prior_of)
    genotype.site_genotypes(room.posterior, haps, allele_of, alleles, table)
    for k in range(INTS):
        ints[k] = 0
    called = _write_record(
        table, alleles, allele_mask, number, site, prior_of, ints, floats, region.ploidy
    )
    ints[7] = tried
    if not (called or region.given):
        return False, filled
    _count_support(reads, region, room, haps, allele_of, alleles, pos, ints, floats[UNSEEN:])
    one, two = ints[3], ints[4]
    if not region.given and one != two:
        filled = _write_evidence(
            reads, region, room, haps, allele_of, one, two, pos, names, shares, filled
        )
    return True, filled
