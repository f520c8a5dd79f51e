"""Genotypes against brute force in plain Python."""

import itertools
import math

import numpy as np
import pytest

from lingqu.call.kernels import genotype
from lingqu.oracles.likelihood import log_likelihood

TEMPLATES, HAPS = 150, 4


@pytest.fixture
def chances():
    rng = np.random.default_rng(4)
    chances = 10 ** rng.uniform(-4, 0, (TEMPLATES, HAPS))
    return chances / chances.max(1, keepdims=True)


@pytest.mark.parametrize("kernel", [genotype.pair_likelihood, genotype.pair_likelihood.py_func])
def test_pair_likelihood(chances, kernel):
    for one, two in itertools.combinations_with_replacement(range(HAPS), 2):
        expected = log_likelihood(chances, one, two)
        assert kernel(chances, TEMPLATES, one, two) == pytest.approx(expected, abs=1e-9)


def test_no_template_says_nothing(chances):
    assert genotype.pair_likelihood(chances, 0, 0, 1) == 0


def test_prior():
    prior = np.array([-3.0, -4.0])
    far = np.zeros(2, np.int64)
    assert genotype.pair_prior(prior, far, 0, 0, 2) == 0
    assert genotype.pair_prior(prior, far, 1, 0, 2) == -3
    assert genotype.pair_prior(prior, far, 1, 2, 2) == -7
    assert genotype.pair_prior(prior, far, 3, 1, 2) == pytest.approx(-7 - math.log10(2))


def test_an_edit_is_likelier_beside_another_of_its_haplotype():
    prior, near = np.array([-3.0, -4.0]), np.array([0, 1])
    assert genotype.pair_prior(prior, near, 2, 0, 2) == -4
    assert genotype.pair_prior(prior, near, 1, 2, 2) == -7
    assert genotype.pair_prior(prior, near, 3, 0, 2) == pytest.approx(-7 + genotype.NEAR_PRIOR)
    both = genotype.pair_prior(prior, near, 3, 3, 2)  # once, as the edits are
    assert both == pytest.approx(-7 + genotype.NEAR_PRIOR - 2 * math.log10(2))


@pytest.mark.parametrize("ploidy", [1, 2])
def test_site_genotypes_and_sums(chances, ploidy):
    masks = np.array([0, 1, 2, 3], np.int64)
    prior = np.array([-1.0, -2.0])
    posterior = np.empty((HAPS, HAPS))
    near = np.array([0, 1])
    genotype.all_pairs(chances, 20, masks, HAPS, prior, near, 2, ploidy, posterior)
    allele_of = np.array([0, 1, 0, 1], np.int64)  # the site of the first edit
    table = np.empty((2, 2))
    genotype.site_genotypes(posterior, HAPS, allele_of, 2, table)
    weights = {}
    for one in range(HAPS):
        for two in range(one, HAPS):
            if ploidy == 1 and one != two:
                continue
            value = log_likelihood(chances[:20], one, two)
            value += genotype.pair_prior(prior, near, masks[one], masks[two], 2)
            key = tuple(sorted((allele_of[one], allele_of[two])))
            weights[key] = weights.get(key, 0) + 10**value
    for (a, b), weight in weights.items():
        assert table[a, b] == pytest.approx(math.log10(weight), abs=1e-9)
    nothing = np.zeros(2, np.bool_)
    total = genotype.log_sum(table, 2, -1, -1, nothing)
    assert total == pytest.approx(math.log10(sum(weights.values())), abs=1e-9)
    without = genotype.log_sum(table, 2, -1, -1, np.array([False, True]))
    assert without == pytest.approx(table[0, 0], abs=1e-9)


def test_haplotypes_without_an_allele_are_left_out(chances):
    posterior = np.empty((HAPS, HAPS))
    masks = np.array([0, 1, 2, 4], np.int64)
    near = np.zeros(3, np.int64)
    genotype.all_pairs(chances, 20, masks, HAPS, np.full(3, -1.0), near, 3, 2, posterior)
    table = np.empty((2, 2))
    genotype.site_genotypes(posterior, HAPS, np.array([0, 1, -1, -1]), 2, table)
    assert table[0, 1] == pytest.approx(posterior[0, 1])
