"""Chain a read's seed hits into candidate places.

The score of a chain is the number of read bases its seeds cover less a price for each change of
diagonal, found by dynamic programming over a bounded look-back: Li, "Minimap2: pairwise alignment
for nucleotide sequences", Bioinformatics 34:3094, 2018, section 2.1.
"""

import numpy as np

from lingqu.align.kernels.candidates import CHAINED, FEW, MOST, ROOM
from lingqu.align.kernels.seed import place_of
from lingqu.base.jit import kernel
from lingqu.sequence.kmers import K

FEW_HITS = 64
"""A seed with more hits is passed over while the read has better ones."""

MANY_HITS = 1024
"""Of a seed with more hits none is looked at."""

MAX_ANCHORS = 1 << 13
LOOK_BACK = 40
MAX_SHIFT = 100
"""Largest change of diagonal within a chain, in bases."""

_READ_BITS = np.int64(10)
_READ_MASK = np.int64((1 << 10) - 1)
_STRAND_BIT = np.int64(1 << 50)


@kernel(inline="always")
def pack_anchor(strand, place, query):
    """A hit as one sortable int64: strand, place in the reference, place in the oriented read."""
    return (np.int64(strand) << 50) | (np.int64(place) << _READ_BITS) | np.int64(query)


@kernel
def _gather(begin, end, places, first, count, found_at, entries, most, length, anchors):
    """Pack (strand, reference, read) of every hit into anchors; returns their number."""
    found = 0
    for i in range(begin, end):
        if count[i] > most:
            continue
        query = places[i] >> 1
        strand = places[i] & 1
        for j in range(first[i], first[i] + count[i]):
            if found == anchors.size:
                return found
            place = found_at[i] if j == first[i] else place_of(entries[j])
            if (place & 1) == strand:
                anchors[found] = pack_anchor(0, place >> 1, query)
            else:
                anchors[found] = pack_anchor(1, place >> 1, length - K - query)
            found += 1
    return found


@kernel
def sort_anchors(values, n):
    """Sort values[:n] in place."""
    if n > 48:
        values[:n].sort()
        return
    for i in range(1, n):
        value = values[i]
        j = i
        while j > 0 and values[j - 1] > value:
            values[j] = values[j - 1]
            j -= 1
        values[j] = value


@kernel
def score_anchors(anchors, n, k, scores, previous):
    """Best chain that ends at each anchor, and the anchor before it there (-1 for none).

    anchors: int64[>= n], ascending, of seeds of k bases, packed as `pack_anchor` does.
    """
    for i in range(n):
        query = anchors[i] & _READ_MASK
        place = anchors[i] >> _READ_BITS
        best = np.int32(k)
        link = -1
        for j in range(i - 1, max(i - 1 - LOOK_BACK, -1), -1):
            on_query = query - (anchors[j] & _READ_MASK)
            on_reference = place - (anchors[j] >> _READ_BITS)
            if on_reference > 1024:
                break
            if on_query <= 0 or on_reference <= 0:
                continue
            shift = abs(on_reference - on_query)
            if shift > MAX_SHIFT:
                continue
            gain = min(on_query, on_reference, k)
            score = scores[j] + np.int32(gain)
            if shift:
                score -= np.int32(4 + (shift >> 2))
            if score > best:
                best = score
                link = j
                if not shift:
                    break  # whatever came before this seed on the diagonal is in its score
        scores[i] = best
        previous[i] = link


@kernel
def take_chains(anchors, n, k, scores, previous, most, table, slot):
    """Write the best chains, at most `most`, each anchor in one, to table[slot:]; how many."""
    taken = 0
    floor = 0
    for _ in range(4 * most):
        end = -1
        best = np.int32(0)
        for i in range(n):
            if scores[i] > best:
                best = scores[i]
                end = i
        if end < 0 or best * 4 < floor or taken == most:
            break
        floor = max(floor, best)
        low = high = (anchors[end] >> _READ_BITS) - (anchors[end] & _READ_MASK)
        i = end
        begin = end
        while i >= 0 and scores[i] > 0:
            diagonal = (anchors[i] >> _READ_BITS) - (anchors[i] & _READ_MASK)
            low = min(low, diagonal)
            high = max(high, diagonal)
            begin = i
            scores[i] = 0
            i = previous[i]
        if i >= 0 and begin == end:
            continue  # the tail of a chain already taken
        c = slot + taken
        strand = (anchors[end] & _STRAND_BIT) >> 50
        base = (strand << 50) >> _READ_BITS
        table.strand[c] = strand
        table.diagonal_low[c] = low - base
        table.diagonal_high[c] = high - base
        table.read_begin[c] = anchors[begin] & _READ_MASK
        table.read_end[c] = (anchors[end] & _READ_MASK) + k
        table.score[c] = best
        table.chain[c] = best
        taken += 1
    return taken


@kernel
def chain_reads(
    keep, seed_start, places, first, count, found_at, entries, table, slots, counts, repeats
):
    """Fill the candidate table of a chunk.

    keep: int32[n], bases of each read in use. seed_start, places, first, count, found_at: as
    `seed_reads` and `look_up` leave them. table, slots: as `new_candidates` says; slots is
    int64[n + 1], out. counts: int32[n], out. repeats: int32[n], out: seeds of the read passed over
    for having too many hits.
    """
    anchors = np.empty(MAX_ANCHORS, np.int64)
    scores = np.empty(MAX_ANCHORS, np.int32)
    previous = np.empty(MAX_ANCHORS, np.int32)
    used = 0
    for r in range(keep.size):
        begin, end = seed_start[r], seed_start[r + 1]
        length = np.int64(keep[r])
        frequent = 0
        for i in range(begin, end):
            if count[i] > FEW_HITS:
                frequent += 1
        repeats[r] = frequent
        n = _gather(begin, end, places, first, count, found_at, entries, FEW_HITS, length, anchors)
        if n == 0 and frequent:
            n = _gather(
                begin, end, places, first, count, found_at, entries, MANY_HITS, length, anchors
            )
        sort_anchors(anchors, n)
        score_anchors(anchors, n, K, scores, previous)
        slots[r] = used
        counts[r] = take_chains(anchors, n, K, scores, previous, CHAINED, table, used)
        used += counts[r] + ROOM if 0 < counts[r] <= FEW else MOST
        table.read[slots[r] : used] = r
    slots[keep.size] = used
