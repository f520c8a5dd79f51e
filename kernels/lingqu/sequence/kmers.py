"""k-mers of coded sequences: invertible hashing and canonical open syncmers.

Open syncmers: Edgar, "Syncmers are more sensitive than minimizers for selecting conserved k-mers in
biological sequences", PeerJ 9:e10805, 2021. A k-mer is taken where the smallest hash among its
s-mers stands in the middle: a property of the k-mer alone, the same on both strands.
"""

import numpy as np

from lingqu.base.jit import kernel

K = 20
"""Length of a seed."""

S = 16
"""Length of the s-mers that choose it: they fill 32 bits, and K - S + 1 is odd, for a middle."""

K_MASK = np.uint64((1 << (2 * K)) - 1)

_BLOCK = 1024
"""Starts looked at together, so that what is between stays in the first cache."""

_ROOM = _BLOCK + K
_ODD_32 = np.uint32(0x9E3779B1)
_ODD_1 = np.uint64(0x9E3779B97F4A7C15)
_ODD_2 = np.uint64(0xD6E8FEB86659FD93)
_U8, _U16, _U32, _U64 = np.uint8, np.uint16, np.uint32, np.uint64
_1, _2, _3, _4, _8, _16, _19, _32 = (np.uint64(n) for n in (1, 2, 3, 4, 8, 16, 19, 32))


@kernel(inline="always")
def hash_kmer(word):
    """Invertible hash of a 2K-bit word (uint64) onto 2K bits: equal hashes are equal k-mers."""
    word = (word * _ODD_1) & K_MASK
    word ^= word >> _19
    word = (word * _ODD_2) & K_MASK
    return word ^ (word >> _16)


@kernel
def _pack(codes, two, four, eight, sixteen, back_two, back_four, back_eight, back_sixteen):
    """Words of 2 to 16 bases from every place on, and of their reverse complements.

    Each width is made of two of the last: every step is a vector instruction over places.
    """
    n = _U64(codes.size)
    for i in range(n - _1):
        a, b = codes[i] & _U8(3), codes[i + _1] & _U8(3)
        two[i] = _U8(a << _U8(2)) | b
        back_two[i] = _U8((_U8(3) - b) << _U8(2)) | _U8(_U8(3) - a)
    for i in range(n - _3):
        four[i] = _U8(two[i] << _U8(4)) | two[i + _2]
        back_four[i] = _U8(back_two[i + _2] << _U8(4)) | back_two[i]
    for i in range(n - _U64(7)):
        eight[i] = _U16(_U16(four[i]) << _U16(8)) | _U16(four[i + _4])
        back_eight[i] = _U16(_U16(back_four[i + _4]) << _U16(8)) | _U16(back_four[i])
    for i in range(n - _U64(15)):
        sixteen[i] = _U32(_U32(eight[i]) << _U32(16)) | _U32(eight[i + _8])
        back_sixteen[i] = _U32(_U32(back_eight[i + _8]) << _U32(16)) | _U32(back_eight[i])


@kernel
def _choose(codes, sixteen, back_sixteen, ranks, chosen):
    """Set chosen[i] to 1 where the k-mer from place i on is a syncmer, else to 0."""
    starts = codes.size - K + 1
    for i in range(_U64(starts + K - S)):
        ranks[i] = _U32(min(sixteen[i], back_sixteen[i]) * _ODD_32)
    for i in range(_U64(starts)):
        middle = ranks[i + _2]
        chosen[i] = _U8(
            (middle <= ranks[i])
            & (middle <= ranks[i + _1])
            & (middle <= ranks[i + _3])
            & (middle <= ranks[i + _4])
        )
    worst = _U8(0)
    for i in range(codes.size):
        worst |= codes[i]
    if worst > 3:
        for i in range(codes.size):
            if codes[i] > 3:
                chosen[max(i - K + 1, 0) : min(i + 1, starts)] = 0


@kernel
def syncmers(codes, begin, end, hashes, places):
    """Find the canonical syncmers of codes[begin:end].

    codes: uint8[], 0 to 3, anything else breaks the k-mer. hashes: uint64[>= end - begin], takes
    hash_kmer of the canonical k-mer. places: int64[same], takes 2 * (start of the k-mer) + strand,
    strand 1 where the reverse complement is the canonical one. Palindromes are left out.
    Returns how many were found.
    """
    two, back_two = np.empty(_ROOM, _U8), np.empty(_ROOM, _U8)
    four, back_four = np.empty(_ROOM, _U8), np.empty(_ROOM, _U8)
    eight, back_eight = np.empty(_ROOM, _U16), np.empty(_ROOM, _U16)
    sixteen, back_sixteen = np.empty(_ROOM, _U32), np.empty(_ROOM, _U32)
    ranks, chosen = np.empty(_ROOM, _U32), np.empty(_ROOM, _U8)
    picked = np.empty(_ROOM, np.int32)
    found = 0
    for at in range(begin, end - K + 1, _BLOCK):
        starts = min(_BLOCK, end - K + 1 - at)
        block = codes[at : at + starts + K - 1]
        _pack(block, two, four, eight, sixteen, back_two, back_four, back_eight, back_sixteen)
        _choose(block, sixteen, back_sixteen, ranks, chosen)
        n = 0
        for i in range(starts):
            picked[n] = i
            n += chosen[i]
        for k in range(n):
            i = picked[k]
            forward = (_U64(sixteen[i]) << _8) | _U64(four[i + S])
            backward = (_U64(back_four[i + S]) << _32) | _U64(back_sixteen[i])
            reverse = backward < forward
            hashes[found] = hash_kmer(backward if reverse else forward)
            places[found] = 2 * (at + i) + reverse
            found += forward != backward
    return found
