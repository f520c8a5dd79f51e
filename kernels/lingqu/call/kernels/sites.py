"""Records of many samples at one place: which are spelled alike, and what they say of alleles."""

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.call.kernels.gvcf_lines import (
    ALT,
    ALTS,
    DEPTH,
    FILTER,
    HAS_AD,
    HAS_PL,
    LEFT,
    PLOIDY,
    PQ,
    PS,
    RECORD,
    REF,
    RIGHT,
    TOLD,
)

UNPHASED = -1


@leaf
def states_of(ploidy, alleles):
    """Genotypes of so many alleles."""
    return alleles * (alleles + 1) // 2 if ploidy == 2 else alleles


@kernel
def find_records(ints, letters, at, text_at, hashes):
    """Where each record begins in ints (int32) and letters (uint8), and a hash of its alleles.

    at, text_at: int64[records], filled; the first of each is given. hashes: uint64[records], FNV-1a
    of REF and ALT.
    """
    for i in range(len(at)):
        a, t = at[i], text_at[i]
        told, alleles = ints[a + TOLD], ints[a + ALTS] + 2
        value = np.uint64(14695981039346656037)
        for k in range(t, t + ints[a + REF] + ints[a + ALT]):
            mark = np.uint64(0) if k == t + ints[a + REF] else np.uint64(256)
            value = (value ^ np.uint64(letters[k]) ^ mark) * np.uint64(1099511628211)
        hashes[i] = value
        if i + 1 < len(at):
            size = RECORD
            size += alleles if told & HAS_AD else 0
            size += states_of(ints[a + PLOIDY], alleles) if told & HAS_PL else 0
            at[i + 1] = a + size
            text_at[i + 1] = t + ints[a + REF] + ints[a + ALT] + ints[a + FILTER]


@kernel
def number_spellings(order, pos, hashes, ints, letters, at, text_at, number):
    """Number the spellings: a place with its REF and ALT, from 0 as `order` comes upon them.

    order: int64[records], sorted by pos and hash. number: int64[records], filled. Returns how many.
    """
    n = -1
    for k in range(len(order)):
        i, j = order[k], order[k - 1]
        same = k > 0 and pos[i] == pos[j] and hashes[i] == hashes[j]
        if same:
            a, b = at[i], at[j]
            same = ints[a + REF] == ints[b + REF] and ints[a + ALT] == ints[b + ALT]
            for x in range(ints[a + REF] + ints[a + ALT]):
                if not same or letters[text_at[i] + x] != letters[text_at[j] + x]:
                    same = False
                    break
        n += not same
        number[i] = n
    return n + 1


@leaf
def _least(pl, ploidy, one, two, own):
    """Least PL of a genotype with an allele of mask `one` and one of `two`, of `own` alleles."""
    least = np.int64(1) << 40
    for b in range(own):
        for a in range(b + 1 if ploidy == 2 else 1):
            if ploidy == 1:
                if one >> b & two >> b & 1 and pl[b] < least:
                    least = pl[b]
            elif (one >> a & two >> b | one >> b & two >> a) & 1:
                least = min(least, np.int64(pl[b * (b + 1) // 2 + a]))
    return least


@leaf
def _tell_record(record, masks, depth, ad, pl):
    """What a record (int32, its numbers) says of the alleles of a site: see `gather`."""
    own, told, ploidy, alleles = record[ALTS] + 2, record[TOLD], record[PLOIDY], len(masks)
    at = RECORD
    for a in range(alleles):
        ad[a] = 0
    if told & HAS_AD:
        for a in range(alleles):
            for x in range(own):
                ad[a] += record[at + x] if masks[a] >> x & 1 else 0
        at += own
    g = 0
    for b in range(alleles):
        for a in range(b if ploidy == 1 else 0, b + 1):
            known = told & HAS_PL
            pl[g] = _least(record[at:], ploidy, masks[a], masks[b], own) if known else 0
            g += 1
    return ploidy, record[DEPTH]


@kernel
def gather(blocks, ints, at, sample, row, masks, ploidy, depth, ad, pl):
    """What all samples say of the alleles of a site: ploidy, depth, ad and pl are filled.

    blocks: int32[n, 4], ploidy, depth and the PLs of 0/x and x/x of each sample's block. at,
    sample, row: int64[r], of the records: where they begin in ints, whose they are, and which of
    masks they follow. masks: int64[rows, alleles], bit x: the record's own allele x is the site's.
    ploidy, depth: int64[n]; ad: int64[n, alleles]; pl: int32[n, genotypes of two copies], of one
    copy the first `alleles` of a row.
    """
    alleles = masks.shape[1]
    for s in range(len(blocks)):
        ploidy[s], depth[s] = blocks[s, 0], blocks[s, 1]
        het, alt = blocks[s, 2], blocks[s, 3]
        ad[s, 0], pl[s, 0] = depth[s], 0
        for b in range(1, alleles):
            ad[s, b] = 0
            if ploidy[s] == 1:
                pl[s, b] = alt
                continue
            first = b * (b + 1) // 2
            pl[s, first] = het
            for a in range(1, b + 1):
                pl[s, first + a] = alt
    for r in range(len(at)):
        s = sample[r]
        ploidy[s], depth[s] = _tell_record(ints[at[r] :], masks[row[r]], depth, ad[s], pl[s])


@leaf
def _site_allele(own, masks):
    """The site's allele that the record's own allele is, -1 for none."""
    for a in range(len(masks)):
        if own >= 0 and masks[a] >> own & 1:
            return a
    return -1


@kernel
def carry_phases(ints, at, sample, row, masks, gt, phase):
    """Phase of the genotypes that are as the records told them, into phase; whether there is any.

    gt: int16[n, 2], the samples' genotypes, lower allele first. phase: int32[n, 3], phase set and
    quality, and whether the higher allele stands on the left; UNPHASED as the set where none is.
    """
    for s in range(len(phase)):
        phase[s, 0] = UNPHASED
    found = False
    for r in range(len(at)):
        record, s = ints[at[r] :], sample[r]
        if record[PS] and record[PLOIDY] == 2:
            left = _site_allele(record[LEFT], masks[row[r]])
            right = _site_allele(record[RIGHT], masks[row[r]])
            if left != right and gt[s, 0] == min(left, right) and gt[s, 1] == max(left, right):
                phase[s, 0], phase[s, 1], phase[s, 2] = record[PS], record[PQ], left > right
                found |= gt[s, 0] >= 0
    return found
