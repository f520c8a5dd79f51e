"""The builder's kernels against Python's own sort, on parts of all shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.align.kernels.build import LEAST_PART_BITS, count_parts, fill_parts, sort_part
from lingqu.align.kernels.seed import PLACE_BITS
from lingqu.sequence.kmers import K, syncmers

REST = 2 * K - LEAST_PART_BITS


@given(
    st.lists(st.integers(0, 2**REST - 1) | st.integers(0, 9), max_size=60),
    st.integers(0, REST),
    st.integers(0, 2**LEAST_PART_BITS - 1),
)
@pytest.mark.parametrize("compiled", [True, False])
def test_a_part_is_sorted_and_its_buckets_told(compiled, hashes, bucket_bits, part):
    """Places end at the largest; `bucket_bits` more than those of the part name the bucket."""
    bucket_bits = min(bucket_bits, 12)
    shift = REST - bucket_bits
    part %= 2**3
    places = range(2**PLACE_BITS - len(hashes), 2**PLACE_BITS)
    pairs = list(zip(hashes, places, strict=True))
    entries = np.array([value << PLACE_BITS | place for value, place in pairs], np.uint64)
    buckets = np.full(2 ** (bucket_bits + 3) + 1, 99, np.uint32)
    sort = sort_part if compiled else sort_part.py_func
    if not compiled and len(hashes) > 10:
        return
    sort(entries, np.empty_like(entries), part, 7, np.uint64(REST), np.uint64(shift), buckets)
    expected = sorted(pairs)
    low = 2**shift - 1
    assert entries.tolist() == [(value & low) << PLACE_BITS | place for value, place in expected]
    mine = slice(part << bucket_bits, (part + 1) << bucket_bits)
    begins = [
        7 + sum(value >> shift < bucket for value in hashes) for bucket in range(2**bucket_bits)
    ]
    assert buckets[mine].tolist() == begins
    assert (np.delete(buckets, np.r_[mine]) == 99).all()


def test_parts_hold_all_seeds_of_a_stretch(demo_window):
    codes, shift = demo_window[:20_000], np.uint64(2 * K - 3)
    hashes, places = np.empty(20_000, np.uint64), np.empty(20_000, np.int64)
    counts = np.zeros(8, np.int64)
    count_parts(codes, shift, counts, hashes, places)
    n = syncmers(codes, 0, len(codes), hashes, places)
    own, at = hashes[:n].copy(), places[:n].copy()
    assert counts.tolist() == np.bincount((own >> shift).astype(int), minlength=8).tolist()
    wanted = np.array([0, 1, 1, 0, 0, 0, 0, 1])
    stop = np.cumsum(counts * wanted)
    entries = np.zeros(stop[-1], np.uint64)
    fill = stop - counts * wanted
    fill_parts(codes, 1000, shift, fill, stop, entries, hashes, places)
    assert (fill == stop).all()
    mask = np.uint64(2**PLACE_BITS - 1)
    parts = [np.flatnonzero(own >> shift == part) for part in (1, 2, 7)]
    assert (entries & mask).tolist() == (at[np.concatenate(parts)] + 2000).tolist()
