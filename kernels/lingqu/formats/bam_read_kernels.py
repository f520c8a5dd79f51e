"""BAM records as bytes -> struct of arrays (SAM specification, section 4.2)."""

import numpy as np

from lingqu.base.bits import LANES, spread
from lingqu.base.jit import kernel

FIXED = 36
"""Bytes of a record before its name: block_size and the fixed fields."""


@kernel
def get_word(raw, at):
    """The 32 bits at raw[at:], little endian, as int64."""
    return (
        np.int64(raw[at])
        | np.int64(raw[at + 1]) << 8
        | np.int64(raw[at + 2]) << 16
        | np.int64(raw[at + 3]) << 24
    )


@kernel
def get_signed(raw, at):
    """The int32 at raw[at:], little endian, as int64."""
    bits = get_word(raw, at)
    return bits - (np.int64(1) << 32) if bits >> 31 else bits


@kernel
def find_records(raw, tid, start, end, drop, aside, offsets):
    """Offsets in `raw` (uint8) of the records of `tid` that overlap [start, end).

    Records with a flag bit of `drop` are left out. Those with one of `aside`, and those without
    bases or qualities, are put aside. offsets: int64, filled; from its end on backwards with what
    is aside. Returns (records, bases, CIGAR words, records aside, their CIGAR words, bytes
    consumed, whether the records of the interval are over). What follows the consumed bytes is a
    part of a record. Consumed is -1 on a record that cannot be one.
    """
    at = np.int64(0)
    found = np.int64(0)
    bases = np.int64(0)
    words = np.int64(0)
    others = np.int64(0)
    other_words = np.int64(0)
    while at + FIXED <= len(raw):
        size = get_word(raw, at) + 4
        name_len = np.int64(raw[at + 12])
        cigar_len = np.int64(raw[at + 16]) | np.int64(raw[at + 17]) << 8
        flag = np.int64(raw[at + 18]) | np.int64(raw[at + 19]) << 8
        length = get_signed(raw, at + 20)
        inside = FIXED + name_len + 4 * cigar_len + (length + 1) // 2 + length
        if size < FIXED or length < 0 or inside > size:
            return found, bases, words, others, other_words, np.int64(-1), False
        if at + size > len(raw):
            break
        own_tid = get_signed(raw, at + 4)
        pos = get_signed(raw, at + 8)
        if own_tid != tid and (own_tid > tid or own_tid < 0):
            return found, bases, words, others, other_words, at, True
        if own_tid == tid and pos >= end:
            return found, bases, words, others, other_words, at, True
        if own_tid == tid and not flag & drop and cigar_len > 0:
            cigar_at = at + FIXED + name_len
            reach = pos
            for k in range(cigar_len):
                word = get_word(raw, cigar_at + 4 * k)
                op = word & 15
                if op == 0 or op == 2 or op == 3 or op == 7 or op == 8:
                    reach += word >> 4
            if reach > start:
                quals_at = cigar_at + 4 * cigar_len + (length + 1) // 2
                if flag & aside or length == 0 or raw[quals_at] == 255:
                    others += 1
                    other_words += cigar_len
                    offsets[len(offsets) - others] = at
                else:
                    offsets[found] = at
                    found += 1
                    bases += length
                    words += cigar_len
        at += size
    return found, bases, words, others, other_words, at, False


@kernel
def _adapter_start(raw, at, end):
    """Value of the XT:i tag in the tags raw[at:end], 0 where there is none."""
    while at + 3 < end:
        kind = raw[at + 2]
        is_xt = raw[at] == 88 and raw[at + 1] == 84
        at += 3
        if kind == 90 or kind == 72:  # Z, H
            while at < end and raw[at] != 0:
                at += 1
            at += 1
        elif kind == 66:  # B
            size = 1
            if raw[at] == 115 or raw[at] == 83:
                size = 2
            elif raw[at] == 105 or raw[at] == 73 or raw[at] == 102:
                size = 4
            at += 5 + size * get_word(raw, at + 1)
        else:
            size = 4
            if kind == 65 or kind == 99 or kind == 67:  # A, c, C
                size = 1
            elif kind == 115 or kind == 83:  # s, S
                size = 2
            if is_xt and kind != 65 and kind != 102:
                value = np.int64(raw[at])
                if size > 1:
                    value |= np.int64(raw[at + 1]) << 8
                if size > 2:
                    value |= np.int64(raw[at + 2]) << 16
                return value
            at += size
    return np.int64(0)


@kernel
def _unpack_bases(raw, at, length, codes, to):
    """Codes of bases of four bits each: their order in BAM is that of ours, one bit each."""
    pairs = length >> 1
    done = np.int64(0)
    while pairs >= LANES // 2 and done < pairs:
        done = min(done, pairs - LANES // 2)
        spread(raw, at + done, codes, to + 2 * done)
        done += LANES // 2
    for k in range(2 * done, length):
        half = raw[at + (k >> 1)] >> 4 if k & 1 == 0 else raw[at + (k >> 1)] & 15
        codes[to + k] = 4
        for bit in range(4):
            if half == 1 << bit:
                codes[to + k] = bit


@kernel
def _copy(data, at, out, to, count):
    """Copy bytes. Places are uint64: Numba tests signed ones for being negative, and LLVM then
    copies one by one.
    """
    for k in range(count):
        out[to + k] = data[at + k]


@kernel
def _unpack_cigar(raw, spot, length, cigar, to):
    """Copy a CIGAR of `length` operations; returns the reference bases that it spans."""
    reach = 0
    for k in range(length):
        word = get_word(raw, spot + 4 * k)
        cigar[to + k] = word
        op = word & 15
        if op == 0 or op == 2 or op == 3 or op == 7 or op == 8:
            reach += word >> 4
    return reach


@kernel
def unpack_records(raw, offsets, first, out, codes, quals, cigar):
    """Fill the arrays of an `Alignments` (see formats/bam.py) from the records at `offsets`.

    out: (pos, end, flag, mapq, base_start, cigar_start, low, high, name_hash), filled from row
    `first` on, whose base_start and cigar_start are there.
    """
    pos, end, flag, mapq, base_start, cigar_start, low, high, name_hash = out
    base = base_start[first]
    word_at = cigar_start[first]
    for n in range(len(offsets)):
        r = first + n
        at = offsets[n]
        size = get_word(raw, at) + 4
        name_len = np.int64(raw[at + 12])
        cigar_len = np.int64(raw[at + 16]) | np.int64(raw[at + 17]) << 8
        length = get_word(raw, at + 20)
        pos[r] = get_signed(raw, at + 8)
        mapq[r] = raw[at + 13]
        flag[r] = np.int64(raw[at + 18]) | np.int64(raw[at + 19]) << 8
        spot = at + FIXED
        name = np.uint64(14695981039346656037)  # FNV-1a
        for k in range(np.uint64(spot), np.uint64(spot + name_len - 1)):
            name = (name ^ np.uint64(raw[k])) * np.uint64(1099511628211)
        name ^= name >> np.uint64(29)
        name_hash[r] = name * np.uint64(0xBF58476D1CE4E5B9)
        spot += name_len
        end[r] = np.int64(pos[r]) + _unpack_cigar(raw, spot, cigar_len, cigar, word_at)
        word_at += cigar_len
        spot += 4 * cigar_len
        _unpack_bases(raw, spot, length, codes, base)
        spot += (length + 1) >> 1
        _copy(raw, np.uint64(spot), quals, np.uint64(base), np.uint64(length))
        adapter = _adapter_start(raw, spot + length, at + size)
        low[r] = 0
        high[r] = length
        if adapter > 0 and adapter <= length:
            if flag[r] & 16:
                low[r] = length - (adapter - 1)
            else:
                high[r] = adapter - 1
        base += length
        base_start[r + 1] = base
        cigar_start[r + 1] = word_at


@kernel
def unpack_spans(raw, offsets, first, out, cigar):
    """Fill the arrays of `Spans` (see formats/bam.py) from the records at `offsets`.

    out: (pos, end, flag, cigar_start), filled from row `first` on, whose cigar_start is there.
    """
    pos, end, flag, cigar_start = out
    word_at = cigar_start[first]
    for n in range(len(offsets)):
        r = first + n
        at = offsets[n]
        cigar_len = np.int64(raw[at + 16]) | np.int64(raw[at + 17]) << 8
        pos[r] = get_signed(raw, at + 8)
        flag[r] = np.int64(raw[at + 18]) | np.int64(raw[at + 19]) << 8
        spot = at + FIXED + np.int64(raw[at + 12])
        end[r] = np.int64(pos[r]) + _unpack_cigar(raw, spot, cigar_len, cigar, word_at)
        word_at += cigar_len
        cigar_start[r + 1] = word_at
