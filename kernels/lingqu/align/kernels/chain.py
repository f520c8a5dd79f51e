"""Chain a read's seed hits into candidate places.

The score of a chain is the number of read bases its seeds cover less a price for each change of
diagonal, found by dynamic programming over a bounded look-back: Li, "Minimap2: pairwise alignment
for nucleotide sequences", Bioinformatics 34:3094, 2018, section 2.1.
"""

import numpy as np

from lingqu.align.kernels.candidates import CHAINED, FEW, MOST, ROOM, WINDOW
from lingqu.align.kernels.diagonal import SCORE, align_flat, new_scratch
from lingqu.align.kernels.scoring import MATCH, MISMATCH, SURE
from lingqu.align.kernels.seed import place_of
from lingqu.base.jit import kernel, leaf
from lingqu.sequence.kmers import K

RARE_HITS = 8
"""Seeds with more hits are looked at only where the others leave doubt."""

FEW_HITS = 64
"""A seed with more hits is passed over while the read has better ones."""

MANY_HITS = 256
"""Of a seed with more hits none is looked at."""

MENDED = 10
"""Score units that a place of seeds passed over may be ahead where a read does not match well."""

MAX_ANCHORS = 1 << 13
LOOK_BACK = 40
MAX_SHIFT = 100
"""Largest change of diagonal within a chain, in bases."""

_GAPS = (1750, 701, 301, 132, 57, 23, 10, 4, 1)
_WRONG = MATCH - MISMATCH
_READ_BITS = np.int64(10)
_READ_MASK = np.int64((1 << 10) - 1)
_END_BITS = np.int64(32)
_END_MASK = np.int64((1 << 32) - 1)
_STRAND_BIT = np.int64(1 << 50)


@kernel(inline="always")
def pack_anchor(strand, place, query):
    """A hit as one sortable int64: strand, place in the reference, place in the oriented read."""
    return (np.int64(strand) << 50) | (np.int64(place) << _READ_BITS) | np.int64(query)


@leaf
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


@leaf
def sort_anchors(values, n):
    """Sort values[:n] in place: Shell's sort with Ciura's gaps (FCT 2001)."""
    for gap in _GAPS:
        for i in range(gap, n):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value


@leaf
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


@leaf
def _list_ends(scores, previous, n, ends):
    """Anchors that no other goes on from without loss, as sorted (score, earliest last) keys."""
    ends[:n] = 0
    for i in range(n):
        if previous[i] >= 0 and scores[i] >= scores[previous[i]]:
            ends[previous[i]] = 1
    found = 0
    for i in range(n):
        if ends[i] == 0:
            ends[found] = (np.int64(scores[i]) << _END_BITS) | (n - i)
            found += 1
    sort_anchors(ends, found)
    return found


@leaf
def take_chains(anchors, n, k, scores, previous, ends, most, table, slot):
    """Write the best chains, at most `most`, each anchor in one, to table[slot:]; how many.

    ends: int64[>= n], scratch. The rest is as `score_anchors` leaves it; scores are used up.
    """
    taken = 0
    floor = 0
    for e in range(_list_ends(scores, previous, n, ends) - 1, -1, -1):
        end = n - (ends[e] & _END_MASK)
        best = np.int32(ends[e] >> _END_BITS)
        if best * 4 < floor or taken == most:
            break
        if scores[end] == 0:
            continue
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
        table.ref_end[c] = 0
        table.diagonal_low[c] = low - base
        table.diagonal_high[c] = high - base
        table.read_begin[c] = anchors[begin] & _READ_MASK
        table.read_end[c] = (anchors[end] & _READ_MASK) + k
        table.score[c] = best
        table.chain[c] = best
        taken += 1
    return taken


@leaf
def _count_disjoint(begin, end, places, count, least, most):
    """Seeds with `least` to `most` hits that do not overlap, as many as there can be."""
    found = 0
    free = np.int64(0)
    for i in range(begin, end):
        if least <= count[i] <= most and places[i] >> 1 >= free:
            found += 1
            free = (places[i] >> 1) + K
    return found


@leaf
def _judge(begin, end, places, count, most, length, score):
    """Whether the places that seeds of up to `most` hits have found will do for a read.

    score: of the best of them, 0 for none. Returns (that, best score that a place may have whose
    seeds were all passed over; 0 where none were).
    """
    passed = 0
    for i in range(begin, end):
        passed += count[i] > most
    if not passed:
        return True, np.int64(0)
    lost = length * MATCH - score
    absent = _count_disjoint(begin, end, places, count, 0, 0) * _WRONG
    ahead = _count_disjoint(begin, end, places, count, 1, most) * _WRONG
    ahead -= min(max(lost - absent, 0), MENDED)
    certain = _count_disjoint(begin, end, places, count, 0, most) * _WRONG
    done = most == MANY_HITS or lost <= certain - SURE
    done |= most == FEW_HITS and score > 0 and ahead > 0
    return done, max(score - ahead, 0)


@kernel
def chain_reads(
    codes, start, keep, reference, easy, placed, seed_start, places, first, count, found_at,
    entries, table, slots, counts, unseen,
):  # fmt: skip
    """Fill the candidate table of a chunk.

    codes, start, keep, reference: as in `place_easy`. easy, placed: as it leaves them; of a placed
    read nothing else is sought. seed_start, places, first, count, found_at: the seeds of the
    others, as `keep_hard` and `look_up` leave them. table, slots: as `new_candidates` says; slots
    is int64[n + 1], out. counts: int32[n], out. unseen: int32[n], out: see `_judge`.

    Seeds with many hits are looked at only where the others do not make sure that what they find
    is far better than any other place: see `lingqu.align.kernels.probe`.
    """
    anchors, ends = np.empty(MAX_ANCHORS, np.int64), np.empty(MAX_ANCHORS, np.int64)
    scores, previous = np.empty(MAX_ANCHORS, np.int32), np.empty(MAX_ANCHORS, np.int32)
    masks, mismatches, result = new_scratch()
    used = 0
    for r in range(keep.size):
        slots[r] = used
        if placed[r]:
            table[used] = easy[r]
            counts[r] = 1
            unseen[r] = 0
            mate = r ^ 1  # with one place it has one window
            used += 1 + (WINDOW if mate < keep.size and placed[mate] else ROOM)
            table.read[slots[r] : used] = r
            continue
        begin, end = seed_start[r], seed_start[r + 1]
        length = np.int64(keep[r])
        for most in (RARE_HITS, FEW_HITS, MANY_HITS):
            n = _gather(begin, end, places, first, count, found_at, entries, most, length, anchors)
            sort_anchors(anchors, n)
            score_anchors(anchors, n, K, scores, previous)
            counts[r] = take_chains(anchors, n, K, scores, previous, ends, CHAINED, table, used)
            result[SCORE] = 0
            if n:
                query, diagonal = codes[table.strand[used]], table.diagonal_low[used]
                align_flat(
                    query, start[r], length, reference, diagonal, masks[0], mismatches, result
                )
            done, unseen[r] = _judge(begin, end, places, count, most, length, result[SCORE])
            if done:
                break
        used += counts[r] + ROOM if 0 < counts[r] <= FEW else MOST
        table.read[slots[r] : used] = r
    slots[keep.size] = used
