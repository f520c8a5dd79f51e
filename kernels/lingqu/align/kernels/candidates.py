"""The table of places where a read may belong, from chaining to pairing."""

import numpy as np

from lingqu.base.scratch import empty

CANDIDATE = np.dtype(
    [
        ("diagonal_low", np.int64),
        ("diagonal_high", np.int64),
        ("ref_begin", np.int64),
        ("ref_end", np.int64),
        ("cigar_start", np.int64),
        ("read", np.int32),
        ("score", np.int32),
        ("chain", np.int32),
        ("read_begin", np.int16),
        ("read_end", np.int16),
        ("tid", np.int32),
        ("strand", np.int16),
        ("cigar_len", np.int16),
    ]
)
"""One candidate, a cache line of 64 bytes: all that is known of a place is wanted at once.

All read coordinates are in the orientation of the reference's forward strand; all reference
coordinates are global. Before extension diagonal_low and diagonal_high bound the reference minus
read coordinates of the chain, read_begin and read_end its extent; chain is its score. After it they
describe the alignment: [read_begin, read_end) on [ref_begin, ref_end), with cigar_len operations
at cigar_start of the CIGAR pool, or none where the alignment has no gap; score is its score, tid
its contig. strand is 1 for the reverse strand. A fresh candidate has ref_end 0.
"""

CHAINED = 32
"""Places kept for a read by chaining."""

WINDOW = 2
"""Places that mate rescue takes from one window."""

ROOM = 20
"""Places that mate rescue may add to those of a read."""

FEW = 3
"""A read with more places than this, or none, may be of a repeat: rescue has all the room there."""

MOST = CHAINED + ROOM
"""Places of a read at most."""


def new_candidates(reads: int) -> np.recarray:
    """An empty table, large enough for any chunk of so many reads; what is not used costs nothing.

    The slots of read r are slots[r] to slots[r + 1] - 1, of which its candidates are the first.
    """
    return empty(reads * MOST, CANDIDATE).view(np.recarray)
