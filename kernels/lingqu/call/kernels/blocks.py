"""Blocks of places that are as the reference, and their lines as text."""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.reference import ALT, DEPTH, GAP_ALT, GAP_HET, GAP_REF, HET, REF

TOTAL, LEAST, HETS, ALTS = range(2, 6)
"""Columns of `blocks` behind those of its first row and of the one behind its last."""


@kernel
def _cost(log, most):
    return min(max(log // 100, 0), most)


@kernel
def confidence(sums, row, ploidy, most):
    """PL of 0/x and of x/x, at most `most`: the less sure pair of the base's and the indel's.

    Where another genotype is likelier than the reference's, nothing is told: 0.
    """
    alt = _cost(sums[row, ALT] - sums[row, REF], most)
    het = _cost(sums[row, HET] - sums[row, REF], most) if ploidy == 2 else alt
    gap_alt = _cost(sums[row, GAP_ALT] - sums[row, GAP_REF], most)
    gap_het = _cost(sums[row, GAP_HET] - sums[row, GAP_REF], most) if ploidy == 2 else gap_alt
    if min(gap_het, gap_alt) < min(het, alt):
        return gap_het, gap_alt
    return het, alt


@kernel
def find_blocks(sums, free, band_of, ploidy, most, blocks):
    """Runs of rows with free[row] (bool[n]) of one band; returns how many.

    sums: int64[n, 7], see call/kernels/reference.py. band_of: int8[GQs], greater ones count as the
    last. blocks: int64[m, 6], filled: rows [first, end), sum and least of DEPTH, least PL of 0/x
    and of x/x; m at least the number of free rows.
    """
    found, last = np.int64(-1), np.int64(-1)
    for row in range(len(free)):
        if not free[row]:
            last = -1
            continue
        het, alt = confidence(sums, row, ploidy, most)
        band = np.int64(band_of[min(min(het, alt), len(band_of) - 1)])
        depth = sums[row, DEPTH]
        if band != last:
            found += 1
            blocks[found, 0] = row
            blocks[found, TOTAL] = 0
            blocks[found, LEAST] = depth
            blocks[found, HETS] = het
            blocks[found, ALTS] = alt
            last = band
        blocks[found, 1] = row + 1
        blocks[found, TOTAL] += depth
        blocks[found, LEAST] = min(blocks[found, LEAST], depth)
        blocks[found, HETS] = min(blocks[found, HETS], het)
        blocks[found, ALTS] = min(blocks[found, ALTS], alt)
    return found + 1


@kernel
def _write_number(number, text, at):
    """Write a number of at least 0 in decimal digits; returns the place behind."""
    size, rest = np.int64(1), number // 10
    while rest:
        size += 1
        rest //= 10
    for k in range(at + size - 1, at - 1, -1):
        text[k] = 48 + number % 10
        number //= 10
    return at + size


@kernel
def write_rows(pieces, starts, letters, numbers, text, ends):
    """Write rows of text (uint8): pieces with numbers behind them.

    pieces: uint8, piece c is [starts[c]:starts[c + 1]]. numbers: int64[n, c], at least 0. letters:
    uint8[n], written between the second piece and the third, which no number parts. ends: int64[n],
    filled with where each row ends.
    """
    at = np.int64(0)
    for row in range(len(numbers)):
        number = 0
        for piece in range(len(starts) - 1):
            for k in range(starts[piece], starts[piece + 1]):
                text[at] = pieces[k]
                at += 1
            if piece == 1:
                text[at] = letters[row]
                at += 1
            elif number < numbers.shape[1]:
                at = _write_number(numbers[row, number], text, at)
                number += 1
        ends[row] = at
