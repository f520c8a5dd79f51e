"""CIGARs that tell matches (=) from mismatches (X); SAM specification, section 1.4."""

import numpy as np

from lingqu.align.kernels.encode import MATCH, REVERSE, oriented
from lingqu.base.jit import kernel

EQUAL, DIFFERENT = 7, 8


@kernel
def _runs(bases, wanted, out, at):
    """Write the runs of equal and of different bases at out[at:]; the position after them."""
    run, last = 0, EQUAL
    for i in range(len(bases)):
        op = EQUAL if bases[i] == wanted[i] and bases[i] < 4 else DIFFERENT
        if op != last and run:
            out[at] = run << 4 | last
            at, run = at + 1, 0
        last = op
        run += 1
    out[at] = run << 4 | last
    return at + 1


@kernel
def tell_matches(
    codes, start, length, read, flag, tid, pos, cigar_start, cigar_len, cigar, genome, offsets,
    row, out, out_start, out_len,
):  # fmt: skip
    """Every record's CIGAR with = and X in place of M; N is unlike all, as for NM.

    codes (uint8), start, length: the reads; read to cigar: the records (AlignmentBatch); genome
    (uint8), offsets: the reference. row: uint8 scratch of the longest read. Fills out (uint32,
    with room for all operations and all aligned bases), out_start (int64[m]) and out_len
    (int32[m]). Returns the operations written.
    """
    used = np.int64(0)
    for i in range(len(read)):
        out_start[i] = used
        r, q = read[i], np.int64(0)
        at = offsets[max(tid[i], 0)] + pos[i]
        bases, first = oriented(codes, start[r], np.int64(length[r]), flag[i] & REVERSE, row)
        for word in cigar[cigar_start[i] : cigar_start[i] + cigar_len[i]]:
            op, size = word & 15, np.int64(word >> 4)
            if op == MATCH:
                used = _runs(bases[first + q :][:size], genome[at : at + size], out, used)
            else:
                out[used] = word
                used += 1
            q += size if op != 2 else 0
            at += size if op == MATCH or op == 2 else 0
        out_len[i] = used - out_start[i]
    return used
