"""Sorted records into blocks, with the verdict on duplicates written in."""

from lingqu.align.kernels.dedup import OPTICAL
from lingqu.align.kernels.encode import ZERO, put_bytes, put_uint32
from lingqu.base.jit import kernel

_TAG = 6
_FLAG_AT = 18


@kernel
def fill_block(data, begin, size, order, kind, first, out, room, within):
    """Copy records order[first:] of data to out until the next would not fit in `room` bytes.

    data: uint8; begin, size: int64[n], where records lie in it; kind: uint8[n], the verdict on
    their templates: duplicates get flag 0x400 and the tag DT:Z:LB, or DT:Z:SQ where optical. out:
    uint8, room for one record at least. Fills within (int64[n]): where record order[k] begins in
    out. Returns (records done so far, bytes filled).
    """
    at, k = ZERO, first
    while k < len(order):
        i = order[k]
        need = size[i] + (_TAG if kind[i] else 0)
        if at and at + need > room:
            break
        within[k] = at
        stop = put_bytes(out, at, data, begin[i], size[i])
        if kind[i]:
            put_uint32(out, at, need - 4)
            out[at + _FLAG_AT + 1] |= 4
            out[stop], out[stop + 1], out[stop + 2] = 68, 84, 90
            out[stop + 3] = 83 if kind[i] == OPTICAL else 76
            out[stop + 4] = 81 if kind[i] == OPTICAL else 66
            out[stop + 5] = 0
            stop += 6
        at = stop
        k += 1
    return k, at
