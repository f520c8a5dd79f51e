"""The reads of a chunk on both strands, as the aligner's kernels want them."""

import numpy as np

from lingqu.align.kernels.scoring import READ_N
from lingqu.base.bits import LANES
from lingqu.base.jit import kernel

OVERHANG = LANES
"""Bytes after the last read that are looked at, and do not count."""

_ANY = np.uint8(READ_N)
_THREE = np.uint8(3)


@kernel
def both_strands(codes, start, keep, out, unknowns):
    """Write reads forward to out[0] and reverse-complemented to out[1], N as READ_N.

    codes: uint8[bases], read r at start[r]; of row 1 only its first keep[r] bases are written, from
    start[r] on. out: uint8[2, bases + OVERHANG]. unknowns: bool[n], out: whether a read has an N.
    """
    forward, backward = out[0], out[1]
    for i in range(codes.size):
        forward[i] = codes[i] if codes[i] <= _THREE else _ANY
    out[:, codes.size :] = _ANY
    for r in range(start.size):
        n = keep[r]
        read = forward[start[r] : start[r] + n]
        mirrored = backward[start[r] : start[r] + n]
        worst = np.uint8(0)
        for i in range(n):
            code = read[n - 1 - i]
            worst |= code
            mirrored[i] = _THREE - code if code <= _THREE else _ANY
        unknowns[r] = worst > _THREE
