"""Sex by depths and heterozygous genotypes."""

import numpy as np
import pytest

from lingqu.call.sexes import sex_of


def part(het=0, alt=0, called=0, depth=0):
    return np.array([0, het, alt, 0, 0]), np.array([called, depth])


AUTOSOMES = part(1200, 800, 3000, 90_000)
X_OF_TWO = part(550, 380, 1500, 44_000)
X_OF_ONE = part(30, 900, 1500, 23_000)
HAPLOID = part(0, 0, 1500, 23_000)
Y_OF_ONE, NO_Y = part(0, 0, 100, 1400), part(0, 0, 100, 40)


@pytest.mark.parametrize(("x", "y", "found"), [
    (X_OF_TWO, NO_Y, "XX"), (X_OF_TWO, part(), "XX"), (X_OF_ONE, Y_OF_ONE, "XY"),
    (HAPLOID, Y_OF_ONE, "XY"), (part(0, 0, 1500, 45_000), part(), "XX"),
    (part(30, 900, 1500, 44_000), NO_Y, "unknown"), (part(), part(), "unknown"),
    (part(0, 0, 1500, 33_750), part(), "unknown"),
])  # fmt: skip
def test_found(x, y, found):
    assert sex_of(AUTOSOMES, x, y)["found"] == found


def test_ratios():
    told = sex_of(AUTOSOMES, X_OF_TWO, Y_OF_ONE)
    assert told["x_ratio"] == pytest.approx(44_000 / 1500 / 30)
    assert told["y_ratio"] == pytest.approx(14 / 30)
    assert told["x_het_share"] == pytest.approx(550 / 930)
    none = sex_of(part(), part(), part())
    assert none == {"x_ratio": None, "y_ratio": None, "x_het_share": None, "found": "unknown"}
    assert sex_of(part(5, 5, 3000, 0), X_OF_TWO, NO_Y)["x_ratio"] is None
