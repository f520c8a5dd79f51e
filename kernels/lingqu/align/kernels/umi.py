"""UMIs: found in names, spelled one way, packed into numbers, and joined across one mismatch.

Clusters are those of the directional network of UMI-tools: Smith, Heger, Sudbery, Genome Research
27:491, 2017. A rarer UMI joins a more frequent one within a mismatch if it may well be its error:
count(frequent) >= 2 count(rare) - 1. Plain adjacency would join UMIs that are both frequent, and
so two molecules, wherever short UMIs are many.
"""

import numpy as np

from lingqu.align.kernels.encode import ZERO, put_bytes, put_uint32
from lingqu.base.jit import kernel

MOST = 42
"""Letters and hyphens of a UMI at most: they fill two words, 3 bits each."""

_HALF = MOST // 2
_HYPHEN, _PLUS, _LOW_LINE = 45, 43, 95
_TURNED = ord("r")
_N, _FIRST_LETTER = 2, 2
_SPELLED = b"\0-N\0ACGT"
_SYMBOLS = np.zeros(256, np.uint8)
for _letters, _symbol in ((b"+-_", 1), (b"Nn", _N), (b"Aa", 4), (b"Cc", 5), (b"Gg", 6), (b"Tt", 7)):
    _SYMBOLS[list(_letters)] = _symbol


@kernel
def behind_mark(text, name_start, name_len, mates, mark, begin, size):
    """Fill begin (int64[templates]) and size (int32): what follows the last `mark` in each name.

    text, name_start, name_len: as in ReadBatch, `mates` reads a template. size is 0 without a mark.
    """
    for t in range(len(size)):
        start, length = name_start[t * mates], name_len[t * mates]
        at = start + length
        while at > start and text[at - 1] != mark:
            at -= 1
        begin[t] = at
        size[t] = start + length - at if at > start else 0


@kernel
def first_other_name(text, name_start, name_len, mates, other, other_start, other_len):
    """The first template whose name is not that of the same row in another batch, or -1."""
    for t in range(len(other_len)):
        a, b, length = name_start[t * mates], other_start[t], other_len[t]
        if name_len[t * mates] != length:
            return t
        for i in range(length):
            if text[a + i] != other[b + i]:
                return t
    return -1


@kernel
def _turn(symbols, begin, end):
    """Reverse complement symbols[begin:end]."""
    for i in range((end - begin + 1) // 2):
        a, b = symbols[begin + i], symbols[end - 1 - i]
        symbols[begin + i] = 11 - b if b > _N else b
        symbols[end - 1 - i] = 11 - a if a > _N else a


@kernel
def _symbols_of(text, begin, size, symbols):
    """Fill `symbols` (uint8[MOST]) with those of text[begin:][:size]; how many, or -1.

    A part behind 'r' is turned back (BCL Convert turns R2's so). -1 where a letter is none of
    ACGTN, a part is empty, or symbols are too many.
    """
    n, part, turned = 0, 0, False
    for i in range(begin, begin + size):
        if n == part and not turned and text[i] == _TURNED:
            turned = True
            continue
        symbol = _SYMBOLS[text[i]]
        if symbol == 0 or n == len(symbols) or (symbol == 1 and n == part):
            return -1
        symbols[n] = symbol
        n += 1
        if symbol == 1:
            if turned:
                _turn(symbols, part, n - 1)
            part, turned = n, False
    if size and n == part:
        return -1
    if turned:
        _turn(symbols, part, n)
    return n


@kernel
def spell(text, begin, size, must, quality, quality_begin, quality_size, out, start, word):
    """The tags RX and QX of each template, and its UMI as two numbers.

    text (uint8), begin (int64[n]), size (int32[n]): where UMIs stand; in parts, joined by '+', '-'
    or '_'. quality, quality_begin, quality_size: the same of their qualities, written as they are
    where their size is not 0. Fills out (uint8, with room for MOST + 8 bytes and the qualities of
    each) and start (int64[n + 1]): BAM tags, in capitals, parts joined by '-', nothing for an
    empty UMI. Fills word (int64[n, 2]): 3 bits a symbol, the first on top, 21 in each; 0 for an
    empty one. Returns the first template without a proper UMI (an empty one is, unless `must`), or
    -1.
    """
    symbols, at = np.empty(MOST, np.uint8), ZERO
    for t in range(len(size)):
        start[t] = at
        n = _symbols_of(text, begin[t], size[t], symbols)
        if n < 0 or (n == 0 and must):
            return t
        _pack(symbols, n, word[t])
        if n == 0:
            continue
        out[at], out[at + 1], out[at + 2] = 82, 88, 90  # RXZ
        at += 3
        for i in range(n):
            out[at + i] = _SPELLED[symbols[i]]
        out[at + n] = 0
        at += n + 1
        if quality_size[t]:
            out[at], out[at + 1], out[at + 2] = 81, 88, 90  # QXZ
            at = put_bytes(out, at + 3, quality, quality_begin[t], np.int64(quality_size[t]))
            out[at] = 0
            at += 1
    start[len(size)] = at
    return -1


@kernel
def _pack(symbols, n, word):
    for half in range(2):
        value = ZERO
        for i in range(half * _HALF, (half + 1) * _HALF):
            value = (value << 3) | (np.int64(symbols[i]) if i < n else ZERO)
        word[half] = value


@kernel
def _unpack(word, symbols):
    """Fill `symbols` from the word; (how many, place of its only hyphen or -1)."""
    n, hyphen, hyphens = 0, -1, 0
    for i in range(MOST):
        symbol = (word[i // _HALF] >> (3 * (_HALF - 1 - i % _HALF))) & 7
        if symbol == 0:
            break
        symbols[n] = symbol
        if symbol == 1:
            hyphen, hyphens = n, hyphens + 1
        n += 1
    return n, hyphen if hyphens == 1 else -1


@kernel
def own_end_first(word, template, other_first, out):
    """The UMI of each row of `template` (int32[m]), own end first: out, int64[m, 2].

    word: int64[n, 2], as `spell` leaves it. other_first: bool[m], whether the UMI's first part is
    that of the template's other end, so that the parts are to change places. UMIs of one part (or
    of more than two) stay.
    """
    symbols, turned = np.empty(MOST, np.uint8), np.empty(MOST, np.uint8)
    for row in range(len(template)):
        given = word[template[row]]
        out[row, 0], out[row, 1] = given[0], given[1]
        if not other_first[row]:
            continue
        n, hyphen = _unpack(given, symbols)
        if hyphen < 0:
            continue
        behind = n - hyphen - 1
        for i in range(behind):
            turned[i] = symbols[hyphen + 1 + i]
        turned[behind] = 1
        for i in range(hyphen):
            turned[behind + 1 + i] = symbols[i]
        _pack(turned, n, out[row])


@kernel
def _find(high, low, begin, stop, a, b):
    """The row of the UMI (a, b) among the ascending ones begin:stop, or -1."""
    while begin < stop:
        middle = (begin + stop) >> 1
        if high[middle] < a or (high[middle] == a and low[middle] < b):
            begin = middle + 1
        else:
            stop = middle
    return begin


@kernel
def cluster(begin, high, low, count, order, queue, found):
    """Join the UMIs of each set: found[u] (int64) is the UMI that u is taken for an error of.

    begin: int64[sets + 1], where the sets begin in high, low (int64, their UMIs' words, each set's
    distinct and ascending) and count (int64, templates of each). order: int64, the rows of each
    set, the most frequent first, equal ones ascending. queue: int64 scratch, as long. Two UMIs are
    within a mismatch if they differ in one letter: N is a letter of its own, a hyphen or another
    length is never a mismatch. The most frequent UMI takes those that it reaches, then the most
    frequent of the rest.
    """
    for s in range(len(begin) - 1):
        first, stop = begin[s], begin[s + 1]
        for u in range(first, stop):
            found[u] = -1
        for k in range(first, stop):
            root = order[k]
            if found[root] >= 0:
                continue
            found[root], queue[0] = root, root
            head, tail = 0, 1
            while head < tail:
                tail = _reach(queue[head], root, first, stop, high, low, count, queue, tail, found)
                head += 1


@kernel
def _reach(u, root, first, stop, high, low, count, queue, tail, found):
    """Give the free neighbours of u to root and put them into the queue; its new end."""
    if stop - first == 1:
        return tail
    for place in range(MOST):
        in_high = place < _HALF
        shift = 3 * (_HALF - 1 - place % _HALF)
        symbol = ((high[u] if in_high else low[u]) >> shift) & 7
        if symbol == 0:
            break
        if symbol < _FIRST_LETTER:
            continue
        for other in (2, 4, 5, 6, 7):
            change = np.int64(symbol ^ other) << shift
            a = high[u] ^ change if in_high else high[u]
            b = low[u] if in_high else low[u] ^ change
            v = _find(high, low, first, stop, a, b)
            if v < stop and high[v] == a and low[v] == b and found[v] < 0:
                if count[u] >= 2 * count[v] - 1:
                    found[v] = root
                    queue[tail] = v
                    tail += 1
    return tail


@kernel
def add_tags(data, offset, record_start, tags, tag_start, out, out_offset):
    """Copy BAM records with their template's tags behind each.

    data (uint8), offset (int64[m + 1]): the records; record_start (int64[n + 1]): those of each
    template; tags (uint8), tag_start (int64[n + 1]). Fills out (uint8) and out_offset
    (int64[m + 1]).
    """
    at = ZERO
    for t in range(len(record_start) - 1):
        more = tag_start[t + 1] - tag_start[t]
        for i in range(record_start[t], record_start[t + 1]):
            size = offset[i + 1] - offset[i]
            out_offset[i] = at
            stop = put_bytes(out, at, data, offset[i], size)
            stop = put_bytes(out, stop, tags, tag_start[t], more)
            put_uint32(out, at, size + more - 4)
            at = stop
    out_offset[record_start[-1]] = at
