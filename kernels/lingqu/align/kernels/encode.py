"""Alignments to BAM records (SAM specification 4.2, SAM tags specification)."""

import numpy as np

from lingqu.base.jit import kernel

MATCH, INSERT, DELETE, SKIP, SOFT = 0, 1, 2, 3, 4
REVERSE, UNMAPPED, SECONDARY = 0x10, 0x4, 0x100
_CARET, _DIGIT, _MINUS = 94, 48, 45
_LETTERS = b"ACGTN"
_OPS = b"MIDNSHP=X"
_NIBBLES = b"\x01\x02\x04\x08\x0f"

# Typed constants: a kernel is compiled anew for every plain literal that it is called with.
ZERO = np.int64(0)
_NM, _MD, _MC, _MQ, _AS, _XS, _RG, _SA, _XT = (
    np.uint32(int.from_bytes(tag, "little"))
    for tag in (b"NM", b"MD", b"MC", b"MQ", b"AS", b"XS", b"RG", b"SA", b"XT")
)
_BYTE, _INTEGER, _TEXT = (np.uint32(ord(kind)) for kind in "CiZ")


@kernel
def orient(codes, start, length, reverse, row):
    """Fill row[:length] with codes[start:][:length], reverse complemented where asked."""
    forward = codes[start : start + length]
    if not reverse:
        for i in range(length):
            row[i] = forward[i]
    else:
        last = np.uint64(length - 1)
        for i in range(np.uint64(length)):
            code = forward[last - i]
            row[i] = code if code > 3 else np.uint8(3) - code


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
    for i in range(4):
        out[at + i] = (value >> (8 * i)) & 255
    return at + 4


@kernel
def _put_tag(out, at, tag, kind):
    out[at], out[at + 1], out[at + 2] = tag & 255, tag >> 8, kind
    return at + 3


@kernel
def put_integer_tag(out, at, tag, value):
    """Write an integer tag, in one byte where that does; the position after it."""
    if 0 <= value < 256:
        at = _put_tag(out, at, tag, _BYTE)
        out[at] = value
        return at + 1
    return put_uint32(out, _put_tag(out, at, tag, _INTEGER), value)


@kernel
def _differences(a, b):
    """How many codes of a and b (as long) differ or are N; a loop that vectorises."""
    count = np.uint32(0)
    for i in range(len(a)):
        count += np.uint32((a[i] != b[i]) | (b[i] > 3))
    return count


@kernel
def _edits_of(row, genome, at, cigar, start, length, md, to):
    """NM, reference bases covered, and the end of the MD string written at md[to:]."""
    read, nm, run, begin = ZERO, ZERO, ZERO, at
    for i in range(start, start + length):
        op, size = cigar[i] & 15, cigar[i] >> 4
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
            bases, wanted = row[read : read + size], genome[at : at + size]
            if _differences(bases, wanted) == 0:
                run += size
            else:
                for j in range(size):
                    base = wanted[j]
                    if base == bases[j] and base < 4:
                        run += 1
                    else:
                        to = put_number(md, to, run)
                        md[to] = _LETTERS[base]
                        to, nm, run = to + 1, nm + 1, ZERO
            read, at = read + size, at + size
    return nm, at - begin, put_number(md, to, run)


@kernel
def edits(
    codes, start, length, read, flag, tid, pos, cigar_start, cigar_len, cigar, genome, offsets,
    row, nm, span, md, md_start,
):  # fmt: skip
    """NM and MD of every record, and the reference bases that it covers.

    codes (uint8), start, length: the reads; read to cigar: the records (AlignmentBatch); genome
    (uint8), offsets: the reference. row: uint8 scratch of the longest read. Fills nm and span
    (int32[m]; 0 for unmapped records), and md (uint8) at md_start (int64[m + 1]); md must hold
    2 x (read + deleted bases) + 12 x (operations + 1) for each record.
    """
    to = ZERO
    for i in range(len(read)):
        md_start[i] = to
        if flag[i] & UNMAPPED:
            nm[i] = span[i] = 0
            continue
        r = read[i]
        orient(codes, start[r], length[r], flag[i] & REVERSE, row)
        at = offsets[tid[i]] + pos[i]
        nm[i], span[i], to = _edits_of(row, genome, at, cigar, cigar_start[i], cigar_len[i], md, to)
    md_start[len(read)] = to


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
def _put_bases(out, at, row, length):
    """4-bit bases of row[:length]; the position after them."""
    packed = out[at : at + length // 2]
    for i in range(length // 2):
        packed[i] = (_NIBBLES[row[2 * i]] << 4) | _NIBBLES[row[2 * i + 1]]
    if length & 1:
        out[at + length // 2] = _NIBBLES[row[length - 1]] << 4
    return at + (length + 1) // 2


@kernel
def _put_qualities(out, at, text, start, length, reverse):
    """Phred scores of the FASTQ quality at text[start:]; the position after them."""
    letters, scores = text[start : start + length], out[at : at + length]
    if reverse:
        last = np.uint64(length - 1)
        for i in range(np.uint64(length)):
            scores[i] = letters[last - i] - np.uint8(33)
    else:
        for i in range(length):
            scores[i] = letters[i] - np.uint8(33)
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
def encode(
    text, name_start, name_len, qual_start, codes, start, length, keep,
    record_start, read, flag, tid, pos, mapq, cigar_start, cigar_len, cigar,
    mate_tid, mate_pos, tlen, score, sub_score,
    nm, span, md, md_start, names, names_start, group, row, out, offset,
):  # fmt: skip
    """Write every record of a batch, in its order, as BAM.

    The first line of arguments is the ReadBatch, the next two the AlignmentBatch; nm to md_start
    come from `edits`. names (uint8), names_start (int64[contigs + 1]): contig names. group: uint8,
    the read group's ID, may be empty. row: uint8 scratch of the longest read. Fills out (uint8, of
    at least `bound` bytes) and offset (int64[m + 1]), where each record begins. Every record has
    the whole sequence: Picard fails on NM without one. Tags: NM MD MC MQ AS XS RG SA XT (XT:i, the
    1-based first base of adapter, as Picard's MarkIlluminaAdapters writes it).
    """
    at = ZERO
    for template in range(len(record_start) - 1):
        for i in range(record_start[template], record_start[template + 1]):
            offset[i] = at
            r, reverse, mapped = read[i], flag[i] & REVERSE, not flag[i] & UNMAPPED
            bases = length[r]
            ops = cigar_len[i] if mapped else 0
            at = _put_core(
                out, at + 4, tid[i], pos[i], name_len[r], mapq[i], span[i], ops, flag[i],
                bases, mate_tid[i], mate_pos[i], tlen[i],
            )  # fmt: skip
            at = put_bytes(out, at, text, name_start[r], np.int64(name_len[r]))
            out[at] = 0
            at += 1
            for j in range(cigar_start[i], cigar_start[i] + ops):
                at = put_uint32(out, at, np.int64(cigar[j]))
            orient(codes, start[r], bases, reverse, row)
            at = _put_bases(out, at, row, bases)
            at = _put_qualities(out, at, text, qual_start[r], bases, reverse)
            if mapped:
                at = put_integer_tag(out, at, _NM, np.int64(nm[i]))
                at = _put_tag(out, at, _MD, _TEXT)
                at = put_bytes(out, at, md, md_start[i], md_start[i + 1] - md_start[i])
                out[at] = 0
                at += 1
            mate = _mate_of(record_start, read, template, i)
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
                at = _put_tag(out, at, _RG, _TEXT)
                at = put_bytes(out, at, group, ZERO, len(group))
                out[at] = 0
                at += 1
            others = 0
            for j in range(record_start[template], record_start[template + 1]):
                if j == i or read[j] != r or (flag[i] | flag[j]) & (SECONDARY | UNMAPPED):
                    continue
                if not others:
                    at = _put_tag(out, at, _SA, _TEXT)
                others += 1
                at = _put_other(
                    out, at, names, names_start, tid[j], pos[j], flag[j] & REVERSE, mapq[j],
                    nm[j], cigar, cigar_start[j], cigar_len[j],
                )  # fmt: skip
            if others:
                out[at] = 0
                at += 1
            if keep[r] < length[r]:
                at = put_integer_tag(out, at, _XT, np.int64(keep[r] + 1))
            put_uint32(out, offset[i], at - offset[i] - 4)
    offset[len(read)] = at


@kernel
def bound(record_start, read, name_len, length, cigar_len, md_start, longest_name, group_len):
    """Most bytes that `encode` can write for a batch."""
    total = 0
    for template in range(len(record_start) - 1):
        ops, first, stop = 0, record_start[template], record_start[template + 1]
        for i in range(first, stop):
            ops += cigar_len[i]
        text = (stop - first) * (longest_name + 40) + 12 * ops
        for i in range(first, stop):
            r, md = read[i], md_start[i + 1] - md_start[i]
            total += 120 + name_len[r] + 4 * cigar_len[i] + 2 * length[r] + md + group_len + text
    return total


@kernel
def gather(data, offset, order, out, out_offset):
    """Copy records data[offset[i]:offset[i + 1]] in the order given, back to back."""
    at = ZERO
    for k in range(len(order)):
        i = order[k]
        out_offset[k] = at
        at = put_bytes(out, at, data, offset[i], offset[i + 1] - offset[i])
    out_offset[len(order)] = at
