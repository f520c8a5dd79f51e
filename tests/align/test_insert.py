"""The insert size model against NumPy."""

import numpy as np

from lingqu.align.kernels.insert import fit_insert


def test_outliers_do_not_move_the_model():
    rng = np.random.default_rng(1)
    sizes = rng.normal(350, 40, 5_000).astype(np.int64)
    clean = fit_insert(sizes)
    spoilt = fit_insert(np.concatenate((sizes, rng.integers(3_000, 10_000, 300))))
    assert clean[0]
    assert spoilt[0]
    assert abs(clean[1] - np.mean(sizes)) < 1
    assert abs(clean[2] - np.std(sizes)) < 1.5
    assert abs(spoilt[1] - clean[1]) < 2
    assert spoilt[4] < 700


def test_order_does_not_matter():
    sizes = np.random.default_rng(2).integers(200, 500, 999)
    assert fit_insert(sizes) == fit_insert(sizes[::-1].copy())


def test_few_pairs_tell_nothing():
    known, *_, low, high = fit_insert(np.full(29, 300))
    assert (known, low, high) == (False, 1, 1000)


def test_all_alike_is_no_division_by_nought():
    known, mean, sd, low, high = fit_insert(np.full(100, 300))
    assert known
    assert (mean, sd) == (300, 1)
    assert low < 300 < high
