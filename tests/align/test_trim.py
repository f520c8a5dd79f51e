"""Adapters planted and found; and none found where there are none."""

import numpy as np
import pytest

from lingqu.align.kernels.trim import MIN_KEEP, adapters, trim
from lingqu.sequence.codes import encode, reverse_complement

TRUSEQ = (
    "AGATCGGAAGAGCACACGTCTGAACTCCAGTCACATCACGATCTCGTATGCCGTCTTCTGCTTG",
    "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGTAGATCTCGGTGGTCGCCGTATCATT",
)


def keep_of(reads, paired):
    """What `trim` keeps of a list of code arrays."""
    length = np.array([len(read) for read in reads], np.int32)
    start = np.concatenate(([0], np.cumsum(length[:-1]))).astype(np.int64)
    keep = np.empty(len(reads), np.int32)
    trim(np.concatenate(reads), start, length, paired, *adapters(), keep)
    return keep.tolist()


def sequenced(insert, size, rng, adapter, errors=0):
    """A read of `size` bases off the start of insert and adapter, with errors planted."""
    whole = np.concatenate((insert, encode(adapter), rng.integers(0, 4, size, dtype=np.uint8)))
    read = whole[:size].copy()
    for at in rng.choice(size, errors, replace=False):
        read[at] = (read[at] + rng.integers(1, 4)) % 4
    return read


@pytest.mark.parametrize("errors", [0, 2])
@pytest.mark.parametrize("sizes", [(150, 150), (101, 101), (150, 100), (75, 76)])
def test_short_inserts_of_pairs(sizes, errors):
    rng = np.random.default_rng(1)
    wrong = 0
    for insert_size in range(35, max(sizes)):
        insert = rng.integers(0, 4, insert_size, dtype=np.uint8)
        pair = [
            sequenced(insert, sizes[0], rng, TRUSEQ[0], errors),
            sequenced(reverse_complement(insert), sizes[1], rng, TRUSEQ[1], errors),
        ]
        wrong += keep_of(pair, True) != [min(size, insert_size) for size in sizes]
    assert wrong <= (max(sizes) // 20 if errors else 0)


def test_long_inserts_of_pairs_are_left_alone():
    rng = np.random.default_rng(2)
    for insert_size in (150, 151, 200, 400):
        insert = rng.integers(0, 4, insert_size, dtype=np.uint8)
        pair = [
            sequenced(insert, 150, rng, TRUSEQ[0]),
            sequenced(reverse_complement(insert), 150, rng, TRUSEQ[1]),
        ]
        assert keep_of(pair, True) == [150, 150]


def test_repeats_do_not_look_like_short_inserts():
    unit = encode("AT" * 75)
    assert keep_of([unit, unit], True) == [150, 150]
    assert keep_of([encode("ACGT" * 30), encode("ACGT" * 30)], True) == [120, 120]


def test_copies_of_a_repeat_on_both_strands_are_no_short_insert():
    """As of Alu: the first 60 bases of the mates are reverse complements, what follows is not."""
    rng = np.random.default_rng(4)
    unit = rng.integers(0, 4, 60, dtype=np.uint8)
    ends = [np.concatenate((unit, rng.integers(0, 4, 90, dtype=np.uint8))) for _ in range(2)]
    ends[1][:60] = reverse_complement(unit)
    assert keep_of(ends, True) == [150, 150]


def test_dimers_keep_nothing():
    rng = np.random.default_rng(3)
    for size in (0, 5, MIN_KEEP - 1):
        insert = rng.integers(0, 4, size, dtype=np.uint8)
        pair = [
            sequenced(insert, 150, rng, TRUSEQ[0]),
            sequenced(reverse_complement(insert), 150, rng, TRUSEQ[1]),
        ]
        assert keep_of(pair, True) == [0, 0]


@pytest.mark.parametrize(
    "adapter",
    [
        TRUSEQ[0],
        "CTGTCTCTTATACACATCTCCGAGCCCACGAGAC" * 3,
        "TGGAATTCTCGGGTGCCAAGGAACTCCAGTCAC" * 3,
        "AAGTCGGAGGCCAAGCGGTCTTAGGAAGACAA" * 3,
    ],
)
def test_known_adapters_of_single_reads(adapter):
    rng = np.random.default_rng(4)
    sizes = range(MIN_KEEP, 142)
    reads = [
        sequenced(rng.integers(0, 4, size, dtype=np.uint8), 150, rng, adapter) for size in sizes
    ]
    assert keep_of(reads, False) == list(sizes)


def test_random_single_reads_are_left_alone():
    rng = np.random.default_rng(5)
    reads = list(rng.integers(0, 4, (2000, 100), dtype=np.uint8))
    assert keep_of(reads, False).count(100) >= 1998


def test_n_and_short_and_empty_reads():
    n = encode("N" * 150)
    assert keep_of([n, n], True) == [150, 150]
    for size in (0, 1, 7, 8, 19):
        read = encode("ACGTTGCAAC" * 2)[:size]
        assert keep_of([read, read], True) == [size, size]
        assert keep_of([read], False) == [size]
