"""CIGARs of whole reads: clips, and gaps that stand side by side."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingqu.align.kernels.candidates import new_candidates
from lingqu.align.kernels.extend import D, I, M
from lingqu.align.kernels.record import write_cigar

SOFT = 4


def normal(operations):
    """Gaps side by side as one insertion before one deletion."""
    out = []
    for gaps, run in groupby(operations, lambda operation: operation[1] in (I, D)):
        run = list(run)
        if not gaps:
            out += run
            continue
        for kind in (I, D):
            size = sum(n for n, op in run if op == kind)
            out += [(size, kind)] if size else []
    return out


@st.composite
def paths(draw):
    """Operations that begin and end with M, no two of a kind side by side."""
    operations = [(draw(st.integers(1, 50)), M)]
    for _ in range(draw(st.integers(0, 4))):
        kinds = draw(st.sampled_from([[I], [D], [I, D], [D, I], [D, I, D], [I, D, I], [I, D] * 2]))
        operations += [(draw(st.integers(1, 30)), kind) for kind in kinds]
        operations.append((draw(st.integers(1, 50)), M))
    return operations


@given(paths(), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_gaps_side_by_side_become_one_of_each_kind(path, before, after, adapter, reverse):
    table = new_candidates(1)
    bases = sum(n for n, op in path if op != D)
    table.read_begin[0], table.read_end[0] = before, before + bases
    table.strand[0], table.cigar_start[0] = reverse, 0
    table.cigar_len[0] = len(path) if len(path) > 1 else 0
    pool = np.array([n << 4 | op for n, op in path], np.uint32)
    out = np.zeros(len(path) + 4, np.uint32)
    keep = before + bases + after
    n, merged = write_cigar(table, 0, keep, keep + adapter, pool, out, 2)
    front, back = (before + adapter, after) if reverse else (before, after + adapter)
    clips = [[(size, SOFT)] if size else [] for size in (front, back)]
    expected = [*clips[0], *normal(path), *clips[1]]
    assert [(int(x >> 4), int(x & 15)) for x in out[2 : 2 + n]] == expected
    assert merged == len(path) - len(normal(path))
