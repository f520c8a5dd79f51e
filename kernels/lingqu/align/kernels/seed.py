"""Seeds: the table of a reference's syncmers, and looking a read's syncmers up in it.

The table is two flat arrays. `entries` (uint64, ascending within a bucket) packs the low bits of a
seed's hash, its place in the reference and its strand; `buckets` (uint32 or uint64) holds where
each value of the hash's top bits starts.
"""

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.sequence.kmers import K, syncmers

PLACE_BITS = 33
"""Low bits of an entry: 2 * global position + strand (references up to 4.29 Gb)."""

_BATCH = 64
_PLACE = np.uint64(PLACE_BITS)
_PLACE_MASK = np.uint64((1 << PLACE_BITS) - 1)


@kernel
def seed_reads(codes, start, keep, seed_start, hashes, places):
    """Find the seeds of a chunk of reads.

    codes: uint8[], read r at codes[start[r]:][:keep[r]], one after another. seed_start:
    int64[n + 1], out: the seeds of read r are seed_start[r] to seed_start[r + 1]. hashes, places:
    out, as in `syncmers`, places relative to the read; each must hold codes.size. The chunk is
    looked at as one sequence; what lies across two reads is dropped.
    """
    found = syncmers(codes, 0, codes.size, hashes, places)
    total = i = 0
    for r in range(start.size):
        seed_start[r] = total
        origin = 2 * start[r]
        last = 2 * (keep[r] - K) + 1
        while i < found and places[i] < origin:
            i += 1
        while i < found and places[i] - origin <= last:
            hashes[total] = hashes[i]
            places[total] = places[i] - origin
            total += 1
            i += 1
    seed_start[start.size] = total
    return total


@kernel
def look_up(hashes, total, buckets, entries, shift, first, count, places):
    """Find each seed's run of entries.

    hashes: uint64[>= total]. first: int64[total], out: first matching entry. count: int32[total],
    out: how many match. places: int64[total], out: place (see `place_of`) of the first match. Seeds
    go in batches of three passes, two without a branch: many loads are then under way at once.
    """
    low = (np.uint64(1) << shift) - np.uint64(1)
    last = entries.size - 1
    for begin in range(0, total, _BATCH):
        end = min(begin + _BATCH, total)
        for i in range(begin, end):
            bucket = hashes[i] >> shift
            first[i] = buckets[bucket]
            count[i] = buckets[bucket + np.uint64(1)] - buckets[bucket]
        for i in range(begin, end):
            places[i] = np.int64(entries[min(first[i], last)])
        for i in range(begin, end):
            _match(i, hashes[i] & low, entries, first, count, places)


@leaf
def _from(wanted, entries, begin, end):
    """First of the entries [begin, end) whose low bits are `wanted` or more."""
    while begin < end:
        middle = (begin + end) >> 1
        if (entries[middle] >> _PLACE) < wanted:
            begin = middle + 1
        else:
            end = middle
    return begin


@leaf
def _match(i, wanted, entries, first, count, places):
    """Narrow seed i's bucket to the entries whose low bits are `wanted`.

    A large bucket is nearly always of one frequent seed, and then its ends tell all.
    """
    begin, stop = first[i], first[i] + count[i]
    if count[i] <= 16:
        end = stop
        while begin < end and (entries[begin] >> _PLACE) < wanted:
            begin += 1
        stop = begin
        while stop < end and (entries[stop] >> _PLACE) == wanted:
            stop += 1
    else:
        if (entries[begin] >> _PLACE) < wanted:
            begin = _from(wanted, entries, begin + 1, stop)
        if (entries[stop - 1] >> _PLACE) > wanted:
            stop = _from(wanted + np.uint64(1), entries, begin, stop - 1)
    first[i] = begin
    count[i] = stop - begin
    if stop > begin:
        places[i] = place_of(entries[begin])


@kernel(inline="always")
def place_of(entry):
    """2 * global position + strand of an entry (int64)."""
    return np.int64(entry & _PLACE_MASK)
