"""The reads of a chunk on both strands, as the aligner's kernels want them."""

import numpy as np

from lingqu.align.kernels.scoring import READ_N
from lingqu.base.jit import kernel


@kernel
def both_strands(codes, start, keep, out):
    """Write reads forward to out[0] and reverse-complemented to out[1], N as READ_N.

    codes: uint8[bases], read r at start[r]; only its first keep[r] bases are written, in both rows
    from start[r] on. out: uint8[2, bases].
    """
    for r in range(start.size):
        begin = start[r]
        n = keep[r]
        for i in range(n):
            code = codes[begin + i]
            out[0, begin + i] = code if code < 4 else READ_N
            out[1, begin + n - 1 - i] = np.uint8(3 - code) if code < 4 else READ_N
