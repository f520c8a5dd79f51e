"""Machine words for kernels: eight bytes at a time from any place of a byte array, and their bits.

Words are little endian, as on every x86-64 CPU. No bounds are checked.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_WORD, _BIT = ir.IntType(64), ir.IntType(1)


def _address(context, builder, signature, args):
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), _WORD.as_pointer())


@intrinsic
def load_word(typing, data, at):
    """The uint64 at data[at:at + 8] (uint8 array, uint64)."""

    def generate(context, builder, signature, args):
        word = builder.load(_address(context, builder, signature, args))
        word.align = 1
        return word

    return types.uint64(data, types.uint64), generate


@intrinsic
def store_word(typing, data, at, word):
    """Write a uint64 to data[at:at + 8] (uint8 array, uint64, uint64)."""

    def generate(context, builder, signature, args):
        stored = builder.store(args[2], _address(context, builder, signature, args))
        stored.align = 1
        return context.get_dummy_value()

    return types.void(data, types.uint64, types.uint64), generate


@intrinsic
def leading_zeros(typing, word):
    """Zero bits above the highest set bit of a uint64; 64 of none."""

    def generate(context, builder, signature, args):
        return builder.ctlz(args[0], ir.Constant(_BIT, 0))

    return types.uint64(types.uint64), generate
