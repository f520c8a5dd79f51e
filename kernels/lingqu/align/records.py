"""A chunk's alignments to sorted BAM records, ready to be spilled."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch
from lingqu.align.kernels import encode as kernels
from lingqu.align.umis import with_tags
from lingqu.base.bits import LANES
from lingqu.base.scratch import empty
from lingqu.formats.reference import Reference

UNPLACED = 1 << 62
"""Sort key of records without a place: behind all others."""

_BEHIND = 1 << 40  # above the key of any place, and with room for a row's number behind it


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


@cache
def contig_names(names: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Contig names back to back (uint8), and where they begin (int64[n + 1])."""
    starts = np.cumsum([0, *(len(name.encode()) for name in names)]).astype(np.int64)
    return np.frombuffer(bytearray("".join(names).encode()), np.uint8), starts


def encode_records(
    reads: ReadBatch, found: AlignmentBatch, reference: Reference, group: bytes
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """BAM records of a batch in its order: (data uint8, offset int64[m + 1], span int32[m]).

    group: the read group's ID, b"" for none.
    """
    names, names_start = contig_names(reference.names)
    most, most_md = kernels.bound(
        found.record_start, found.read, reads.name_len, reads.length, found.cigar_start,
        found.cigar_len, found.cigar, int(np.diff(names_start).max()), len(group),
    )  # fmt: skip
    longest = int(reads.length.max(initial=1)) + 2 & ~1
    nibbles = empty(longest)
    out, offset, span = empty(most), empty(found.n + 1, np.int64), empty(found.n, np.int32)
    kernels.encode(
        template_of(found),
        reads.text, reads.name_start, reads.name_len, reads.qual_start, reads.codes, reads.start,
        reads.length, reads.keep,
        found.record_start, found.read, found.flag, found.tid, found.pos, found.mapq,
        found.cigar_start, found.cigar_len, found.cigar, found.mate_tid, found.mate_pos,
        found.tlen, found.score, found.sub_score,
        reference.codes, reference.offsets, names, names_start, np.array(list(group), np.uint8),
        empty(longest + LANES), nibbles, nibbles.view(np.uint16), empty(most_md), out, offset, span,
    )  # fmt: skip
    return out[: offset[-1]], offset, span


def template_of(found: AlignmentBatch) -> np.ndarray:
    """The template (int32[m]) of each record."""
    templates = np.arange(len(found.record_start) - 1, dtype=np.int32)
    return np.repeat(templates, np.diff(found.record_start))


def place_keys(found: AlignmentBatch, reference: Reference) -> np.ndarray:
    """Sort keys (int64[m]) of the records; see Records."""
    place = reference.offsets[np.maximum(found.tid, 0)] + found.pos
    key = (place << 1) | ((found.flag >> 4) & 1)
    return np.where(found.tid < 0, UNPLACED, key)


def stable_order(key: np.ndarray) -> np.ndarray:
    """np.argsort(key, kind="stable") of sort keys: with the row's number behind its key no two
    are equal, and the plain sort of numbers, which is vector code, will do.
    """
    bits = len(key).bit_length()
    numbered = (np.minimum(key, _BEHIND) << bits) | np.arange(len(key))
    numbered.sort()
    return numbered & ((1 << bits) - 1)


def sorted_records(
    reads: ReadBatch, found: AlignmentBatch, reference: Reference, group: bytes
) -> Records:
    """Encode a batch and sort its records; equal keys keep the input's order."""
    data, offset, span = encode_records(reads, found, reference, group)
    if reads.umis is not None:
        data, offset = with_tags(reads.umis, data, offset, found.record_start)
    key = place_keys(found, reference)
    order = stable_order(key)
    out, out_offset = empty(len(data)), empty(len(offset), np.int64)
    kernels.gather(data, offset, order, out, out_offset)
    return Records(key[order], template_of(found)[order], span[order], out_offset, out)
