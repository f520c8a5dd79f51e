"""Genotypes of relatives, together: sums over all genotypes of families, by peeling.

A pedigree is a graph of people and nuclear families (father, mother, their children). A family
tells each of its members how likely the data of all others beyond it are under each genotype of
the member: a message. Where the graph has no loop, messages sent once from the leaves to a root
and back are exact (Elston and Stewart 1971; Lauritzen and Sheehan 2003). Where it has (cousins who
marry, two brothers with two sisters), they are sent several times over, which is an approximation
(Pearl's loopy propagation).

Genotypes are states in the order of VCF's PL: alleles `a` for ploidy 1, pairs a <= b at
b (b + 1) / 2 + a for ploidy 2, one empty state for ploidy 0. All numbers are chances relative to
the greatest of their kind, and none is below FLOOR of it.
"""

from typing import NamedTuple

import numpy as np

MAX_ALLELES = 8
"""Alleles of a site, REF among them, up to which families are looked at."""
FLOOR = 1e-60
"""Least chance, relative to the greatest: many children who contradict each other stay above 0."""

AUTOSOME, X, Y, MT = 0, 1, 2, 3
"""How a site is inherited; X and Y without their pseudoautosomal parts, which are AUTOSOME."""
UNKNOWN, MALE, FEMALE = 0, 1, 2
NOBODY, FATHER, MOTHER, BOTH = 0, 1, 2, 3
"""From whom a child has its alleles; NOBODY: it is looked at as a founder."""
UNCHECKED, INHERITED, CONFLICT = 0, 1, 2


class Layout(NamedTuple):
    """A pedigree for the sample columns of a VCF; n people, f families, s slots.

    A family's slots are its father, its mother and its children.
    """

    column: np.ndarray  # int64[n], the sample column, -1: none
    sex: np.ndarray  # int8[n]
    counted: np.ndarray  # bool[n], whose alleles make the frequencies: no parent is a sample
    is_child: np.ndarray  # bool[n], has a family above
    start: np.ndarray  # int64[f + 1], first slot of each family
    person: np.ndarray  # int64[s], who stands there
    own_start: np.ndarray  # int64[n + 1]
    own: np.ndarray  # int64[s], the slots of each person
    order: np.ndarray  # int64[steps], families in the order in which they send their messages
    roots: np.ndarray  # int64[r], one of each group of relatives; none: see `is_mixed`


class Scratch(NamedTuple):
    """Memory for one site, see `new_scratch`."""

    base: np.ndarray
    data: np.ndarray
    states: np.ndarray
    ploidy: np.ndarray
    told: np.ndarray
    messages: np.ndarray
    heard: np.ndarray
    base_log: np.ndarray
    message_log: np.ndarray
    heard_log: np.ndarray
    mix: np.ndarray
    unchanged: np.ndarray
    shares: np.ndarray
    tables: np.ndarray
    weight: np.ndarray
    given: np.ndarray
    kept: np.ndarray
    change: np.ndarray
    frequency: np.ndarray
    counts: np.ndarray
    pairs: np.ndarray


def new_scratch(layout: Layout, alleles: int) -> Scratch:
    """Scratch for sites of up to `alleles` alleles."""
    people, slots = len(layout.column), len(layout.person)
    wide = int(np.diff(layout.start).max(initial=2))
    states = alleles * (alleles + 1) // 2
    return Scratch(
        base=np.empty((people, states)),
        data=np.empty((people, states)),
        states=np.empty(people, np.int64),
        ploidy=np.empty(people, np.int64),
        told=np.empty(people, np.bool_),
        messages=np.empty((slots, states)),
        heard=np.empty((wide, states)),
        base_log=np.empty(people),
        message_log=np.empty(slots),
        heard_log=np.empty(wide),
        mix=np.empty((people, states)),
        unchanged=np.empty(slots),
        shares=np.empty(alleles),
        tables=np.empty((wide, states, states)),
        weight=np.empty((states, states)),
        given=np.empty((3, states, alleles)),
        kept=np.empty((3, states, alleles)),
        change=np.empty((alleles, alleles)),
        frequency=np.empty(alleles),
        counts=np.empty(alleles),
        pairs=np.empty((alleles, states)),
    )
