"""BAM records to DEFLATE (RFC 1951): matches looked for where the layout of a record says.

Fields are compared with the same fields of the record before and with earlier places of the same
four bytes; bases with reads that overlap, at the distance that their places give. Qualities go as
literals: a Huffman code of their own alphabet beats matches, unless they repeat themselves, which
a sample of each block tells.
"""

from typing import NamedTuple

import numpy as np

from lingqu.base.bits import LANES, differences, lowest_bit
from lingqu.base.jit import leaf
from lingqu.base.words import leading_zeros, load_word
from lingqu.formats.huffman_kernels import (
    DISTANCE_BITS,
    DISTANCES,
    LENGTH_BITS,
    LENGTH_SYMBOL,
    distance_symbol,
    write_block,
)

SLACK = LANES
"""Bytes behind a block that the kernels may look at."""

_HASH_BITS = 11
_SHIFT, _MIX = np.uint64(64 - _HASH_BITS), np.uint64(0x9E3779B97F4A7C15)
_0, _1, _3, _7, _8, _16, _32 = (np.uint64(n) for n in (0, 1, 3, 7, 8, 16, 32))
ZERO, ONE = np.int64(0), np.int64(1)
_SHORT, _LOW = np.uint64(0xFFFF), np.uint64(0xFFFFFFFF)
_WINDOW, _LONGEST = np.uint64(32768), np.uint64(258)
_FIXED, _SOFT = np.uint64(36), np.uint64(4)

_LENGTHS, _BACK, _PRICES = 256, 515, 545  # where prices of lengths and distances begin

_READS = 3  # of either parity, that a read's bases are compared with
_WAYS, _NONE = np.int64(4), np.int64(0)  # earlier places of a hash that are compared
_FOUR_BYTES, _SIX_BYTES = np.uint64(32), np.uint64(16)  # what a hash leaves out of a word
_STEP = np.uint64(2)  # between the places of a match that are entered
# Bytes of a match from which it needs no price, no look at the next byte, no other candidate.
_SURE, _LAZY, _ENOUGH = np.uint64(4), np.uint64(16), np.uint64(16)

_SAMPLE = 6  # records whose qualities are matched to see whether it pays
_PAYS = 20  # and it does, where it saves a twentieth
_TELLING, _OTHERS = np.uint64(2048), np.uint64(48)  # qualities that set prices, symbols a record


class Scratch(NamedTuple):
    """What `deflate_records` works in, made once; see there."""

    tables: np.ndarray
    reads: np.ndarray
    seen: np.ndarray
    near: np.ndarray
    price: np.ndarray
    tokens: np.ndarray


def new_scratch(most: int) -> Scratch:
    """Scratch for blocks of at most `most` bytes."""
    return Scratch(
        tables=np.zeros((2, 1 << _HASH_BITS), np.uint64),
        reads=np.zeros((2, 2, _READS), np.int64),
        seen=np.zeros(2, np.int64),
        near=np.zeros(_READS, np.uint64),
        price=np.zeros(_PRICES, np.int64),
        tokens=np.zeros(most // 3 + 1, np.uint64),
    )


@leaf
def _same(data, a, b, stop):
    """How many bytes from b on, up to stop, are those from a on; a < b."""
    n, most = _0, stop - b
    while n < most:
        differ = differences(data, a + n, data, b + n)
        if differ:
            return min(n + np.uint64(lowest_bit(differ)), most)
        n += np.uint64(LANES)
    return most


@leaf
def _candidate(data, at, stop, back):
    """The match `back` bytes before, as worth << 32 | length << 16 | back; 0 of none.

    Worth: eight for a byte, one for a bit less of distance. Without branches, which would often
    be mispredicted.
    """
    inside = back - _1 < _WINDOW
    length = _same(data, at - (back if inside else _1), at, stop)
    key = ((length << _3) + leading_zeros(back)) << _32 | length << _16 | back
    return key if inside & (length >= _3) else _0


@leaf
def _find(data, at, stop, near, n_near, table, width, ways):
    """The best match for data[at:stop], as of _candidate.

    near: distances to try. table: the last four places of each hash of 8 - width / 8 bytes, the
    last one lowest, of which `ways` are tried unless _ENOUGH bytes match already.
    """
    best = _0
    for c in range(n_near):
        best = max(best, _candidate(data, at, stop, near[c]))
    if ways and (best >> _16) & _SHORT < _ENOUGH:
        places = table[((load_word(data, at) << width) * _MIX) >> _SHIFT]
        for _ in range(ways):
            best = max(best, _candidate(data, at, stop, at - (places & _SHORT)))
            places >>= _16
    return best


@leaf
def _add(data, at, stop, table, width):
    """Enter every other place of [at, stop) into the table: a longer match is found from either."""
    while at < stop:
        h = ((load_word(data, at) << width) * _MIX) >> _SHIFT
        table[h] = table[h] << _16 | at
        at += _STEP


@leaf
def _gain(data, at, length, back, price):
    """Bits (in eighths) that a match saves over its bytes as literals."""
    gain = -price[_BACK + distance_symbol(back)]
    rest = length
    while rest > _LONGEST:
        gain -= price[_LENGTHS + 258] + price[_BACK]
        rest -= _LONGEST
    gain -= price[_LENGTHS + max(rest, _3)]
    for i in range(at, at + length):
        gain += price[data[i]]
    return gain


@leaf
def _emit(tokens, count, at, length, back):
    """Append a match of any length >= 3; the new count."""
    while length > _LONGEST:
        part = min(_LONGEST, length - _3)
        tokens[count] = at << _32 | part << _16 | back
        count, at, length = count + 1, at + part, length - part
    tokens[count] = at << _32 | length << _16 | back
    return count + 1


@leaf
def _parse(
    data, at, stop, reach, near, n_near, table, width, ways, sure, lazy, price, tokens, count
):  # fmt: skip
    """Cover data[at:stop] by matches and literals; matches may reach further, up to `reach`.

    A match shorter than `sure` must cost less than its bytes as literals; one shorter than `lazy`
    gives way to a better one that begins a byte later. Returns (first byte not covered, tokens).
    """
    entered = at
    while at < stop:
        best = _find(data, at, reach, near, n_near, table, width, ways)
        if ways and entered <= at:
            _add(data, at, at + _1, table, width)
            entered = at + _1
        length, back = (best >> _16) & _SHORT, best & _SHORT
        if best == _0 or (length < sure and _gain(data, at, length, back, price) <= 0):
            at += _1
            continue
        if ways and length < lazy and at + _1 < stop:
            later = _find(data, at + _1, reach, near, n_near, table, width, ways)
            if later >> _32 > (best >> _32) + _3:
                at += _1
                continue
        count = _emit(tokens, count, at, length, back)
        at += length
        if ways:
            if back == _1 and length > _8:
                entered = at - _8
            _add(data, entered, min(at, stop), table, width)
            entered = at
    return at, count


@leaf
def _parts(data, at):
    """Where the record at `at` has CIGAR, bases, qualities and tags, and where it ends."""
    word = load_word(data, at + np.uint64(12))
    bases = load_word(data, at + np.uint64(20)) & _LOW
    cigar = at + _FIXED + (word & np.uint64(255))
    sequence = cigar + ((word >> _32) & _SHORT) * np.uint64(4)
    qualities = sequence + ((bases + _1) >> _1)
    end = at + np.uint64(4) + (load_word(data, at) & _LOW)
    return cigar, sequence, qualities, qualities + bases, end


@leaf
def _log2(n):
    """Eighths of the binary logarithm of n >= 1 (uint64), linear between powers of two."""
    top = np.uint64(63) - leading_zeros(n)
    return np.int64((top << _3) + (((n << _3) >> top) & _7))


@leaf
def _set_prices(data, n, price):
    """Set prices in eighths of bits: literals by their count in qualities, matches by rule."""
    for byte in range(256):
        price[byte] = 1
    total, at = np.uint64(256), _0
    while at < n and total < _TELLING:
        _, _, qualities, tags, end = _parts(data, at)
        for i in range(qualities, tags):
            price[data[i]] += 1
        total += _OTHERS + tags - qualities
        at = end
    for byte in range(256):
        price[byte] = min(max(_log2(total) - _log2(np.uint64(price[byte])), 8), 96)
    for length in range(3, 259):
        price[_LENGTHS + length] = 64 + 8 * np.int64(LENGTH_BITS[LENGTH_SYMBOL[length] - 257])
    for symbol in range(DISTANCES):
        price[_BACK + symbol] = 40 + 8 * np.int64(DISTANCE_BITS[symbol])


@leaf
def _overlaps(at, read, reads, seen, near):
    """Fill `near` with distances to bases of the reads that overlap the one at `at`; how many.

    reads: int64[2, 2, 3], where the last reads' bases begin in data and on the contig (`read`), for
    even and odd starts, since two bases share a byte; seen: int64[2], how many. Both are kept.
    """
    begin, base, n, side = reads[0], reads[1], ZERO, read & 1
    for k in range(min(seen[side], _READS)):
        back = np.int64(at) - begin[side, k] - ((read - base[side, k]) >> 1)
        if 0 < back <= np.int64(at):
            near[n] = back
            n += 1
    begin[side, seen[side] % _READS], base[side, seen[side] % _READS] = at, read
    seen[side] += 1
    return n


@leaf
def _start(data, at, cigar, sequence):
    """Where the read of the record at `at` would begin without soft clips, int64."""
    pos = np.int64(np.int32(load_word(data, at + _8) & _LOW))
    if cigar < sequence:
        op = load_word(data, cigar) & _LOW
        if op & np.uint64(15) == _SOFT:
            pos -= np.int64(op >> _SOFT)
    return pos


@leaf
def _saved(data, tokens, first, count, price):
    """Bits (in eighths) that the matches [first, count) save."""
    saved = 0
    for t in range(first, count):
        saved += _gain(
            data, tokens[t] >> _32, (tokens[t] >> _16) & _SHORT, tokens[t] & _SHORT, price
        )
    return saved


@leaf
def _find_matches(data, n, tables, reads, seen, near, price, tokens):
    """Fill tokens (see huffman_kernels) for the records data[:n]; how many, -1 to leave it.

    -1: the first records tell that matches of qualities pay.
    """
    for row in range(2):
        seen[row] = 0
        for h in range(tables.shape[1]):
            tables[row, h] = 0
    at, record, before, cigar_before, tags_before = _1, _0, _0, _0, _0  # nothing before byte 0
    count = number = saved = whole = ZERO
    while record < n:
        cigar, bases, qualities, tags, end = _parts(data, record)
        read = _start(data, record, cigar, bases)
        for part in range(5):
            table, width, ways, sure, lazy = tables[0], _FOUR_BYTES, _WAYS, _SURE, _LAZY
            reach, n_near = n, min(number, ONE)
            if part == 0:
                stop, near[0] = cigar, record - before
            elif part == 1:
                stop, near[0] = bases, cigar - cigar_before
            elif part == 2:
                stop, ways = qualities, _NONE
                n_near = _overlaps(bases, read, reads, seen, near)
            elif part == 3:
                if number >= _SAMPLE:
                    at = max(at, tags)
                table, width, sure, lazy = tables[1], _SIX_BYTES, _32, _0
                stop, reach, near[0], n_near = tags, tags, _1, ONE
            else:
                stop, near[0] = end, tags - tags_before
            first = count
            at, count = _parse(
                data, at, stop, reach, near, n_near, table, width, ways, sure, lazy,
                price, tokens, count,
            )  # fmt: skip
            if part == 3 and number < _SAMPLE:
                saved += _saved(data, tokens, first, count, price)
                for i in range(qualities, tags):
                    whole += price[data[i]]
        before, cigar_before, tags_before = record, cigar, tags
        record, number = end, number + 1
        if number == _SAMPLE and saved * _PAYS > whole:
            return -ONE
    return count


@leaf
def deflate_records(data, n, scratch, work, out):
    """Compress whole BAM records data[:n] as one DEFLATE stream in out; its size.

    0 where general matches would do better: qualities repeat themselves, or nothing is saved.
    data: uint8, n <= 65280, and SLACK bytes behind them, which are overwritten. scratch: Scratch,
    work: huffman_kernels.Work. out: uint8, room for 2 n + 400 bytes.
    """
    for i in range(n, n + SLACK):
        data[i] = 0
    size, price, tokens = np.uint64(n), scratch.price, scratch.tokens
    _set_prices(data, size, price)
    count = _find_matches(
        data, size, scratch.tables, scratch.reads, scratch.seen, scratch.near, price, tokens
    )
    if count < 0:
        return ZERO
    end = write_block(data, size, tokens, count, work, out)
    return np.int64(end) if end < size else ZERO
