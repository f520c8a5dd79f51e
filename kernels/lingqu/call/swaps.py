"""Why pedigree and genotypes disagree: names exchanged, a stranger's sample, a wrong pair.

What is explained is taken away, the plainest explanation first, so that two exchanged tubes are one
line and not ten.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from lingqu.call.kinship import EXPECTED, FOUND, NOT_TOLD, PARENT_CHILD, SAME, UNRELATED
from lingqu.call.told import FITS_NOT, Told, fits

_NAMED, _FAULTS = 5, 2
"""Names, and faults, that a line tells at most."""
_MOST_AT_FAULT = 200
"""Samples that miss relatives, beyond which no exchange is looked for: the sheet is another's."""


class Evidence(NamedTuple):
    """What genotypes tell of n samples.

    found: int8[n, n], numbers of FOUND; kinship: float64[n, n]; refuted: bool[n, n]; sexes: "XX",
    "XY" or another word where it is not clear.
    """

    found: np.ndarray
    kinship: np.ndarray
    refuted: np.ndarray
    sexes: list[str]


def agreement(told: Told, evidence: Evidence, a, b, c, d) -> np.ndarray:
    """`fits` of what is told of samples a and b with what is found of c and d (int64[])."""
    return fits(
        told.relation[a, b], told.kinship[a, b], told.half[a, b],
        evidence.found[c, d], evidence.kinship[c, d], evidence.refuted[c, d],
    )  # fmt: skip


class _Case:
    """What is still to be explained: pairs (bool[n, n]) and sexes (bool[n])."""

    def __init__(self, names: list[str], told: Told, evidence: Evidence):
        n = len(names)
        a, b = np.ix_(np.arange(n), np.arange(n))
        self.names, self.told, self.evidence = names, told, evidence
        self.pairs = agreement(told, evidence, a, b, a, b) == FITS_NOT
        self.relatives = (told.relation != NOT_TOLD) & (told.relation != UNRELATED)
        self.sexes = np.array([self._is_other_sex(k, k) for k in range(n)], bool)

    def _is_other_sex(self, name: int, sample: int) -> bool:
        told, found = self.told.sexes[name], self.evidence.sexes[sample]
        return told is not None and found in ("XX", "XY") and found != told

    def faults_exchanged(self, x: int, y: int) -> int | None:
        """Pairs of two samples that would not fit if each were the other; copies left aside.

        None if a sex or a relative that the sheet tells were among what does not fit.
        """
        others, count = np.delete(np.arange(len(self.names)), [x, y]), 0
        for a, b in ((x, y), (y, x)):
            fitting = agreement(self.told, self.evidence, a, others, b, others)
            wrong = (fitting == FITS_NOT) & (self.evidence.found[b, others] != SAME)
            if self._is_other_sex(a, b) or (wrong & self.relatives[a, others]).any():
                return None
            count += int(wrong.sum())
        return count

    def explain(self, *samples: int) -> None:
        """Take away all that these samples are part of."""
        self.pairs[list(samples)] = self.pairs[:, list(samples)] = False
        self.sexes[list(samples)] = False

    def name(self, *samples: int) -> list[str]:
        return [self.names[k] for k in samples]


def explained(names: list[str], told: Told, evidence: Evidence) -> list[dict]:
    """Lines of {"kind", "samples", "why"}; kinds are same, exchanged, stranger, pair and sex."""
    case = _Case(names, told, evidence)
    return [*_same(case), *_exchanged(case), *_strangers(case), *_pairs(case), *_sexes(case)]


def _line(case: _Case, kind: str, samples: tuple[int, ...], why: str) -> dict:
    return {"kind": kind, "samples": case.name(*samples), "why": why}


def _same(case: _Case) -> Iterator[dict]:
    """Samples of one person, which no sheet tells."""
    for a, b in np.argwhere(np.triu(case.evidence.found == SAME, 1)).tolist():
        one, two = case.name(a, b)
        told = case.told.relation[a, b]
        but = "" if told == NOT_TOLD else f"; the sheet has them as {FOUND[told]}"
        why = f"{one} and {two} are one person's samples, or identical twins'{but}"
        yield _line(case, "same", (a, b), f"{why} ({_value(case, a, b)})")
        case.pairs[a, b] = case.pairs[b, a] = False


def _exchanged(case: _Case) -> Iterator[dict]:
    """Pairs of samples whose relatives are as told if their names are exchanged."""
    while True:
        ways = _ways(case)
        if not ways:
            return
        x, y = ways[0]
        more = [" and ".join(case.name(*way)) for way in ways[1:]]
        or_else = f" (so it does with {' or '.join(more[:_NAMED])})" if more else ""
        one, two = case.name(x, y)
        why = f"{one} and {two} are exchanged: with their names the other way round the sheet fits"
        yield _line(case, "exchanged", (x, y), f"{why}{or_else}; now {_faults_of(case, x, y)}")
        case.explain(x, y)


def _ways(case: _Case) -> list[tuple[int, int]]:
    """The exchanges that mend most, of samples that miss relatives with any that have some."""
    faults = case.pairs.sum(1) + case.sexes
    at_fault = (case.pairs & case.relatives).any(1)
    is_near = (case.evidence.found != NOT_TOLD) & (case.evidence.found != UNRELATED)
    others = np.flatnonzero((faults > 0) | is_near.any(1)).tolist()
    if at_fault.sum() > _MOST_AT_FAULT:
        return []
    best: dict[int, list[tuple[int, int]]] = {}
    for x, y in product(np.flatnonzero(at_fault).tolist(), others):
        if case.pairs[x, y] or x == y or (at_fault[y] and y < x):
            continue
        before, after = int(faults[x] + faults[y]), case.faults_exchanged(x, y)
        if after is not None and before > 1 and 2 * after <= before:
            best.setdefault(before - after, []).append((min(x, y), max(x, y)))
    return best[max(best)] if best else []


def _faults_of(case: _Case, *samples: int) -> str:
    """What does not fit now, of some samples."""
    told = []
    for x in samples:
        told += [_words(case, x, z) for z in np.flatnonzero(case.pairs[x]).tolist()]
        told += [_sex_words(case, x)] * bool(case.sexes[x])
    rest = len(told) - _FAULTS
    return ", ".join(told[:_FAULTS]) + (f" and {rest} more" if rest > 0 else "")


def _words(case: _Case, a: int, b: int) -> str:
    """What is told of a pair and what is found."""
    told, found = case.told.relation[a, b], case.evidence.found[a, b]
    one, two = case.name(a, b)
    value = _value(case, a, b)
    if told == UNRELATED:
        return f"{one} and {two} are {_as_words(found)} ({value}), which the sheet does not tell"
    told_as = f"{one} and {two} are told to be {_as_words(told)}"
    if found == NOT_TOLD:
        return f"{told_as} but share no allele at too many sites"
    hint = f", expected {EXPECTED[told]:g}" if EXPECTED[told] != EXPECTED[found] else ""
    return f"{told_as} but are {_as_words(found)} ({value}{hint})"


def _value(case: _Case, a: int, b: int) -> str:
    return f"kinship {round(float(case.evidence.kinship[a, b]), 2) + 0.0:.2f}"


def _as_words(relation: int) -> str:
    return {SAME: "one person", PARENT_CHILD: "parent and child", UNRELATED: "unrelated"}.get(
        relation, "second-degree relatives" if FOUND[relation] == "second degree" else "siblings"
    )


def _sex_words(case: _Case, k: int) -> str:
    return f"{case.names[k]} is told to be {case.told.sexes[k]} but is {case.evidence.sexes[k]}"


def _strangers(case: _Case) -> Iterator[dict]:
    """Samples that are related to none of their relatives, who are to one another."""
    apart = case.pairs & case.relatives & (case.evidence.found == UNRELATED)
    for k in range(len(case.names)):
        own = np.flatnonzero(case.relatives[k])
        if len(own) < 2 or not apart[k, own].all():
            continue
        if any(apart[z].sum() >= apart[k].sum() for z in own.tolist()):
            continue
        told = ", ".join(case.name(*own[:_NAMED].tolist()))
        why = f"{case.names[k]} is related to none of {told}, as the sheet tells"
        why += ": it is another person's sample, or the sheet is wrong"
        yield _line(case, "stranger", (k,), why)
        case.explain(k)


def _pairs(case: _Case) -> Iterator[dict]:
    for a, b in np.argwhere(np.triu(case.pairs, 1)).tolist():
        yield _line(case, "pair", (a, b), _words(case, a, b))


def _sexes(case: _Case) -> Iterator[dict]:
    for k in np.flatnonzero(case.sexes).tolist():
        yield _line(case, "sex", (k,), _sex_words(case, k) + " by its genotypes")
