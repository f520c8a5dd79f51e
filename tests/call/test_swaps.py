"""Sheets that are wrong, and the one line that says how."""

import numpy as np
import pytest

from lingqu.call.kinship import EXPECTED, NOT_TOLD, PARENT_CHILD, SAME, UNRELATED
from lingqu.call.pedigree import FEMALE, MALE, Person, with_sexes
from lingqu.call.swaps import Evidence, explained
from lingqu.call.told import told_by

PEOPLE = with_sexes([
    Person("dad"), Person("mum"), Person("boy", "dad", "mum", MALE),
    Person("girl", "dad", "mum", FEMALE), Person("pa"), Person("ma"), Person("kid", "pa", "ma"),
    Person("one", sex=MALE), Person("two", sex=FEMALE), Person("three", sex=FEMALE),
])  # fmt: skip
NAMES = [person.name for person in PEOPLE]
SEXES = ["XX" if person.sex == FEMALE else "XY" if person.sex == MALE else "unknown"
         for person in PEOPLE]  # fmt: skip


def evidence(of=(), people=PEOPLE):
    """What is found where the tube of each name holds the person `of[name]`, or else its own."""
    held = [NAMES.index(dict(of).get(name, name)) for name in NAMES]
    told = told_by(people, NAMES)
    found, close = told.relation[np.ix_(held, held)], told.kinship[np.ix_(held, held)].copy()
    twice = np.equal.outer(held, held)
    found[twice], close[twice] = SAME, EXPECTED[SAME]
    np.fill_diagonal(found, NOT_TOLD)
    refuted = ~np.isin(found, (PARENT_CHILD, SAME, NOT_TOLD))
    return Evidence(found, close, refuted, [SEXES[k] for k in held])


def lines(of=(), **changed):
    return explained(NAMES, told_by(PEOPLE, NAMES), evidence(of, **changed))


def test_a_sheet_that_is_right():
    assert lines() == []


@pytest.mark.parametrize("pair", [
    "boy kid", "dad one", "dad kid", "boy dad", "girl one", "mum three", "pa one",
])  # fmt: skip
def test_exchanged_names(pair):
    x, y = pair.split()
    (line,) = lines({x: y, y: x})
    assert line["kind"] == "exchanged"
    assert sorted(line["samples"]) == sorted((x, y))
    assert f"{line['samples'][0]} and {line['samples'][1]} are exchanged" in line["why"]
    assert "now " in line["why"] and "\n" not in line["why"]


def test_an_exchange_in_words():
    (line,) = lines({"kid": "two", "two": "kid"})
    assert line["why"] == (
        "kid and two are exchanged: with their names the other way round the sheet fits; now kid"
        " and ma are told to be parent and child but are unrelated (kinship 0.00, expected 0.25),"
        " kid and pa are told to be parent and child but are unrelated (kinship 0.00, expected"
        " 0.25) and 2 more"
    )


def test_an_exchange_amid_relatives_that_nobody_told():
    """Of boy's aunt the sheet knows nothing: the exchange mends most."""
    people = [*PEOPLE, Person("gran"), Person("gramps")]
    truth = with_person(people, "dad", father="gramps", mother="gran")
    truth = with_person(truth, "two", father="gramps", mother="gran")
    found = lines({"boy": "one", "one": "boy"}, people=truth)
    assert [line["kind"] for line in found] == ["exchanged", "pair", "pair"]
    assert sorted(found[0]["samples"]) == ["boy", "one"]
    assert [line["samples"] for line in found[1:]] == [["dad", "two"], ["girl", "two"]]


def test_two_exchanges():
    found = lines({"boy": "one", "one": "boy", "kid": "three", "three": "kid"})
    assert [line["kind"] for line in found] == ["exchanged", "exchanged"]
    assert {frozenset(line["samples"]) for line in found} == {
        frozenset(("boy", "one")), frozenset(("kid", "three")),
    }  # fmt: skip


def test_a_sex_alone():
    (line,) = lines({"one": "two", "two": "one"})[:1]
    assert line == {
        "kind": "sex", "samples": ["one"],
        "why": "one is told to be XY but is XX by its genotypes",
    }  # fmt: skip


def test_one_person_twice():
    found = lines({"one": "boy"})
    (line,) = [line for line in found if line["kind"] == "same"]
    assert line["samples"] == ["boy", "one"]
    assert line["why"] == (
        "boy and one are one person's samples, or identical twins'; the sheet has them as unrelated"
        " (kinship 0.50)"
    )
    assert {tuple(line["samples"]) for line in found if line["kind"] != "same"} <= {
        ("dad", "one"), ("mum", "one"), ("girl", "one"), ("one", "dad"), ("one", "mum"),
    }  # fmt: skip


def with_person(people, name, **changed):
    """The people, of whom one is truly another's child."""
    return [Person(**(vars(p) | (changed if p.name == name else {}))) for p in people]


def test_another_father():
    (line,) = lines(people=with_person(PEOPLE, "kid", father=""))
    assert line == {
        "kind": "pair", "samples": ["kid", "pa"],
        "why": "kid and pa are told to be parent and child but are unrelated (kinship 0.00,"
               " expected 0.25)",
    }  # fmt: skip


def test_a_strangers_sample():
    (line,) = lines(people=with_person(PEOPLE, "boy", father="", mother=""))
    assert (line["kind"], line["samples"]) == ("stranger", ["boy"])
    assert line["why"].startswith("boy is related to none of dad, girl, mum, as the sheet tells")


def test_an_untold_relative():
    found = lines(people=with_person(PEOPLE, "one", father="pa"))
    assert [line["why"] for line in found] == [
        "kid and one are second-degree relatives (kinship 0.12), which the sheet does not tell",
        "one and pa are parent and child (kinship 0.25), which the sheet does not tell",
    ]


def test_little_is_seen():
    """Without a relation found, parent and child may yet be refuted."""
    seen = evidence(people=with_person(PEOPLE, "kid", father=""))
    seen = seen._replace(found=np.full_like(seen.found, NOT_TOLD))
    (line,) = explained(NAMES, told_by(PEOPLE, NAMES), seen)
    assert line["samples"] == ["kid", "pa"]
    assert "but share no allele at too many sites" in line["why"]


def test_a_sheet_of_other_people():
    """Beyond some faults nobody looks for exchanges; the lines come in time."""
    n = 600
    people = with_sexes([
        person for k in range(n // 3) for person in
        (Person(f"d{k:03}"), Person(f"m{k:03}"), Person(f"c{k:03}", f"d{k:03}", f"m{k:03}"))
    ])  # fmt: skip
    names = [person.name for person in people]
    told = told_by(people, names)
    found = np.full((n, n), UNRELATED, np.int8)
    nothing = Evidence(found, np.zeros((n, n)), np.ones((n, n), bool), ["unknown"] * n)
    assert {line["kind"] for line in explained(names, told, nothing)} == {"stranger"}
