"""Haplotypes of a region and what its reads say of them: likelihoods, chances, pairs."""

from typing import NamedTuple

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels import genotype
from lingqu.call.kernels.haplotypes import build, mismatches, place
from lingqu.call.kernels.limits import MAX_HAP, MAX_HAPS, MAX_READS
from lingqu.call.kernels.pairhmm import LANES, forward, load_haplotype, load_read
from lingqu.call.kernels.scan import gap_costs

KEPT = 10
"""Haplotypes that a pruning leaves."""
_SCALE = np.float32(1e30)


class Tables(NamedTuple):
    """What is known before: see lingqu.call.model. space: the pair-HMM's workspace."""

    right: np.ndarray  # float32[256], chance of an agreeing base by quality
    wrong: np.ndarray  # float32[256], of a disagreeing one
    mismap: np.ndarray  # float64[256], chance of a wrong place by MAPQ
    gaps: np.ndarray  # float32[periods, copies], chance of a gap to open
    space: np.ndarray  # float32[WORKSPACE]


class Region(NamedTuple):
    """A region: its edits, the reference places [begin, end) of its haplotypes, its reads."""

    first: int
    count: int
    begin: int
    end: int
    n: int
    slots: int
    ploidy: int
    given: bool
    prior: np.ndarray  # float64[count], log10, of the edits
    near: np.ndarray  # int64[count], see `neighbours`


class Room(NamedTuple):
    """Haplotypes and reads of a region; haplotype 0 is the reference.

    rows: see `gather`. who: read and slot of its template. order: reads by length. likes:
    likelihood of a read under a haplotype. chances: of a template, relative to its best haplotype,
    at least the chance that it is mapped wrongly. posterior: log10, of pairs.
    """

    rows: np.ndarray  # int64[MAX_READS, 6]
    who: np.ndarray  # int64[MAX_READS, 2]
    order: np.ndarray  # int64[MAX_READS]
    masks: np.ndarray  # int64[MAX_HAPS]
    hap_len: np.ndarray  # int64[MAX_HAPS]
    haps: np.ndarray  # uint8[MAX_HAPS, MAX_HAP]
    gaps: np.ndarray  # float32[MAX_HAPS, MAX_HAP]
    likes: np.ndarray  # float32[MAX_READS, MAX_HAPS]
    chances: np.ndarray  # float64[MAX_READS, MAX_HAPS]
    posterior: np.ndarray  # float64[MAX_HAPS, MAX_HAPS]


@kernel
def new_room():
    """Room for one region after the other."""
    return Room(
        np.empty((MAX_READS, 6), np.int64),
        np.empty((MAX_READS, 2), np.int64),
        np.empty(MAX_READS, np.int64),
        np.zeros(MAX_HAPS, np.int64),
        np.zeros(MAX_HAPS, np.int64),
        np.empty((MAX_HAPS, MAX_HAP), np.uint8),
        np.empty((MAX_HAPS, MAX_HAP), np.float32),
        np.empty((MAX_READS, MAX_HAPS), np.float32),
        np.empty((MAX_READS, MAX_HAPS)),
        np.empty((MAX_HAPS, MAX_HAPS)),
    )


@kernel
def _likelihoods(reads, edits, region, room, tables, from_hap, to_hap):
    """Fill room.likes for haplotypes from_hap <= hap < to_hap."""
    rows, who, order, space = room.rows, room.who, room.order, tables.space
    length = np.empty(LANES, np.int64)
    result = np.empty(LANES, np.float32)
    for base in range(0, region.n, LANES):
        for lane in range(LANES):
            length[lane] = 0
            if base + lane < region.n:
                i = order[base + lane]
                r = who[i, 0]
                a = reads.base_start[r] + rows[i, 0]
                b = reads.base_start[r] + rows[i, 1]
                length[lane] = b - a
                codes, quals = reads.codes[a:b], reads.quals[a:b]
                load_read(space, lane, codes, quals, tables.right, tables.wrong)
        for h in range(from_hap, to_hap):
            mask, hap = room.masks[h], room.haps[h, : room.hap_len[h]]
            for lane in range(LANES):
                if length[lane] == 0:
                    continue
                i = order[base + lane]
                r = who[i, 0]
                start = place(edits, region.first, region.count, mask, region.begin, rows[i, 3])
                start -= rows[i, 2] - rows[i, 0]
                other = place(edits, region.first, region.count, mask, region.begin, rows[i, 5])
                other -= rows[i, 4] - rows[i, 0]
                if other != start:
                    a = reads.base_start[r] + rows[i, 0]
                    codes = reads.codes[a : a + length[lane]]
                    here = mismatches(codes, hap, len(hap), start)
                    if mismatches(codes, hap, len(hap), other) < here:
                        start = other
                load_haplotype(space, lane, hap, room.gaps[h, : len(hap)], start, length[lane])
            forward(space, length, _SCALE, result)
            for lane in range(LANES):
                if length[lane] > 0:
                    room.likes[order[base + lane], h] = result[lane]


@kernel
def _chances(reads, region, room, tables, haps):
    """Fill room.chances from the likelihoods."""
    slots, who, chances = region.slots, room.who, room.chances
    floor = np.zeros(slots)
    for s in range(slots):
        for h in range(haps):
            chances[s, h] = 1.0
    for i in range(region.n):
        s = who[i, 1]
        floor[s] = max(floor[s], tables.mismap[reads.mapq[who[i, 0]]])
        for h in range(haps):
            chances[s, h] *= np.float64(room.likes[i, h])
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
def _move(h, to, region, room):
    """Put haplotype h in the place `to`."""
    room.masks[to] = room.masks[h]
    room.hap_len[to] = room.hap_len[h]
    for k in range(room.hap_len[h]):
        room.haps[to, k] = room.haps[h, k]
        room.gaps[to, k] = room.gaps[h, k]
    for i in range(region.n):
        room.likes[i, to] = room.likes[i, h]


@kernel
def _drop_twins(region, room, known, haps):
    """Of haplotypes with the same bases keep the one with the greatest prior; returns how many are
    left. Those before `known` have no twins among themselves.
    """
    kept = np.int64(known)
    masks, hap_len, prior, near = room.masks, room.hap_len, region.prior, region.near
    for h in range(known, haps):
        twin = np.int64(-1)
        for k in range(kept):
            if hap_len[k] == hap_len[h] and twin < 0:
                same = True
                for i in range(hap_len[h]):
                    if room.haps[k, i] != room.haps[h, i]:
                        same = False
                        break
                if same:
                    twin = k
        if twin < 0:
            if kept != h:
                _move(h, kept, region, room)
            kept += 1
        else:
            own = genotype.pair_prior(prior, near, masks[h], 0, region.count)
            other = genotype.pair_prior(prior, near, masks[twin], 0, region.count)
            if own > other + 1e-9:
                _move(h, twin, region, room)
    return kept


@kernel
def prune(region, room, haps):
    """Keep the KEPT haplotypes of the best pairs, and the reference (haplotype 0), in order."""
    score = np.full(haps, genotype.IMPOSSIBLE)
    for one in range(haps):
        for two in range(one, haps):
            score[one] = max(score[one], room.posterior[one, two])
            score[two] = max(score[two], room.posterior[one, two])
    keep = np.zeros(haps, np.bool_)
    keep[0] = True
    for _ in range(min(KEPT, haps) - 1):
        best = np.int64(-1)
        for h in range(haps):
            if not keep[h] and (best < 0 or score[h] > score[best]):
                best = h
        keep[best] = True
    kept = np.int64(0)
    for h in range(haps):
        if keep[h]:
            if kept != h:
                _move(h, kept, region, room)
            kept += 1
    return kept


@kernel
def weigh(reads, ref, edits, region, room, tables, known, haps):
    """Build the haplotypes from `known` on, drop twins, and weigh all pairs.

    Returns how many haplotypes are left, and the greatest posterior.
    """
    first, count, begin, end = region.first, region.count, region.begin, region.end
    for h in range(known, haps):
        size = build(ref, edits, first, count, room.masks[h], begin, end, room.haps[h])
        room.hap_len[h] = size
        gap_costs(room.haps[h], 0, size, tables.gaps, room.gaps[h])
    _likelihoods(reads, edits, region, room, tables, known, haps)
    left = _drop_twins(region, room, known, haps)
    _chances(reads, region, room, tables, left)
    best = genotype.all_pairs(
        room.chances, region.slots, room.masks, left, region.prior, region.near, count,
        region.ploidy, room.posterior,
    )  # fmt: skip
    return left, best


@kernel
def best_pair(posterior, haps):
    """The likeliest pair of haplotypes."""
    best_one, best_two = 0, 0
    for one in range(haps):
        for two in range(one, haps):
            if posterior[one, two] > posterior[best_one, best_two]:
                best_one, best_two = one, two
    return best_one, best_two
