"""All records of a BAM or CRAM, in the file's order, in batches of struct of arrays."""

import os
import struct
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import pysam

from lingqu.base.bits import LANES
from lingqu.base.errors import LingquError
from lingqu.formats import bgzf
from lingqu.formats.bam import AlignmentFile, bytes_from
from lingqu.formats.bam_read_kernels import FIXED, unpack_records
from lingqu.formats.bam_whole_kernels import list_records, turn_reads, unpack_mates
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import Reference

_RECORDS = 50_000
"""Records of a CRAM that are decoded at once."""


class Records(NamedTuple):
    """n records in file order, with contigs by their numbers in the reference.

    codes and quals (uint8, Phred) hold the bases of record r as sequenced, reverse ones turned
    back, at base_start[r]:base_start[r + 1]; quals begin at qual_start[r], -1 where there are none.
    low, high: see `lingqu.formats.bam.Alignments`. mate_end (int64): behind the mate's last base,
    by MC, else by TLEN. kind (uint8): of duplicates 2 of optical ones (DT:Z:SQ), 1 with another DT,
    3 without; 0 of others.
    """

    pos: np.ndarray  # int32[n]
    end: np.ndarray  # int32[n]
    flag: np.ndarray  # uint16[n]
    mapq: np.ndarray  # uint8[n]
    base_start: np.ndarray  # int64[n + 1]
    cigar_start: np.ndarray  # int64[n + 1]
    low: np.ndarray  # int32[n]
    high: np.ndarray  # int32[n]
    name_hash: np.ndarray  # uint64[n]
    tid: np.ndarray  # int32[n]
    mate_tid: np.ndarray  # int32[n]
    mate_pos: np.ndarray  # int32[n]
    mate_end: np.ndarray  # int64[n]
    tlen: np.ndarray  # int32[n]
    kind: np.ndarray  # uint8[n]
    qual_start: np.ndarray  # int64[n]
    codes: np.ndarray  # uint8[bases + LANES]
    quals: np.ndarray  # uint8[bases]
    cigar: np.ndarray  # uint32[words]


_STARTS = ("base_start", "cigar_start")
_KINDS = (
    *(np.int32, np.int32, np.uint16, np.uint8, np.int64, np.int64, np.int32, np.int32, np.uint64),
    *(np.int32, np.int32, np.int32, np.int64, np.int32, np.uint8, np.int64),
)


def _unpack(raw: np.ndarray, offsets: np.ndarray, bases: int, words: int, tid_of) -> Records:
    columns = [
        np.empty(len(offsets) + (name in _STARTS), kind)
        for name, kind in zip(Records._fields, _KINDS, strict=False)
    ]
    codes, quals = np.zeros(bases + LANES, np.uint8), np.empty(bases, np.uint8)
    records = Records(*columns, codes, quals, np.empty(words, np.uint32))
    records.base_start[0] = records.cigar_start[0] = 0
    unpack_records(raw, offsets, 0, tuple(columns[:9]), codes, quals, records.cigar)
    unpack_mates(
        raw, offsets, 0, tid_of, (records.pos, records.end, records.flag), records.tid,
        records.mate_tid, records.mate_pos, records.mate_end, records.tlen, records.kind,
    )  # fmt: skip
    turn_reads(records.flag, records.base_start, codes, quals, records.qual_start)
    return records


def _header_end(raw: np.ndarray) -> int | None:
    """Where the records of a BAM begin (SAM specification 4.2); None where raw ends before."""
    try:
        (text,) = struct.unpack_from("<i", raw, 4)
        (contigs,) = struct.unpack_from("<i", raw, 8 + text)
        at = 12 + text
        for _ in range(contigs):
            (size,) = struct.unpack_from("<i", raw, at)
            at += 8 + size
    except struct.error:
        return None
    return at if at <= len(raw) else None


def _bam_pieces(file: AlignmentFile) -> Iterator[np.ndarray]:
    """The file's bytes behind its header."""
    head = np.empty(0, np.uint8)
    rest = bytes_from(file.path, 0, file.path.stat().st_size)
    for piece in rest:
        head = np.concatenate((head, piece))
        at = _header_end(head)
        if at is not None:
            yield head[at:]
            break
    yield from rest


def _cram_pieces(file: AlignmentFile, reference: Reference) -> Iterator[np.ndarray]:
    """The records of a CRAM as uncompressed BAM."""
    options = {"reference_filename": str(htslib_fasta(reference)), "check_sq": False}
    with pysam.AlignmentFile(str(file.path), **options) as cram:
        records = cram.fetch(until_eof=True)
        while some := list(islice(records, _RECORDS)):
            handle = os.memfd_create("lingqu")
            try:
                name = f"/proc/self/fd/{handle}"
                with pysam.AlignmentFile(name, "wbu", header=cram.header) as out:
                    for record in some:
                        out.write(record)
                with open(name, "rb") as stream:
                    raw = bgzf.decompress(stream.read(), str(file.path))
            finally:
                os.close(handle)
            whole = np.frombuffer(bytearray(raw), np.uint8)
            yield whole[_header_end(whole) :]


def read_records(file: AlignmentFile, reference: Reference) -> Iterator[Records]:
    """All records of a file that `open_alignments` has checked.

    LingquError where the file turns out truncated or damaged.
    """
    tid_of = np.full(max(max(file.tid_of) + 1, 1), -1, np.int32)
    for tid, own in enumerate(file.tid_of):
        if own >= 0:
            tid_of[own] = tid
    rest = np.empty(0, np.uint8)
    try:
        for piece in _cram_pieces(file, reference) if file.is_cram else _bam_pieces(file):
            raw = np.concatenate((rest, piece))
            offsets = np.empty(len(raw) // FIXED + 1, np.int64)
            found, bases, words, used = list_records(raw, offsets)
            if used < 0:
                raise LingquError(f"{file.path}: damaged record; copy or make it again")
            if found:
                yield _unpack(raw, offsets[:found], bases, words, tid_of)
            rest = raw[used:]
    except (OSError, ValueError) as error:
        raise LingquError(f"{file.path}: cannot be read ({error}); copy it again") from None
    if len(rest):
        raise LingquError(f"{file.path}: truncated in its last record; copy or make it again")
