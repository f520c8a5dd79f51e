"""The pair-HMM against the textbook's recursion in float64, without band and lanes."""

import numpy as np
import pytest

from lingqu.call import model
from lingqu.call.kernels.pairhmm import (
    LANES,
    MAX_ROWS,
    WIDTH,
    WORKSPACE,
    forward,
    load_haplotype,
    load_read,
    new_workspace,
)
from lingqu.oracles.likelihood import read_of_haplotype, textbook

RIGHT, WRONG = model.base_tables()


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_textbook(seed):
    rng = np.random.default_rng(seed)
    space, rows = new_workspace(), np.zeros(LANES, np.int64)
    result = np.zeros(LANES, np.float32)
    banded, full = np.zeros(LANES), np.zeros(LANES)
    for lane in range(LANES - 3):  # some lanes stay unused
        start = int(rng.integers(20, 80))
        read, quals, hap, gap = read_of_haplotype(rng, start, int(rng.integers(20, 150)))
        rows[lane] = len(read)
        load_read(space, lane, read, quals, RIGHT, WRONG)
        load_haplotype(space, lane, hap, gap, start, len(read))
        first = start - WIDTH // 2
        banded[lane] = textbook(read, quals, hap, gap, first, first + WIDTH - 1)
        full[lane] = textbook(read, quals, hap, gap, -1000, 1000)
    forward(space, rows, np.float32(1e30), result)
    used = rows > 0
    logs = np.log10(result[used]) - 30
    assert np.abs(logs - np.log10(banded[used])).max() < 1e-4
    beyond = np.abs(logs - np.log10(full[used]))  # what other places add hardly counts
    assert np.median(beyond) < 1e-4
    assert beyond.max() < 0.05
    assert (result[~used] == 0).all()


def test_a_lane_does_not_see_its_neighbours():
    rng = np.random.default_rng(9)
    read, quals, hap, gap = read_of_haplotype(rng, 40, 90)
    results = []
    for lane, others in ((0, False), (7, True)):
        space, rows = new_workspace(), np.zeros(LANES, np.int64)
        result = np.zeros(LANES, np.float32)
        if others:
            for k in range(LANES):
                other, other_quals, other_hap, other_gap = read_of_haplotype(rng, 30, 30 + 8 * k)
                rows[k] = len(other)
                load_read(space, k, other, other_quals, RIGHT, WRONG)
                load_haplotype(space, k, other_hap, other_gap, 30, len(other))
        rows[lane] = len(read)
        load_read(space, lane, read, quals, RIGHT, WRONG)
        load_haplotype(space, lane, hap, gap, 40, len(read))
        forward(space, rows, np.float32(1e30), result)
        results.append(result[lane])
    assert results[0] == results[1]


def test_ends_of_the_haplotype_and_long_reads():
    rng = np.random.default_rng(3)
    hap = rng.integers(0, 4, 600).astype(np.uint8)
    gap = np.full(600, 1e-4, np.float32)
    space, rows = new_workspace(), np.zeros(LANES, np.int64)
    result = np.zeros(LANES, np.float32)
    for lane, (start, size) in enumerate(((-6, 40), (580, 40), (0, MAX_ROWS))):
        read = np.zeros(size, np.uint8)
        inside = slice(max(start, 0), min(start + size, 600))
        read[inside.start - start : inside.stop - start] = hap[inside]
        rows[lane] = size
        load_read(space, lane, read, np.full(size, 30, np.uint8), RIGHT, WRONG)
        load_haplotype(space, lane, hap, gap, start, size)
    forward(space, rows, np.float32(1e30), result)
    assert result[2] > 1e29
    assert (result[:2] < result[2]).all()


def test_workspace_is_on_a_cache_line():
    space = new_workspace()
    assert space.shape == (WORKSPACE,)
    assert space.ctypes.data % 64 == 0
