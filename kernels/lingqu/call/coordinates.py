"""Principal coordinates of samples, by the alleles that pairs of them share."""

import numpy as np

from lingqu.call.kernels.axes import orthogonalise
from lingqu.call.kernels.kinship import IBS0, SITES
from lingqu.call.kinship import ibs1, squared

MOST = 10
"""Components that are told."""
_LEAST = 1e-9
"""Of the first eigenvalue: what is below it is no component."""


def principal_coordinates(counts: np.ndarray, samples: int) -> tuple[np.ndarray, np.ndarray] | None:
    """(float64[k] shares of the variance, float64[samples, k] coordinates); None of fewer than 3.

    The mean over sites of the squared difference of ALT copies is (IBS1 + 4 IBS0) / sites, and what
    its classical scaling gives (Torgerson 1952, Gower 1966; PLINK's --mds-plot) are the principal
    components of the centred ALT copies, each site as it is and not by its frequency. Shares are of
    the sum of all eigenvalues' sizes. The greatest coordinate of each component is positive. None,
    too, where two samples share no site, or nothing differs. counts: see `kernels.kinship`.
    """
    if samples < 3 or not counts[:, SITES].all():
        return None
    inner = _centred(squared((ibs1(counts) + 4 * counts[:, IBS0]) / counts[:, SITES], samples))
    rows = inner.copy()
    orthogonalise(rows)
    sizes = np.sqrt(_dots(rows, rows))
    order = np.argsort(-sizes, kind="stable")
    shares, axes = [], []
    for k in order[sizes[order] > _LEAST * sizes[order[0]]].tolist():
        axis = rows[k] / sizes[k]
        if len(axes) < MOST and _dots(_dots(inner, axis)[None], axis)[0] > 0:
            shares.append(sizes[k])
            axes.append(axis * np.sqrt(sizes[k]) * np.sign(axis[np.argmax(np.abs(axis))]))
    return (np.array(shares) / np.cumsum(sizes)[-1], np.array(axes).T) if axes else None


def _dots(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """float64[n]: sums of products of rows (float64[n, m]), from the first to the last."""
    return np.cumsum(rows * others, axis=1)[:, -1]


def _centred(squares: np.ndarray) -> np.ndarray:
    """-1/2 of the squares less the means of rows and columns, and that of all added."""
    n = len(squares)
    rows = np.cumsum(squares, axis=1)[:, -1] / n
    whole = np.cumsum(rows)[-1] / n
    return -0.5 * (squares - rows[:, None] - rows[None, :] + whole)
