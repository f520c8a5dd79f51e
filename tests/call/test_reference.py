"""The evidence for the reference against a plain walk over the letters of each read."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.call import gvcf
from lingqu.call.kernels import reference
from lingqu.formats.bam import Alignments
from lingqu.sequence.codes import encode

OPS = {"M": 0, "I": 1, "D": 2, "N": 3, "S": 4}


@given(st.text("ACN", min_size=2, max_size=30))
def test_repeat_reach(text):
    codes = encode(text)
    n = len(text) - 1
    tracts = set()
    for unit in range(1, 4):
        for a in range(n + 1):
            for b in range(a + 2 * unit, n + 2):
                tract = text[a:b]
                if "N" not in tract[unit:] and tract[unit:] == tract[:-unit]:
                    tracts.add((a, b))
    for kernel in (reference.repeat_reach, reference.repeat_reach.py_func):
        left, right = np.empty(n, np.int32), np.empty(n, np.int32)
        kernel(codes, 4, left, right)
        for i in range(n):
            near = [(a, b) for a, b in tracts if a <= i + 1 and i < b]
            assert left[i] == min([i + 1, *(a for a, _ in near)])
            assert right[i] == max([i + 1, *(b for _, b in near)])
        assert (np.diff(left) >= 0).all()
        assert (np.diff(right) >= 0).all()


def make(reads) -> Alignments:
    """Alignments of (pos, [(op, size)], bases, quality, mapq, name), sorted by pos."""
    columns = {name: [] for name in ("pos", "end", "mapq", "bases", "words", "names")}
    for pos, cigar, bases, _, mapq, name in reads:
        columns["pos"].append(pos)
        columns["end"].append(pos + sum(size for op, size in cigar if op in "MDN"))
        columns["mapq"].append(mapq)
        columns["bases"].append(len(bases))
        columns["words"].append([size << 4 | OPS[op] for op, size in cigar])
        columns["names"].append(name)
    starts = np.concatenate(([0], np.cumsum(columns["bases"]))).astype(np.int64)
    words = np.concatenate(([0], np.cumsum([len(w) for w in columns["words"]]))).astype(np.int64)
    n = len(reads)
    return Alignments(
        np.array(columns["pos"], np.int32), np.array(columns["end"], np.int32),
        np.zeros(n, np.uint16), np.array(columns["mapq"], np.uint8), starts, words,
        np.zeros(n, np.int32), np.array(columns["bases"], np.int32),
        np.array(columns["names"], np.uint64),
        encode("".join(read[2] for read in reads)),
        np.concatenate([np.full(len(read[2]), read[3], np.uint8) for read in reads]),
        np.array([word for one in columns["words"] for word in one], np.uint32),
    )  # fmt: skip


def slowly(reads, ref, gap_quality, left, right):
    """What `weigh_reference` adds, read by read and place by place."""
    lose, half = gvcf._costs()
    sums = np.zeros((len(ref), 7), np.int64)
    shown = {}
    for pos, cigar, bases, quality, mapq, name in reads:
        if mapq < 10:
            continue
        m = min(mapq, 40)
        new = shown.get(name, 0)
        at, place, aligned, gaps = 0, pos, [], []
        for op, size in cigar:
            for _ in range(size):
                if op == "M":
                    aligned.append(place)
                    if place >= new:
                        sums[place, 0] += 1
                        if bases[at] != "N" and ref[place] != "N":
                            q = min(quality, 40)
                            sums[place, 2] += half[m, q]
                            sums[place, 3 if bases[at] == ref[place] else 1] += lose[m, q]
                if op == "D" and place >= new:
                    sums[place, 0] += 1
                    sums[place, 1] += lose[m, gap_quality[place]]
                    sums[place, 2] += half[m, gap_quality[place]]
                at += op in "MIS"
                place += op in "MD"
            if op in "ID":
                before = place - 1 - (size if op == "D" else 0)
                gaps += range(left[before] - 1, right[before])
        for row in range(max(new, aligned[0]), aligned[-1] + 1):
            if left[row] - 5 >= aligned[0] and right[row] + 5 <= aligned[-1] + 1:
                q = gap_quality[row]
                sums[row, 5] += half[m, q]
                sums[row, 4 if row in gaps else 6] += lose[m, q]
        shown[name] = max(new, place)
    return sums


@st.composite
def pile(draw):
    ref = draw(st.text("ACGTN", min_size=40, max_size=60))
    reads = []
    for k in range(draw(st.integers(1, 8))):
        pos = draw(st.integers(0, 12))
        first, last = draw(st.integers(6, 12)), draw(st.integers(6, 12))
        middle = draw(st.sampled_from([[], [("I", 2)], [("D", 3)], [("D", 1), ("M", 3), ("I", 1)]]))
        cigar = [("M", first), *middle, ("M", last)] if middle else [("M", first + last)]
        if draw(st.booleans()):
            cigar.append(("S", 2))
        size = sum(n for op, n in cigar if op in "MIS")
        bases = draw(st.text("ACGTN", min_size=size, max_size=size))
        name = draw(st.integers(0, k))
        reads.append(
            (pos, cigar, bases, draw(st.sampled_from([2, 20, 37, 60])),
             draw(st.sampled_from([3, 10, 29, 60])), name)
        )  # fmt: skip
    reads.sort(key=lambda read: read[0])
    return ref, reads, draw(st.integers(0, 2**32))


@given(pile())
@settings(max_examples=60, deadline=None)
def test_the_evidence(case):
    ref, reads, seed = case
    codes = encode(ref)
    n = len(ref)
    left, right = np.empty(n, np.int32), np.empty(n, np.int32)
    reference.repeat_reach(np.append(codes, np.uint8(4)), 7, left, right)
    gap_quality = np.random.default_rng(seed).integers(10, 41, n).astype(np.uint8)
    expected = slowly(reads, ref, gap_quality, left, right)
    alignments = make(reads)
    template = np.unique(alignments.name_hash, return_inverse=True)[1].astype(np.int32)
    for kernel in (reference.weigh_reference, reference.weigh_reference.py_func):
        sums = np.zeros((7, n), np.int64)
        shown = np.zeros(len(reads), np.int32)
        kernel(alignments, template, shown, codes, 0, 10, gap_quality, left, right,
               *gvcf._costs(), sums)  # fmt: skip
        assert (expected == sums.T).all()


def test_costs_are_those_of_the_likelihoods():
    lose, half = gvcf._costs()
    for mapq, quality in ((40, 30), (20, 37), (40, 40), (10, 5)):
        error = 10 ** (-quality / 10)
        chance = max(error / 3 / (1 - error), 10 ** (-mapq / 10))
        assert lose[mapq, quality] == pytest.approx(-1000 * math.log10(chance), abs=1)
        assert half[mapq, quality] == pytest.approx(-1000 * math.log10((1 + chance) / 2), abs=1)
