"""Build the table of seeds: parted by the top bits of their hashes, then sorted part by part.

Memory is gone through in order: a part is written at its end, and sorted inside the cache.
"""

import numpy as np

from lingqu.align.kernels.seed import PLACE_BITS
from lingqu.base.jit import kernel
from lingqu.sequence.kmers import K, syncmers

LEAST_PART_BITS = 2 * K + PLACE_BITS - 64
"""With so many bits told by the part, the rest of a hash fits beside a place in 64 bits."""

_PLACE = np.uint64(PLACE_BITS)
_PLACE_MASK = np.uint64((1 << PLACE_BITS) - 1)
_1 = np.uint64(1)


@kernel
def count_parts(codes, shift, counts, hashes, places):
    """Add the seeds of a stretch to counts[part]; part = hash >> shift.

    codes: uint8[n]. shift: uint64. counts: int64[parts]. hashes, places: as in `syncmers`.
    """
    for i in range(syncmers(codes, 0, codes.size, hashes, places)):
        counts[hashes[i] >> shift] += 1


@kernel
def fill_parts(codes, offset, shift, fill, stop, entries, hashes, places):
    """Write the seeds of a stretch into their parts of `entries`, each as hash and place.

    codes: uint8[n], which stand at `offset` of the reference. fill: int64[parts], where the next
    seed of a part goes, which is moved on; stop: int64[parts], where the part ends: equal to its
    beginning in parts that are not wanted. The hash lacks the bits that its part tells.
    """
    low = (_1 << shift) - _1
    for i in range(syncmers(codes, 0, codes.size, hashes, places)):
        part = hashes[i] >> shift
        at = fill[part]
        if at < stop[part]:
            entries[at] = ((hashes[i] & low) << _PLACE) | np.uint64(places[i] + 2 * offset)
            fill[part] = at + 1


@kernel
def _sort_digit(source, target, shift, mask, ends):
    """Sort by (entry >> shift) & mask, keeping the order of equals. ends: int64[mask + 2]."""
    ends[:] = 0
    for i in range(source.size):
        ends[((source[i] >> shift) & mask) + _1] += 1
    for digit in range(1, ends.size):
        ends[digit] += ends[digit - 1]
    for i in range(source.size):
        digit = (source[i] >> shift) & mask
        target[ends[digit]] = source[i]
        ends[digit] += 1


@kernel
def sort_part(entries, scratch, part, before, part_shift, shift, buckets):
    """Sort a part by hash, then place, into what look-up wants.

    entries: uint64[n], in order of place, as `fill_parts` left them; out: hashes cut down to
    `shift` bits. scratch: uint64[n]. before: entries of the parts before. part_shift, shift:
    uint64, by which a hash is shifted to its part, to its bucket. buckets: uint32[], takes where
    each bucket of the part begins.
    """
    digit = (part_shift + np.uint64(2)) // np.uint64(3)
    mask = (_1 << digit) - _1
    ends = np.empty(np.int64(mask) + 2, np.int64)
    _sort_digit(entries, scratch, _PLACE, mask, ends)
    _sort_digit(scratch, entries, _PLACE + digit, mask, ends)
    _sort_digit(entries, scratch, _PLACE + digit + digit, mask, ends)
    low = (_1 << shift) - _1
    bucket = np.int64(np.uint64(part) << (part_shift - shift))
    last = bucket + np.int64(_1 << (part_shift - shift))
    first = bucket
    for i in range(entries.size):
        rest = scratch[i] >> _PLACE
        here = first + np.int64(rest >> shift)
        while bucket <= here:
            buckets[bucket] = before + i
            bucket += 1
        entries[i] = ((rest & low) << _PLACE) | (scratch[i] & _PLACE_MASK)
    while bucket < last:
        buckets[bucket] = before + entries.size
        bucket += 1
