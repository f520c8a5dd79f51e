"""Genotypes of a cohort in the light of its families: what joint calling asks, site by site.

The model is that of FamSeq (Peng et al. 2013) and of GATK's CalculateGenotypePosteriors, with whole
pedigrees for trios and each haploid region as it is inherited: founders are in Hardy-Weinberg
proportions, at frequencies that the cohort tells, a parent passes on each of its copies alike, and
what is passed on changes by a mutation, at RATES. What comes out are posteriors of each person
given the reads of all, and for each child the chance that it holds a new mutation.

**Names of fields.** PP is GATK's and DRAGEN's for such posteriors. DQ and DN are DRAGEN's: one
number and one word in the column of the child, which stay right where a cohort holds many children
or its columns are cut; GATK's hiConfDeNovo and loConfDeNovo are lists of sample names in INFO, made
from thresholds of GQ, and say no chance. MERR counts Mendelian errors.

**Limits.** One rate for all indels: in short tandem repeats they are far more frequent, and DQ
there is too low. A mosaic parent, whose PL says it is homozygous, makes an inherited allele look
new. Pedigrees with loops are approximate, see lingqu.call.kernels.pedigree.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.call.fields import DENOVO
from lingqu.call.kernels.pedigree import (
    AUTOSOME,
    CONFLICT,
    MAX_ALLELES,
    MT,
    UNCHECKED,
    Layout,
    X,
    Y,
    new_scratch,
)
from lingqu.call.kernels.pedigree_refine import refine_sites
from lingqu.call.kernels.pedigree_states import count_states
from lingqu.call.pedigree import FEMALE, MALE, UNKNOWN, Person
from lingqu.call.ploidy import chromosome

RATES = (1e-8, 1e-9)
"""Mutations a base and generation: substitutions (Kong et al. 2012: 1.2e-8; the default of bcftools
+trio-dnm2) and indels (Besenbacher et al. 2016: about a tenth of it; the default of Octopus)."""
PSEUDO = (10.0, 1e-2, 1.25e-3)
"""Copies of REF, a substitution and an indel that are seen before any sample is, for estimated
frequencies: heterozygosities of 1e-3 and 1.25e-4, worth five samples, as GATK has it. Where the
frequencies are summed over, their prior is the neutral spectrum of the same heterozygosity."""
FEW = 20
"""Founders up to which frequencies are summed over; those of more are estimated (by EM). Few tell
little of a frequency, and an estimate takes what one weak genotype says for what the cohort says:
in a trio at 6x, qualities of 10 to 30 then claim two to three times too much."""
_SWEEPS = 10

NO_WORD, INHERITED_WORD, LOW_WORD, DENOVO_WORD = range(4)
WORDS = (".", "Inherited", "LowDQ", "DeNovo")
"""FORMAT/DN by number."""


@dataclass(frozen=True)
class Families:
    """A pedigree for the sample columns of a VCF.

    children: int64[c], columns of those whose father or mother is a sample, too; related:
    bool[samples], these and their parents.
    """

    samples: tuple[str, ...]
    children: np.ndarray
    related: np.ndarray
    layout: Layout


class Refined(NamedTuple):
    """What `refine` gives back; S sites, N samples, G genotypes."""

    gt: np.ndarray  # int16[S, N, 2], alleles in rising order; -1: not called, -2: no such copy
    gq: np.ndarray  # uint8[S, N], 0 where not called
    pp: np.ndarray  # int32[S, N, G], PL's order; -1 behind a sample's own number of genotypes
    dq: np.ndarray  # float32[S, N], NaN: no child, or one of the trio was not seen
    dn: np.ndarray  # int8[S, N], see WORDS
    merr: np.ndarray  # int32[S], children in conflict by `gt`
    own_gt: np.ndarray  # int16[S, N, 2], as `gt`, by the sample's own PL
    own_check: np.ndarray  # int8[S, N], UNCHECKED, INHERITED or CONFLICT by `own_gt`
    check: np.ndarray  # int8[S, N], by `gt`


def arrange(people: Sequence[Person], samples: Sequence[str]) -> Families:
    """The pedigree of the samples of a VCF, in the order of its columns.

    Samples that are not in the pedigree are founders without children. Who is no sample is kept
    where samples come from them; a parent that is not known is a person of its own. LingquError
    if no sample is a child of another.
    """
    kept, parents = _relevant(people, set(samples))
    names = sorted(kept)
    number = {name: i for i, name in enumerate(names)}
    column = {name: i for i, name in enumerate(samples)}
    nuclear = defaultdict(list)
    for child in names:
        if parents[child] != ("", ""):
            pair = tuple(p or f"{child}\0{r}" for p, r in zip(parents[child], "fm", strict=True))
            for unknown in pair:
                if unknown not in number:
                    number[unknown] = len(number)
            nuclear[pair].append(child)
    told = {
        child: [column[p] for p in parents[child] if p in column]
        for child in names
        if child in column
    }
    children = np.array([c for c, name in enumerate(samples) if told[name]], np.int64)
    if not len(children):
        raise LingquError("pedigree: no sample is the child of another; mend names or pedigree")
    related = np.zeros(len(samples), np.bool_)
    related[[*children, *(c for columns in told.values() for c in columns)]] = True
    slots = [[number[name] for name in (*pair, *nuclear[pair])] for pair in sorted(nuclear)]
    order, roots = _order(slots, len(number))
    counted = [name in told and not told[name] for name in number]
    layout = _layout(
        slots,
        order=order,
        roots=roots if sum(counted) <= FEW else [],
        column=[column.get(name, -1) for name in number],
        sex=_sexes(people, nuclear, number),
        counted=counted,
    )
    return Families(tuple(samples), children, related, layout)


def _relevant(people: Sequence[Person], samples: set[str]) -> tuple[set[str], dict]:
    """Names of the samples and their ancestors, and (father, mother) by name."""
    parents = dict.fromkeys(samples, ("", ""))
    parents |= {person.name: (person.father, person.mother) for person in people}
    kept: set[str] = set()
    waiting = list(samples)
    while waiting:
        name = waiting.pop()
        if name and name not in kept:
            kept.add(name)
            waiting += parents[name]
    return kept, parents


def _sexes(people: Sequence[Person], nuclear: dict, number: dict[str, int]) -> list[int]:
    sexes = {person.name: person.sex for person in people}
    for father, mother in nuclear:
        sexes |= {father: MALE, mother: FEMALE}
    return [sexes.get(name, UNKNOWN) for name in number]


def _layout(
    slots: list[list[int]], order: list, roots: list, column: list, sex: list, counted: list
) -> Layout:
    """slots: people of each family: father, mother, children."""
    start = np.cumsum([0, *map(len, slots)])
    person = np.array([p for family in slots for p in family], np.int64)
    own = np.argsort(person, kind="stable")
    is_child = np.zeros(len(column), np.bool_)
    for family in slots:
        is_child[family[2:]] = True
    return Layout(
        column=np.array(column, np.int64),
        sex=np.array(sex, np.int8),
        counted=np.array(counted, np.bool_),
        is_child=is_child,
        start=start.astype(np.int64),
        person=person,
        own_start=np.searchsorted(person[own], np.arange(len(column) + 1)).astype(np.int64),
        own=own.astype(np.int64),
        order=np.array(order, np.int64),
        roots=np.array(roots, np.int64),
    )


def _order(slots: list[list[int]], people: int) -> tuple[list[int], list[int]]:
    """Families in the order of their messages, and a person of each group of relatives.

    Messages go to a root and back; where there is a loop, often, and no person is told.
    """
    homes: list[list[int]] = [[] for _ in range(people)]
    for family, members in enumerate(slots):
        for person in members:
            homes[person].append(family)
    order: list[int] = []
    roots = [person for person in range(people) if not homes[person]]
    seen: set[int] = set()
    loops = False
    for root in range(len(slots)):
        if root in seen:
            continue
        found = [root]
        seen.add(root)
        for family in found:
            for home in (home for person in slots[family] for home in homes[person]):
                if home not in seen:
                    seen.add(home)
                    found.append(home)
        met = {person for family in found for person in slots[family]}
        is_tree = sum(len(slots[family]) for family in found) == len(met) + len(found) - 1
        order += (found[::-1] + found[1:]) * (1 if is_tree else _SWEEPS)
        roots.append(slots[root][0])
        loops |= not is_tree
    return order, [] if loops else roots


def ways(families: Families, contig: str, ploidy: np.ndarray) -> np.ndarray:
    """How sites of a contig are inherited (int8[S]), as `refine` takes it; ploidy: int8[S, N].

    X and Y and MT are known by their usual names. Of X, places where a man has two copies are
    pseudoautosomal, or were called as such.
    """
    name, layout = chromosome(contig), families.layout
    way = np.full(len(ploidy), {"X": X, "Y": Y, "MT": MT}.get(name, AUTOSOME), np.int8)
    if name == "X":
        men = layout.column[(layout.sex == MALE) & (layout.column >= 0)]
        way[(ploidy[:, men] == 2).any(1)] = AUTOSOME
    return way


def stack(
    pls: Sequence[np.ndarray], alleles: Sequence[Sequence[str]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(pl, alleles, indel) as `refine` takes them.

    pls: int32[N, genotypes] of each site; alleles: its strings, REF first.
    """
    numbers = np.array([len(site) for site in alleles], np.int64)
    wide = max(pl.shape[1] for pl in pls)
    padded = np.full((len(pls), len(pls[0]), wide), -1, np.int32)
    indel = np.zeros((len(pls), int(numbers.max())), np.bool_)
    for k, (pl, site) in enumerate(zip(pls, alleles, strict=True)):
        padded[k, :, : pl.shape[1]] = pl
        indel[k, : len(site)] = [alt == "*" or len(alt) != len(site[0]) for alt in site]
    return padded, numbers, indel


def refine(
    families: Families,
    pl: np.ndarray,
    ploidy: np.ndarray,
    alleles: np.ndarray,
    inheritance: np.ndarray,
    indel: np.ndarray,
    frequency: np.ndarray | None = None,
    rates: tuple[float, float] = RATES,
) -> Refined:
    """Refine the genotypes of a batch of S sites of N samples, whose PLs have up to G genotypes.

    How joint calls it, once a shard or block of records:

        families = arrange(read_ped(path), samples)   # once; samples: the VCF's, in order
        pl, alleles, indel = stack(pls, strings)      # of the sites of the block
        inheritance = ways(families, contig, ploidy)
        told = refine(families, pl, ploidy, alleles, inheritance, indel)
        counts += tally(families, told)               # for the stats: summary(families, counts)

    Of the samples for which families.related is True it writes `told.gt` and `told.gq` for GT and
    GQ, and adds `told.pp`, `told.dq` and `WORDS[told.dn]`; PL stays. The others' values are
    posteriors by the cohort's frequencies alone. INFO/MERR is `told.merr`, where any trio is
    checked. Where a genotype's alleles are those it had, its phase (PS) stays; else it is unphased.
    AC, AN and AF are counted anew. No line is dropped: an ALT that nobody has any more stays.

    pl: int32[S, N, G], PLs, the least of a sample 0; -1, or all alike: nothing was seen. ploidy:
    int8[S, N], 0 to 2, that of the sample's PL (0: no such chromosome). alleles: int[S], REF and
    `*` counted, <NON_REF> not; above MAX_ALLELES (8) a site's genotypes are those of the PLs.
    inheritance: int8[S], AUTOSOME, X, Y or MT of lingqu.call.kernels.pedigree; PAR is AUTOSOME.
    indel: bool[S, most alleles], True for an ALT whose length is not REF's, and for `*`. frequency:
    float64[S, most alleles], summing up to 1, none of them 0; None: what the PLs tell, see FEW (of
    the samples without parents among the samples, where it is estimated). rates: of substitutions
    and indels.

    A sample without reads gets PP, but no genotype. Output does not depend on how sites are cut
    into batches. ValueError if shapes disagree.
    """
    sites, samples, wide = pl.shape
    most = int(alleles.max(initial=1))
    if (
        samples != len(families.samples)
        or ploidy.shape != (sites, samples)
        or wide < count_states.py_func(int(ploidy.max(initial=0)), most)
        or indel.shape[0] != sites
        or indel.shape[1] < most
    ):
        raise ValueError(
            f"PL {pl.shape}, ploidy {ploidy.shape} and indel {indel.shape} do not fit"
            f" {len(families.samples)} samples and {most} alleles"
        )
    told = Refined(
        gt=np.full((sites, samples, 2), -1, np.int16),
        gq=np.zeros((sites, samples), np.uint8),
        pp=np.full((sites, samples, wide), -1, np.int32),
        dq=np.full((sites, samples), np.nan, np.float32),
        dn=np.zeros((sites, samples), np.int8),
        merr=np.zeros(sites, np.int32),
        own_gt=np.full((sites, samples, 2), -1, np.int16),
        own_check=np.full((sites, samples), UNCHECKED, np.int8),
        check=np.full((sites, samples), UNCHECKED, np.int8),
    )
    refine_sites(
        families.layout,
        new_scratch(families.layout, min(most, MAX_ALLELES)),
        np.ascontiguousarray(pl, np.int32),
        np.ascontiguousarray(ploidy, np.int8),
        np.ascontiguousarray(alleles, np.int64),
        np.ascontiguousarray(inheritance, np.int8),
        np.ascontiguousarray(indel, np.bool_),
        np.empty((0, 0)) if frequency is None else np.ascontiguousarray(frequency, np.float64),
        np.array(PSEUDO),
        np.array(rates, np.float64),
        told.own_gt, told.own_check, told.gt, told.gq, told.pp, told.check, told.dq,
    )  # fmt: skip
    told.dn[:] = _words(told)
    told.merr[:] = (told.check == CONFLICT).sum(1)
    return told


def _words(told: Refined) -> np.ndarray:
    known = ~np.isnan(told.dq)
    conflict = (told.own_check == CONFLICT) | (told.check == CONFLICT)
    words = np.where(conflict, LOW_WORD, INHERITED_WORD)
    words = np.where(np.nan_to_num(told.dq) >= DENOVO, DENOVO_WORD, words)
    return np.where(known, words, NO_WORD)


def tally(families: Families, told: Refined) -> np.ndarray:
    """int64[children, 4]: sites checked, conflicts by own PLs, by refined GT, and DeNovo."""
    columns = families.children
    return np.stack(
        [
            (told.own_check[:, columns] != UNCHECKED).sum(0),
            (told.own_check[:, columns] == CONFLICT).sum(0),
            (told.check[:, columns] == CONFLICT).sum(0),
            (told.dn[:, columns] == DENOVO_WORD).sum(0),
        ],
        axis=1,
    ).astype(np.int64)


def summary(families: Families, counts: np.ndarray) -> dict:
    """Sums of `tally` for the statistics: {"trios": {child: {...}}, "all": {...}}."""
    names = ("checked", "conflicts", "conflicts_refined", "de_novo")

    def named(row: np.ndarray) -> dict[str, int]:
        return dict(zip(names, row.tolist(), strict=True))

    children = [families.samples[column] for column in families.children]
    return {
        "trios": {child: named(row) for child, row in zip(children, counts, strict=True)},
        "all": named(counts.sum(0)),
    }
