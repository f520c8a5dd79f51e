"""Sex by genotypes: how much of X is heterozygous, and how deep X and Y are."""

import numpy as np

from lingqu.call.kernels.kinship import ALTERNATE, CALLED, DEPTH, HETEROZYGOUS

LEAST_SITES = 50
"""Genotypes with an ALT on X, sites on X, or on Y, from which a sample is judged by them."""
ONE_COPY, TWO_COPIES = 0.7, 0.8
"""Depth of X by that of autosomes, up to which it has one copy, from which two: 0.5 and 1, with
room for what a library's bias by composition does to X."""
FEW_HETS, MANY_HETS = 0.2, 0.5
"""Share of heterozygous genotypes on X by that on autosomes, the same way: of one copy a few
percent are (pseudoautosomal regions, repeats), of two about as many as elsewhere."""


Part = tuple[np.ndarray, np.ndarray]
"""Of a sample and a part of the genome: int64[TALLIES] and int64[SUMS], see `kernels.kinship`."""


def sex_of(autosomes: Part, x: Part, y: Part) -> dict:
    """x_ratio, y_ratio, x_het_share and found ("XX", "XY" or "unknown") of a sample.

    A ratio is None where nothing was called, and found is clear where all that there is says the
    same.
    """
    deep = _mean(autosomes)
    x_ratio, y_ratio = (_share(_mean(part), deep) for part in (x, y))
    hets = _hets(x)
    votes = {_vote(x_ratio, ONE_COPY, TWO_COPIES)}
    votes.add(_vote(_share(hets, _hets(autosomes)), FEW_HETS, MANY_HETS))
    votes.discard(None)
    found = votes.pop() if len(votes) == 1 else "unknown"
    return {"x_ratio": x_ratio, "y_ratio": y_ratio, "x_het_share": hets, "found": found}


def _share(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def _mean(part: Part) -> float | None:
    """Mean depth of the markers."""
    depth, called = part[1][[DEPTH, CALLED]].tolist()
    return depth / called if called >= LEAST_SITES else None


def _hets(part: Part) -> float | None:
    """Heterozygous genotypes by those with an ALT."""
    het, alt = part[0][[HETEROZYGOUS, ALTERNATE]].tolist()
    return het / (het + alt) if het + alt >= LEAST_SITES else None


def _vote(value: float | None, few: float, many: float) -> str | None:
    if value is None:
        return None
    return "XY" if value < few else "XX" if value > many else "unknown"
