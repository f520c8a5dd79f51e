"""Tables of reads beside plain counting; what comes again; insert and library sizes."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align.batch import ReadBatch
from lingqu.align.insert_sizes import InsertSizes, library_size
from lingqu.align.kernels import prefixes
from lingqu.align.kernels.tally_reads import CYCLES, GC_CELLS, KITS, gc_cell
from lingqu.align.kernels.tally_records import FR, NEITHER, NO_PAIR, RF
from lingqu.align.tally import _frequent, new_tables, tally_reads
from lingqu.base.bits import LANES
from lingqu.sequence.codes import decode, encode

READS = st.lists(
    st.tuples(
        st.text("ACGTN", max_size=20),
        st.sampled_from([b"", *KITS.values()]),
        st.text("ACGT", max_size=20),
    ).map(lambda parts: parts[0] + parts[1].decode() + parts[2]),
    min_size=1,
    max_size=30,
)


def batch_of(sequences, scores) -> ReadBatch:
    """Single reads; scores: Phred, as long as their reads; those of reads without are None."""
    codes = np.concatenate([encode("".join(sequences)), np.zeros(LANES, np.uint8)])
    length = np.array([len(s) for s in sequences], np.int32)
    start = np.cumsum(length) - length
    text = np.array([n + 33 for own in scores for n in own or ()], np.uint8)
    sizes = np.array([len(own or ()) for own in scores])
    places = np.where(sizes > 0, np.cumsum(sizes) - sizes, -1)
    none = np.zeros(len(sequences), np.int64)
    keep = np.maximum(length - 3, 0)
    return ReadBatch(False, text, none, length, places, codes, start, length, keep)


@settings(max_examples=40)
@given(READS, st.integers(0, 93), st.integers(1, 20))
def test_reads_beside_plain_counting(sequences, worst, times):
    """Also many of them: counters of one byte are emptied in time."""
    sequences = sequences * times
    scores = [[max(worst - i, 0) for i in range(len(s))] for s in sequences]
    reads, tables = batch_of(sequences, scores), new_tables(np.int32)
    tally_reads(reads, (np.arange(reads.n),), tables)
    tally, other = tables.reads
    assert not any(table.any() for table in other)
    assert tally.total[0] == sum(map(len, sequences))
    assert {i: n for i, n in enumerate(tally.length) if n} == Counter(map(len, sequences))
    means = Counter(sum(own) // len(own) for own in scores if own)
    assert {i: n for i, n in enumerate(tally.mean) if n} == means
    for cycle in range(max(map(len, sequences))):
        bases = Counter(s[cycle] for s in sequences if len(s) > cycle)
        assert tally.bases[cycle].tolist() == [bases[base] for base in "ACGT"]
        own = Counter(q[cycle] for q in scores if len(q) > cycle)
        assert {i: n for i, n in enumerate(tally.quality[cycle]) if n} == own
    gc = Counter((len(s), s.count("G") + s.count("C")) for s in sequences if s)
    assert {(n, k): int(tally.gc[gc_cell(n) + k]) for n, k in gc} == gc
    assert tally.gc.sum() == sum(gc.values())
    for row, kit in zip(tally.adapter, KITS.values(), strict=False):
        first = Counter(s.find(kit.decode()) for s in sequences)
        del first[-1]
        assert {i: n for i, n in enumerate(row) if n} == first
    trimmed = Counter(max(len(s) - 3, 0) for s in sequences if s)
    assert {i: n for i, n in enumerate(tally.adapter[-1]) if n} == trimmed


def test_parts_in_any_order_add_up():
    random = np.random.default_rng(5)
    sequences = [decode(random.integers(0, 5, n).astype(np.uint8)) for n in range(900, 1100)]
    scores = [
        random.integers(0, 94, len(s)).tolist() if n % 9 else None for n, s in enumerate(sequences)
    ]
    reads, whole = batch_of(sequences, scores), new_tables(np.int32)
    tally_reads(reads, (np.arange(0, 200, 2), np.arange(1, 200, 2)), whole)
    parts = new_tables()
    for part in np.array_split(random.permutation(200), 7):
        own = new_tables(np.int32)
        tally_reads(reads, (part[part % 2 == 0], part[part % 2 == 1]), own)
        parts.cells += own.cells
    assert (parts.cells == whole.cells).all()
    assert whole.reads[0].length[CYCLES] == 50
    assert whole.reads[0].quality.sum() < whole.reads[0].total[0]


def test_cells_of_gc_follow_each_other():
    at = 0
    for length in (*range(101), *range(200, 1001, 100)):
        assert gc_cell(length) == at
        at += length + 1
    assert at == GC_CELLS


@given(st.lists(st.integers(1, 5), min_size=1))
def test_the_frequent_are_found_where_they_come_first(words):
    rows = _frequent(np.array(words, np.uint64))
    assert sorted(rows.tolist()) == sorted(words.index(word) for word in set(words))


def test_one_in_a_thousand_is_not_frequent():
    words = np.arange(2000, dtype=np.uint64)
    words[[5, 1000, 1500]] = 9999
    assert _frequent(words).tolist() == [5]
    words[1500] = 1500
    assert _frequent(words).tolist() == []
    assert _frequent(words[:1999]).tolist() == [5]


@settings(max_examples=30)
@given(st.lists(st.integers(1, 60), max_size=200), st.integers(1, 40))
def test_the_first_sequences_are_tracked(words, most):
    """FastQC's rule, with a smaller limit."""
    slots, counts = np.zeros(64, np.uint64), np.zeros(64, np.int64)
    state, seen, limit = np.zeros(3, np.int64), Counter(), 0
    with pytest.MonkeyPatch.context() as patch, np.errstate(over="ignore"):
        patch.setattr(prefixes, "TRACKED", most)
        run = getattr(prefixes.track, "py_func", prefixes.track)
        for part in np.array_split(np.array(words, np.uint64), 3):
            run(part, slots, counts, state)
    for number, word in enumerate(words, 1):
        is_full = len(seen) == most
        if word in seen or not is_full:
            seen[word] += 1
            limit = limit if is_full else number
    assert dict(zip(slots[counts > 0].tolist(), counts[counts > 0].tolist(), strict=True)) == seen
    assert state.tolist() == [len(words), len(seen), limit]


@given(st.integers(1, 50), st.integers(1, 1000), st.integers(100, 900))
def test_sequences_that_were_missed(level, sequences, limit):
    """The chance to be among the first, by binomial coefficients."""
    total = 2000
    found = prefixes.corrected(level, sequences, limit, total)
    unseen = math.comb(total - level, limit) / math.comb(total, limit)
    assert found == pytest.approx(sequences / (1 - unseen), abs=0.02)
    assert prefixes.corrected(level, sequences, total, total) == sequences


def test_insert_sizes_far_apart_in_any_order():
    random = np.random.default_rng(2)
    sizes = np.concatenate([random.normal(400, 50, 999), random.integers(1, 1 << 28, 30)])
    sizes = sizes.astype(np.int64)
    pair = (sizes << 2 | FR).astype(np.uint32)
    pair = np.concatenate([pair, [NO_PAIR, NEITHER, 1000 << 2 | RF]]).astype(np.uint32)
    told = []
    for _ in range(2):
        found = InsertSizes()
        random.shuffle(pair)
        for part in np.array_split(pair, 5):
            found.add(part)
        told.append(found.told())
    assert told[0] == told[1]
    one = told[0]["FR"]
    assert one["pairs"] == len(sizes)
    assert one["median"] == np.median(sizes)
    assert one["mad"] == np.median(np.abs(sizes - np.median(sizes)))
    inside = sizes[sizes <= int(one["median"] + 10 * one["mad"])]
    assert sum(one["counts"]) == len(inside) < len(sizes)
    assert one["mean"] == pytest.approx(inside.mean())
    assert one["sd"] == pytest.approx(inside.std(ddof=1))
    assert told[0]["RF"] == {
        "pairs": 1, "median": 1000.0, "mad": 0.0, "mean": 1000.0, "sd": None, "first": 1000,
        "counts": [1],
    }  # fmt: skip
    assert "TANDEM" not in told[0]
    assert told[0]["median"] == one["median"]
    assert InsertSizes().told() is None


@pytest.mark.parametrize("molecules", [10_000, 2_000_000])
def test_library_size_solves_the_equation(molecules):
    pairs = 500_000
    different = int(molecules * (1 - math.exp(-pairs / molecules)))
    assert library_size(pairs + 70, pairs + 70 - different, 70) == pytest.approx(
        molecules, rel=1e-4
    )
    assert library_size(pairs, 0, 0) is None
    assert library_size(pairs, 10, 10) is None
    assert library_size(0, 0, 0) is None
