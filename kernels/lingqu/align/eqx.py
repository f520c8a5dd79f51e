"""Alignments whose CIGARs tell matches from mismatches."""

from dataclasses import replace

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch
from lingqu.align.kernels import encode
from lingqu.align.kernels import eqx as kernels
from lingqu.formats.reference import Reference


def tell_matches(reads: ReadBatch, found: AlignmentBatch, reference: Reference) -> AlignmentBatch:
    """The batch with = and X for M in its CIGARs; all else is shared with `found`."""
    aligned = found.cigar[(found.cigar & 15) == encode.MATCH] >> 4
    cigar = np.empty(len(found.cigar) + int(aligned.sum()), np.uint32)
    start, size = np.empty_like(found.cigar_start), np.empty_like(found.cigar_len)
    row = np.empty(int(reads.length.max(initial=1)), np.uint8)
    used = kernels.tell_matches(
        reads.codes, reads.start, reads.length, found.read, found.flag, found.tid, found.pos,
        found.cigar_start, found.cigar_len, found.cigar, reference.codes, reference.offsets,
        row, cigar, start, size,
    )  # fmt: skip
    return replace(found, cigar=cigar[:used], cigar_start=start, cigar_len=size)
