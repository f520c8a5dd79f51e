"""The haplotype search against brute force: every subset, every phasing, whole strings."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.call.kernels import compare
from lingqu.call.kernels.compare import BOUNDED, TAKEN, make_walks, match
from lingqu.call.kernels.compare_table import Alleles, arrange, find_changes
from lingqu.sequence.codes import encode

WALKS = {ploidy: make_walks(ploidy) for ploidy in (1, 2)}


def changes(records):
    """Changes of [(pos, ref, {number: alt}, (number, number))], as the driver makes them."""
    alleles, starts, options, option_starts, text = [], [0], [], [0], ""
    for pos, ref, alts, (one, other) in records:
        rows = {number: len(alleles) + i for i, number in enumerate(alts)}
        for alt in alts.values():
            alleles.append((pos, len(text), len(ref), len(text) + len(ref), len(alt)))
            text += ref + alt
        pair = rows.get(one, -1), rows.get(other, -1)
        options += [pair] if one == other else [pair, pair[::-1]]
        starts.append(len(alleles))
        option_starts.append(len(options))
    return find_changes(
        Alleles(
            np.array(starts),
            np.array(option_starts),
            np.array(options, np.int64).reshape(-1, 2),
            *np.ascontiguousarray(np.array(alleles, np.int64).reshape(-1, 5).T),
            np.frombuffer(text.encode(), np.uint8),
        )
    )


def search(sequence, truth, calls, ploidy=2):
    """The table, and the outcome bits of its rows."""
    lists = changes(truth), changes(calls)
    chosen = np.arange(len(truth)), np.arange(len(calls))
    variants, records = arrange(*lists, chosen, ploidy)
    outcome = np.zeros(len(records), np.uint8)
    match(encode(sequence), variants, WALKS[ploidy], outcome)
    return variants, records, outcome


def taken(sequence, truth, calls, ploidy=2):
    """Which records of truth and which of calls take part."""
    _, records, outcome = search(sequence, truth, calls, ploidy)
    chosen = sorted(records[(outcome & TAKEN) > 0].tolist())
    cut = len(truth)
    return [r for r in chosen if r < cut], [r - cut for r in chosen if r >= cut]


# Brute force


def spelt(sequence, edits, upto):
    """The reference with `edits` (from, to, letters) up to base `upto`; None where they overlap."""
    here, text = 0, ""
    for start, end, letters in edits:
        if start < here:
            return None
        text += sequence[here:start] + letters
        here = end
    return text + sequence[here:upto]


def brute_force(sequence, variants):
    """The most variants that can take part, over all subsets and phasings of the table."""
    letters = np.array(list("ACGTN"))
    n = len(variants.side)
    edits = [
        (
            int(start),
            int(end),
            "".join(letters[variants.letters[at : at + count]]),
        )
        for start, end, at, count in zip(
            variants.change_from,
            variants.change_to,
            variants.letter_start,
            variants.letter_count,
            strict=True,
        )
    ]
    choices = [
        [None, *map(tuple, variants.options[a:b].tolist())]
        for a, b in zip(variants.option_from, variants.option_to, strict=True)
    ]
    ploidy = variants.options.shape[1]

    def limit(side, undecided, here):
        for event in range(undecided, n):
            if variants.side[event] == side and variants.reach[event] >= here:
                return max(here, int(variants.first[event]))
        return len(sequence)

    def in_step(walk, decided, haplotype):
        """Whether both lists are at the same place after the same letters."""
        lists = [
            [
                edits[option[haplotype]]
                for event, option in enumerate(walk[:decided])
                if option and variants.side[event] == side and option[haplotype] >= 0
            ]
            for side in (0, 1)
        ]
        heres = [own[-1][1] if own else 0 for own in lists]
        meet = max(heres)
        if any(meet > limit(side, decided, heres[side]) for side in (0, 1)):
            return False
        texts = [spelt(sequence, own, meet) for own in lists]
        return texts[0] is not None and texts[0] == texts[1]

    best = 0
    for walk in product(*choices):
        score = sum(option is not None for option in walk)
        if score <= best or not all(in_step(walk, n, haplotype) for haplotype in range(ploidy)):
            continue
        active = [0, 0]
        for decided in range(1, n + 1):
            active[variants.side[decided - 1]] += walk[decided - 1] is not None
            if all(in_step(walk, decided, haplotype) for haplotype in range(ploidy)):
                if (active[0] > 0) != (active[1] > 0):
                    break
                active = [0, 0]
        else:
            best = score
    return best


@st.composite
def cases(draw, most=3):
    """A repetitive sequence and two lists of records on it."""
    sequence = "".join(draw(st.lists(st.sampled_from("AAC"), min_size=6, max_size=14)))
    words = st.text("AC", min_size=1, max_size=3)

    def record(draw):
        pos = draw(st.integers(0, len(sequence) - 1))
        ref = sequence[pos : pos + draw(st.integers(1, 4))]
        alts = draw(
            st.lists(words.filter(lambda alt: alt != ref), min_size=1, max_size=2, unique=True)
        )
        numbered = dict(enumerate(alts, 1))
        genotypes = [(1, 2)] if len(alts) == 2 else [(0, 1), (1, 1), (1, -1)]
        return pos, ref, numbered, draw(st.sampled_from(genotypes))

    return sequence, *(
        sorted((record(draw) for _ in range(draw(st.integers(0, most)))), key=lambda r: r[0])
        for _ in range(2)
    )


@settings(max_examples=150, deadline=None)
@given(cases())
def test_diploid_search_is_exact(case):
    variants, _, outcome = search(*case)
    assert ((outcome & TAKEN) > 0).sum() == brute_force(case[0], variants)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_haploid_search_is_exact(case):
    variants, _, outcome = search(*case, ploidy=1)
    assert ((outcome & TAKEN) > 0).sum() == brute_force(case[0], variants)


# Planted answers


def test_trimming_leaves_the_change():
    found = changes([(10, "CTTT", {1: "CT", 2: "CTTTT", 3: "G"}, (1, 2))])
    spans = list(zip(found.change_from, found.change_to, found.letter_count, strict=True))
    assert spans == [(11, 13, 0), (11, 11, 1), (10, 14, 1)]
    assert (found.first[0], found.reach[0], found.last[0], found.indel[0]) == (10, 11, 14, True)


def test_far_apart_in_a_long_repeat():
    sequence = "G" + "CA" * 200 + "T"
    truth = [(0, "GCA", {1: "G"}, (1, 1))]
    calls = [(398, "ACA", {1: "A"}, (1, 1))]
    assert taken(sequence, truth, calls) == ([0], [0])


def test_unknown_bases_match_nothing():
    sequence = "ACNNNNNNNNGT"
    truth = [(1, "CN", {1: "C"}, (1, 1))]
    assert taken(sequence, truth, [(8, "NN", {1: "N"}, (1, 1))]) == ([], [])
    assert taken(sequence, truth, truth) == ([0], [0])


def test_a_crowded_place_is_bounded_and_said_to_be():
    """Hundreds of one-base deletions in a homopolymer: no exact search, but a true answer."""
    sequence = "G" + "A" * 120 + "T"
    truth = [(i, sequence[i : i + 2], {1: sequence[i]}, (0, 1)) for i in range(0, 110, 2)]
    calls = [(i, sequence[i : i + 3], {1: sequence[i]}, (1, 0)) for i in range(1, 110, 3)]
    variants, _, outcome = search(sequence, truth, calls)
    assert (outcome & BOUNDED).all()
    sides = variants.side[(outcome & TAKEN) > 0]
    assert (sides == 0).sum() == 2 * (sides == 1).sum() > 0


@pytest.mark.parametrize("ploidy", [1, 2])
def test_compiled_and_plain_agree(ploidy, monkeypatch):
    """The kernels as plain Python do what they do compiled."""
    sequence = "GACACACATTTTTG"
    truth = [(0, "GAC", {1: "G"}, (0, 1)), (8, "TT", {1: "T", 2: "CT"}, (1, 2))]
    calls = [(5, "CAT", {1: "T"}, (0, 1)), (8, "TT", {1: "CT"}, (0, 1)), (12, "T", {1: ""}, (0, 1))]
    _, _, compiled = search(sequence, truth, calls, ploidy)
    for name, value in vars(compare).copy().items():
        if hasattr(value, "py_func"):
            monkeypatch.setattr(compare, name, value.py_func)
    variants, _ = arrange(changes(truth), changes(calls), (np.arange(2), np.arange(3)), ploidy)
    outcome = np.zeros(5, np.uint8)
    with np.errstate(over="ignore"):
        compare.match(encode(sequence), variants, make_walks(ploidy), outcome)
    assert outcome.tolist() == compiled.tolist()
