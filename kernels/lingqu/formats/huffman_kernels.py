"""Tokens to one DEFLATE block with its own Huffman codes (RFC 1951, section 3.2.7).

A token is a uint64: place << 32 | length << 16 | distance, a match of 3 to 258 bytes, 1 to 32768
back; the bytes between matches are literals. Codes stand in tables as bits << 8 | their number.
"""

from typing import NamedTuple

import numpy as np

from lingqu.base.jit import leaf
from lingqu.base.words import store_word

END, LITERALS, DISTANCES = 256, 286, 30
"""The symbol that ends a block, and the sizes of the two alphabets."""

_LIMIT_DISTANCES, _LIMIT_LENGTHS = np.int64(15), np.int64(7)
_LIMIT = np.int64(14)  # four literals and what waits fit in a word
_BYTE, _SHORT, _INDEX = np.uint64(255), np.uint64(0xFFFF), np.uint64(0x38)
_1, _3, _4, _7, _8, _16, _32 = (np.uint64(n) for n in (1, 3, 4, 7, 8, 16, 32))
_RUNS = 19  # the alphabet that code lengths are written in
_ZERO = np.int64(0)
_ORDER = np.array([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15], np.uint8)


def _buckets(extra: list[int], first: int) -> tuple[np.ndarray, np.ndarray]:
    """Least value and extra bits (uint64) of symbols that cover `first` on without a gap."""
    width = np.array(extra, np.uint64)
    least = first + np.concatenate([[0], np.cumsum(1 << width.astype(np.int64))[:-1]])
    return least.astype(np.uint64), width


_LEAST_LENGTH, _LENGTH_BITS = _buckets([0] * 8 + [n for n in range(1, 6) for _ in range(4)], 3)
_LEAST_DISTANCE, DISTANCE_BITS = _buckets([0, 0] + [n for n in range(14) for _ in range(2)], 1)
_LEAST_LENGTH = np.append(_LEAST_LENGTH, np.uint64(258))
LENGTH_BITS = np.append(_LENGTH_BITS, np.uint64(0))
LENGTH_SYMBOL = (np.searchsorted(_LEAST_LENGTH, np.arange(259), "right") + 256).astype(np.uint16)
"""Of each length of a match; LENGTH_BITS and DISTANCE_BITS: bits that follow a symbol's code."""

_near = np.searchsorted(_LEAST_DISTANCE, np.arange(1, 257), "right") - 1
_far = np.searchsorted(_LEAST_DISTANCE, (np.arange(256) << 7) + 1, "right") - 1
_DISTANCE_SYMBOL = np.concatenate([_near, _far]).astype(np.uint8)


class Work(NamedTuple):
    """Scratch of `write_block`: counts, lengths, codes of the two alphabets and of the head's."""

    literals: np.ndarray
    distances: np.ndarray
    literal_lengths: np.ndarray
    distance_lengths: np.ndarray
    literal_codes: np.ndarray
    distance_codes: np.ndarray
    runs: np.ndarray
    run_counts: np.ndarray
    run_lengths: np.ndarray
    run_codes: np.ndarray
    both: np.ndarray
    key: np.ndarray
    weight: np.ndarray
    number: np.ndarray


def new_work() -> Work:
    """Scratch for any block."""
    both = LITERALS + DISTANCES
    return Work(
        literals=np.zeros((4, LITERALS), np.int32),
        distances=np.zeros(DISTANCES, np.int32),
        literal_lengths=np.zeros(LITERALS, np.uint8),
        distance_lengths=np.zeros(DISTANCES, np.uint8),
        literal_codes=np.zeros(LITERALS, np.uint64),
        distance_codes=np.zeros(DISTANCES, np.uint64),
        runs=np.zeros(both, np.uint16),
        run_counts=np.zeros(_RUNS, np.int32),
        run_lengths=np.zeros(_RUNS, np.uint8),
        run_codes=np.zeros(_RUNS, np.uint64),
        both=np.zeros(both, np.uint8),
        key=np.zeros((2, LITERALS), np.int64),
        weight=np.zeros(LITERALS, np.int64),
        number=np.zeros(257, np.int64),
    )


@leaf
def distance_symbol(distance):
    """Symbol of a distance (uint64, 1 to 32768)."""
    d = distance - _1
    return _DISTANCE_SYMBOL[d if d <= _BYTE else (d >> _7) + np.uint64(256)]


@leaf
def count_symbols(data, n, tokens, count, literals, distances):
    """Fill literals (int32[4, 286]; its sum counts) and distances (int32[30]) of a token stream.

    Four rows, since a count waits for the last one of the same symbol.
    """
    for symbol in range(LITERALS):
        for row in range(4):
            literals[row, symbol] = 0
    for symbol in range(DISTANCES):
        distances[symbol] = 0
    literals[0, END] = 1
    at = np.uint64(0)
    for t in range(count + 1):
        stop = tokens[t] >> _32 if t < count else n
        while at + _4 <= stop:
            literals[0, data[at]] += 1
            literals[1, data[at + _1]] += 1
            literals[2, data[at + np.uint64(2)]] += 1
            literals[3, data[at + _3]] += 1
            at += _4
        while at < stop:
            literals[0, data[at]] += 1
            at += _1
        if t < count:
            length = (tokens[t] >> _16) & _SHORT
            literals[1, LENGTH_SYMBOL[length]] += 1
            distances[distance_symbol(tokens[t] & _SHORT)] += 1
            at += length
    for row in range(1, 4):
        for symbol in range(LITERALS):
            literals[0, symbol] += literals[row, symbol]


@leaf
def _sort(key, n, start):
    """Sort key[0, :n] (int64[2, m]) by count, the 16 bits from 9 on; equals keep order."""
    for turn in range(2):
        shift = 9 + 8 * turn
        for digit in range(257):
            start[digit] = 0
        for i in range(n):
            start[((key[turn, i] >> shift) & 255) + 1] += 1
        for digit in range(256):
            start[digit + 1] += start[digit]
        for i in range(n):
            digit = (key[turn, i] >> shift) & 255
            key[1 - turn, start[digit]] = key[turn, i]
            start[digit] += 1


@leaf
def _depths(weight, n):
    """Turn n >= 2 ascending weights into code lengths, in place, longest first.

    Moffat and Katajainen 1995, In-place calculation of minimum-redundancy codes.
    """
    root = leaf = 0
    for node in range(n - 1):
        total = 0
        for _ in range(2):
            if leaf >= n or (root < node and weight[root] < weight[leaf]):
                total += weight[root]
                weight[root] = node
                root += 1
            else:
                total += weight[leaf]
                leaf += 1
        weight[node] = total
    weight[n - 2] = 0
    for node in range(n - 3, -1, -1):
        weight[node] = weight[weight[node]] + 1
    free, used, depth, node, at = 1, 0, 0, n - 2, n - 1
    while free > 0:
        while node >= 0 and weight[node] == depth:
            used += 1
            node -= 1
        while free > used:
            weight[at] = depth
            at -= 1
            free -= 1
        free, used = 2 * used, 0
        depth += 1


@leaf
def code_lengths(count, limit, length, key, weight, number):
    """Fill length (uint8[m]) with lengths of a Huffman code, at most `limit`; 0 where none counts.

    count: int32[m], below 2^16. A code has two symbols at least, as old decoders want it. Codes
    too long are cut to the limit, and others made longer until all fit (Kraft's sum is 1). key
    (int64[2, m]), weight (int64[m]), number (int64[257]): scratch.
    """
    used = n = _ZERO
    for symbol in range(len(count)):
        length[symbol] = 0
        used += count[symbol] > 0
    for symbol in range(len(count)):
        if count[symbol] > 0 or (symbol < 2 and used < 2):
            key[0, n] = max(count[symbol], 1) << 9 | symbol
            n += 1
    _sort(key, n, number)
    for i in range(n):
        weight[i] = key[0, i] >> 9
    _depths(weight, n)
    for depth in range(limit + 1):
        number[depth] = 0
    for i in range(n):
        number[min(weight[i], limit)] += 1
    total = 0
    for depth in range(1, limit + 1):
        total += number[depth] << (limit - depth)
    while total > 1 << limit:
        depth = limit - 1
        while number[depth] == 0:
            depth -= 1
        number[depth] -= 1
        number[depth + 1] += 2
        number[limit] -= 1
        total -= 1
    at = n
    for depth in range(1, limit + 1):
        for _ in range(number[depth]):
            at -= 1
            length[key[0, at] & 511] = depth


@leaf
def _codes(length, code, number):
    """Canonical codes of the lengths, first bit lowest, as bits << 8 | length (uint64)."""
    for depth in range(16):
        number[depth] = 0
    for symbol in range(len(length)):
        number[length[symbol] + 1] += 1
    number[1] = 0
    for depth in range(2, 16):
        number[depth] = (number[depth] + number[depth - 1]) << 1
    for symbol in range(len(length)):
        depth = length[symbol]
        turned, rest = _ZERO, number[depth]
        for _ in range(depth):
            turned = turned << 1 | (rest & 1)
            rest >>= 1
        number[depth] += 1
        code[symbol] = turned << 8 | depth


@leaf
def _run_lengths(length, n, runs):
    """Write code lengths as symbol | repeat << 5 (uint16), RFC 1951 3.2.7; how many."""
    at = m = _ZERO
    while at < n:
        value, run = length[at], np.int64(1)
        while at + run < n and length[at + run] == value:
            run += 1
        at += run
        if value:
            runs[m] = value
            m, run = m + 1, run - 1
        while run >= 3:
            if value:
                part, symbol, least = min(run, 6), 16, 3
            elif run > 10:
                part, symbol, least = min(run, 138), 18, 11
            else:
                part, symbol, least = run, 17, 3
            runs[m] = symbol | (part - least) << 5
            m, run = m + 1, run - part
        for _ in range(run):
            runs[m] = value
            m += 1
    return m


@leaf
def _put(out, at, held, value, bits):
    """Append bits to those held (word | in it, below 8 bits wait); the new state."""
    word, used = held
    word |= value << used
    used += bits
    store_word(out, at, word)
    return at + (used >> _3), (word >> (used & _INDEX), used & _7)


@leaf
def _put_header(out, at, held, work, n_literals, n_distances):
    """Write the head of a last block with dynamic codes; the new state."""
    for i in range(n_literals):
        work.both[i] = work.literal_lengths[i]
    for i in range(n_distances):
        work.both[n_literals + i] = work.distance_lengths[i]
    runs, count, length, code = work.runs, work.run_counts, work.run_lengths, work.run_codes
    m = _run_lengths(work.both, n_literals + n_distances, runs)
    for symbol in range(_RUNS):
        count[symbol] = 0
    for i in range(m):
        count[runs[i] & 31] += 1
    code_lengths(count, _LIMIT_LENGTHS, length, work.key, work.weight, work.number)
    _codes(length, code, work.number)
    used = np.int64(_RUNS)
    while length[_ORDER[used - 1]] == 0:
        used -= 1
    head = 5 | (n_literals - 257) << 3 | (n_distances - 1) << 8 | (used - 4) << 13
    at, held = _put(out, at, held, np.uint64(head), np.uint64(17))
    for i in range(used):
        at, held = _put(out, at, held, np.uint64(length[_ORDER[i]]), _3)
    for i in range(m):
        symbol = runs[i] & 31
        at, held = _put(out, at, held, code[symbol] >> _8, code[symbol] & _BYTE)
        if symbol > 15:
            extra = np.uint64(2 if symbol == 16 else 3 if symbol == 17 else 7)
            at, held = _put(out, at, held, np.uint64(runs[i] >> 5), extra)
    return at, held


@leaf
def _put_tokens(data, n, tokens, count, literal, distance, out, at, held):
    """Write literals, matches and the end; the position after the last byte."""
    word, used = held
    place = np.uint64(0)
    for t in range(count + 1):
        stop = tokens[t] >> _32 if t < count else n
        while place + _4 <= stop:
            for _ in range(4):
                code = literal[data[place]]
                word |= (code >> _8) << used
                used += code & _BYTE
                place += _1
            store_word(out, at, word)
            at += used >> _3
            word >>= used & _INDEX
            used &= _7
        while place < stop:
            code = literal[data[place]]
            word |= (code >> _8) << used
            used += code & _BYTE
            place += _1
        store_word(out, at, word)
        at += used >> _3
        word >>= used & _INDEX
        used &= _7
        if t < count:
            length, back = (tokens[t] >> _16) & _SHORT, tokens[t] & _SHORT
            symbol = LENGTH_SYMBOL[length]
            code, bucket = literal[symbol], symbol - 257
            word |= (code >> _8) << used
            used += code & _BYTE
            word |= (length - _LEAST_LENGTH[bucket]) << used
            used += LENGTH_BITS[bucket]
            symbol = distance_symbol(back)
            code = distance[symbol]
            word |= (code >> _8) << used
            used += code & _BYTE
            word |= (back - _LEAST_DISTANCE[symbol]) << used
            used += DISTANCE_BITS[symbol]
            store_word(out, at, word)
            at += used >> _3
            word >>= used & _INDEX
            used &= _7
            place += length
    at, held = _put(out, at, (word, used), literal[END] >> _8, literal[END] & _BYTE)
    return at + (_1 if held[1] else np.uint64(0))


@leaf
def write_block(data, n, tokens, count, work, out):
    """Write one last DEFLATE block of data[:n] (uint8) in out; its size.

    tokens: uint64, `count` of them. work: Work. out: uint8, room for 2 n + 400 bytes.
    """
    count_symbols(data, n, tokens, count, work.literals, work.distances)
    literals, distances = work.literal_lengths, work.distance_lengths
    code_lengths(work.literals[0], _LIMIT, literals, work.key, work.weight, work.number)
    code_lengths(work.distances, _LIMIT_DISTANCES, distances, work.key, work.weight, work.number)
    _codes(literals, work.literal_codes, work.number)
    _codes(distances, work.distance_codes, work.number)
    n_literals, n_distances = np.int64(LITERALS), np.int64(DISTANCES)
    while literals[n_literals - 1] == 0:
        n_literals -= 1
    while distances[n_distances - 1] == 0:
        n_distances -= 1
    start = (np.uint64(0), np.uint64(0))
    at, held = _put_header(out, np.uint64(0), start, work, n_literals, n_distances)
    literal, distance = work.literal_codes, work.distance_codes
    return _put_tokens(data, n, tokens, count, literal, distance, out, at, held)
