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
"""Length of the s-mers that choose it; K - S + 1 is odd, so that there is a middle."""

K_MASK = np.uint64((1 << (2 * K)) - 1)
_S_MASK = np.uint64((1 << (2 * S)) - 1)
_K_TOP = np.uint64(2 * (K - 1))
_S_TOP = np.uint64(2 * (S - 1))
_WINDOW = K - S + 1
_MIDDLE = _WINDOW // 2
_ODD_1 = np.uint64(0x9E3779B97F4A7C15)
_ODD_2 = np.uint64(0xD6E8FEB86659FD93)
_U2 = np.uint64(2)
_U3 = np.uint64(3)
_U16 = np.uint64(16)
_U19 = np.uint64(19)
_U32 = np.uint64(32)


@kernel(inline="always")
def hash_kmer(word):
    """Invertible hash of a 2K-bit word (uint64) onto 2K bits: equal hashes are equal k-mers."""
    word = (word * _ODD_1) & K_MASK
    word ^= word >> _U19
    word = (word * _ODD_2) & K_MASK
    return word ^ (word >> _U16)


@kernel(inline="always")
def _hash_smer(word):
    word *= _ODD_1
    return word ^ (word >> _U32)


@kernel
def syncmers(codes, begin, end, hashes, places):
    """Find the canonical syncmers of codes[begin:end].

    codes: uint8[], 0 to 3, anything else breaks the k-mer. hashes: uint64[>= end - begin], takes
    hash_kmer of the canonical k-mer. places: int64[same], takes 2 * (start of the k-mer) + strand,
    strand 1 where the reverse complement is the canonical one. Palindromes are left out.
    Returns how many were found.
    """
    forward = np.uint64(0)
    backward = np.uint64(0)
    s_forward = np.uint64(0)
    s_backward = np.uint64(0)
    ring = np.empty(8, np.uint64)
    valid = 0
    found = 0
    for i in range(begin, end):
        code = np.uint64(codes[i])
        if code > _U3:
            valid = 0
            continue
        complement = _U3 - code
        forward = ((forward << _U2) | code) & K_MASK
        backward = (backward >> _U2) | (complement << _K_TOP)
        s_forward = ((s_forward << _U2) | code) & _S_MASK
        s_backward = (s_backward >> _U2) | (complement << _S_TOP)
        valid += 1
        if valid < S:
            continue
        ring[i & 7] = _hash_smer(min(s_forward, s_backward))
        if valid < K or forward == backward:
            continue
        middle = ring[(i - _MIDDLE) & 7]
        if (
            middle <= ring[i & 7]
            and middle <= ring[(i - 1) & 7]
            and middle <= ring[(i - 3) & 7]
            and middle <= ring[(i - 4) & 7]
        ):
            reverse = backward < forward
            hashes[found] = hash_kmer(backward if reverse else forward)
            places[found] = 2 * (i - K + 1) + (1 if reverse else 0)
            found += 1
    return found
