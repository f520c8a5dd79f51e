"""A chunk's alignments to sorted BAM records, ready to be spilled."""

from dataclasses import dataclass

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch
from lingqu.align.kernels import encode as kernels
from lingqu.align.umis import with_tags
from lingqu.formats.reference import Reference

UNPLACED = 1 << 62
"""Sort key of records without a place: behind all others."""


@dataclass
class Records:
    """BAM records of a chunk in order of place, then strand, then input.

    key: int64[m], (place in the reference's flat array << 1) | reverse strand. template: int32[m],
    number within the chunk. span: int32[m], reference bases covered, 0 where unmapped.
    offset: int64[m + 1], where the records begin in data (uint8).
    """

    key: np.ndarray
    template: np.ndarray
    span: np.ndarray
    offset: np.ndarray
    data: np.ndarray


def contig_names(reference: Reference) -> tuple[np.ndarray, np.ndarray]:
    """Contig names back to back (uint8), and where they begin (int64[n + 1])."""
    names = [name.encode() for name in reference.names]
    starts = np.cumsum([0, *map(len, names)]).astype(np.int64)
    return np.frombuffer(bytearray(b"".join(names)), np.uint8), starts


def _edits(reads: ReadBatch, found: AlignmentBatch, reference: Reference, row: np.ndarray):
    ops = found.cigar & 15
    deleted = int((found.cigar[ops == kernels.DELETE] >> 4).sum())
    size = 2 * (int(reads.length[found.read].sum()) + deleted) + 12 * (len(ops) + found.n)
    nm, span = np.empty(found.n, np.int32), np.empty(found.n, np.int32)
    md, md_start = np.empty(size, np.uint8), np.empty(found.n + 1, np.int64)
    kernels.edits(
        reads.codes, reads.start, reads.length, found.read, found.flag, found.tid, found.pos,
        found.cigar_start, found.cigar_len, found.cigar, reference.codes, reference.offsets,
        row, nm, span, md, md_start,
    )  # fmt: skip
    return nm, span, md, md_start


def encode_records(
    reads: ReadBatch, found: AlignmentBatch, reference: Reference, group: bytes
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """BAM records of a batch in its order: (data uint8, offset int64[m + 1], span int32[m]).

    group: the read group's ID, b"" for none.
    """
    row = np.empty(int(reads.length.max(initial=1)), np.uint8)
    nm, span, md, md_start = _edits(reads, found, reference, row)
    names, names_start = contig_names(reference)
    longest = max(map(len, reference.names))
    out = np.empty(
        kernels.bound(
            found.record_start, found.read, reads.name_len, reads.length, found.cigar_len,
            md_start, longest, len(group),
        ),
        np.uint8,
    )  # fmt: skip
    offset = np.empty(found.n + 1, np.int64)
    kernels.encode(
        reads.text, reads.name_start, reads.name_len, reads.qual_start, reads.codes, reads.start,
        reads.length, reads.keep,
        found.record_start, found.read, found.flag, found.tid, found.pos, found.mapq,
        found.cigar_start, found.cigar_len, found.cigar, found.mate_tid, found.mate_pos,
        found.tlen, found.score, found.sub_score,
        nm, span, md, md_start, names, names_start, np.array(list(group), np.uint8), row,
        out, offset,
    )  # fmt: skip
    return out[: offset[-1]], offset, span


def place_keys(found: AlignmentBatch, reference: Reference) -> np.ndarray:
    """Sort keys (int64[m]) of the records; see Records."""
    place = reference.offsets[np.maximum(found.tid, 0)] + found.pos
    key = (place << 1) | ((found.flag >> 4) & 1)
    return np.where(found.tid < 0, UNPLACED, key)


def sorted_records(
    reads: ReadBatch, found: AlignmentBatch, reference: Reference, group: bytes
) -> Records:
    """Encode a batch and sort its records; equal keys keep the input's order."""
    data, offset, span = encode_records(reads, found, reference, group)
    if reads.umis is not None:
        data, offset = with_tags(reads.umis, data, offset, found.record_start)
    key = place_keys(found, reference)
    order = np.argsort(key, kind="stable")
    out, out_offset = np.empty_like(data), np.empty_like(offset)
    kernels.gather(data, offset, order, out, out_offset)
    templates = np.repeat(
        np.arange(len(found.record_start) - 1, dtype=np.int32), np.diff(found.record_start)
    )
    return Records(key[order], templates[order], span[order], out_offset, out)
