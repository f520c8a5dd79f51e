"""Which haplotypes of a region are weighed: all that its edits make, or, of many, the best found.

Edits are put in one by one. Where there get to be too many haplotypes, the best are kept; then
these are varied edit by edit, until nothing gets better.
"""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels import genotype
from lingqu.call.kernels.haplotypes import conflict
from lingqu.call.kernels.limits import MAX_HAP, MAX_HAPS
from lingqu.call.kernels.weigh import KEPT, prune, weigh

_MOST_STEPS = 40
"""Most times that one of the best haplotypes is varied, by turns, where some were pruned."""


@kernel
def neighbours(edits, first, count, given):
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
def _improve(reads, ref, edits, region, room, tables, haps, best):
    """Vary the best haplotypes, by turns; returns how many haplotypes there are then."""
    space = MAX_HAP - (region.end - region.begin)
    since = np.int64(0)
    for step in range(_MOST_STEPS):
        if since >= min(KEPT, haps):
            break
        known = prune(region, room, haps)
        base = room.masks[step % known]
        haps = _vary(
            edits, region.first, region.count, space, region.given, room.masks, known, base
        )
        haps, value = weigh(reads, ref, edits, region, room, tables, known, haps)
        since = since + 1 if value <= best + 1e-9 else np.int64(0)
        best = max(best, value)
    return haps


@kernel
def search(reads, ref, edits, region, room, tables):
    """Fill the room with the haplotypes of a region, weighed; (their number, mask of the edits that
    any of them was given).
    """
    space = MAX_HAP - (region.end - region.begin)
    room.masks[0] = 0
    haps, known = np.int64(1), np.int64(0)
    tried = np.int64(0)
    pruned = False
    for e in range(region.count):
        if haps > MAX_HAPS // 2:
            haps, _ = weigh(reads, ref, edits, region, room, tables, known, haps)
            haps = prune(region, room, haps)
            known = haps
            pruned = True
        before = haps
        haps = _extend(edits, region.first, e, space, region.given, room.masks, haps)
        tried |= np.int64(haps > before) << e
    haps, best = weigh(reads, ref, edits, region, room, tables, known, haps)
    if pruned:
        haps = _improve(reads, ref, edits, region, room, tables, haps, best)
    return haps, tried
