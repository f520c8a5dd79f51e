"""PED files and what cannot be in a pedigree."""

import pytest

from lingqu.base.errors import LingquError
from lingqu.call.pedigree import FEMALE, MALE, UNKNOWN, Person, ped_lines, problems, read_ped

TRIO = "F1 dad 0 0 1 1\nF1\tmum\t0\t0\t2\t1\nF1 kid dad mum 0 2\n"


@pytest.fixture
def ped(tmp_path):
    def write(text: str | bytes):
        path = tmp_path / "family.ped"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_people_by_name(ped):
    assert read_ped(ped("#family sample\n\n" + TRIO)) == [
        Person("dad", "", "", MALE, "F1"),
        Person("kid", "dad", "mum", UNKNOWN, "F1"),
        Person("mum", "", "", FEMALE, "F1"),
    ]


def test_parents_of_unknown_sex_have_one(ped):
    people = read_ped(ped("F kid dad mum XX\nF dad . . other\nF mum 0 0 -9\n"))
    assert [p.sex for p in people] == [MALE, FEMALE, FEMALE]


def test_lines_are_read_again(ped):
    people = read_ped(ped(TRIO))
    assert read_ped(ped("\n".join(ped_lines(people)))) == people
    assert ped_lines([Person("alone")]) == ["alone\talone\t0\t0\t0\t0"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TRIO + "F1 kid 0 0 1 1\n", "line 4: 'kid' twice; keep one"),
        (TRIO + "F1 sis pa mum 2 1\n", "line 4: father 'pa' of 'sis' is not there; add it"),
        (TRIO + "F1 sis mum dad 2 1\n", "line 4: father 'mum' of 'sis' is female; mend the sex"),
        (TRIO + "F1 sis kid 0 2\nF1 bro 0 kid 1\n", "line 5: 'kid' is mother here and father"),
        ("F a b 0 1\nF b c 0 1\nF c a 0 1\n", "line 1: 'a' is an own ancestor"),
        ("F a a 0 1\n", "line 1: 'a' is an own ancestor; mend father and mother"),
        ("F a 0 0\n", "line 1: 4 columns; give family, sample, father, mother and sex"),
        ("F 0 0 0 1\n", "line 1: no sample; name it"),
        ("# nothing\n", "holds nobody"),
        (b"F \xff 0 0 1\n", "is no UTF-8 text"),
    ],
)
def test_what_cannot_be_is_one_line(ped, text, told):
    with pytest.raises(LingquError) as caught:
        read_ped(ped(text))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "family.ped: " in str(caught.value)


def test_no_file(tmp_path):
    with pytest.raises(LingquError, match=r"none.ped: No such file or directory; name a PED file"):
        read_ped(tmp_path / "none.ped")


def test_problems_name_the_field():
    people = [Person("a", "x", "y"), Person("b", mother="b")]
    assert [(n, field) for n, field, _ in problems(people)] == [
        (0, "father"), (0, "mother"), (1, "mother"),
    ]  # fmt: skip
