"""Alignments by brute force; haplotypes keep their bases whatever edits they are spelled by."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.call import model
from lingqu.call.candidates import Edit, pack, room_for
from lingqu.call.kernels.haplotypes import build, conflict
from lingqu.call.kernels.spelling import MAX_CORE, MAX_NEW, align, prior_of, respell
from lingqu.oracles.likelihood import cost_of_moves, least_cost
from lingqu.sequence.codes import decode, encode

TABLE, MOVES = np.empty((3, MAX_CORE + 1, MAX_CORE + 1), np.int32), np.empty(2 * MAX_CORE, np.uint8)
PRIORS = model.repeat_priors()
FLANK = 10


@settings(max_examples=60)
@given(st.text("ACG", max_size=9), st.text("ACG", max_size=9))
def test_align_reaches_the_least_cost(one, two):
    for kernel in (align, align.py_func):
        count = kernel(encode(one), encode(two), TABLE, MOVES)
        cost, i, j = cost_of_moves(one, two, MOVES[:count][::-1])
        assert (i, j) == (len(one), len(two))
        assert cost == least_cost(one, two)


def test_gaps_stand_to_the_left():
    count = align(encode("CAAAG"), encode("CAAG"), TABLE, MOVES)
    assert MOVES[:count][::-1].tolist() == [0, 1, 0, 0, 0]


def respelled(ref: str, triples, masks: list[int], pair: tuple[int, int], kernel=respell):
    """(bases, edits) of each haplotype of `triples` by mask before and after, ref in flanks."""
    codes = encode("ACGTTGCATC" + ref + "GATCCGTTAC")
    edits = [
        Edit(start + FLANK, removed, encode(put).tobytes(), 0, 0) for start, removed, put in triples
    ]
    assert edits == sorted(edits)
    priors = [prior_of(codes, e.start, e.removed, np.frombuffer(e.put, np.uint8)) for e in edits]
    packed = pack(edits, [edit.anchor for edit in edits], priors)
    table, n = room_for(packed, 1), len(edits)
    for name in ("start", "removed", "put", "at", "anchor", "site", "prior", "bases"):
        held = getattr(packed, name)
        getattr(table, name)[: len(held)] = held
    haps, size = np.zeros((len(masks), 900), np.uint8), np.zeros(len(masks), np.int64)
    for h, mask in enumerate(masks):
        size[h] = build(codes, packed, 0, n, mask, 0, len(codes), haps[h])
    masks = np.array(masks, np.int64)
    before = [named(table, n, mask) for mask in masks.tolist()]
    n = kernel(
        codes, 0, len(codes), table, 0, n, masks, haps, size, len(masks), *pair, TABLE, MOVES
    )
    after = [named(table, n, mask) for mask in masks.tolist()]
    for h, chosen in enumerate(after):
        text, at = "", 0
        for start, removed, put in chosen:
            assert start + FLANK >= at
            text += decode(codes[at : start + FLANK]) + put
            at = start + FLANK + removed
        assert text + decode(codes[at:]) == decode(haps[h, : size[h]])
    return before, after


def named(table, n: int, mask: int) -> list[tuple[int, int, str]]:
    chosen = [e for e in range(n) if mask >> e & 1]
    return sorted(
        (
            int(table.start[e]) - FLANK,
            int(table.removed[e]),
            decode(table.bases[table.at[e] : table.at[e] + table.put[e]]),
        )
        for e in chosen
    )


def price(edits) -> int:
    return sum(
        350 if removed == len(put) == 1 else 249 + 111 * (removed + len(put))
        for _, removed, put in edits
    )


@st.composite
def regions(draw):
    """Reference, edits, two masks: of two letters, so that most haplotypes have many spellings."""
    ref = draw(st.text("AC", min_size=12, max_size=30))
    found = set()
    for _ in range(draw(st.integers(1, 7))):
        start = draw(st.integers(0, len(ref) - 4))
        removed = draw(st.integers(0, 4))
        put = draw(st.text("ACG", max_size=5))
        if (removed or put) and ref[start : start + removed] != put:
            found.add((start, removed, bytes(encode(put)), put))
    triples = [(start, removed, put) for start, removed, _, put in sorted(found)]
    masks = []
    edits = pack([Edit(s, r, encode(p).tobytes(), 0, 0) for s, r, p in triples],
                 [0] * len(triples), [0.0] * len(triples))  # fmt: skip
    for wish in (draw(st.integers(0, 127)), draw(st.integers(0, 127))):
        mask = 0
        for e in range(len(triples)):
            if wish >> e & 1 and not conflict(edits, e, mask, 0, False):
                mask |= 1 << e
        masks.append(mask)
    return ref, triples, masks


@settings(max_examples=150, deadline=None)
@given(regions())
def test_bases_stay_and_the_pair_is_not_dearer(region):
    ref, triples, masks = region
    if not triples:
        return
    before, after = respelled(ref, triples, masks, (0, 1))
    simple = all(r == len(p) == 1 or not r or not p for one in after for _, r, p in one)
    assert simple
    if all(r == len(p) == 1 or not r or not p for one in before for _, r, p in one):
        old, new = ({edit for one in side for edit in one} for side in (before, after))
        assert price(new) <= price(old)


def test_a_detour_is_told_by_what_it_comes_to():
    ref = "GATTACAGATCCGATTGACC"
    detour = (5, 12, "TAGATTTCCGACTG")
    before, after = respelled(ref, [detour], [0, 1], (0, 1))
    assert before == [[], [detour]]
    assert after == [[], [(5, 1, "T"), (9, 0, "TT"), (14, 1, "C")]]


def test_what_both_haplotypes_hold_stays_one_edit():
    """The insertion and the substitution of the one would be cheaper as another insertion."""
    ref = "GGTACACACTTG"
    shared, base = (3, 0, "AC"), (4, 1, "A")
    before, after = respelled(ref, [shared, base], [0, 1, 3], (1, 2))
    assert before == after


def test_where_edits_are_as_cheap_they_stay():
    before, after = respelled("GATTACAGATTACA", [(2, 1, "C"), (9, 1, "G")], [0, 3], (0, 1))
    assert before == after


def test_no_more_edits_than_there_is_room_for():
    """A block of too many substitutions stays a block."""
    ref = "".join("ACGT"[k] for k in np.random.default_rng(3).integers(0, 4, 100))
    swap = {"A": "C", "C": "A", "G": "T", "T": "G"}
    block = "".join(swap[base] if k % 4 == 0 else base for k, base in enumerate(ref))
    few, many = ([(0, size, block[:size])] for size in (4 * MAX_NEW - 3, 4 * MAX_NEW + 1))
    assert len(respelled(ref, few, [0, 1], (0, 1))[1][1]) == MAX_NEW
    before, after = respelled(ref, many, [0, 1], (0, 1))
    assert before == after


@pytest.mark.parametrize(
    ("edit", "prior"),
    [
        ((12, 1, "G"), model.TRANSITION_PRIOR),
        ((12, 1, "C"), model.TRANSVERSION_PRIOR),
        ((12, 2, "CCC"), model.COMPLEX_PRIOR),
        ((2, 1, ""), model.INDEL_PRIOR),
        ((10, 0, "A"), PRIORS[1, 14, 1]),
        ((10, 3, ""), PRIORS[1, 14, 3]),
        ((27, 0, "TGTG"), PRIORS[2, 1, 2]),
        ((10, 0, "ACAAAAAA"), model.INDEL_PRIOR),
    ],
)
def test_priors(edit, prior):
    start, removed, put = edit
    ref = encode("GCATCGTTCGAAAAAAAAAAAAAAAGCTTGCATCC")
    for kernel in (prior_of, prior_of.py_func):
        assert kernel(ref, start, removed, encode(put)) == prior
