"""Bits of 64-bit words, and bytes compared 64 at a time; usable in kernels and in plain Python."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

LANES = 64
"""Bytes that `differences` compares."""


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


@overload(popcount, inline="always")
def _(word):
    return lambda word: np.int64(_popcount(np.uint64(word)))


@overload(lowest_bit, inline="always")
def _(word):
    return lambda word: np.int64(_lowest_bit(np.uint64(word)))


@overload(differences, inline="always")
def _(a, i, b, j):
    return lambda a, i, b, j: _differences(a, np.int64(i), b, np.int64(j))
