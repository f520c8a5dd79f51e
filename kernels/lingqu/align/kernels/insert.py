"""Insert sizes: what a chunk shows, and the model fitted to it."""

import numpy as np

from lingqu.align.kernels.rescue import outer_distance
from lingqu.base.jit import kernel

LONGEST = 10_000
"""Pairs farther apart than this tell nothing of the library."""

_ENOUGH = 30


@kernel
def insert_sizes(table, slots, order, kept, keep, sizes):
    """Collect the outer distances of pairs whose mates have one place each; returns how many.

    sizes: int64[templates], out. See `rank_candidates` for the rest.
    """
    found = 0
    for t in range(keep.size // 2):
        r1, r2 = 2 * t, 2 * t + 1
        if kept[r1] != 1 or kept[r2] != 1:
            continue
        a, b = order[slots[r1]], order[slots[r2]]
        if table.tid[a] != table.tid[b]:
            continue
        size = outer_distance(table, a, keep[r1], b, keep[r2])
        if 0 < size <= LONGEST:
            sizes[found] = size
            found += 1
    return found


def fit_insert(sizes):
    """(known, mean, sd, low, high) of outer distances (int64[n]), in bases.

    Mean and sd are of the sizes within three interquartile ranges of the quartiles; low and high
    leave four sd on either side. Fewer than 30 sizes: not known, and 1 to 1,000 is allowed.
    """
    if len(sizes) < _ENOUGH:
        return False, 0.0, 0.0, 1, 1000
    ordered = np.sort(sizes)
    lower, upper = ordered[len(ordered) // 4], ordered[3 * len(ordered) // 4]
    reach = 3 * max(int(upper - lower), 5)
    inside = ordered[(ordered >= lower - reach) & (ordered <= upper + reach)]
    mean = int(inside.sum()) / len(inside)
    sd = max((int(((inside - round(mean)) ** 2).sum()) / len(inside)) ** 0.5, 1.0)
    low = max(1, min(int(mean - 4 * sd), int(lower - reach // 3)))
    high = max(int(mean + 4 * sd) + 1, int(upper + reach // 3))
    return True, round(mean, 2), round(sd, 2), low, high
