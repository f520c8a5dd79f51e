"""Posteriors of relatives against sums over all genotypes of all people, in plain Python."""

import itertools
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lingqu.base.errors import LingquError
from lingqu.call import refinement
from lingqu.call.kernels import pedigree as kernels
from lingqu.call.kernels.pedigree import AUTOSOME, CONFLICT, INHERITED, MT, UNCHECKED, X, Y
from lingqu.call.pedigree import FEMALE, MALE, UNKNOWN, Person
from lingqu.call.refinement import DENOVO_WORD, RATES, arrange, refine, stack, tally, ways

TRIO = [Person("dad", sex=MALE), Person("mum", sex=FEMALE), Person("kid", "dad", "mum", MALE)]
SISTER = Person("sis", "dad", "mum", FEMALE)
GENERATIONS = [
    *TRIO, SISTER,
    Person("wife", sex=FEMALE), Person("boy", "kid", "wife", MALE),
    Person("ex", sex=FEMALE), Person("half", "dad", "ex", FEMALE),
]  # fmt: skip
COUSINS = [
    *TRIO, SISTER, Person("wife"), Person("man"),
    Person("a", "kid", "wife", MALE), Person("b", "man", "sis", FEMALE), Person("baby", "a", "b"),
]  # fmt: skip


# --- the oracle: nothing of the package but the people ---


def spelled(ploidy: int, alleles: int) -> list[tuple[int, ...]]:
    """Genotypes in VCF's order."""
    if ploidy == 2:
        return [(a, b) for b in range(alleles) for a in range(b + 1)]
    return [(a,) for a in range(alleles)] if ploidy else [()]


def usual(inheritance: int, sex: int) -> int:
    table = {AUTOSOME: (2, 2), X: (1, 2), Y: (1, 0), MT: (1, 1)}
    return table[inheritance][sex == FEMALE]


def gamete(parent, frequency, change) -> list[float]:
    """Chance of each allele to be passed on."""
    alleles = range(len(frequency))
    if not parent:
        return list(frequency)
    return [sum(change[a][b] for a in parent) / len(parent) for b in alleles]


def passing(child, dad, mum, inheritance, frequency, change) -> float:
    one, two = (gamete(parent, frequency, change) for parent in (dad, mum))
    if len(child) == 2:
        a, b = child
        return one[a] * two[b] + (one[b] * two[a] if a != b else 0)
    if not child:
        return 1.0
    return (one if inheritance == Y else two)[child[0]]


def founding(genotype, frequency) -> float:
    return math.prod(frequency[a] for a in genotype) * (2 if len(set(genotype)) == 2 else 1)


def mutation(alleles: int, rates, indel) -> list[list[float]]:
    rows = []
    for a in range(alleles):
        row = [rates[1] if indel[a] or indel[b] else rates[0] / 3 for b in range(alleles)]
        row[a] = 1 - sum(row[:a] + row[a + 1 :])
        rows.append(row)
    return rows


def unchanged(child, dad, mum, inheritance, change) -> float:
    """As `passing`, without any mutation."""
    only = [[c if a == b else 0 for b, c in enumerate(row)] for a, row in enumerate(change)]
    return passing(child, dad, mum, inheritance, [1] * len(change), only)


def brute_force(people, pls, alleles, inheritance, frequency, rates, indel):
    """{name: posteriors}, {child: chance of no mutation}, chance of all; pls: {name: list}."""
    change = mutation(alleles, rates, indel)
    states = [spelled(usual(inheritance, p.sex), alleles) for p in people]
    place = {p.name: i for i, p in enumerate(people)}
    found = {p.name: np.zeros(len(s)) for p, s in zip(people, states, strict=True)}
    kept = dict.fromkeys(found, 0.0)
    total = 0.0
    for choice in itertools.product(*(range(len(s)) for s in states)):
        genotypes = [s[i] for s, i in zip(states, choice, strict=True)]
        chance, ratios = 1.0, {}
        for person, genotype, i in zip(people, genotypes, choice, strict=True):
            if person.name in pls:
                chance *= 10 ** (-pls[person.name][i] / 10)
            if not person.father and not person.mother:
                chance *= founding(genotype, frequency)
                continue
            dad, mum = genotypes[place[person.father]], genotypes[place[person.mother]]
            passed = passing(genotype, dad, mum, inheritance, frequency, change)
            chance *= passed
            ratios[person.name] = unchanged(genotype, dad, mum, inheritance, change) / passed
        total += chance
        for person, i in zip(people, choice, strict=True):
            found[person.name][i] += chance
        for name, ratio in ratios.items():
            kept[name] += chance * ratio
    found = {name: values / total for name, values in found.items()}
    return found, {name: value / total for name, value in kept.items()}, total


# --- one site through the package ---


def site(people, pls, alleles, inheritance=AUTOSOME, columns=None, **kept):
    """`refine` of one site; columns: names in the order of the VCF."""
    columns = columns or [p.name for p in people if p.name in pls]
    sexes = {p.name: p.sex for p in people}
    wide = alleles * (alleles + 1) // 2
    pl = np.full((1, len(columns), wide), -1, np.int32)
    ploidy = np.zeros((1, len(columns)), np.int8)
    for i, name in enumerate(columns):
        ploidy[0, i] = usual(inheritance, sexes.get(name, UNKNOWN))
        pl[0, i, : len(pls[name])] = pls[name]
    kept.setdefault("indel", np.zeros((1, alleles), np.bool_))
    if "frequency" in kept:
        kept["frequency"] = np.array([kept["frequency"]])
    families = arrange(people, columns)
    told = refine(families, pl, ploidy, np.array([alleles]), np.array([inheritance]), **kept)
    return {name: i for i, name in enumerate(columns)}, told


def draw_pls(rng, people, alleles, inheritance, most=90) -> dict[str, list[int]]:
    pls = {}
    for person in people:
        states = spelled(usual(inheritance, person.sex), alleles)
        values = rng.integers(0, most, len(states))
        pls[person.name] = (values - values.min()).tolist()
    return pls


def agree(people, pls, alleles, inheritance, frequency, rates=(1e-3, 1e-4), indel=None):
    indel = indel or [False] * alleles
    exact, kept, _ = brute_force(people, pls, alleles, inheritance, frequency, rates, indel)
    columns, told = site(
        people, pls, alleles, inheritance, frequency=frequency, rates=rates, indel=np.array([indel])
    )
    for name, i in columns.items():
        values = exact[name]
        wanted = -10 * np.log10(values / values.max())
        assert np.abs(told.pp[0, i, : len(values)] - wanted).max() <= 0.51
        assert (told.pp[0, i, len(values) :] == -1).all()
        others = -10 * math.log10(max(1 - values.max(), 1e-12))
        if max(pls[name]) and others < 90:
            assert abs(told.gq[0, i] - others) <= 1.01
            assert (
                tuple(told.gt[0, i, : usual_ploidy(people, name, inheritance)])
                == (spelled(usual_ploidy(people, name, inheritance), alleles)[int(values.argmax())])
            )
        if not np.isnan(told.dq[0, i]):
            assert told.dq[0, i] == pytest.approx(-10 * math.log10(kept[name]), rel=1e-3, abs=1e-3)
    return columns, told


def usual_ploidy(people, name, inheritance):
    return usual(inheritance, next(p.sex for p in people if p.name == name))


def is_loopless(families):
    """Whether messages go to a root and back once, which is exact."""
    return len(families.layout.order) < 2 * (len(families.layout.start) - 1)


@pytest.mark.parametrize("inheritance", [AUTOSOME, X, Y, MT])
@pytest.mark.parametrize("alleles", [2, 3])
def test_nuclear_family(inheritance, alleles):
    rng = np.random.default_rng(alleles)
    frequency = [0.7, 0.3] if alleles == 2 else [0.7, 0.2, 0.1]
    for _ in range(10):
        people = [*TRIO, SISTER]
        agree(people, draw_pls(rng, people, alleles, inheritance), alleles, inheritance, frequency)


@pytest.mark.parametrize("inheritance", [AUTOSOME, X, Y, MT])
def test_three_generations_and_two_wives(inheritance):
    rng = np.random.default_rng(7)
    assert is_loopless(arrange(GENERATIONS, [p.name for p in GENERATIONS]))
    for _ in range(4):
        pls = draw_pls(rng, GENERATIONS, 2, inheritance)
        agree(GENERATIONS, pls, 2, inheritance, [0.8, 0.2])


def test_five_alleles_and_indels():
    rng = np.random.default_rng(11)
    for _ in range(5):
        pls = draw_pls(rng, TRIO, 5, AUTOSOME, 60)
        frequency, indel = [0.5, 0.2, 0.1, 0.1, 0.1], [False, True, False, True, False]
        agree(TRIO, pls, 5, AUTOSOME, frequency, indel=indel)


def test_who_was_not_sequenced_is_summed_over():
    rng = np.random.default_rng(13)
    for left_out in ("dad", "kid", "wife"):
        pls = draw_pls(rng, GENERATIONS, 2, AUTOSOME)
        del pls[left_out]
        agree(GENERATIONS, pls, 2, AUTOSOME, [0.8, 0.2])


def test_one_known_parent():
    people = [Person("mum", sex=FEMALE), Person("kid", mother="mum", sex=MALE)]
    pls = {"mum": [0, 30, 60], "kid": [40, 0, 5]}
    whole = [*people[:1], Person("x", sex=MALE), Person("kid", "x", "mum", MALE)]
    exact, *_ = brute_force(whole, pls, 2, AUTOSOME, [0.9, 0.1], RATES, [False] * 2)
    columns, told = site(people, pls, 2, frequency=[0.9, 0.1])
    for name, i in columns.items():
        wanted = -10 * np.log10(exact[name] / exact[name].max())
        assert np.abs(told.pp[0, i] - wanted).max() <= 0.51
    assert np.isnan(told.dq).all()


def test_cousins_who_marry_are_nearly_right():
    """Loops are approximate; what is far from even stays within a few Phred."""
    rng = np.random.default_rng(17)
    assert not is_loopless(arrange(COUSINS, [p.name for p in COUSINS]))
    for _ in range(2):
        pls = draw_pls(rng, COUSINS, 2, AUTOSOME, 40)
        exact, *_ = brute_force(COUSINS, pls, 2, AUTOSOME, [0.7, 0.3], RATES, [False] * 2)
        columns, told = site(COUSINS, pls, 2, frequency=[0.7, 0.3])
        for name, i in columns.items():
            chances = 10 ** (-told.pp[0, i] / 10)
            assert np.abs(chances / chances.sum() - exact[name]).max() < 0.1


# --- properties ---

pl_of_trio = st.lists(
    st.tuples(*[st.integers(0, 200)] * 3).map(lambda v: [x - min(v) for x in v]),
    min_size=4,
    max_size=4,
)


def named(values) -> dict[str, list[int]]:
    return dict(zip(("dad", "mum", "kid", "sis"), values, strict=True))


@settings(max_examples=40)
@given(pl_of_trio, st.permutations(["dad", "mum", "kid", "sis"]), st.permutations(range(4)))
def test_order_of_samples_and_of_people_is_irrelevant(values, columns, order):
    people = [*TRIO, SISTER]
    one, told = site(people, named(values), 2)
    two, other = site([people[i] for i in order], named(values), 2, columns=columns)
    for name in one:
        for field in ("gt", "gq", "pp", "dn", "own_check", "check"):
            first, second = getattr(told, field), getattr(other, field)
            assert (first[0, one[name]] == second[0, two[name]]).all(), field


@settings(max_examples=40)
@given(st.permutations(range(3)), st.integers(0, 2**32 - 1))
def test_alleles_may_be_permuted(order, seed):
    rng = np.random.default_rng(seed)
    people, frequency = [*TRIO, SISTER], [0.6, 0.3, 0.1]
    pls = draw_pls(rng, people, 3, AUTOSOME, 150)
    states = spelled(2, 3)
    moved = [states.index(tuple(sorted((order[a], order[b])))) for a, b in states]
    turned = {name: [pl[moved[g]] for g in range(6)] for name, pl in pls.items()}
    columns, told = site(people, pls, 3, frequency=frequency)
    _, other = site(people, turned, 3, frequency=[frequency[a] for a in order])
    assert np.abs(told.pp[0][:, moved] - other.pp[0]).max() <= 1
    assert np.abs(told.dq[0] - other.dq[0])[[columns["kid"], columns["sis"]]].max() < 1e-2


@settings(max_examples=20)
@given(st.floats(0.01, 0.99))
def test_no_data_gives_priors_and_no_genotype(alt):
    pls = {"dad": [], "mum": [], "kid": []}
    _, told = site(TRIO, pls, 2, frequency=[1 - alt, alt], rates=(0.0, 0.0))
    prior = np.array([(1 - alt) ** 2, 2 * alt * (1 - alt), alt**2])
    wanted = -10 * np.log10(prior / prior.max())
    assert np.abs(told.pp[0] - wanted).max() <= 0.51
    assert (told.gt == -1).all()
    assert (told.gq == 0).all()
    assert np.isnan(told.dq).all()


def summed_over(people, pls, alleles, inheritance, shares, theta):
    """As brute_force, the frequency of all ALT alleles together being one of 16 or 0."""
    step = 4 / 16
    points = [(1e-60, 1 - theta * 4 * math.log(10))]
    points += [(10 ** (-step * (k - 0.5)), theta * step * math.log(10)) for k in range(1, 17)]
    whole, posteriors, kept = 0.0, {}, {}
    for alt, prior in points:
        frequency = [1 - alt, *(alt * share for share in shares)]
        one, same, total = brute_force(
            people, pls, alleles, inheritance, frequency, RATES, [False] * alleles
        )
        weight = prior * total
        whole += weight
        for name in one:
            posteriors[name] = posteriors.get(name, 0) + weight * one[name]
            kept[name] = kept.get(name, 0) + weight * same[name]
    return {n: v / whole for n, v in posteriors.items()}, {n: v / whole for n, v in kept.items()}


@pytest.mark.parametrize("inheritance", [AUTOSOME, X, MT])
@pytest.mark.parametrize("left_out", ["", "dad", "kid"])
def test_frequencies_of_few_are_summed_over(inheritance, left_out):
    rng = np.random.default_rng(41)
    people = [*TRIO, SISTER, Person("wife", sex=FEMALE), Person("boy", "kid", "wife", MALE)]
    for most in (0, 60, 250):
        pls = draw_pls(rng, people, 2, inheritance, most + 1)
        pls.pop(left_out, None)
        exact, kept = summed_over(people, pls, 2, inheritance, [1.0], 1e-3)
        columns, told = site(people, pls, 2, inheritance)
        for name, i in columns.items():
            wanted = -10 * np.log10(exact[name] / exact[name].max())
            assert np.abs(told.pp[0, i, : len(wanted)] - wanted).max() <= 0.51
            if not np.isnan(told.dq[0, i]):
                quality = min(-10 * math.log10(kept[name]), 99)
                assert told.dq[0, i] == pytest.approx(quality, rel=1e-3, abs=1e-3)


def test_frequencies_are_those_of_the_founders():
    """Of 40 unrelated samples, and of a trio whose child is not counted."""
    rng = np.random.default_rng(19)
    people = [*TRIO, *(Person(f"p{i}") for i in range(38))]
    pls = {p.name: [[0, 90, 200], [90, 0, 90]][rng.random() < 0.4] for p in people}
    pls["kid"] = [400, 200, 0]
    copies = sum(pl[1] == 0 for name, pl in pls.items() if name != "kid")
    exact = (copies + 0.01) / (80 + 10.01)
    assert len(people) - 1 > refinement.FEW
    one, told = site(people, pls, 2)
    _, other = site(people, pls, 2, frequency=[1 - exact, exact])
    assert np.abs(told.pp[0] - other.pp[0]).max() <= 1
    assert one["kid"] == 2


@settings(max_examples=40)
@given(st.integers(5, 60), st.integers(20, 60))
def test_consistent_trio_raises_gq(weak, sure):
    pls = {"dad": [0, sure, 300], "mum": [300, sure, 0], "kid": [weak, 0, weak]}
    columns, told = site(TRIO, pls, 2)
    strangers = [*TRIO[:2], Person("kid"), Person("other", "dad", "mum")]
    alone, single = site(strangers, pls | {"other": []}, 2)
    assert told.gq[0, columns["kid"]] > single.gq[0, alone["kid"]]
    assert told.merr[0] == 0


def test_batches_do_not_matter():
    rng = np.random.default_rng(23)
    families = arrange(TRIO, ["kid", "dad", "mum"])
    pl = rng.integers(0, 99, (30, 3, 6)).astype(np.int32)
    pl -= pl.min(2, keepdims=True)
    alleles = rng.integers(1, 4, 30)
    ploidy = np.full((30, 3), 2, np.int8)
    rest = ploidy, alleles, np.zeros(30, np.int8), rng.random((30, 3)) < 0.3
    whole = refine(families, pl, *rest)
    for cut in (slice(0, 7), slice(7, 8), slice(8, 30)):
        part = refine(families, pl[cut], *(array[cut] for array in rest))
        for one, two in zip(whole, part, strict=True):
            np.testing.assert_array_equal(one[cut], two)


def test_many_children_who_contradict_their_parents():
    """What is next to impossible many times over is still above zero."""
    people = [*TRIO[:2], *(Person(f"c{i:02}", "dad", "mum") for i in range(20))]
    pls = {p.name: [5000, 5000, 0] for p in people[2:]} | {"dad": [0, 5000, 9999]}
    pls["mum"] = pls["dad"]
    _, told = site(people, pls, 2)
    assert (told.pp >= 0).all()
    assert (told.pp.max(2) > 0).all()
    pls = {p.name: [9999, 0, 9999] for p in people} | {"dad": [0, 9999, 9999]}
    _, told = site(people, pls, 2)
    assert told.merr[0] == 0


# --- Mendel ---


def agrees(child, dad, mum, inheritance) -> bool:
    """By listing what two gametes can make."""
    if inheritance == Y:
        return child[0] in dad
    if len(child) == 1:
        return child[0] in mum
    return child in {tuple(sorted(pair)) for pair in itertools.product(dad, mum)}


@pytest.mark.parametrize("inheritance", [AUTOSOME, X, Y, MT])
@pytest.mark.parametrize("sex", [MALE, FEMALE])
def test_conflicts_of_all_genotypes(inheritance, sex):
    people = [*TRIO[:2], Person("kid", "dad", "mum", sex)]
    states = [spelled(usual(inheritance, p.sex), 3) for p in people]
    choices = list(itertools.product(*(range(len(s)) for s in states)))
    pl = np.full((len(choices), 3, 6), -1, np.int32)
    for row, choice in zip(pl, choices, strict=True):
        for sample, state in enumerate(choice):
            row[sample, : len(states[sample])] = 30
            row[sample, state] = 0
    ploidy = np.array([[usual(inheritance, p.sex) for p in people]] * len(choices), np.int8)
    families = arrange(people, ["dad", "mum", "kid"])
    told = refine(
        families, pl, ploidy, np.full(len(pl), 3), np.full(len(pl), inheritance),
        np.zeros((len(pl), 3), np.bool_),
    )  # fmt: skip
    conflicts = 0
    for i, choice in enumerate(choices):
        dad, mum, kid = (s[g] for s, g in zip(states, choice, strict=True))
        if not kid:
            assert told.own_check[i, 2] == UNCHECKED
            continue
        wanted = INHERITED if agrees(kid, dad, mum, inheritance) else CONFLICT
        assert told.own_check[i, 2] == wanted
        conflicts += wanted == CONFLICT
    counts = tally(families, told)
    assert counts[0, 1] == conflicts
    assert (told.merr == (told.check == CONFLICT).sum(1)).all()
    assert refinement.summary(families, counts)["trios"]["kid"]["conflicts"] == conflicts


def test_not_called_is_not_checked():
    for name in ("dad", "mum", "kid"):
        pls = {"dad": [0, 30, 60], "mum": [0, 30, 60], "kid": [60, 30, 0]}
        columns, told = site(TRIO, pls | {name: [0, 0, 0]}, 2)
        assert told.own_check[0, columns["kid"]] == UNCHECKED
        assert told.gt[0, columns[name], 0] == -1


def test_a_diploid_call_on_a_males_x_is_not_judged():
    families = arrange(TRIO, ["dad", "mum", "kid"])
    pl = np.array([[[0, 30, 60], [0, 30, 60], [60, 30, 0]]], np.int32)
    told = refine(
        families, pl, np.full((1, 3), 2, np.int8), np.array([2]), np.array([X]),
        np.zeros((1, 2), np.bool_),
    )  # fmt: skip
    assert told.own_check[0, 2] == UNCHECKED
    assert np.isnan(told.dq[0, 2])


def test_more_alleles_than_are_looked_at_keep_their_genotypes():
    alleles = kernels.MAX_ALLELES + 1
    states = spelled(2, alleles)
    pls = {name: [50] * len(states) for name in ("dad", "mum", "kid")}
    for name, state in (("dad", (0, 8)), ("mum", (1, 1)), ("kid", (1, 8))):
        pls[name][states.index(state)] = 0
    columns, told = site(TRIO, pls, alleles)
    assert told.gt[0, columns["kid"]].tolist() == [1, 8]
    assert told.gq[0].tolist() == [50] * 3
    assert (told.pp[0, columns["kid"]] == pls["kid"]).all()
    assert told.check[0, columns["kid"]] == INHERITED


# --- pedigrees that do not fit ---


def test_no_child_among_the_samples():
    with pytest.raises(LingquError, match="no sample is the child of another"):
        arrange(TRIO, ["kid"])
    with pytest.raises(LingquError, match="no sample is the child of another"):
        arrange(TRIO, ["dad", "mum", "stranger"])


def test_stack_fills_up():
    one, two = np.zeros((3, 3), np.int32), np.ones((3, 10), np.int32)
    pl, alleles, indel = stack([one, two], [["A", "C"], ["AT", "CT", "A", "*"]])
    assert pl.shape == (2, 3, 10)
    assert (pl[0, :, 3:] == -1).all()
    assert alleles.tolist() == [2, 4]
    assert indel.tolist() == [[False] * 4, [False, False, True, True]]


def test_shapes_that_do_not_fit():
    families = arrange(TRIO, ["kid", "dad", "mum"])
    pl = np.zeros((2, 3, 3), np.int32)
    kind = np.zeros(2, np.int8)
    with pytest.raises(ValueError, match="do not fit"):
        refine(families, pl, np.full((2, 3), 2), np.array([3, 2]), kind, np.zeros((2, 3), bool))


def test_related_are_children_and_their_parents():
    families = arrange(GENERATIONS, ["boy", "stranger", "dad", "wife", "half"])
    assert families.related.tolist() == [True, False, True, True, True]
    assert families.children.tolist() == [0, 4]


# --- a trio whose reads are drawn ---


def read_pls(rng, genotypes, depth, error=0.005) -> np.ndarray:
    """PLs of reads that are drawn: genotypes int[n], copies of ALT -> int32[n, 3]."""
    reads = rng.poisson(depth, len(genotypes))
    chance = np.array([error, 0.5, 1 - error])
    alt = rng.binomial(reads, chance[genotypes])
    logs = alt[:, None] * np.log10(chance) + (reads - alt)[:, None] * np.log10(1 - chance)
    return np.rint(10 * (logs.max(1, keepdims=True) - logs)).astype(np.int32)


def drawn(seed: int, sites: int, depth: float, new: int) -> tuple[np.ndarray, np.ndarray]:
    """(copies of ALT int[n, 3] of kid, dad, mum; PLs) of sites where reads of one show an ALT.

    One site of a hundred varies in a neutral population; in the last `new` ALT is new in the kid.
    """
    rng = np.random.default_rng(seed)
    alt = np.where(rng.random(sites) < 1e-3 * math.log(1e4), 1e-4 ** rng.random(sites), 0)
    alt[-new:] = 0
    parents = (rng.random((sites, 2, 2)) < alt[:, None, None]).astype(np.int8)
    passed = np.take_along_axis(parents, rng.integers(0, 2, (sites, 2, 1)), 2)[:, :, 0]
    passed[-new:, 0] = 1
    truth = np.stack([passed.sum(1), *parents.sum(2).T], 1)
    pl = np.stack([read_pls(rng, truth[:, i], depth) for i in range(3)], 1)
    seen = pl.argmin(2).any(1)
    return truth[seen], pl[seen]


def refined(pl: np.ndarray):
    n = len(pl)
    return refine(
        arrange(TRIO, ["kid", "dad", "mum"]), pl, np.full((n, 3), 2, np.int8), np.full(n, 2),
        np.zeros(n, np.int8), np.zeros((n, 2), np.bool_),
    )  # fmt: skip


def test_fewer_wrong_genotypes_at_10x():
    """Against PLs alone, and against a caller that knows how rare variants are, but no family."""
    truth, pl = drawn(29, 1_000_000, 10, 20)
    told = refined(pl)
    own = (pl.argmin(2) != truth).sum(0)
    alone = ((pl + np.array([0, 30, 33])).argmin(2) != truth).sum(0)
    after = (told.gt.clip(0).sum(2) != truth).sum(0)
    assert (after < 0.1 * own).all()
    assert (after < alone).all()
    assert after.sum() < 0.6 * alone.sum()
    assert (told.check == CONFLICT).sum() < 0.01 * (told.own_check == CONFLICT).sum()


def test_planted_mutations_are_found_at_40x():
    truth, pl = drawn(31, 1_000_000, 40, 50)
    told = refined(pl)
    is_new = (truth[:, 0] == 1) & (truth[:, 1:] == 0).all(1)
    found = told.dn[:, 0] == DENOVO_WORD
    assert is_new.sum() == 50
    assert found[is_new].mean() > 0.9
    assert not found[~is_new].any()


def test_quality_means_what_it_says():
    """Wrong genotypes among those of a GQ are as many as it claims, within a half."""
    truth, pl = drawn(37, 1_000_000, 6, 1)
    told = refined(pl)
    wrong = told.gt.sum(2) != truth
    for low in (3, 8, 13, 18, 23):
        taken = (told.gq >= low) & (told.gq < low + 5) & (told.gt[:, :, 0] >= 0)
        claimed = (10 ** (-(told.gq[taken] + 0.5) / 10)).mean()
        assert 0.67 < wrong[taken].mean() / claimed < 1.5


def test_how_contigs_are_inherited():
    families = arrange(TRIO, ["kid", "dad", "mum"])
    par, own = [2, 2, 2], [1, 1, 2]
    ploidy = np.array([own, par, own], np.int8)
    assert ways(families, "chrX", ploidy).tolist() == [X, AUTOSOME, X]
    assert ways(families, "NC_000024.10", ploidy).tolist() == [Y] * 3
    assert ways(families, "MT", ploidy).tolist() == [MT] * 3
    assert ways(families, "20", ploidy).tolist() == [AUTOSOME] * 3
