"""Eigenvectors of a small symmetric matrix, the same on every CPU."""

import math

from lingqu.base.jit import kernel, leaf

_SWEEPS = 40
_ENOUGH = 1e-12
"""Cosine of two rows that are at right angles."""


@leaf
def _turn(a, b, tiny):
    """Rotate two rows so that their product vanishes; whether they had to be."""
    aa = bb = ab = 0.0
    for k in range(len(a)):
        aa += a[k] * a[k]
        bb += b[k] * b[k]
        ab += a[k] * b[k]
    if aa <= tiny or bb <= tiny or abs(ab) <= _ENOUGH * math.sqrt(aa) * math.sqrt(bb):
        return False
    slope = (bb - aa) / (2.0 * ab)
    tangent = 1.0 / (abs(slope) + math.sqrt(1.0 + slope * slope))
    if slope < 0.0:
        tangent = -tangent
    cosine = 1.0 / math.sqrt(1.0 + tangent * tangent)
    sine = cosine * tangent
    for k in range(len(a)):
        x, y = a[k], b[k]
        a[k] = cosine * x - sine * y
        b[k] = sine * x + cosine * y
    return True


@kernel
def orthogonalise(rows):
    """Turn the rows of a symmetric matrix (float64[n, n]) until all are at right angles.

    The rows are then its eigenvectors, each as long as its eigenvalue's size, in no order; where
    two eigenvalues differ but in sign, theirs are mixed (Hestenes 1958: one-sided Jacobi). Only
    sums, products and square roots, in a fixed order. Rows of hardly any length stay as they are.
    """
    n = len(rows)
    most = 0.0
    for i in range(n):
        size = 0.0
        for k in range(n):
            size += rows[i, k] * rows[i, k]
        most = max(most, size)
    for _ in range(_SWEEPS):
        turned = False
        for i in range(n - 1):
            for j in range(i + 1, n):
                turned |= _turn(rows[i], rows[j], 1e-26 * most)
        if not turned:
            break
