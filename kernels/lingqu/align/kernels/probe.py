"""Place a read by a few of its seeds, where that is as good as by all of them.

Seeds that do not overlap are looked up. Each of them that lies once in the reference, or not at
all, costs any other place of the read a mismatch at least: that bounds the score of places nobody
looked at. A read whose unique seeds agree, and whose alignment there is well above that bound, is
done with. The bound is exact since a syncmer of the read is a syncmer wherever it occurs.
"""

import numpy as np

from lingqu.align.kernels.chain import MAX_SHIFT
from lingqu.align.kernels.diagonal import SCORE, align_simply, is_crowded, new_scratch
from lingqu.align.kernels.extend import LARGE, write_simple
from lingqu.align.kernels.scoring import MATCH, MISMATCH, SURE
from lingqu.base.jit import kernel, leaf
from lingqu.sequence.kmers import K

_AHEAD = 8
_LINE = 64


@kernel
def choose_probes(seed_start, places, hashes, probe_start, probe_places, probe_hashes):
    """Copy seeds of each read that do not overlap; returns how many.

    seed_start, places, hashes: as `seed_reads` leaves them. probe_start: int64[n + 1], out;
    probe_places, probe_hashes: out, of the probes of read r from probe_start[r] on.
    """
    total = 0
    for r in range(seed_start.size - 1):
        probe_start[r] = total
        free = 0
        for i in range(seed_start[r], seed_start[r + 1]):
            at = places[i] >> 1
            if at >= free:
                probe_places[total] = places[i]
                probe_hashes[total] = hashes[i]
                total += 1
                free = at + K
    probe_start[seed_start.size - 1] = total
    return total


@leaf
def _vote(begin, end, places, count, found_at, length):
    """(strand, lowest diagonal, highest, seeds without another place); strand -1: no agreement."""
    strand = -1
    low = high = np.int64(0)
    bound = 0
    agree = 0
    for i in range(begin, end):
        if count[i] > 1:
            continue
        bound += 1
        if count[i] == 0:
            continue
        side = (found_at[i] ^ places[i]) & 1
        query = length - K - (places[i] >> 1) if side else places[i] >> 1
        diagonal = (found_at[i] >> 1) - query
        if agree == 0:
            strand = side
            low = high = diagonal
        elif side != strand or abs(diagonal - low) > MAX_SHIFT:
            return -1, low, high, bound
        low = min(low, diagonal)
        high = max(high, diagonal)
        agree += 1
    return strand, low, high, bound


@kernel
def place_easy(
    codes, unknowns, start, keep, probe_start, places, count, found_at, reference, easy, placed,
    cigar, used,
):  # fmt: skip
    """Align the reads that a few seeds place without doubt.

    codes, unknowns: see `both_strands`. probe_start, places, count, found_at: the probes, looked
    up. easy: candidates (a table as `new_candidates` makes), row r out where placed[r] (bool[n],
    out). cigar, used: pool of operations, with room for three a read, and where it is free. Returns
    the new `used`, and what keeps the early loads of the reference from being dropped.
    """
    masks, found, result = new_scratch()
    reads = keep.size
    strand, low, high = (
        np.empty(reads, np.int8),
        np.empty(reads, np.int64),
        np.empty(reads, np.int64),
    )
    bound = np.empty(reads, np.int32)
    for r in range(reads):
        strand[r], low[r], high[r], bound[r] = _vote(
            probe_start[r], probe_start[r + 1], places, count, found_at, np.int64(keep[r])
        )
    touched = np.uint8(0)
    for r in range(reads):
        ahead = r + _AHEAD
        if ahead < reads and strand[ahead] >= 0:  # the loads of several reads at a time
            for line in range(0, np.int64(keep[ahead]), _LINE):
                touched |= reference[low[ahead] + line]
        placed[r] = False
        most = bound[r] * (MATCH - MISMATCH) - SURE
        if strand[r] < 0 or most < 0:
            continue
        n = np.int64(keep[r])
        query = codes[strand[r]]
        align_simply(
            query, start[r], n, unknowns[r], reference, low[r], high[r], masks, found, result
        )
        if n * MATCH - result[SCORE] > min(most, LARGE):
            continue
        if is_crowded(query, start[r], n, reference, masks, found, result):
            continue
        used = write_simple(easy, r, result, query, start[r], reference, cigar, used)
        easy.read[r] = r
        easy.strand[r] = strand[r]
        easy.chain[r] = result[SCORE]
        placed[r] = True
    return used, touched


@kernel
def keep_hard(placed, seed_start, places, hashes):
    """Drop the seeds of the placed reads; returns how many are left."""
    total = 0
    begin = seed_start[0]
    for r in range(placed.size):
        end = seed_start[r + 1]
        seed_start[r] = total
        if not placed[r]:
            for i in range(begin, end):
                places[total] = places[i]
                hashes[total] = hashes[i]
                total += 1
        begin = end
    seed_start[placed.size] = total
    return total
