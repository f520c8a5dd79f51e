"""Who is whose child: PED files and the sample sheet's columns, checked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lingqu.base.errors import LingquError

UNKNOWN, MALE, FEMALE = 0, 1, 2
"""Sex, in the numbers of PED files."""
_SEXES = {"1": MALE, "M": MALE, "MALE": MALE, "XY": MALE}
_SEXES |= {"2": FEMALE, "F": FEMALE, "FEMALE": FEMALE, "XX": FEMALE}
_ROLES = (("father", MALE), ("mother", FEMALE))
_NOBODY = {"", "0", "."}


@dataclass(frozen=True)
class Person:
    """A person; father and mother are names, "" if not known."""

    name: str
    father: str = ""
    mother: str = ""
    sex: int = UNKNOWN
    family: str = ""


def parse_sex(word: str) -> int:
    """MALE of `1`, `M`, `male`, `XY`; FEMALE of `2`, `F`, `female`, `XX`; UNKNOWN of all else."""
    return _SEXES.get(word.upper(), UNKNOWN)


def problems(people: Iterable[Person]) -> Iterator[tuple[int, str, str]]:
    """Yield (number of the person, from 0; field; message) of all that cannot be.

    A name that comes twice, a parent that is not there, a parent of the other sex, who is father
    here and mother there, and who would be an own ancestor.
    """
    people = list(people)
    known: dict[str, Person] = {}
    for number, person in enumerate(people):
        if person.name in known:
            yield number, "sample", f"{person.name!r} twice; keep one"
        known.setdefault(person.name, person)
    roles: dict[str, str] = {}
    for number, person in enumerate(people):
        for role, sex in _ROLES:
            parent = getattr(person, role)
            if not parent:
                continue
            if parent not in known:
                told = f"{role} {parent!r} of {person.name!r} is not there; add it, or give none"
                yield number, role, told
            elif known[parent].sex not in (UNKNOWN, sex):
                has = "female" if sex == MALE else "male"
                told = f"{role} {parent!r} of {person.name!r} is {has}; mend the sex or the {role}"
                yield number, role, told
            elif roles.setdefault(parent, role) != role:
                told = f"{parent!r} is {role} here and {roles[parent]} elsewhere; mend one"
                yield number, role, told
    for number, person in enumerate(people):
        if person.name in _ancestors(person, known):
            told = f"{person.name!r} is an own ancestor; mend father and mother"
            yield number, "father" if person.father else "mother", told


def _ancestors(person: Person, known: Mapping[str, Person]) -> set[str]:
    found: set[str] = set()
    waiting = [person.father, person.mother]
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found.add(name)
            waiting += known[name].father, known[name].mother
    return found


def with_sexes(people: Iterable[Person]) -> list[Person]:
    """The people by name; fathers are male and mothers female, where nothing else was said."""
    people = sorted(people, key=lambda person: person.name)
    told = {getattr(child, role): sex for child in people for role, sex in _ROLES}
    return [
        Person(p.name, p.father, p.mother, p.sex or told.get(p.name, UNKNOWN), p.family)
        for p in people
    ]


def read_ped(path: str | Path) -> list[Person]:
    """The people of a PED file by name: family, sample, father, mother, sex, and what follows.

    Columns are separated by tabs or spaces; 0 (or .) is nobody; sex is 1, 2 or unknown; lines that
    start with # are left out. LingquError on fewer columns, and on all that `problems` tells.
    """
    people, lines = [], []
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LingquError(f"{path}: {error.strerror}; name a PED file") from None
    except UnicodeDecodeError:
        raise LingquError(f"{path}: is no UTF-8 text; name a PED file") from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split()
        if len(cells) < 5:
            raise LingquError(
                f"{path}: line {number}: {len(cells)} columns; give family, sample, father, mother"
                " and sex"
            )
        family, name, father, mother = (cell if cell not in _NOBODY else "" for cell in cells[:4])
        if not name:
            raise LingquError(f"{path}: line {number}: no sample; name it")
        people.append(Person(name, father, mother, parse_sex(cells[4]), family))
        lines.append(number)
    if not people:
        raise LingquError(f"{path}: holds nobody; give a line for each sample")
    for number, _, message in problems(people):
        raise LingquError(f"{path}: line {lines[number]}: {message}")
    return with_sexes(people)


def ped_lines(people: Iterable[Person]) -> list[str]:
    """The people as lines of a PED file; a sample without a family is one of its own."""
    return [
        "\t".join((p.family or p.name, p.name, p.father or "0", p.mother or "0", str(p.sex), "0"))
        for p in people
    ]
