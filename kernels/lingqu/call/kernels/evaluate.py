"""One active region after the other: reads, haplotypes, likelihoods, genotypes, records."""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels import genotype
from lingqu.call.kernels.haplotypes import build, conflict, mismatches, place
from lingqu.call.kernels.numbers import log10
from lingqu.call.kernels.pairhmm import (
    LANES,
    MAX_ROWS,
    forward,
    load_haplotype,
    load_read,
)
from lingqu.call.kernels.scan import gap_costs, repeat_end
from lingqu.call.kernels.spelling import MAX_CORE, respell

MAX_HAPS = 64
"""Most haplotypes at once; half of it starts a pruning."""
MAX_EDITS = 40
"""Most edits of a region."""
MAX_ALLELES = MAX_EDITS + 2
"""Alleles of a site: the reference, each edit, and what an upstream deletion took away."""
MAX_TEMPLATES = 400
"""Templates of a region that are used; of more, a fair part is, by the hash of their names."""
MAX_READS = 4 * MAX_TEMPLATES
"""Reads of a region that are used."""
MAX_HAP = 2048
STAR = -1
"""Mask of an allele that an upstream deletion took away."""

_KEEP = 10
_PAD = 30
_FLANK = 60
_REPEAT = 120
_CLIP = 60
_INFORMATIVE = 1.6
_SCALE = np.float32(1e30)
_MOST_STEPS = 40
"""Most times that one of the best haplotypes is varied, by turns, where some were pruned."""

INTS = 8 + 5 * MAX_ALLELES
UNSEEN = 2 + MAX_ALLELES * (MAX_ALLELES + 1) // 2
FLOATS = UNSEEN + 2 * MAX_ALLELES
"""Columns of the record tables, see `_write_record`."""


@kernel
def _known(ref, pos, step):
    """Bases of the reference from `pos` on, in direction `step`: up to an N or the contig's end, at
    most _CLIP.
    """
    count = np.int64(0)
    while count < _CLIP and 0 <= pos < len(ref) and ref[pos] < 4:
        pos += step
        count += 1
    return count


@kernel
def _trim(reads, r, ref, begin, end, row):
    """Cut read r to reference places [begin, end) and the clipped ends there.

    row (int64[6]) gets first and last + 1 of its bases used, and the base and the place of its
    first and of its last aligned base among them. Returns False where nothing is aligned there.
    Of a clipped end no more is used than the reference has bases there to lay it on.
    """
    low = np.int64(reads.low[r])
    high = np.int64(reads.high[r])
    at = np.int64(0)
    pos = np.int64(reads.pos[r])
    any_aligned = False
    first, last = high, low
    for word in range(reads.cigar_start[r], reads.cigar_start[r + 1]):
        op = reads.cigar[word] & 15
        size = np.int64(reads.cigar[word] >> 4)
        if op == 0 or op == 7 or op == 8:
            start = max(max(at, low), at + begin - pos)
            stop = min(min(at + size, high), at + end - pos)
            if start < stop:
                if not any_aligned:
                    row[2] = start
                    row[3] = start + pos - at
                row[4] = stop - 1
                row[5] = stop - 1 + pos - at
                any_aligned = True
                first = min(first, start)
                last = max(last, stop)
            at += size
            pos += size
        elif op == 1:
            if begin < pos < end:
                first = min(first, max(at, low))
                last = max(last, min(at + size, high))
            at += size
        elif op == 2 or op == 3:
            pos += size
        elif op == 4:
            if begin < pos < end:
                if at == 0:
                    first = min(first, max(low, size - _known(ref, pos - 1, -1)))
                else:
                    last = max(last, min(high, at + _known(ref, pos, 1)))
            at += size
    row[0] = first
    row[1] = min(last, first + MAX_ROWS)
    return any_aligned and row[4] < row[1]


@kernel
def _gather(
    reads, template, ref, slot_of, stamp, left, right, begin, end, from_read, min_mapq, rows, who
):  # fmt: skip
    """Reads over [left, right), cut to [begin, end); returns (reads, slots, templates there).

    rows: int64[MAX_READS, 6], see `_trim`. who: int64[MAX_READS, 2], read and slot of its
    template. slot_of: int64[templates, 2], stamp of the region that last used it, and slot there.
    """
    total = np.int64(0)
    for r in range(from_read, len(reads.pos)):
        if reads.pos[r] >= right:
            break
        if reads.end[r] > left and reads.mapq[r] >= min_mapq:
            total += 1
            if slot_of[template[r], 0] == stamp:
                total -= 1
            slot_of[template[r], 0] = stamp
            slot_of[template[r], 1] = -1
    share = 1.0
    if total > MAX_TEMPLATES:
        share = MAX_TEMPLATES / total
    n = np.int64(0)
    slots = np.int64(0)
    for r in range(from_read, len(reads.pos)):
        if reads.pos[r] >= right or n == MAX_READS:
            break
        if reads.end[r] <= left or reads.mapq[r] < min_mapq:
            continue
        if np.float64(reads.name_hash[r] >> np.uint64(11)) * 2.0**-53 > share:
            continue
        if not _trim(reads, r, ref, begin, end, rows[n]):
            continue
        if slot_of[template[r], 1] < 0:
            slot_of[template[r], 1] = slots
            slots += 1
        who[n, 0] = r
        who[n, 1] = slot_of[template[r], 1]
        n += 1
    return n, slots, total


@kernel
def _sort_by_length(rows, n, order):
    """order[:n]: reads from short to long, by counting; equal ones in their own order."""
    count = np.zeros(MAX_ROWS + 2, np.int64)
    for i in range(n):
        count[rows[i, 1] - rows[i, 0] + 1] += 1
    for k in range(1, MAX_ROWS + 2):
        count[k] += count[k - 1]
    for i in range(n):
        length = rows[i, 1] - rows[i, 0]
        order[count[length]] = i
        count[length] += 1


@kernel
def _likelihoods(
    reads, edits, first, count, begin, n, rows, who, order, masks, haps, hap_len, gaps,
    from_hap, to_hap, right, wrong, space, likes,
):  # fmt: skip
    """likes[read, hap] (float32) for haplotypes from_hap <= hap < to_hap."""
    length = np.empty(LANES, np.int64)
    result = np.empty(LANES, np.float32)
    for base in range(0, n, LANES):
        for lane in range(LANES):
            length[lane] = 0
            if base + lane < n:
                i = order[base + lane]
                r = who[i, 0]
                a = reads.base_start[r] + rows[i, 0]
                b = reads.base_start[r] + rows[i, 1]
                length[lane] = b - a
                load_read(space, lane, reads.codes[a:b], reads.quals[a:b], right, wrong)
        for h in range(from_hap, to_hap):
            for lane in range(LANES):
                if length[lane] == 0:
                    continue
                i = order[base + lane]
                r = who[i, 0]
                start = place(edits, first, count, masks[h], begin, rows[i, 3])
                start -= rows[i, 2] - rows[i, 0]
                other = place(edits, first, count, masks[h], begin, rows[i, 5])
                other -= rows[i, 4] - rows[i, 0]
                if other != start:
                    a = reads.base_start[r] + rows[i, 0]
                    codes = reads.codes[a : a + length[lane]]
                    if mismatches(codes, haps[h], hap_len[h], other) < mismatches(
                        codes, haps[h], hap_len[h], start
                    ):
                        start = other
                load_haplotype(
                    space, lane, haps[h, : hap_len[h]], gaps[h, : hap_len[h]], start, length[lane]
                )
            forward(space, length, _SCALE, result)
            for lane in range(LANES):
                if length[lane] > 0:
                    likes[order[base + lane], h] = result[lane]


@kernel
def _chances(reads, n, slots, who, likes, haps, mismap, chances):
    """chances[slot, hap]: likelihood of a template relative to its best haplotype, at least the
    chance that it is mapped wrongly (mismap: float64[256] by MAPQ).
    """
    floor = np.zeros(slots)
    for s in range(slots):
        for h in range(haps):
            chances[s, h] = 1.0
    for i in range(n):
        s = who[i, 1]
        floor[s] = max(floor[s], mismap[reads.mapq[who[i, 0]]])
        for h in range(haps):
            chances[s, h] *= np.float64(likes[i, h])
    for s in range(slots):
        best = 0.0
        for h in range(haps):
            best = max(best, chances[s, h])
        for h in range(haps):
            if best > 0.0:
                chances[s, h] = max(chances[s, h] / best, floor[s])
            else:
                chances[s, h] = 1.0


@kernel
def _move(h, to, masks, hap_len, gaps, hap_seq, likes, n):
    """Put haplotype h in the place `to`."""
    masks[to] = masks[h]
    hap_len[to] = hap_len[h]
    for k in range(hap_len[h]):
        hap_seq[to, k] = hap_seq[h, k]
        gaps[to, k] = gaps[h, k]
    for i in range(n):
        likes[i, to] = likes[i, h]


@kernel
def _neighbours(edits, first, count, given):
    """int64[count]: of each base that is another, the mask of the edits up to NEAR bases before it;
    none of given sites, which all have the same prior.
    """
    near = np.zeros(count, np.int64)
    for e in range(count):
        if given or edits.removed[first + e] != 1 or edits.put[first + e] != 1:
            continue
        for k in range(e):
            end = edits.start[first + k] + edits.removed[first + k]
            if edits.start[first + e] - end < genotype.NEAR:
                near[e] |= np.int64(1) << k
    return near


@kernel
def _drop_twins(masks, known, haps, hap_len, gaps, hap_seq, likes, n, edit_prior, near):
    """Of haplotypes with the same bases keep the one with the greatest prior; returns how many are
    left. Those before `known` have no twins among themselves.
    """
    kept = np.int64(known)
    edits = np.int64(len(edit_prior))
    for h in range(known, haps):
        twin = np.int64(-1)
        for k in range(kept):
            if hap_len[k] == hap_len[h] and twin < 0:
                same = True
                for i in range(hap_len[h]):
                    if hap_seq[k, i] != hap_seq[h, i]:
                        same = False
                        break
                if same:
                    twin = k
        if twin < 0:
            if kept != h:
                _move(h, kept, masks, hap_len, gaps, hap_seq, likes, n)
            kept += 1
        else:
            own = genotype.pair_prior(edit_prior, near, masks[h], 0, edits)
            other = genotype.pair_prior(edit_prior, near, masks[twin], 0, edits)
            if own > other + 1e-9:
                _move(h, twin, masks, hap_len, gaps, hap_seq, likes, n)
    return kept


@kernel
def _prune(posterior, masks, haps, hap_len, gaps, hap_seq, likes, n):
    """Keep the _KEEP haplotypes of the best pairs, and the reference (haplotype 0), in order."""
    score = np.full(haps, genotype.IMPOSSIBLE)
    for one in range(haps):
        for two in range(one, haps):
            score[one] = max(score[one], posterior[one, two])
            score[two] = max(score[two], posterior[one, two])
    keep = np.zeros(haps, np.bool_)
    keep[0] = True
    for _ in range(min(_KEEP, haps) - 1):
        best = np.int64(-1)
        for h in range(haps):
            if not keep[h] and (best < 0 or score[h] > score[best]):
                best = h
        keep[best] = True
    kept = np.int64(0)
    for h in range(haps):
        if keep[h]:
            if kept != h:
                _move(h, kept, masks, hap_len, gaps, hap_seq, likes, n)
            kept += 1
    return kept


@kernel
def _copy_edits(edits, first, count, to, out):
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
def _count_support(reads, n, slots, who, chances, haps, allele_of, alleles, pos, ints, unseen):
    """Fill depth, squared MAPQ, and templates and reads by strand of each allele in ints.

    unseen: float64[2 * MAX_ALLELES], see `_weigh_unseen`.
    """
    for k in range(2 * alleles):
        unseen[k] = 0.0
    best_of = np.full((slots, 2), -1, np.int64)
    covers = np.zeros(slots, np.bool_)
    quality = np.zeros(slots, np.int64)
    value = np.empty(MAX_ALLELES)
    for i in range(n):
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
    for i in range(n):
        top = best_of[who[i, 1], 0]
        r = who[i, 0]
        if top >= 0 and reads.pos[r] <= pos + 1 and reads.end[r] > pos:
            reverse = 1 if reads.flag[r] & 16 else 0
            ints[8 + top * 5 + 2 + reverse] += 1
            ints[8 + top * 5 + 4] += reads.mapq[r]


@kernel
def _write_evidence(
    reads, n, slots, who, chances, haps, allele_of, one, two, pos, names, shares, filled
):  # fmt: skip
    """Append what each template over a site says of its alleles `one` and `two` (see
    call/kernels/phase.py); returns the new length of names and shares.

    Nothing is told by a template whose haplotypes of both alleles fit about as well.
    """
    name_of = np.zeros(slots, np.uint64)
    covers = np.zeros(slots, np.bool_)
    for i in range(n):
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
def _inserted(edits, first, count, mask):
    """Bases that the edits of a mask put in."""
    total = np.int64(0)
    for k in range(count):
        if mask >> k & 1:
            total += edits.put[first + k]
    return total


@kernel
def _extend(edits, first, e, room, given, masks, haps):
    """Append each haplotype with edit e too, where it can hold it; returns how many there are then.

    room: most bases that the edits of a haplotype may put in.
    """
    after = np.int64(haps)
    for h in range(haps):
        mask = masks[h] | np.int64(1) << e
        fits = _inserted(edits, first, e + 1, mask) <= room
        if fits and not conflict(edits, e, masks[h], first, given):
            masks[after] = mask
            after += 1
    return after


@kernel
def _bases_of(edits, first, count, block):
    """Mask of the single bases that edit `block` makes too, seen from its left end."""
    mask = np.int64(0)
    reach = min(edits.removed[first + block], edits.put[first + block])
    for e in range(count):
        at = np.int64(edits.start[first + e] - edits.start[first + block])
        if e != block and edits.removed[first + e] == edits.put[first + e] == 1 and 0 <= at < reach:
            if edits.bases[edits.at[first + block] + at] == edits.bases[edits.at[first + e]]:
                mask |= np.int64(1) << e
    return mask


@kernel
def _clash(edits, first, given, e, k):
    """Whether edits e and k of a region cannot be on one haplotype."""
    return conflict(edits, max(e, k), np.int64(1) << min(e, k), first, given)


@kernel
def _vary(edits, first, count, room, given, masks, haps, base):
    """Append the haplotypes that differ from the mask `base` by one edit: that is left out, or put
    in place of those that it conflicts with, of which single bases stay. Returns how many there
    are then.
    """
    after = np.int64(haps)
    for e in range(count):
        mask = base ^ np.int64(1) << e
        if mask >> e & 1:
            for k in range(count):
                if k != e and base >> k & 1 and _clash(edits, first, given, e, k):
                    mask = mask & ~(np.int64(1) << k) | _bases_of(edits, first, count, k)
            for k in range(count):
                if k != e and mask >> k & 1 and _clash(edits, first, given, e, k):
                    mask ^= np.int64(1) << k
        fits = _inserted(edits, first, count, mask) <= room
        for k in range(after):
            fits = fits and masks[k] != mask
        if fits:
            masks[after] = mask
            after += 1
    return after


@kernel
def _best_pair(posterior, haps):
    """The likeliest pair of haplotypes."""
    best_one, best_two = 0, 0
    for one in range(haps):
        for two in range(one, haps):
            if posterior[one, two] > posterior[best_one, best_two]:
                best_one, best_two = one, two
    return best_one, best_two


@kernel
def _weigh(
    reads, ref, edits, first, count, begin, end, n, slots, rows, who, order, masks, known, haps,
    hap_len, gaps, hap_seq, edit_prior, near, ploidy, right, wrong, mismap, gap_table, space, likes,
    chances, posterior,
):  # fmt: skip
    """Build the haplotypes from `known` on, drop twins, and weigh all pairs.

    Returns how many haplotypes are left, and the greatest posterior.
    """
    for h in range(known, haps):
        hap_len[h] = build(ref, edits, first, count, masks[h], begin, end, hap_seq[h])
        gap_costs(hap_seq[h], 0, hap_len[h], gap_table, gaps[h])
    _likelihoods(
        reads, edits, first, count, begin, n, rows, who, order, masks, hap_seq, hap_len, gaps,
        known, haps, right, wrong, space, likes,
    )  # fmt: skip
    left = _drop_twins(masks, known, haps, hap_len, gaps, hap_seq, likes, n, edit_prior, near)
    _chances(reads, n, slots, who, likes, left, mismap, chances)
    best = genotype.all_pairs(
        chances, slots, masks, left, edit_prior, near, count, ploidy, posterior
    )
    return left, best


@kernel
def evaluate(
    reads, template, templates, ref, edits, regions, min_mapq, ploidy, given, right, wrong,
    mismap, gap_table, space, spelled, spans, ints, floats, told, names, shares,
):  # fmt: skip
    """Genotype the regions; returns the number of records.

    reads: Alignments. template: int32[reads], number of each read's template. ref: uint8, the
    contig. edits: Edits. regions: int64[n, 5] (left, right, first edit, edits, first read).
    given: the edits are sites to genotype, each site gets a record and its edits exclude each
    other; else only sites with an ALT allele in the likeliest genotype do. A region
    wider than MAX_HAP gets no record. spelled: Edits, filled with those of each region and what the
    spelling of haplotypes adds (see call/kernels/spelling.py); spans: int64[n, 2], first and number
    of each region's edits there; the masks of its rows are of these. ints: int64[m, INTS], floats:
    float64[m, FLOATS], see `_write_record`; m as many as spelled has room for. told: int64[m, 2],
    templates of the region before any was left out, and where the record's evidence of phase ends
    in names (uint64) and
    shares (float32), see `_write_evidence`: that of heterozygous calls, but for given sites; m
    times MAX_READS is room enough.
    """
    rows = np.empty((MAX_READS, 6), np.int64)
    who = np.empty((MAX_READS, 2), np.int64)
    order = np.empty(MAX_READS, np.int64)
    slot_of = np.full((templates, 2), -1, np.int64)
    likes = np.empty((MAX_READS, MAX_HAPS), np.float32)
    chances = np.empty((MAX_READS, MAX_HAPS))
    masks = np.zeros(MAX_HAPS, np.int64)
    haps = np.empty((MAX_HAPS, MAX_HAP), np.uint8)
    grid = np.empty((3, MAX_CORE + 1, MAX_CORE + 1), np.int32)
    moves = np.empty(2 * MAX_CORE, np.uint8)
    gaps = np.empty((MAX_HAPS, MAX_HAP), np.float32)
    hap_len = np.zeros(MAX_HAPS, np.int64)
    posterior = np.empty((MAX_HAPS, MAX_HAPS))
    allele_of = np.empty(MAX_HAPS, np.int64)
    allele_mask = np.empty(MAX_ALLELES, np.int64)
    prior_of = np.empty(MAX_ALLELES)
    table = np.empty((MAX_ALLELES, MAX_ALLELES))
    written = np.int64(0)
    filled = np.int64(0)
    own = np.int64(0)
    for region in range(len(regions)):
        left, right_end = regions[region, 0], regions[region, 1]
        first, count = regions[region, 2], regions[region, 3]
        begin = repeat_end(ref, left, -1, 6, _REPEAT) - _PAD - _FLANK
        end = repeat_end(ref, right_end, 1, 6, _REPEAT) + _PAD + _FLANK
        if min(end, len(ref)) - max(begin, 0) > MAX_HAP:
            continue
        n, slots, total = _gather(
            reads, template, ref, slot_of, np.int64(region), left, right_end, begin + _FLANK,
            end - _FLANK, regions[region, 4], min_mapq, rows, who,
        )  # fmt: skip
        _sort_by_length(rows, n, order)
        begin = max(begin, 0)
        end = min(end, len(ref))
        edit_prior = edits.prior[first : first + count]
        near = _neighbours(edits, first, count, given)
        masks[0] = 0
        n_haps, known = np.int64(1), np.int64(0)
        room = MAX_HAP - (end - begin)
        weighed = np.int64(0)
        pruned = False
        for e in range(count):
            if n_haps > MAX_HAPS // 2:
                n_haps, best = _weigh(
                    reads, ref, edits, first, count, begin, end, n, slots, rows, who, order, masks,
                    known, n_haps, hap_len, gaps, haps, edit_prior, near, ploidy, right, wrong,
                    mismap, gap_table, space, likes, chances, posterior,
                )  # fmt: skip
                n_haps = _prune(posterior, masks, n_haps, hap_len, gaps, haps, likes, n)
                known = n_haps
                pruned = True
            before = n_haps
            n_haps = _extend(edits, first, e, room, given, masks, n_haps)
            weighed |= np.int64(n_haps > before) << e
        n_haps, best = _weigh(
            reads, ref, edits, first, count, begin, end, n, slots, rows, who, order, masks, known,
            n_haps, hap_len, gaps, haps, edit_prior, near, ploidy, right, wrong, mismap, gap_table,
            space, likes, chances, posterior,
        )  # fmt: skip
        since = np.int64(0)
        for step in range(_MOST_STEPS if pruned else 0):
            if since >= min(_KEEP, n_haps):
                break
            n_haps = _prune(posterior, masks, n_haps, hap_len, gaps, haps, likes, n)
            known = n_haps
            base = masks[step % known]
            n_haps = _vary(edits, first, count, room, given, masks, n_haps, base)
            n_haps, value = _weigh(
                reads, ref, edits, first, count, begin, end, n, slots, rows, who, order, masks,
                known, n_haps, hap_len, gaps, haps, edit_prior, near, ploidy, right, wrong, mismap,
                gap_table, space, likes, chances, posterior,
            )  # fmt: skip
            since = since + 1 if value <= best + 1e-9 else np.int64(0)
            best = max(best, value)
        _copy_edits(edits, first, count, own, spelled)
        if not given:
            one, two = _best_pair(posterior, n_haps)
            count = respell(
                ref, begin, end, spelled, own, count, masks, haps, hap_len, n_haps, one, two, grid,
                moves,
            )  # fmt: skip
        spans[region, 0] = own
        spans[region, 1] = count
        for e in range(count):
            site = spelled.site[own + e]
            seen = False
            for k in range(e):
                seen = seen or spelled.site[own + k] == site
            if seen:
                continue
            alleles = _alleles(spelled, own, count, site, masks, n_haps, allele_of, allele_mask)
            prior_of[0] = 0.0
            for a in range(1, alleles):
                prior_of[a] = 0.0
                for k in range(count):
                    if allele_mask[a] > 0 and allele_mask[a] >> k & 1:
                        prior_of[a] += spelled.prior[own + k]
            genotype.site_genotypes(posterior, n_haps, allele_of, alleles, table)
            for k in range(INTS):
                ints[written, k] = 0
            called = _write_record(
                table, alleles, allele_mask, region, site, prior_of, ints[written],
                floats[written], ploidy,
            )  # fmt: skip
            ints[written, 7] = weighed
            if called or given:
                _count_support(
                    reads, n, slots, who, chances, n_haps, allele_of, alleles,
                    np.int64(spelled.anchor[own + e]), ints[written], floats[written, UNSEEN:],
                )  # fmt: skip
                if not given and ints[written, 3] != ints[written, 4]:
                    filled = _write_evidence(
                        reads, n, slots, who, chances, n_haps, allele_of, ints[written, 3],
                        ints[written, 4], np.int64(spelled.anchor[own + e]), names, shares, filled,
                    )  # fmt: skip
                told[written, 0] = total
                told[written, 1] = filled
                written += 1
        own += count
    return written
