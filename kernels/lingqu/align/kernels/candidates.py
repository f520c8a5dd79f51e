"""The table of places where a read may belong, from chaining to pairing."""

from typing import NamedTuple

import numpy as np


class Candidates(NamedTuple):
    """Struct of arrays over candidates; those of read r are `first[r]` to `first[r] + count[r]`.

    All read coordinates are in the orientation of the reference's forward strand; all reference
    coordinates are global. Before extension `diagonal_low` and `diagonal_high` bound the
    reference minus read coordinates of the chain, read_begin/read_end its extent, `score` its
    score. After it they describe the alignment: [read_begin, read_end) on
    [ref_begin, ref_end), with `cigar_len` operations at `cigar_start` of the CIGAR pool, or none
    where the alignment has no gap.
    """

    strand: np.ndarray  # uint8: 1 for the reverse strand
    diagonal_low: np.ndarray  # int64
    diagonal_high: np.ndarray  # int64
    read_begin: np.ndarray  # int32
    read_end: np.ndarray  # int32
    ref_begin: np.ndarray  # int64
    ref_end: np.ndarray  # int64
    score: np.ndarray  # int32
    chain: np.ndarray  # int32: score of the chain
    cigar_start: np.ndarray  # int64
    cigar_len: np.ndarray  # int32


MAX_CANDIDATES = 40
"""Places kept for a read, those found by mate rescue included."""

CHAINED = 32
"""Places kept for a read by chaining."""


def new_candidates(reads: int) -> Candidates:
    """An empty table with MAX_CANDIDATES slots a read."""
    n = reads * MAX_CANDIDATES
    kinds = (np.uint8, *[np.int64] * 2, *[np.int32] * 2, *[np.int64] * 2, *[np.int32] * 2)
    return Candidates(*(np.zeros(n, kind) for kind in (*kinds, np.int64, np.int32)))
