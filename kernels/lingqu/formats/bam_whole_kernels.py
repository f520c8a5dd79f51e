"""All records of a BAM as struct of arrays, with what `bam_read_kernels` leaves to others."""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.formats.bam_read_kernels import FIXED, get_signed, get_word

_DUPLICATE, _OPTICAL, _UNTOLD = 1, 2, 3
_LETTERS, _HEX, _ARRAY = 90, 72, 66
_M, _C, _D, _T, _S, _Q = 77, 67, 68, 84, 83, 81
_NO_SCORE, _MOST = 255, 93


@kernel
def list_records(raw, offsets):
    """Offsets in `raw` (uint8) of all whole records, filled in offsets (int64).

    Returns (records, bases, CIGAR words, bytes of whole records); -1 bytes where a record is none.
    """
    at = found = bases = words = np.int64(0)
    while at + FIXED <= len(raw):
        size = get_word(raw, at) + 4
        ops = np.int64(raw[at + 16]) | np.int64(raw[at + 17]) << 8
        length = get_signed(raw, at + 20)
        inside = FIXED + np.int64(raw[at + 12]) + 4 * ops + (length + 1) // 2 + length
        if size < FIXED or length < 0 or inside > size:
            return found, bases, words, np.int64(-1)
        if at + size > len(raw):
            break
        offsets[found] = at
        found, bases, words, at = found + 1, bases + length, words + ops, at + size
    return found, bases, words, at


@kernel
def _next_tag(raw, at, end):
    """Where the tag behind the one at raw[at:end] begins (SAM specification 4.2.4)."""
    kind, at = raw[at + 2], at + 3
    if kind == _LETTERS or kind == _HEX:
        while at < end and raw[at] != 0:
            at += 1
        return at + 1
    if kind == _ARRAY:
        size = 1
        if raw[at] == 115 or raw[at] == 83:
            size = 2
        elif raw[at] == 105 or raw[at] == 73 or raw[at] == 102:
            size = 4
        return at + 5 + size * get_word(raw, at + 1)
    if kind == 65 or kind == 99 or kind == 67:
        return at + 1
    return at + (2 if kind == 115 or kind == 83 else 4)


@kernel
def _reference_bases(raw, at, end):
    """Reference bases that the CIGAR string at raw[at:end] covers, to its 0."""
    covered = size = np.int64(0)
    while at < end and raw[at] != 0:
        letter = raw[at]
        if 48 <= letter <= 57:
            size = 10 * size + letter - 48
        else:
            if letter == _M or letter == _D or letter == 78 or letter == 61 or letter == 88:
                covered += size
            size = np.int64(0)
        at += 1
    return covered


@kernel
def unpack_mates(raw, offsets, first, tid_of, own, tid, mate_tid, mate_pos, mate_end, tlen, kind):
    """Fill from row `first` on what the records at offsets tell of their contig and their mate.

    tid_of (int32[]): the reference's contig of each of the file's. own: (pos int32, end int32,
    flag uint16), filled already. tid, mate_tid, mate_pos, tlen (int32). mate_end (int64): behind
    the mate's last base, by MC, else by TLEN. kind (uint8): of duplicates 2 with the tag DT:Z:SQ,
    optical ones, 1 with another DT, 3 without; 0 of others.
    """
    pos, _, flag = own
    for n in range(len(offsets)):
        r, at = first + n, offsets[n]
        stop = at + get_word(raw, at) + 4
        here, there = get_signed(raw, at + 4), get_signed(raw, at + 24)
        tid[r] = tid_of[here] if here >= 0 else -1
        mate_tid[r] = tid_of[there] if there >= 0 else -1
        mate_pos[r], tlen[r] = get_signed(raw, at + 28), get_signed(raw, at + 32)
        mate_end[r] = np.int64(pos[r]) + tlen[r]
        kind[r] = _UNTOLD if flag[r] & 0x400 else 0
        ops = np.int64(raw[at + 16]) | np.int64(raw[at + 17]) << 8
        length = get_word(raw, at + 20)
        at += FIXED + np.int64(raw[at + 12]) + 4 * ops + (length + 1) // 2 + length
        while at + 3 < stop:
            is_text = raw[at + 2] == _LETTERS
            if is_text and raw[at] == _M and raw[at + 1] == _C and raw[at + 3] != 42:
                mate_end[r] = mate_pos[r] + _reference_bases(raw, at + 3, stop)
            elif is_text and raw[at] == _D and raw[at + 1] == _T and at + 4 < stop:
                is_optical = raw[at + 3] == _S and raw[at + 4] == _Q
                if flag[r] & 0x400:
                    kind[r] = _OPTICAL if is_optical else _DUPLICATE
            at = _next_tag(raw, at, stop)


@kernel
def turn_reads(flag, base_start, codes, quals, qual_start):
    """Turn codes and quals (uint8) of reverse records into the order and strand of sequencing.

    qual_start (int64[n]) is filled: where a read's qualities begin, -1 where it has none. Scores
    above 93, which SAM has not, become 93.
    """
    for r in range(len(flag)):
        begin, end = base_start[r], base_start[r + 1]
        qual_start[r] = begin if begin < end and quals[begin] != _NO_SCORE else -1
        for i in range(begin, end):
            quals[i] = min(quals[i], np.uint8(_MOST))
        if not flag[r] & 16:
            continue
        low, high = begin, end - 1
        while low <= high:
            a, b = codes[low], codes[high]
            codes[low] = b if b > 3 else 3 - b
            codes[high] = a if a > 3 else 3 - a
            quals[low], quals[high] = quals[high], quals[low]
            low, high = low + 1, high - 1
