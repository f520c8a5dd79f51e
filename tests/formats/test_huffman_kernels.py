"""Huffman codes against a heap, and blocks against zlib."""

import heapq
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.formats import huffman_kernels as kernels


def least_cost(counts):
    """Bits of the best prefix code of the counts."""
    heap, total = [count for count in counts if count], 0
    heapq.heapify(heap)
    while len(heap) > 1:
        both = heapq.heappop(heap) + heapq.heappop(heap)
        total += both
        heapq.heappush(heap, both)
    return total


def lengths_of(counts, limit):
    lengths = np.zeros(len(counts), np.uint8)
    work = kernels.new_work()
    kernels.code_lengths(
        np.array(counts, np.int32), np.int64(limit), lengths, work.key, work.weight, work.number
    )
    return lengths.tolist()


several = st.lists(st.integers(0, 227), min_size=2, max_size=286)


@given(several.filter(lambda counts: sum(map(bool, counts)) > 1))
def test_codes_are_the_shortest(counts):
    lengths = lengths_of(counts, 15)
    assert [length > 0 for length in lengths] == [count > 0 for count in counts]
    assert sum(2.0**-length for length in lengths if length) == 1
    if max(lengths) < 15:
        assert sum(c * n for c, n in zip(counts, lengths, strict=True)) == least_cost(counts)


@pytest.mark.parametrize("limit", [7, 14, 15])
def test_codes_keep_their_limit(limit):
    counts = [1, 1]
    while len(counts) < 22:
        counts.append(counts[-1] + counts[-2])
    lengths = lengths_of(counts, limit)
    assert max(lengths) == limit
    assert sum(2.0**-length for length in lengths) == 1
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("counts", [[0] * 30, [0] * 29 + [5], [3] + [0] * 29, [0, 7] + [0] * 28])
def test_a_code_of_few_symbols_is_whole(counts):
    lengths = lengths_of(counts, 15)
    assert sum(2.0**-length for length in lengths if length) == 1
    assert all(length for length, count in zip(lengths, counts, strict=True) if count)


def write(data, tokens):
    out = np.zeros(2 * len(data) + 400, np.uint8)
    size = kernels.write_block(
        np.frombuffer(data + bytes(8), np.uint8).copy(), np.uint64(len(data)),
        np.array([*tokens, 0], np.uint64), np.int64(len(tokens)), kernels.new_work(), out,
    )  # fmt: skip
    return out[: int(size)].tobytes()


@given(st.binary(max_size=300), st.integers(0, 200))
def test_literals_alone(data, times):
    assert zlib.decompress(write(data * times, []), -15) == data * times


@given(st.integers(1, 32768), st.integers(3, 258), st.integers(0, 2**32 - 1))
def test_every_length_and_distance(distance, length, seed):
    start = np.random.default_rng(seed).integers(0, 256, distance, np.uint8).tobytes()
    again = (start * (length // distance + 1))[:length]
    packed = write(start + again + b"end", [distance << 32 | length << 16 | distance])
    assert zlib.decompress(packed, -15) == start + again + b"end"


def test_long_codes():
    """Literals of very different counts, so that codes reach the limit."""
    data = b"".join(bytes([symbol]) * (1 << max(symbol - 4, 0)) for symbol in range(20))
    assert zlib.decompress(write(data, []), -15) == data
