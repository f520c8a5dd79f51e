"""What a pedigree tells of pairs, and what genotypes may say against it."""

import numpy as np
import pytest

from lingqu.call.kinship import FOUND, NOT_TOLD, SECOND, UNRELATED
from lingqu.call.pedigree import FEMALE, MALE, Person, with_sexes
from lingqu.call.told import FITS, FITS_NOT, UNCLEAR, fits, told_by

PEOPLE = with_sexes([
    Person("pa"), Person("gran"), Person("other"), Person("mum"), Person("partner"),
    Person("dad", "pa", "gran"), Person("aunt", "pa", "gran", FEMALE),
    Person("half", "pa", "other"), Person("kid", "dad", "mum", MALE),
    Person("sis", "dad", "mum"), Person("baby", "kid", "partner"),
    Person("cousin", "stranger", "aunt"), Person("stranger"), Person("lone", "", "mum"),
    Person("inbred", "kid", "sis"),
])  # fmt: skip
EXPECTED = {
    "dad kid": ("parent-child", 1 / 4), "kid baby": ("parent-child", 1 / 4),
    "kid sis": ("siblings", 1 / 4), "dad aunt": ("siblings", 1 / 4),
    "dad half": ("second degree", 1 / 8), "aunt kid": ("second degree", 1 / 8),
    "mum baby": ("second degree", 1 / 8), "kid lone": ("second degree", 1 / 8),
    "kid cousin": ("unrelated", 1 / 16), "half kid": ("unrelated", 1 / 16),
    "baby cousin": ("unrelated", 1 / 32), "mum dad": ("unrelated", 0),
    "partner dad": ("unrelated", 0), "kid inbred": ("parent-child", 3 / 8),
    "mum inbred": ("siblings", 1 / 4), "kid nobody": (None, 0),
}  # fmt: skip


@pytest.mark.parametrize("pair", EXPECTED)
def test_relations(pair):
    names = pair.split()
    told = told_by(PEOPLE, names)
    relation = told.relation[0, 1]
    word, close = EXPECTED[pair]
    assert (None if relation == NOT_TOLD else FOUND[relation]) == word
    if word:
        assert told.kinship[0, 1] == told.kinship[1, 0] == pytest.approx(close)
    assert told.relation[0, 1] == told.relation[1, 0]
    assert told.half[0, 1] == (pair == "kid lone")


def test_sexes_and_who_is_not_there():
    told = told_by(PEOPLE, ["dad", "sis", "mum", "nobody", "kid"])
    assert told.sexes == ["XY", "XX", "XX", None, "XY"]
    assert told_by([], ["a", "b"]).relation.tolist() == [[NOT_TOLD] * 2] * 2
    assert told_by([], ["a", "b"]).sexes == [None, None]
    alone = told_by([Person("a", sex=MALE), Person("b")], ["a", "b"])
    assert (alone.relation == NOT_TOLD).all() and alone.sexes == ["XY", None]


def judged(relation, close, found, kinship, half=False, refuted=False):
    number = {None: NOT_TOLD} | {word: k for k, word in enumerate(FOUND)}
    return int(fits(
        np.array([number[relation]]), np.array([close]), np.array([half]),
        np.array([number[found]]), np.array([kinship]), np.array([refuted]),
    )[0])  # fmt: skip


def test_what_fits():
    assert judged("parent-child", 0.25, "parent-child", 0.25) == FITS
    assert judged("parent-child", 0.25, "siblings", 0.25) == FITS_NOT
    assert judged("parent-child", 0.25, "second degree", 0.17) == FITS_NOT
    assert judged("siblings", 0.25, "same", 0.5) == FITS_NOT
    assert judged("second degree", 0.125, "unrelated", 0.06) == FITS
    assert judged("second degree", 0.125, "unrelated", 0.03) == FITS_NOT
    assert judged("second degree", 0.125, "siblings", 0.19) == FITS_NOT
    assert judged("second degree", 0.125, "siblings", 0.25, half=True) == FITS
    assert judged("unrelated", 1 / 16, "second degree", 0.1) == FITS
    assert judged("unrelated", 0, "second degree", 0.1) == FITS_NOT
    assert judged("unrelated", 0, "unrelated", -0.05) == FITS
    assert judged(None, 0, "same", 0.5) == UNCLEAR
    assert judged("siblings", 0.25, None, 0.5, refuted=True) == UNCLEAR
    assert judged("parent-child", 0.25, None, 0.0, refuted=True) == FITS_NOT
    assert judged("parent-child", 0.25, None, 0.0) == UNCLEAR
    assert SECOND < UNRELATED
