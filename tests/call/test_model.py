"""The caller's numbers: gaps learned from few and from many loci, priors of indels."""

import numpy as np
import pytest

from lingqu.call import model

USUAL = model.gap_table(np.zeros(model.TALLY, np.int64))


def _tally(period, copies, loci):
    """Counts of loci, each (reads, indels), of one class."""
    tally = np.zeros(model.TALLY, np.int64)
    for reads, indels in loci:
        share = min(indels * model.BINS // reads, model.BINS - 1)
        tally[period, copies, share] += reads, indels
    return tally


@pytest.mark.parametrize("period", [1, 2])
@pytest.mark.parametrize("indels", [15, 30])
def test_a_variant_of_a_small_panel_is_no_error(period, indels):
    """One locus of its class, heterozygous or homozygous: the reads tell nothing of errors."""
    learned = model.gap_table(_tally(period, 12, [(30, indels)]))
    np.testing.assert_array_equal(learned, USUAL)


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_many_loci_tell_their_errors(rate):
    rng = np.random.default_rng(7)
    errors = [(30, int(n)) for n in rng.binomial(30, rate, 400)]
    variants = [(30, int(n)) for n in rng.binomial(30, 0.5, 100)] + [(30, 30)] * 50
    learned = model.gap_table(_tally(1, 15, errors + variants))
    assert learned[1, 15] == pytest.approx(rate / 30, rel=0.15)  # 15 places, two ways


def test_few_reads_change_little():
    learned = model.gap_table(_tally(1, 15, [(10, 1)]))
    assert USUAL[1, 15] < learned[1, 15] < 1.5 * USUAL[1, 15]


def test_longer_repeats_vary_more_and_by_one_copy_most():
    for table in model.repeat_priors()[1:]:
        assert (np.diff(table[:, 1:], axis=0) >= 0).all()
        assert (np.diff(table[:, 1:], axis=1) <= 0).all()
        assert table[1, 1] == table[12, -1] == model.INDEL_PRIOR
        assert 0.05 < 2 * (10 ** table[12, 1:7]).sum() < 0.3  # some of all lengths, either way
