"""The banded lanes against a plain dynamic programme, and the gapless path against the lanes."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align.kernels import extend
from lingqu.align.kernels.candidates import CANDIDATE, MOST
from lingqu.align.kernels.extend import LANES, NARROW, D, I, M
from lingqu.align.kernels.scoring import END_BONUS
from lingqu.oracles.extension import best_score, replay, worn
from lingqu.sequence.codes import encode

PAD = 200
FLANK = NARROW // 2


def _one_read(query, reference, diagonal):
    """A table with one fresh candidate of one forward read, and what goes with it."""
    table = np.zeros(MOST, CANDIDATE).view(np.recarray)
    table.diagonal_low[0] = table.diagonal_high[0] = diagonal
    codes = np.array([query, query], np.uint8)
    return table, codes, np.zeros(1, np.int64), np.array([len(query)], np.int32)


def _gapped(query, reference, diagonal, width=NARROW):
    table, codes, start, keep = _one_read(query, reference, diagonal)
    cigar = np.empty(5000, np.uint32)
    extend.extend_gapped(
        np.zeros(1, np.int64), width, table, codes, start, keep, reference, cigar, 0
    )
    return table, cigar


def _operations(table, cigar):
    if table.cigar_len[0] == 0:
        return [(int(table.read_end[0] - table.read_begin[0]), M)]
    at = table.cigar_start[0]
    return [(int(x >> 4), int(x & 15)) for x in cigar[at : at + table.cigar_len[0]]]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 4]))
def test_score_and_path_are_those_of_a_plain_dynamic_programme(seed, letters):
    rng = np.random.default_rng(seed)
    reference = np.full(2 * PAD + 120, 4, np.uint8)
    reference[PAD:-PAD] = rng.integers(0, letters, 120)
    read = worn(rng, reference[PAD + 30 : PAD + 90])
    table, cigar = _gapped(read, reference, PAD + 30)
    window = reference[PAD + 30 - FLANK :]
    bonus = int(table.read_begin[0] == 0) + int(table.read_end[0] == len(read))
    assert table.score[0] + END_BONUS * bonus == best_score(read, window, 0, NARROW)
    operations = _operations(table, cigar)
    begins = int(table.read_begin[0]), int(table.ref_begin[0])
    score, q, t = replay(read, reference, *begins, operations)
    assert (score, q, t) == (table.score[0], table.read_end[0], table.ref_end[0])
    assert operations[0][1] == operations[-1][1] == M


def test_lanes_do_not_mix(demo_window):
    """Every read gets in a full batch what it gets alone."""
    rng = np.random.default_rng(5)
    n = LANES + 7
    reads = [worn(rng, demo_window[1000 * i : 1000 * i + 60 + i]) for i in range(1, n + 1)]
    keep = np.array([len(read) for read in reads], np.int32)
    start = np.concatenate(([0], np.cumsum(keep)[:-1])).astype(np.int64)
    codes = np.array([np.concatenate(reads)] * 2)
    table = np.zeros(n * MOST, CANDIDATE).view(np.recarray)
    tasks = np.arange(n) * MOST
    table.read[tasks] = np.arange(n)
    table.diagonal_low[tasks] = table.diagonal_high[tasks] = 1000 * np.arange(1, n + 1)
    pool = np.empty(100_000, np.uint32)
    extend.extend_gapped(tasks, NARROW, table, codes, start, keep, demo_window, pool, 0)
    for i, read in enumerate(reads):
        alone, _ = _gapped(read, demo_window, 1000 * (i + 1))
        c = i * MOST
        for field in ("score", "read_begin", "read_end", "ref_begin", "ref_end", "cigar_len"):
            assert getattr(table, field)[c] == getattr(alone, field)[0], field


@pytest.mark.parametrize(
    ("read", "reference", "operations", "expected"),
    [
        ("ACGTTTTGCA", "ACGTTTTTGCA", [(5, M), (1, D), (5, M)], [(3, M), (1, D), (7, M)]),
        ("ACGTTTTTTGCA", "ACGTTTTTGCA", [(8, M), (1, I), (3, M)], [(3, M), (1, I), (8, M)]),
        ("GGCACACATT", "GGCACACACATT", [(8, M), (2, D), (2, M)], [(2, M), (2, D), (8, M)]),
        ("AAAATTGG", "AAAAATTGG", [(4, M), (1, D), (4, M)], [(1, M), (1, D), (7, M)]),
    ],
)
def test_gaps_go_left(read, reference, operations, expected):
    cigar = np.array([n << 4 | op for n, op in operations], np.uint32)
    extend.shift_left(cigar, 0, len(cigar), encode(read), 0, encode(reference), 0)
    assert [(int(x >> 4), int(x & 15)) for x in cigar] == expected


def test_plain_python_agrees_with_the_compiled_kernel():
    rng = np.random.default_rng(3)
    rows, width = 12, 8
    query = rng.integers(0, 4, rows * LANES).astype(np.int16)
    target = rng.integers(0, 4, (rows + width) * LANES).astype(np.int16)
    results = []
    for align in (extend.align_lanes, extend.align_lanes.py_func):
        cells = np.empty(2 * (width + 1) * LANES, np.int16)
        state = np.zeros(7 * LANES, np.int16)
        state[3 * LANES : 4 * LANES] = rows - 1
        moves = np.empty(rows * width * LANES, np.uint8)
        align(rows, width, query, target, cells, state, moves)
        results.append((state[4 * LANES :].tolist(), moves.tolist()))
    assert results[0] == results[1]


def test_the_lanes_are_packed_instructions():
    """What the speed rests on: 16-bit arithmetic on vector registers."""
    cell = numba.njit(error_model="numpy")(extend._fill_cell.py_func)
    lanes = [np.zeros(8 * LANES, np.int16) for _ in range(3)]
    moves = np.zeros(LANES, np.uint8)
    nought, unsigned = np.int16(0), np.uint64(0)
    cell(unsigned, *lanes, unsigned, moves, unsigned, nought, nought, nought)
    assembly = "".join(cell.inspect_asm().values())
    assert "paddw" in assembly or "psubw" in assembly
