import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call import records
from lingqu.call.records import (
    Call,
    GivenSite,
    call_line,
    given_line,
    keep_stars,
    strand_bias,
)

COUNTS = st.integers(0, 12)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_strand_bias_is_fishers_test(a, b, c, d):
    row, column, total = a + b, a + c, a + b + c + d

    def chance(k):
        if not 0 <= k <= row or not 0 <= column - k <= total - row:
            return Fraction(0)
        ways = math.comb(row, k) * math.comb(total - row, column - k)
        return Fraction(ways, math.comb(total, column))

    p = sum(chance(k) for k in range(total + 1) if chance(k) <= chance(a))
    assert strand_bias(a, b, c, d) == pytest.approx(-10 * math.log10(p), abs=1e-6)


def call(**changes) -> Call:
    facts = {
        "site": 9, "pos": 9, "ref": "CAA", "alts": ("CA", "TAA", "*"), "alleles": (1, 2),
        "depth": 20, "squares": 20 * 3600, "weighed": 3, "fragments": (1, 9, 8, 0),
        "forward": (1, 5, 4, 0), "reverse": (0, 4, 4, 0), "log_none": -30.0, "log_other": -4.0,
        "likelihoods": {(a, b): -1.0 * (a + 4 * b) for b in range(4) for a in range(b + 1)},
    }  # fmt: skip
    return Call(**(facts | changes))


def test_a_line_has_the_alleles_of_the_genotype():
    fields = call_line(call(), "c", 2).split("\t")
    assert fields[:5] == ["c", "10", ".", "CA", "C,TA"]  # the last A is in all of them
    assert fields[5:7] == ["300.0", "PASS"]
    assert fields[9] == "1/2:40:20:1,9,8:0,40,50,80,90,100"


def test_bases_that_no_allele_needs_are_cut():
    fields = call_line(call(alleles=(0, 2)), "c", 2).split("\t")
    assert fields[3:5] == ["C", "T"]
    assert fields[9].split(":")[0] == "0/1"
    fields = call_line(call(alleles=(2, 3)), "c", 2).split("\t")
    assert fields[3:5] == ["C", "T,*"]
    fields = call_line(call(alleles=(2, 2)), "c", 1).split("\t")
    assert fields[9] == "1:40:20:1,8:0,100"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"log_none": -0.9}, "LowQual"),
        ({"squares": 20 * 400}, "LowMapQual"),
        ({"alleles": (0, 1), "forward": (40, 0, 0, 0), "reverse": (0, 60, 0, 0)}, "StrandBias"),
    ],
)
def test_filters(changes, name):
    fields = call_line(call(**changes), "c", 2).split("\t")
    assert fields[6] == name
    assert any(f"FILTER=<ID={name}," in line for line in records.META)


def test_a_star_needs_the_record_of_its_deletion():
    deletion = call(pos=4, ref="CAAAAAAA", alts=("C",), alleles=(0, 1), fragments=(9, 9),
                    likelihoods={(0, 0): -9.0, (0, 1): 0.0, (1, 1): -9.0})  # fmt: skip
    under = call(alleles=(2, 3))
    assert keep_stars([deletion, under]) == [deletion, under]
    for before in ([], [replace(deletion, pos=1)], [replace(deletion, alleles=(0, 0))]):
        (*_, alone) = keep_stars([*before, under])
        fields = call_line(alone, "c", 2).split("\t")
        assert fields[3:5] == ["C", "T"]
        assert fields[9] == "0/1:40:20:1,8:0,80,100"


def test_given_line_keeps_what_was_given():
    site = GivenSite(9, "CAAA", ("TAAA", "CG", "CAA"))
    fields = given_line(call(), site, "c", 2).split("\t")
    assert fields[:5] == ["c", "10", ".", "CAAA", "TAAA,CG,CAA"]
    genotype, _, _, counts, likelihoods = fields[9].split(":")
    assert genotype == "1/3"
    assert counts == "1,8,0,9"
    assert len(likelihoods.split(",")) == 10
    assert set(given_line(None, site, "c", 2).split("\t")[9].split(":")[0]) == {".", "/"}


def test_quality_zero_has_no_sign():
    assert given_line(call(log_none=0.0), GivenSite(9, "CAA", ("CA", "TAA", "C")), "c", 2).split(
        "\t"
    )[5] == "0.0"  # fmt: skip


@given(st.text("ACGT", min_size=1, max_size=5), st.text("ACGT", min_size=1, max_size=5))
def test_given_edits_give_the_allele(ref, alt):
    if ref == alt:
        assert GivenSite(100, ref, (alt,)).edits() == []
        return
    (edit,) = GivenSite(100, ref, (alt, "*", "<DEL>")).edits()
    start, removed, put = edit
    letters = "".join("ACGT"[code] for code in put)
    assert ref[: start - 100] + letters + ref[start - 100 + removed :] == alt
