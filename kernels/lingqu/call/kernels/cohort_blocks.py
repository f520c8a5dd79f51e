"""The reference blocks of a sample as bytes: small, and quick to look a place up in.

First, as int32: how many blocks, the bytes of their steps, and of each of the columns ploidy, depth
and PL of 0/x and of x/x the least value and the bytes of a value. Then the steps: of each block
twice its length, and 1 more where it does not begin where the one before ends, in which case the
distance (zigzag) follows; 7 bits a byte, the lowest first, the highest bit saying that more follow.
Then the columns: by how much each value is above the least.
"""

import numpy as np

from lingqu.base.jit import kernel, leaf

START, END, PLOIDY, DEPTH, HET, ALT, BLOCK = range(7)
"""Columns of a block: [start, end), 0-based; copies; MIN_DP; PLs of 0/x and x/x; their number."""
_COLUMNS = BLOCK - PLOIDY
_HEAD = 4 * (2 + 2 * _COLUMNS)
_MOST = 10
"""Bytes that the steps of a block take at most."""


@leaf
def _put(value, out, at):
    """A number of 0 or more, 7 bits a byte."""
    while value >= 128:
        out[at] = np.uint8(value & 127 | 128)
        value >>= 7
        at += 1
    out[at] = np.uint8(value)
    return at + 1


@leaf
def _put_bytes(value, size, out, at):
    for _ in range(size):
        out[at] = np.uint8(value & 255)
        value >>= 8
        at += 1
    return at


@leaf
def _get_bytes(data, at, size):
    value = 0
    for i in range(size):
        value |= np.int64(data[at + i]) << 8 * i
    return value


@leaf
def _put_steps(blocks, out, at):
    end = 0
    for i in range(len(blocks)):
        gap = blocks[i, START] - end
        at = _put(2 * (blocks[i, END] - blocks[i, START]) + (gap != 0), out, at)
        if gap:
            at = _put((gap << 1) ^ (gap >> 63), out, at)
        end = blocks[i, END]
    return at


def most_bytes(blocks: int) -> int:
    """Bytes that so many blocks take at most."""
    return _HEAD + blocks * (_MOST + 4 * _COLUMNS) if blocks else 0


@kernel
def pack_blocks(blocks, out):
    """Write blocks (int64[n, BLOCK]), in order, into out (uint8, `most_bytes`); how many bytes."""
    n = len(blocks)
    if not n:
        return 0
    at = _put_steps(blocks, out, _HEAD)
    _put_bytes(n, 4, out, 0)
    _put_bytes(at - _HEAD, 4, out, 4)
    for c in range(_COLUMNS):
        least = most = blocks[0, PLOIDY + c]
        for i in range(n):
            least, most = min(least, blocks[i, PLOIDY + c]), max(most, blocks[i, PLOIDY + c])
        size = 0
        while most - least >> 8 * size:
            size += 1
        _put_bytes(least, 4, out, 8 + 8 * c)
        _put_bytes(size, 4, out, 12 + 8 * c)
        for i in range(n):
            at = _put_bytes(blocks[i, PLOIDY + c] - least, size, out, at)
    return at


@leaf
def _get_rest(data, at, value):
    """(a number whose first byte says that more follow, the place behind it)."""
    value &= 127
    shift = 7
    while True:
        byte = np.int64(data[at])
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


@leaf
def _find(data, places, row):
    """The last block that begins at each place or before it into row (-1: none that covers it)."""
    at, stop = _HEAD, _HEAD + _get_bytes(data, 4, 4)
    block, start, end, i = -1, 0, 0, 0
    while i < len(places):
        # A block is told of where the next one begins behind the place.
        step, following, length = np.int64(1) << 62, at, 0
        if at < stop:
            length, following = np.int64(data[at]), at + 1
            if length >= 128:
                length, following = _get_rest(data, following, length)
            step = end
            if length & 1:
                gap, following = np.int64(data[following]), following + 1
                if gap >= 128:
                    gap, following = _get_rest(data, following, gap)
                step += (gap >> 1) ^ -(gap & 1)
        while i < len(places) and places[i] < step:
            row[i] = block if start <= places[i] < end else -1
            i += 1
        at, block, start = following, block + 1, step
        end = start + (length >> 1)


@kernel
def tell_places(data, places, ploidy, row, out):
    """What the blocks in data (uint8[n]) tell of places (int64[m], rising), into out (int32[m, 4]).

    A line of it is ploidy, depth and the PLs of 0/x and x/x of the last block that begins at the
    place or before it, if it covers it; else zeros, and as ploidy that of the first block. ploidy:
    what is told where there is no block at all. row: int64[m], for scratch.
    """
    for i in range(len(places)):
        row[i], out[i, 0], out[i, 1], out[i, 2], out[i, 3] = -1, ploidy, 0, 0, 0
    if not len(data):
        return
    _find(data, places, row)
    blocks, at = _get_bytes(data, 0, 4), _HEAD + _get_bytes(data, 4, 4)
    for c in range(_COLUMNS):
        least, size = _get_bytes(data, 8 + 8 * c, 4), _get_bytes(data, 12 + 8 * c, 4)
        for i in range(len(places)):
            if row[i] >= 0:
                out[i, c] = least + _get_bytes(data, at + row[i] * size, size)
            elif c == 0:
                out[i, c] = least + _get_bytes(data, at, size)
        at += blocks * size
