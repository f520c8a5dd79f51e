"""Principal coordinates against the singular values of the genotypes."""

import numpy as np
import pytest

from lingqu.call.coordinates import MOST, principal_coordinates
from lingqu.call.kernels.axes import orthogonalise
from lingqu.call.kernels.kinship import COUNTS, HETS_A, HETS_B, IBS0, SHARED, SITES


def counted(copies):
    n = len(copies)
    rows = []
    for i in range(n):
        for j in range(i + 1, n):
            row = np.zeros(COUNTS, np.int64)
            hets = copies[i] == 1, copies[j] == 1
            row[[SITES, HETS_A, HETS_B]] = copies.shape[1], hets[0].sum(), hets[1].sum()
            row[[SHARED, IBS0]] = (hets[0] & hets[1]).sum(), (abs(copies[i] - copies[j]) == 2).sum()
            rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("n", [3, 4, 9, 40])
def test_they_are_the_principal_components(n):
    rng = np.random.default_rng(n)
    copies = rng.binomial(2, rng.uniform(0.05, 0.95, 800), (n, 800))
    shares, places = principal_coordinates(counted(copies), n)
    centred = (copies - copies.mean(0)) / np.sqrt(copies.shape[1])
    left, values, _ = np.linalg.svd(centred, full_matrices=False)
    k = min(MOST, n - 1)
    assert places.shape == (n, k)
    assert shares == pytest.approx((values**2 / (values**2).sum())[:k])
    expected = (left * values)[:, :k]
    expected *= np.sign(expected[np.argmax(abs(expected), axis=0), np.arange(k)])
    assert places == pytest.approx(expected, abs=1e-9)
    assert (places[np.argmax(abs(places), axis=0), np.arange(k)] > 0).all()


def test_populations_lie_apart():
    """The first axis tells two populations (Balding-Nichols, Fst 0.05) apart, the others do not."""
    rng = np.random.default_rng(3)
    old = rng.uniform(0.1, 0.9, 3000)
    copies = []
    for _ in range(2):
        own = rng.beta(old * 19, (1 - old) * 19)
        copies.append(rng.binomial(2, own, (12, 3000)))
    shares, places = principal_coordinates(counted(np.concatenate(copies)), 24)
    first = places[:, 0] > 0
    assert (
        first[:12].all() != first[12:].all() and len(set(first[:12])) == len(set(first[12:])) == 1
    )
    assert shares[0] > 1.5 * shares[1]


def test_what_has_none():
    rng = np.random.default_rng(3)
    copies = rng.integers(0, 3, (4, 90))
    assert principal_coordinates(counted(copies[:2]), 2) is None
    assert principal_coordinates(counted(copies[:1]).reshape(0, COUNTS), 1) is None
    assert principal_coordinates(counted(copies[[0, 0, 0]]), 3) is None
    counts = counted(copies)
    counts[2] = 0
    assert principal_coordinates(counts, 4) is None
    shares, places = principal_coordinates(counted(copies[[0, 1, 1]]), 3)
    assert places.shape == (3, 1) and shares[0] == pytest.approx(1)
    assert places[1] == pytest.approx(places[2])


def test_rows_at_right_angles():
    rng = np.random.default_rng(8)
    for n in (1, 2, 7, 30):
        half = rng.normal(size=(n, n))
        matrix = half @ half.T
        rows = matrix.copy()
        orthogonalise(rows)
        values = np.sort(np.linalg.norm(rows, axis=1))
        assert values == pytest.approx(np.linalg.eigvalsh(matrix), rel=1e-9)
        plain = matrix.copy()
        orthogonalise.py_func(plain)
        assert plain == pytest.approx(rows, abs=1e-9)
