"""Alignments to BAM records (SAM specification 4.2, SAM tags specification)."""

import numpy as np

from lingqu.base.bits import LANES, differences, lowest_bit
from lingqu.base.jit import kernel

MATCH, INSERT, DELETE, SKIP, SOFT = 0, 1, 2, 3, 4
REVERSE, UNMAPPED, SECONDARY = 0x10, 0x4, 0x100
_CARET, _DIGIT, _MINUS = 94, 48, 45
_LETTERS = b"ACGTN"
_OPS = b"MIDNSHP=X"
_READ_N, _OFFSET, _ANY, _BIT = np.uint8(5), np.uint8(33), np.uint8(15), np.uint64(1)

# Typed constants: a kernel is compiled anew for every plain literal that it is called with.
ZERO = np.int64(0)
_AHEAD = 16  # records whose memory is waited for at once
_NM, _MD, _MC, _MQ, _AS, _XS, _RG, _SA, _XT = (
    np.uint32(int.from_bytes(tag, "little"))
    for tag in (b"NM", b"MD", b"MC", b"MQ", b"AS", b"XS", b"RG", b"SA", b"XT")
)
_BYTE, _INTEGER, _TEXT = (np.uint32(ord(kind)) for kind in "CiZ")


@kernel
def turn(codes, start, length, row):
    """Fill row[:length] with the reverse complement of codes[start:][:length], N as 5."""
    end = np.uint64(start + length - 1)
    for i in range(np.uint64(length)):
        code = codes[end - i]
        row[i] = _READ_N if code > 3 else np.uint8(3) - code


@kernel
def oriented(codes, start, length, reverse, row):
    """(array, place) of a read's codes as the genome's strand has them, N as 5, which is not the
    genome's N. row: uint8 scratch.
    """
    if reverse:
        turn(codes, start, length, row)
        return row, ZERO
    begin, some = np.uint64(start), np.uint8(0)
    for i in range(np.uint64(length)):
        some |= codes[begin + i]
    if some < 4:
        return codes, start
    for i in range(np.uint64(length)):
        code = codes[begin + i]
        row[i] = _READ_N if code > 3 else code
    return row, ZERO


@kernel
def put_number(out, at, value):
    """Write a whole number >= 0 in decimal at out[at:]; the position after it."""
    digits, rest = 1, value
    while rest >= 10:
        rest //= 10
        digits += 1
    for i in range(at + digits - 1, at - 1, -1):
        out[i] = _DIGIT + value % 10
        value //= 10
    return at + digits


@kernel
def put_cigar(out, at, cigar, start, length):
    """Write the CIGAR string of cigar[start:][:length] (BAM encoding); the position after it."""
    for i in range(start, start + length):
        at = put_number(out, at, np.int64(cigar[i] >> 4))
        out[at] = _OPS[cigar[i] & 15]
        at += 1
    return at


@kernel
def put_bytes(out, at, text, start, length):
    """Copy text[start:][:length] to out[at:]; the position after it.

    Unsigned places spare the test for indices below 0, and the loop becomes a block copy.
    """
    to, source = np.uint64(at), np.uint64(start)
    for i in range(np.uint64(length)):
        out[to + i] = text[source + i]
    return at + length


@kernel
def put_uint32(out, at, value):
    """Write the low 32 bits of `value` at out[at:], little endian; the position after them."""
    to = np.uint64(at)
    for i in range(np.uint64(4)):
        out[to + i] = (value >> np.int64(8 * i)) & 255
    return at + 4


@kernel
def _put_tag(out, at, tag, kind):
    out[at], out[at + 1], out[at + 2] = tag & 255, tag >> 8, kind
    return at + 3


@kernel
def _put_text_tag(out, at, tag, text, start, length):
    at = put_bytes(out, _put_tag(out, at, tag, _TEXT), text, start, length)
    out[at] = 0
    return at + 1


@kernel
def put_integer_tag(out, at, tag, value):
    """Write an integer tag, in one byte where that does; the position after it."""
    if 0 <= value < 256:
        at = _put_tag(out, at, tag, _BYTE)
        out[at] = value
        return at + 1
    return put_uint32(out, _put_tag(out, at, tag, _INTEGER), value)


@kernel
def _mismatches(bases, read, genome, at, size, run, md, to):
    """Write the part of MD of aligned bases; (mismatches, the run of matches left, its end)."""
    nm, done = ZERO, ZERO
    for j in range(0, size, LANES):
        unequal = differences(bases, read + j, genome, at + j)
        if size - j < LANES:
            unequal &= (_BIT << np.uint64(size - j)) - _BIT
        while unequal:
            k = j + lowest_bit(unequal)
            to = put_number(md, to, run + k - done)
            md[to] = _LETTERS[genome[at + k]]
            nm, to, run, done = nm + 1, to + 1, ZERO, k + 1
            unequal &= unequal - _BIT
    return nm, run + size - done, to


@kernel
def edits(bases, read, genome, at, cigar, start, length, md):
    """NM of a record, the reference bases that it covers, and the bytes of its MD, written to md.

    bases (uint8): its codes, N as 5, from `read` on, with 64 bytes behind them. genome: codes, from
    `at` on. cigar[start:][:length]: its operations. md (uint8): at least `_md_bound` bytes.
    """
    nm, run, to, begin = ZERO, ZERO, ZERO, at
    for i in range(start, start + length):
        op, size = cigar[i] & 15, np.int64(cigar[i] >> 4)
        if op == INSERT or op == SOFT:
            read += size
            nm += size if op == INSERT else 0
        elif op == DELETE:
            to = put_number(md, to, run)
            md[to] = _CARET
            for j in range(size):
                md[to + 1 + j] = _LETTERS[genome[at + j]]
            to += 1 + size
            nm, run, at = nm + size, ZERO, at + size
        elif op == SKIP:
            at += size
        elif op == MATCH or op > 6:
            wrong, run, to = _mismatches(bases, read, genome, at, size, run, md, to)
            nm += wrong
            read, at = read + size, at + size
    return nm, at - begin, put_number(md, to, run)


@kernel
def reg2bin(start, end):
    """Bin of the interval [start, end) in BAI's scheme (SAM specification 5.3)."""
    last, shift, first = end - 1, 14, ((1 << 15) - 1) // 7
    for _ in range(5):
        if start >> shift == last >> shift:
            return first + (start >> shift)
        shift += 3
        first = (first - 1) // 8
    return 0


@kernel
def _put_core(out, at, tid, pos, name_len, mapq, span, ops, flag, bases, mate_tid, mate_pos, tlen):
    """The fixed fields behind block_size; the position after them."""
    at = put_uint32(out, put_uint32(out, at, np.int64(tid)), np.int64(pos))
    size = span if span > 0 else 1
    at = put_uint32(out, at, np.int64(reg2bin(pos, pos + size) << 16 | mapq << 8 | (name_len + 1)))
    at = put_uint32(out, at, np.int64(flag) << 16 | ops)
    at = put_uint32(out, put_uint32(out, at, np.int64(bases)), np.int64(mate_tid))
    return put_uint32(out, put_uint32(out, at, np.int64(mate_pos)), np.int64(tlen))


@kernel
def _put_bases(out, at, bases, start, length, nibbles, pairs):
    """4-bit bases of bases[start:][:length]; the position after them.

    nibbles: uint8 scratch, pairs: the same memory as uint16, little endian.
    """
    begin, to, size = np.uint64(start), np.uint64(at), np.uint64(length)
    for i in range(size):
        code = bases[begin + i]
        nibbles[i] = _ANY if code > 3 else np.uint8(1) << code
    nibbles[size] = 0
    half = np.uint64((length + 1) // 2)
    for i in range(half):
        pair = pairs[i]
        out[to + i] = np.uint8((pair << np.uint16(4)) | (pair >> np.uint16(8)))
    return at + (length + 1) // 2


@kernel
def _put_qualities(out, at, text, start, length, reverse):
    """Phred scores of the FASTQ quality at text[start:]; the position after them."""
    to = np.uint64(at)
    if reverse:
        end = np.uint64(start + length - 1)
        for i in range(np.uint64(length)):
            out[to + i] = text[end - i] - _OFFSET
    else:
        begin = np.uint64(start)
        for i in range(np.uint64(length)):
            out[to + i] = text[begin + i] - _OFFSET
    return at + length


@kernel
def _put_other(
    out, at, names, names_start, tid, pos, reverse, mapq, nm, cigar, cigar_start, cigar_len
):
    """One element of an SA tag: name, place, strand, CIGAR, MAPQ, NM; the position after it."""
    at = put_bytes(out, at, names, names_start[tid], names_start[tid + 1] - names_start[tid])
    out[at] = 44
    at = put_number(out, at + 1, np.int64(pos + 1))
    out[at], out[at + 1], out[at + 2] = 44, _MINUS if reverse else 43, 44
    at = put_cigar(out, at + 3, cigar, cigar_start, cigar_len)
    out[at] = 44
    at = put_number(out, at + 1, np.int64(mapq))
    out[at] = 44
    at = put_number(out, at + 1, np.int64(nm))
    out[at] = 59
    return at + 1


@kernel
def _mate_of(record_start, read, template, i):
    """The record of the mate's primary alignment, or -1: a template's first two are primary."""
    first, stop = record_start[template], record_start[template + 1]
    for j in range(first, min(first + 2, stop)):
        if read[j] != read[i]:
            return j
    return -1


@kernel
def _nm_of(
    i, codes, start, length, read, flag, tid, pos, cigar_start, cigar_len, cigar, genome, offsets,
    row, md,
):  # fmt: skip
    r = read[i]
    bases, at = oriented(codes, start[r], np.int64(length[r]), flag[i] & REVERSE, row)
    place = offsets[tid[i]] + pos[i]
    return edits(bases, at, genome, place, cigar, cigar_start[i], cigar_len[i], md)[0]


@kernel
def fetch(genome, offsets, tid, pos, first, stop, row):
    """Touch where records first to stop lie in the genome: together, so that they are waited for
    together and not one by one. row: uint8 scratch that makes a use of it.
    """
    seen = np.uint8(0)
    for i in range(first, min(stop, len(tid))):
        if tid[i] >= 0:
            place = offsets[tid[i]] + pos[i]
            for line in range(3):
                seen |= genome[place + 64 * line]
    row[0] = seen


@kernel
def encode(
    template,
    text, name_start, name_len, qual_start, codes, start, length, keep,
    record_start, read, flag, tid, pos, mapq, cigar_start, cigar_len, cigar,
    mate_tid, mate_pos, tlen, score, sub_score,
    genome, offsets, names, names_start, group, row, nibbles, pairs, md, out, offset, span,
):  # fmt: skip
    """Write the records of a batch, in its order, as BAM.

    template: int32[m], of each record. Then the ReadBatch, in two lines the AlignmentBatch, and
    the reference. names (uint8), names_start (int64[contigs + 1]): contig
    names. group: uint8, the read group's ID, may be empty. Scratch: row, nibbles (uint8, of the
    longest read and 64), pairs (nibbles as uint16), md. Fills out (uint8; md and out as large as
    `bound` says), offset (int64[m + 1]), where each record begins, and span (int32[m]), the
    reference bases that it covers, 0 for unmapped records. Every record has
    the whole sequence: Picard fails on NM without one.
    Tags: NM MD MC MQ AS XS RG SA XT (XT:i, the 1-based first base of adapter, as Picard's
    MarkIlluminaAdapters writes it).
    """
    at = ZERO
    for i in range(len(read)):
        if i % _AHEAD == 0:
            fetch(genome, offsets, tid, pos, i, i + _AHEAD, row)
        offset[i] = at
        r, t, reverse, mapped = read[i], template[i], flag[i] & REVERSE, not flag[i] & UNMAPPED
        size = np.int64(length[r])
        bases, first = oriented(codes, start[r], size, reverse, row)
        nm = covered = md_len = ZERO
        if mapped:
            place = offsets[tid[i]] + pos[i]
            nm, covered, md_len = edits(
                bases, first, genome, place, cigar, cigar_start[i], cigar_len[i], md
            )
        span[i] = covered
        ops = cigar_len[i] if mapped else 0
        at = _put_core(
            out, at + 4, tid[i], pos[i], name_len[r], mapq[i], covered, ops, flag[i],
            size, mate_tid[i], mate_pos[i], tlen[i],
        )  # fmt: skip
        at = put_bytes(out, at, text, name_start[r], np.int64(name_len[r]))
        out[at] = 0
        at += 1
        for j in range(cigar_start[i], cigar_start[i] + ops):
            at = put_uint32(out, at, np.int64(cigar[j]))
        at = _put_bases(out, at, bases, first, size, nibbles, pairs)
        at = _put_qualities(out, at, text, qual_start[r], size, reverse)
        if mapped:
            at = put_integer_tag(out, at, _NM, nm)
            at = _put_text_tag(out, at, _MD, md, ZERO, md_len)
        mate = _mate_of(record_start, read, t, i)
        if mate >= 0 and not flag[mate] & UNMAPPED:
            at = _put_tag(out, at, _MC, _TEXT)
            at = put_cigar(out, at, cigar, cigar_start[mate], cigar_len[mate])
            out[at] = 0
            at = put_integer_tag(out, at + 1, _MQ, np.int64(mapq[mate]))
        if mapped:
            at = put_integer_tag(out, at, _AS, np.int64(score[i]))
            if sub_score[i] >= 0:
                at = put_integer_tag(out, at, _XS, np.int64(sub_score[i]))
        if len(group):
            at = _put_text_tag(out, at, _RG, group, ZERO, len(group))
        others = 0
        for j in range(record_start[t], record_start[t + 1]):
            if j == i or read[j] != r or (flag[i] | flag[j]) & (SECONDARY | UNMAPPED):
                continue
            if not others:
                at = _put_tag(out, at, _SA, _TEXT)
            others += 1
            nm = _nm_of(
                j, codes, start, length, read, flag, tid, pos, cigar_start, cigar_len, cigar,
                genome, offsets, row, md,
            )  # fmt: skip
            at = _put_other(
                out, at, names, names_start, tid[j], pos[j], flag[j] & REVERSE, mapq[j], nm,
                cigar, cigar_start[j], cigar_len[j],
            )  # fmt: skip
        if others:
            out[at] = 0
            at += 1
        if keep[r] < length[r]:
            at = put_integer_tag(out, at, _XT, np.int64(keep[r] + 1))
        put_uint32(out, offset[i], at - offset[i] - 4)
    offset[len(read)] = at


@kernel
def _md_bound(length, cigar, start, ops):
    """Most bytes of the MD of a read of `length` bases."""
    bases = np.int64(length)
    for i in range(start, start + ops):
        if cigar[i] & 15 == DELETE:
            bases += np.int64(cigar[i] >> 4)
    return 2 * bases + 12 * (ops + 1)


@kernel
def bound(
    record_start, read, name_len, length, cigar_start, cigar_len, cigar, longest_name, group_len
):
    """Most bytes that `encode` can write for a batch, and for one MD."""
    total, longest = ZERO, ZERO
    for template in range(len(record_start) - 1):
        ops, first, stop = 0, record_start[template], record_start[template + 1]
        for i in range(first, stop):
            ops += cigar_len[i]
        text = (stop - first) * (longest_name + 40) + 12 * ops
        for i in range(first, stop):
            r = read[i]
            md = _md_bound(length[r], cigar, cigar_start[i], cigar_len[i])
            longest = max(longest, md)
            total += 120 + name_len[r] + 4 * cigar_len[i] + 2 * length[r] + md + group_len + text
    return total, longest


@kernel
def gather(data, offset, order, out, out_offset):
    """Copy records data[offset[i]:offset[i + 1]] in the order given, back to back."""
    at, seen = ZERO, np.uint8(0)
    for k in range(len(order)):
        if k % _AHEAD == 0:
            for i in order[k : k + _AHEAD]:
                for place in range(offset[i], offset[i + 1], 64):
                    seen |= data[place]
        i = order[k]
        out_offset[k] = at
        at = put_bytes(out, at, data, offset[i], offset[i + 1] - offset[i])
    out_offset[len(order)] = at
    return seen
