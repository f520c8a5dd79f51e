import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call.candidates import Edit, pack
from lingqu.call.kernels.haplotypes import build, conflict, mismatches, place
from lingqu.sequence.codes import decode, encode

REF = encode("ACGTTGCATTAGCCATAGGACTTACGGATCAA")


def edits_of(*triples):
    edits = [Edit(start, removed, encode(put).tobytes(), 0, 0) for start, removed, put in triples]
    assert edits == sorted(edits)
    return pack(edits, [edit.anchor for edit in edits], [-3.0] * len(edits))


def spelled(ref, triples, begin, end):
    pieces, at = [], begin
    for start, removed, put in triples:
        pieces += [ref[at:start], put]
        at = start + removed
    return "".join([*pieces, ref[at:end]])


@st.composite
def apart(draw):
    triples, at = [], 3
    for _ in range(draw(st.integers(0, 4))):
        start = at + draw(st.integers(1, 3))
        removed, put = draw(st.integers(0, 3)), draw(st.text("ACGT", max_size=4))
        if start + removed > len(REF) - 3:
            break
        triples.append((start, removed, put))
        at = start + removed
    return triples


@given(apart(), st.data())
def test_build_and_place(triples, data):
    edits = edits_of(*triples)
    mask = data.draw(st.integers(0, (1 << len(triples)) - 1))
    chosen = [triple for k, triple in enumerate(triples) if mask >> k & 1]
    out = np.zeros(200, np.uint8)
    for kernel in (build, build.py_func):
        size = kernel(REF, edits, 0, len(triples), mask, 2, len(REF) - 1, out)
        assert decode(out[:size]) == spelled(decode(REF), chosen, 2, len(REF) - 1)
    for pos in range(2, len(REF) - 1):
        if not any(start <= pos < start + removed for start, removed, _ in chosen):
            index = place(edits, 0, len(triples), mask, 2, pos)
            assert out[index] == REF[pos]
            before = [triple for triple in chosen if triple[0] <= pos]
            assert index == len(spelled(decode(REF), before, 2, pos))


@pytest.mark.parametrize(
    ("first", "second", "clash"),
    [
        ((5, 1, "C"), (6, 1, "T"), False),
        ((5, 1, "C"), (5, 1, "T"), True),
        ((5, 3, ""), (6, 1, "T"), True),
        ((5, 3, ""), (8, 1, "T"), False),
        ((5, 3, ""), (8, 2, ""), True),  # one deletion in two pieces
        ((5, 3, ""), (9, 2, ""), False),
        ((5, 0, "AA"), (5, 1, "T"), False),
        ((5, 0, "AA"), (5, 0, "C"), True),
    ],
)
def test_conflicts(first, second, clash):
    edits = edits_of(*sorted((first, second)))
    for kernel in (conflict, conflict.py_func):
        assert bool(kernel(edits, 1, 1, 0, False)) is clash
        assert not kernel(edits, 1, 0, 0, False)


def test_alleles_of_one_given_site_exclude_each_other():
    edits = edits_of((5, 1, "C"), (8, 2, ""))
    same_site = edits._replace(site=np.zeros(2, np.int64))
    assert not conflict(edits, 1, 1, 0, True)
    assert conflict(same_site, 1, 1, 0, True)


def test_mismatches_beyond_the_ends():
    hap = encode("ACGTACGT")
    assert mismatches(encode("GTAC"), hap, 8, 2) == 0
    assert mismatches(encode("GTAC"), hap, 8, 6) == 2
    assert mismatches(encode("TACG"), hap, 8, -1) == 1
