"""The seed table against a dictionary of the reference's syncmers."""

import numpy as np
import pytest

from lingqu.align.index import open_index
from lingqu.align.kernels.seed import look_up, place_of, seed_reads
from lingqu.sequence.codes import decode
from lingqu.sequence.kmers import syncmers


@pytest.fixture(scope="module")
def built(tmp_path_factory, demo_window):
    """An index of 60 kb of real sequence, 1 kb of it three times over."""
    codes = demo_window[:60_000].copy()
    codes[20_000:21_000] = codes[40_000:41_000] = codes[5_000:6_000]
    fasta = tmp_path_factory.mktemp("seed") / "some.fa"
    fasta.write_text(f">some\n{decode(codes)}\n")
    return open_index(fasta), codes


def test_every_seed_is_found_at_all_its_places(built):
    index, codes = built
    hashes, places = np.empty(60_000, np.uint64), np.empty(60_000, np.int64)
    n = syncmers(codes, 0, len(codes), hashes, places)
    where = {}
    for value, place in zip(hashes[:n].tolist(), places[:n].tolist(), strict=True):
        where.setdefault(value, []).append(place + 2 * int(index.reference.offsets[0]))
    assert len(index.entries) == n
    assert max(map(len, where.values())) >= 3
    first, count = np.empty(n, np.int64), np.empty(n, np.int32)
    found = np.empty(n, np.int64)
    look_up(hashes, n, index.buckets, index.entries, index.shift, first, count, found)
    for i in range(n):
        hits = [int(place_of(entry)) for entry in index.entries[first[i] : first[i] + count[i]]]
        assert hits == where[int(hashes[i])]
        assert found[i] == hits[0]


def test_absent_seeds_have_no_hits(built):
    index, _ = built
    hashes = np.random.default_rng(1).integers(0, 2**40, 1000, dtype=np.uint64)
    first, count = np.empty(1000, np.int64), np.empty(1000, np.int32)
    found = np.empty(1000, np.int64)
    look_up(hashes, 1000, index.buckets, index.entries, index.shift, first, count, found)
    assert count.sum() == 0


def test_reads_seed_as_their_bases_do_alone(demo_window):
    start = np.array([0, 100, 115, 150], np.int64)
    keep = np.array([100, 15, 0, 90], np.int32)
    hashes, places = np.empty(400, np.uint64), np.empty(400, np.int64)
    seed_start = np.empty(5, np.int64)
    total = seed_reads(demo_window[:300], start, keep, seed_start, hashes, places)
    assert total == seed_start[-1]
    for r in range(4):
        own, at = np.empty(200, np.uint64), np.empty(200, np.int64)
        read = demo_window[start[r] : start[r] + keep[r]]
        n = syncmers(read, 0, len(read), own, at)
        mine = slice(seed_start[r], seed_start[r + 1])
        assert hashes[mine].tolist() == own[:n].tolist()
        assert places[mine].tolist() == at[:n].tolist()
