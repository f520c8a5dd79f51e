"""What a pedigree tells of pairs of samples, and whether genotypes bear it out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lingqu.call.kinship import BOUNDS, NOT_TOLD, PARENT_CHILD, SECOND, SIBLINGS, UNRELATED
from lingqu.call.pedigree import FEMALE, MALE, Person

FITS, FITS_NOT, UNCLEAR = 1, 0, -1
_ROOM = 2**1.5
"""Kinship of relatives beyond the first degree is up to so many times more or less than the
pedigree's: they share whole pieces of chromosomes, by chance more or fewer."""


class Told(NamedTuple):
    """What is told of n samples.

    relation: int8[n, n], numbers of FOUND, NOT_TOLD of who is not in the pedigree. kinship:
    float64[n, n]. half: bool[n, n], who share one parent and of whom another is not known: they may
    be siblings, too. sexes: "XX", "XY" or None.
    """

    relation: np.ndarray
    kinship: np.ndarray
    half: np.ndarray
    sexes: list[str | None]


def told_by(people: Sequence[Person], samples: Sequence[str]) -> Told:
    """What the pedigree tells of the samples; of relations nothing if nobody has a parent."""
    n, places = len(samples), {person.name: k for k, person in enumerate(people)}
    own = np.array([places.get(name, -1) for name in samples], np.int64)
    there = own >= 0
    if not there.any():
        nothing = np.zeros((n, n))
        none = np.full((n, n), NOT_TOLD, np.int8)
        return Told(none, nothing, nothing > 0, [None] * n)
    parents = np.array(
        [[places.get(name, -1) for name in (one.father, one.mother)] for one in people], np.int64
    )
    close = _kinship(parents)[np.ix_(own, own)]
    of = parents[own]
    both_in = there[:, None] & there[None, :]
    is_parent = (of[:, None, :] == own[None, :, None]).any(2)
    shared = ((of[:, None, :] == of[None, :, :]) & (of >= 0)[:, None, :]).sum(2)
    unknown = (of < 0).any(1)
    relation = np.full((n, n), UNRELATED, np.int8)
    relation[close > BOUNDS[2]] = SECOND
    relation[(close > BOUNDS[1]) | (shared == 2)] = SIBLINGS
    relation[is_parent | is_parent.T] = PARENT_CHILD
    relation[~both_in | (parents < 0).all()] = NOT_TOLD
    np.fill_diagonal(relation, NOT_TOLD)
    half = (shared == 1) & (unknown[:, None] | unknown[None, :]) & both_in
    words = {MALE: "XY", FEMALE: "XX"}
    sexes = [words.get(people[k].sex) if k >= 0 else None for k in own.tolist()]
    return Told(relation, close, half, sexes)


def _kinship(parents: np.ndarray) -> np.ndarray:
    """float64[people, people]: kinship by the pedigree, parents (int64[people, 2]) first."""
    people = len(parents)
    close = np.zeros((people, people))
    done = np.zeros(people, bool)
    waiting = list(range(people))
    while waiting:
        ready = [k for k in waiting if all(p < 0 or done[p] for p in parents[k].tolist())]
        for k in ready:
            known = [p for p in parents[k].tolist() if p >= 0]
            close[k, done] = close[:, k][done] = sum(close[p, done] / 2 for p in known)
            close[k, k] = 0.5 + (close[known[0], known[1]] / 2 if len(known) == 2 else 0.0)
            done[k] = True
        waiting = [k for k in waiting if not done[k]]
    return close


def fits(
    relation: np.ndarray, close: np.ndarray, half: np.ndarray, found: np.ndarray,
    kinship: np.ndarray, refuted: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """int8, of any shape: FITS, FITS_NOT or UNCLEAR, by what is told (see `Told`) and found.

    kinship: float64, as it was found; refuted: see `is_refuted`.
    """
    more = (relation == SECOND) | (relation == UNRELATED)
    wide = more & (close > 0) & (kinship >= close / _ROOM)
    wide &= kinship <= np.minimum(close * _ROOM, BOUNDS[1])
    agrees = (found == relation) | wide | half & (found == SIBLINGS)
    out = np.where(agrees, FITS, FITS_NOT).astype(np.int8)
    out[(found == NOT_TOLD) & ~((relation == PARENT_CHILD) & refuted)] = UNCLEAR
    out[relation == NOT_TOLD] = UNCLEAR
    return out
