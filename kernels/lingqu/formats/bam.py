"""The reads of a region of a BAM or CRAM, as struct of arrays.

BAM goes from BGZF blocks into arrays by own kernels; CRAM through htslib's codec into the same.
"""

import gzip
import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam

from lingqu.base.errors import LingquError
from lingqu.base.scratch import empty
from lingqu.formats import bgzf
from lingqu.formats.bam_read_kernels import FIXED, find_records, unpack_records, unpack_spans
from lingqu.formats.bgzf_kernels import whole_blocks
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import Reference, open_reference

UNCOUNTED = 0x4 | 0x100 | 0x200 | 0x400
"""Flags of records that do not count as depth (1796, as mosdepth and samtools depth have it):
unmapped, secondary, QC-fail, duplicate."""

UNUSED = UNCOUNTED | 0x800
"""Flags of records that tell a caller nothing of their own: these, and supplementary."""

_LEAST, _MOST = 1 << 16, 1 << 24
"""Compressed bytes that are read at once."""


class Alignments(NamedTuple):
    """n reads in file order (by `pos`).

    `codes` and `quals` (uint8, Phred) hold the bases of read r, as in the record, at
    `base_start[r]:base_start[r + 1]`; `cigar` (uint32, BAM encoding) its CIGAR at
    `cigar_start[r]:cigar_start[r + 1]`. Bases outside [low, high) of the read are adapter (XT tag)
    and no evidence. `pos`, `end`: 0-based half-open span on the contig. `name_hash` tells mates.
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
    codes: np.ndarray  # uint8[bases]
    quals: np.ndarray  # uint8[bases]
    cigar: np.ndarray  # uint32[words]


class Spans(NamedTuple):
    """n records in file order that count as depth and tell a caller nothing: supplementary ones,
    and those without bases or qualities. Fields as in `Alignments`.
    """

    pos: np.ndarray  # int32[n]
    end: np.ndarray  # int32[n]
    flag: np.ndarray  # uint16[n]
    cigar_start: np.ndarray  # int64[n + 1]
    cigar: np.ndarray  # uint32[words]


class _Part(NamedTuple):
    """Bytes, and offsets of records there: those to unpack, and those that are aside."""

    raw: np.ndarray
    offsets: np.ndarray
    bases: int
    words: int
    others: np.ndarray
    other_words: int


@dataclass(frozen=True)
class AlignmentFile:
    """A checked BAM or CRAM: `tid_of[t]` is its own number of contig t of the reference, or -1."""

    path: Path
    is_cram: bool
    tid_of: tuple[int, ...]
    samples: tuple[str, ...]
    index: Path


def _find_index(path: Path, is_cram: bool) -> Path:
    endings = (".crai",) if is_cram else (".bai", ".csi")
    names = [Path(f"{path}{ending}") for ending in endings]
    names += [path.with_suffix(ending) for ending in endings]
    for name in names:
        if name.exists():
            return name
    raise LingquError(f"{path}: no index beside it; make one: samtools index {path}")


def _check_contigs(path: Path, header: dict, reference: Reference) -> tuple[int, ...]:
    tid_of = [-1] * len(reference.names)
    order = {name: tid for tid, name in enumerate(reference.names)}
    for own, line in enumerate(header.get("SQ", [])):
        name, length = line["SN"], int(line["LN"])
        if name not in order:
            raise LingquError(
                f"{path}: contig {name!r} is not in {reference.path} (which has"
                f" {', '.join(reference.names[:3])}); give the reference of the alignments"
            )
        tid = order[name]
        same_md5 = line.get("M5", reference.md5s[tid]).lower() == reference.md5s[tid]
        if length != reference.lengths[tid]:
            raise LingquError(
                f"{path}: contig {name!r} has {length} bases, in {reference.path} it has"
                f" {reference.lengths[tid]}; give the reference of the alignments"
            )
        if not same_md5:
            raise LingquError(
                f"{path}: contig {name!r} is another sequence (M5) than in {reference.path};"
                " give the reference of the alignments"
            )
        tid_of[tid] = own
    return tuple(tid_of)


def open_alignments(path: str | Path, reference: Reference) -> AlignmentFile:
    """Check a coordinate-sorted, indexed BAM or CRAM against the reference it was aligned to.

    LingquError where the file is missing, truncated, no BAM or CRAM, unsorted or not indexed, and
    where a contig's name, length or M5 is not the reference's.
    """
    path = Path(path)
    try:
        state = path.stat()
    except OSError as error:
        raise LingquError(f"{path}: {error.strerror}; name a BAM or CRAM file") from None
    return _open(path, state.st_size, state.st_mtime_ns, reference.path)


def _read_header(path: Path) -> dict:
    try:
        silent = pysam.set_verbosity(0)
        try:
            with pysam.AlignmentFile(str(path), check_sq=False) as opened:
                header = opened.header.to_dict()
                known = opened.is_bam or opened.is_cram
        finally:
            pysam.set_verbosity(silent)
    except (ValueError, OSError) as error:
        raise LingquError(f"{path}: no BAM or CRAM file ({error}); make it again") from None
    if not known:
        raise LingquError(
            f"{path}: no BAM or CRAM file; sort and convert it with lingqu or samtools"
        )
    return header


@lru_cache(maxsize=8)
def _open(path: Path, size: int, _mtime_ns: int, fasta: Path) -> AlignmentFile:
    reference = open_reference(fasta)
    with path.open("rb") as stream:
        is_cram = stream.read(4) == b"CRAM"
        stream.seek(max(size - len(bgzf.EOF), 0))
        tail = stream.read()
    header = _read_header(path)
    if not is_cram and tail != bgzf.EOF:
        raise LingquError(f"{path}: truncated (no end-of-file block); copy or make it again")
    if header.get("HD", {}).get("SO") not in (None, "coordinate", "unknown"):
        raise LingquError(f"{path}: not sorted by coordinate; sort it: samtools sort")
    tid_of = _check_contigs(path, header, reference)
    samples = tuple(sorted({group["SM"] for group in header.get("RG", []) if "SM" in group}))
    return AlignmentFile(path, is_cram, tid_of, samples, _find_index(path, is_cram))


class _Contig(NamedTuple):
    """Of a contig, what an index holds."""

    bins: dict[int, tuple[int, np.ndarray]]  # number -> (loffset, uint64[chunks, 2])
    linear: np.ndarray  # uint64[n], none in a CSI
    leaves: np.ndarray  # int64[m], windows of the least size that have a bin, in order
    begins: np.ndarray  # int64[m + 1], where in the file their bins begin; the end of the contig


def _contig(bins: dict, linear: np.ndarray, depth: int) -> _Contig:
    first = ((1 << 3 * depth) - 1) // 7
    last = first + (1 << 3 * depth)
    leaves = sorted(number for number in bins if first <= number < last)
    begins = [int(bins[number][1][0, 0]) >> 16 for number in leaves]
    ends = (int(pairs[-1, 1]) >> 16 for number, (_, pairs) in bins.items() if number < last)
    begins.append(max(ends, default=0))
    return _Contig(bins, linear, np.array(leaves, np.int64) - first, np.array(begins))


@lru_cache(maxsize=8)
def _read_index(path: Path, _state: tuple) -> tuple[int, int, list[_Contig]]:
    """(min_shift, depth, contigs) of a BAI or CSI."""
    raw = path.read_bytes()
    try:
        if raw[:4] == b"BAI\1":
            shift, depth, at, is_csi = 14, 5, 4, False
        else:
            raw = bgzf.decompress(raw, str(path))
            if raw[:4] != b"CSI\1":
                raise LingquError(f"{path}: no BAI or CSI index; make it again: samtools index")
            shift, depth, aux = struct.unpack_from("<iii", raw, 4)
            at, is_csi = 16 + aux, True
        (contigs,) = struct.unpack_from("<i", raw, at)
        at += 4
        parsed = []
        for _ in range(contigs):
            bins: dict[int, tuple[int, np.ndarray]] = {}
            (count,) = struct.unpack_from("<i", raw, at)
            at += 4
            for _ in range(count):
                if is_csi:
                    number, low, chunks = struct.unpack_from("<IQi", raw, at)
                    at += 16
                else:
                    number, chunks = struct.unpack_from("<Ii", raw, at)
                    low = 0
                    at += 8
                pairs = np.frombuffer(raw, "<u8", 2 * chunks, at).reshape(-1, 2)
                if chunks:
                    bins[number] = (low, pairs)
                at += 16 * chunks
            linear = np.zeros(0, np.uint64)
            if not is_csi:
                (count,) = struct.unpack_from("<i", raw, at)
                linear = np.frombuffer(raw, "<u8", count, at + 4)
                at += 4 + 8 * count
            parsed.append(_contig(bins, linear, depth))
    except (struct.error, ValueError):
        raise LingquError(f"{path}: damaged index; make it again: samtools index") from None
    return shift, depth, parsed


def _index(file: AlignmentFile) -> tuple[int, int, list[_Contig]]:
    state = file.index.stat()
    return _read_index(file.index, (state.st_size, state.st_mtime_ns))


def _first_offset(file: AlignmentFile, tid: int, start: int, end: int) -> int | None:
    """Virtual offset from where on the reads of [start, end) are found; None: there are none.

    SAM specification, sections 5.1.1 and 5.3.
    """
    shift, depth, contigs = _index(file)
    if tid >= len(contigs):
        return None
    bins, linear = contigs[tid].bins, contigs[tid].linear
    low = 0
    if len(linear):
        low = int(linear[min(start >> 14, len(linear) - 1)])
    offsets = []
    first, width = 0, shift + 3 * depth
    for level in range(depth + 1):
        for number in range(first + (start >> width), first + ((end - 1) >> width) + 1):
            if number in bins:
                bin_low, chunks = bins[number]
                offsets += [max(int(b), low, bin_low) for b, e in chunks if int(e) > low]
        first += 1 << 3 * level
        width -= 3
    return min(offsets, default=None)


def _about(file: AlignmentFile, tid: int, pos: int) -> int:
    """About where in the file the reads from place `pos` of its contig `tid` on begin."""
    shift, _, contigs = _index(file)
    _, _, leaves, begins = contigs[tid]
    behind = int(np.searchsorted(leaves, pos >> shift, "right"))
    if not behind or leaves[behind - 1] != pos >> shift:
        return int(begins[behind])
    here, there = begins[behind - 1 : behind + 1].tolist()
    return here + ((there - here) * (pos & (1 << shift) - 1) >> shift)


def compressed_size(file: AlignmentFile, tid: int, start: int, end: int) -> int:
    """Bytes of the file, about, that hold the reads of [start, end) of reference contig `tid`; 0
    where the index tells that there are none.
    """
    own = file.tid_of[tid]
    if own < 0:
        return 0
    if file.is_cram:
        return sum(
            size for t, a, b, size in _slices(file.index) if t == own and a < end and b > start
        )
    if _first_offset(file, own, start, end) is None:
        return 0
    return max(_about(file, own, end) - _about(file, own, start), 1)


@lru_cache(maxsize=2)
def _slices(index: Path) -> list[tuple[int, int, int, int]]:
    """(contig, start, end, bytes) of each slice of a CRAM, from its CRAI (CRAM 3, section 12)."""
    try:
        with gzip.open(index, "rt") as lines:
            rows = [list(map(int, line.split("\t"))) for line in lines]
        return [(row[0], row[1] - 1, row[1] - 1 + row[2], row[5]) for row in rows]
    except (OSError, ValueError, IndexError, EOFError):
        raise LingquError(f"{index}: damaged index; make it again: samtools index") from None


def bytes_from(path: Path, offset: int, size: int) -> Iterator[np.ndarray]:
    """Decompressed bytes (uint8) from a virtual offset on, in pieces of whole blocks.

    size: compressed bytes that will be wanted, about; more are there where that was too few. Only
    the first piece is of kept memory: of many, most may hold no read that is wanted.
    """
    with path.open("rb", buffering=0) as stream:
        stream.seek(offset >> 16)
        skip, rest, make = offset & 0xFFFF, np.empty(0, np.uint8), empty
        while True:
            wanted = min(max(size + _LEAST, _LEAST), _MOST)
            packed = make(len(rest) + wanted, np.uint8)
            packed[: len(rest)] = rest
            got = stream.readinto(packed[len(rest) :])
            if not got:
                break
            size -= got
            packed = packed[: len(rest) + got]
            cut, held, is_sound = whole_blocks(packed)
            if not is_sound:
                raise LingquError(f"{path}: damaged BGZF block; copy or make it again")
            piece = make(held, np.uint8)
            bgzf.decompress_into(packed[:cut], piece, str(path))
            rest = packed[cut:]
            if held:
                yield piece[skip:]
                skip, make = 0, np.empty
        if len(rest):
            raise LingquError(f"{path}: truncated in its last block; copy or make it again")


def _unpack(parts: list[_Part]) -> Alignments:
    """The records of all parts."""
    n = sum(len(part.offsets) for part in parts)
    columns = (
        empty(n, np.int32),
        empty(n, np.int32),
        empty(n, np.uint16),
        empty(n, np.uint8),
        empty(n + 1, np.int64),
        empty(n + 1, np.int64),
        empty(n, np.int32),
        empty(n, np.int32),
        empty(n, np.uint64),
    )
    codes = empty(sum(part.bases for part in parts))
    quals, cigar = empty(len(codes)), empty(sum(part.words for part in parts), np.uint32)
    first = 0
    base_start, cigar_start = columns[4:6]
    base_start[0] = cigar_start[0] = 0
    for part in parts:
        unpack_records(part.raw, part.offsets, first, columns, codes, quals, cigar)
        first += len(part.offsets)
    return Alignments(*columns, codes, quals, cigar)


def _unpack_others(parts: list[_Part]) -> Spans:
    """What is aside of all parts."""
    n = sum(len(part.others) for part in parts)
    columns = (
        empty(n, np.int32), empty(n, np.int32), empty(n, np.uint16), empty(n + 1, np.int64),
    )  # fmt: skip
    cigar = empty(sum(part.other_words for part in parts), np.uint32)
    first = 0
    columns[3][0] = 0
    for part in parts:
        unpack_spans(part.raw, part.others, first, columns, cigar)
        first += len(part.others)
    return Spans(*columns, cigar)


def _parse(pieces: Iterable[np.ndarray], path: Path, tid: int, start: int, end: int) -> list[_Part]:
    parts, rest, over = [], np.empty(0, np.uint8), False
    for piece in pieces:
        raw = piece
        if len(rest):
            raw = np.concatenate((rest, piece))
        offsets = np.empty(len(raw) // FIXED + 1, np.int64)
        n, bases, words, aside, other_words, used, over = find_records(
            raw, tid, start, end, UNCOUNTED, UNUSED, offsets
        )
        if used < 0:
            raise LingquError(f"{path}: damaged record; copy or make it again")
        if n or aside:
            others = offsets[len(offsets) - aside :][::-1].copy()
            parts.append(_Part(raw, offsets[:n], bases, words, others, other_words))
        if over:
            break
        rest = raw[used:]
    if len(rest) and not over:
        raise LingquError(f"{path}: truncated in its last record; copy or make it again")
    return parts


def _cram_pieces(file: AlignmentFile, fasta: Path, tid: int, start: int, end: int):
    """The reads of a region of a CRAM as uncompressed BAM, without its header."""
    handle = os.memfd_create("lingqu")
    try:
        name = f"/proc/self/fd/{handle}"
        with pysam.AlignmentFile(
            str(file.path),
            reference_filename=str(fasta),
            index_filename=str(file.index),
        ) as cram:
            contig = cram.get_reference_name(tid)
            with pysam.AlignmentFile(name, "wbu", header=cram.header) as out:
                for read in cram.fetch(contig, start, end):
                    out.write(read)
        with open(name, "rb") as stream:
            raw = bgzf.decompress(stream.read(), str(file.path))
    finally:
        os.close(handle)
    (text,) = struct.unpack_from("<i", raw, 4)
    (contigs,) = struct.unpack_from("<i", raw, 8 + text)
    at = 12 + text
    for _ in range(contigs):
        (size,) = struct.unpack_from("<i", raw, at)
        at += 8 + size
    yield np.frombuffer(raw, np.uint8, offset=at)


def _find(file: AlignmentFile, reference: Reference, tid: int, start: int, end: int) -> list[_Part]:
    """Where the records over [start, end) of reference contig `tid` are."""
    own = file.tid_of[tid]
    if own < 0 or start >= end:
        return []
    if file.is_cram:
        try:
            fasta = htslib_fasta(reference)
            pieces = list(_cram_pieces(file, fasta, own, start, end))
        except (OSError, ValueError) as error:
            raise LingquError(f"{file.path}: cannot be read as CRAM ({error})") from None
    else:
        offset = _first_offset(file, own, start, end)
        if offset is None:
            return []
        pieces = bytes_from(file.path, offset, _about(file, own, end) - (offset >> 16))
    return _parse(pieces, file.path, own, start, end)


def read_alignments(
    file: AlignmentFile, reference: Reference, tid: int, start: int, end: int
) -> Alignments:
    """The usable reads (no flag of UNUSED) that overlap [start, end) of reference contig `tid`.

    LingquError where the file turns out truncated or damaged.
    """
    return _unpack(_find(file, reference, tid, start, end))


def read_with_spans(
    file: AlignmentFile, reference: Reference, tid: int, start: int, end: int
) -> tuple[Alignments, Spans]:
    """As `read_alignments`, with the records that only count as depth (no flag of UNCOUNTED)."""
    parts = _find(file, reference, tid, start, end)
    return _unpack(parts), _unpack_others(parts)
