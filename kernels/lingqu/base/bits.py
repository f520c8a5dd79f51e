"""Bits of 64-bit words, and bytes compared 64 at a time; usable in kernels and in plain Python."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LANES = 64
"""Bytes that `differences` compares, and that `spread` writes."""


def popcount(word):
    """Set bits of a uint64 word."""
    return int(word).bit_count()


def lowest_bit(word):
    """Place of the lowest set bit of a uint64 word; 64 of none."""
    return (int(word) & -int(word)).bit_length() - 1 if word else 64


def differences(a, i, b, j):
    """uint64 whose bit k tells whether a[i + k] and b[j + k] differ, for k = 0 to 63.

    a, b: uint8[], contiguous, with 64 values from i and j on: that is not checked.
    """
    unequal = np.packbits(a[i : i + LANES] != b[j : j + LANES], bitorder="little")
    return unequal.view(np.uint64)[0]


def spread(packed, i, ranks, j):
    """Which bit is set of each half of packed[i : i + 32], the upper half first, into
    ranks[j : j + 64]: 0 to 3, or 4 where not one bit is.

    packed, ranks: uint8[], contiguous, with so many values there: that is not checked.
    """
    for k, byte in enumerate(packed[i : i + LANES // 2].tolist()):
        for n, half in enumerate((byte >> 4, byte & 15)):
            ranks[j + 2 * k + n] = half.bit_length() - 1 if half.bit_count() == 1 else 4


@intrinsic
def _popcount(_context, word):
    def generate(context, builder, _signature, args):
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), generate


@intrinsic
def _lowest_bit(_context, word):
    def generate(context, builder, _signature, args):
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@intrinsic
def _differences(_context, a, i, b, j):
    def generate(context, builder, signature, args):
        vector = ir.VectorType(ir.IntType(8), LANES)

        def load(kind, array, at):
            data = context.make_array(kind)(context, builder, array).data
            where = builder.bitcast(builder.gep(data, [at]), vector.as_pointer())
            return builder.load(where, align=1)

        kinds = signature.args
        unequal = builder.icmp_unsigned(
            "!=", load(kinds[0], args[0], args[1]), load(kinds[2], args[2], args[3])
        )
        return builder.bitcast(unequal, ir.IntType(64))

    return types.uint64(a, types.int64, b, types.int64), generate


@intrinsic
def _spread(_context, packed, i, ranks, j):
    def generate(context, builder, signature, args):
        byte = ir.IntType(8)
        narrow, wide = ir.VectorType(byte, LANES // 2), ir.VectorType(byte, LANES)

        def splat(value, kind):
            return ir.Constant(kind, [ir.Constant(byte, value)] * kind.count)

        def where(kind, array, at, vector):
            data = context.make_array(kind)(context, builder, array).data
            return builder.bitcast(builder.gep(data, [at]), vector.as_pointer())

        kinds = signature.args
        both = builder.load(where(kinds[0], args[0], args[1], narrow), align=1)
        upper = builder.lshr(both, splat(4, narrow))
        lower = builder.and_(both, splat(15, narrow))
        turns = [k // 2 + LANES // 2 * (k % 2) for k in range(LANES)]
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), turns)
        halves = builder.shuffle_vector(upper, lower, lanes)
        rank = splat(4, wide)
        for bit in range(4):
            is_set = builder.icmp_unsigned("==", halves, splat(1 << bit, wide))
            rank = builder.select(is_set, splat(bit, wide), rank)
        builder.store(rank, where(kinds[2], args[2], args[3], wide), align=1)
        return context.get_dummy_value()

    return types.void(packed, types.int64, ranks, types.int64), generate


@overload(popcount, inline="always")
def _(word):
    return lambda word: np.int64(_popcount(np.uint64(word)))


@overload(lowest_bit, inline="always")
def _(word):
    return lambda word: np.int64(_lowest_bit(np.uint64(word)))


@overload(differences, inline="always")
def _(a, i, b, j):
    return lambda a, i, b, j: _differences(a, np.int64(i), b, np.int64(j))


@overload(spread, inline="always")
def _(packed, i, ranks, j):
    return lambda packed, i, ranks, j: _spread(packed, np.int64(i), ranks, np.int64(j))
