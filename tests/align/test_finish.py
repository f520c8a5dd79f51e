"""Clipping at contig ends, telling candidates apart, ranking."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align.kernels.candidates import CANDIDATE, MOST
from lingqu.align.kernels.extend import D, I, M
from lingqu.align.kernels.finish import clip_to_contig, contig_of, rank_candidates

OFFSETS = np.array([1_000, 3_000, 10_000], np.int64)
ENDS = np.array([2_000, 9_000, 12_000], np.int64)


def test_contig_of_a_place():
    assert [contig_of(OFFSETS, p) for p in (0, 1_000, 2_999, 3_000, 9_999, 99_999)] == [
        0, 0, 0, 1, 1, 2,
    ]  # fmt: skip


@st.composite
def alignments(draw):
    """Operations that begin and end with M, gaps apart, and how far they hang over either end."""
    runs = draw(st.lists(st.integers(1, 30), min_size=1, max_size=4))
    operations = [(runs[0], M)]
    for run in runs[1:]:
        operations += [(draw(st.integers(1, 9)), draw(st.sampled_from([I, D]))), (run, M)]
    return operations, draw(st.integers(-5, 40)), draw(st.integers(-5, 40))


@settings(max_examples=300)
@given(alignments())
def test_clipping_keeps_just_the_columns_inside(case):
    operations, before, after = case
    columns, q, t = [], 7, 0
    for length, operation in operations:
        for _ in range(length):
            columns.append((operation, q, t))
            q += operation != D
            t += operation != I
    begin, end = 1_000 + before, 1_000 + t - after
    inside = [c for c in columns if begin <= 1_000 + c[2] < end]
    while inside and inside[0][0] != M:
        inside.pop(0)
    while inside and inside[-1][0] != M:
        inside.pop()
    table = np.zeros(MOST, CANDIDATE).view(np.recarray)
    pool = np.array([n << 4 | op for n, op in operations], np.uint32)
    table.read_begin[0], table.read_end[0] = 7, q
    table.ref_begin[0], table.ref_end[0] = 1_000, 1_000 + t
    table.strand[0] = table.cigar_start[0] = 0
    table.score[0], table.cigar_len[0] = -900, len(operations) if len(operations) > 1 else 0
    clip_to_contig(table, 0, pool, begin, end)
    if before <= 0 and after <= 0:
        assert table.score[0] == -900
        return
    if not inside:
        assert table.score[0] <= 0
        return
    assert (table.read_begin[0], table.read_end[0]) == (inside[0][1], inside[-1][1] + 1)
    assert (table.ref_begin[0], table.ref_end[0]) == (
        1_000 + inside[0][2], 1_000 + inside[-1][2] + 1,
    )  # fmt: skip
    beyond = [c for c in columns if c not in inside]
    gaps = [c for c in beyond if c[0] != M]
    opened = sum(c[0] != M and (i == 0 or columns[i - 1][0] != c[0])
                 for i, c in enumerate(columns) if c in gaps)  # fmt: skip
    assert table.score[0] == -900 + 4 * (len(beyond) - len(gaps)) + len(gaps) + 6 * opened
    at = table.cigar_start[0]
    kept = [(int(x >> 4), int(x & 15)) for x in pool[at : at + table.cigar_len[0]]]
    if len(operations) > 1:
        assert sum(n for n, op in kept if op != D) == inside[-1][1] + 1 - inside[0][1]
        assert sum(n for n, op in kept if op != I) == inside[-1][2] + 1 - inside[0][2]


def test_ranking_drops_twins_and_sorts():
    table = np.zeros(MOST, CANDIDATE).view(np.recarray)
    rows = [(0, 1_100, 90), (0, 1_500, 120), (0, 1_100, 95), (1, 1_100, 95), (0, 1_700, 10)]
    for c, (strand, place, score) in enumerate(rows):
        table.strand[c], table.score[c] = strand, score
        table.ref_begin[c], table.ref_end[c] = place, place + 100
        table.read_end[c] = 100
    order, slots = np.empty(MOST, np.int64), np.array([0, MOST])
    kept = np.empty(1, np.int32)
    counts = np.array([len(rows)], np.int32)
    pool = np.zeros(1, np.uint32)
    rank_candidates(table, slots, counts, OFFSETS, ENDS, pool, order, kept)
    assert order[: kept[0]].tolist() == [1, 2, 3]
