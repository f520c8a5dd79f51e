"""Find where the insert of a read ends and adapter begins.

A pair whose insert is shorter than its reads tells so itself: the first bases of one read are the
reverse complement of the other's. Single reads, and pairs with next to no insert, are searched
for the adapters of the common library kits.
"""

from functools import cache

import numpy as np

from lingqu.base.jit import kernel
from lingqu.sequence.codes import encode

MIN_KEEP = 20
"""Inserts shorter than this many bases are taken for none."""

SURE_OVERLAP = 32
"""Bases of overlap that tell an insert size without a known adapter behind it."""

_WORD = 32
_SEED = 12
_HEAD = 4
_TAIL = 8
_KITS = (
    b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC",  # Illumina TruSeq, read 1
    b"AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT",  # Illumina TruSeq, read 2
    b"CTGTCTCTTATACACATCTCCGAGCCCACGAGAC",  # Illumina Nextera, read 1
    b"CTGTCTCTTATACACATCTGACGCTGCCGACGA",  # Illumina Nextera, read 2
    b"TGGAATTCTCGGGTGCCAAGGAACTCCAGTCAC",  # Illumina TruSeq Small RNA, read 1
    b"GATCGTCGGACTGTAGAACTCTGAACGTGTAGA",  # Illumina TruSeq Small RNA, read 2
    b"AAGTCGGAGGCCAAGCGGTCTTAGGAAGACAA",  # MGI, read 1
    b"AAGTCGGATCGTAGCCATGTCGTTCTGTGAGCC",  # MGI, read 2
)


@cache
def adapters() -> tuple[np.ndarray, np.ndarray]:
    """The known adapters: codes, and the words of four bases that begin one.

    uint8[kits, 32], cut to one length, and bool[256], the words packed to 2 bits a base.
    """
    known = np.array([encode(kit[:_WORD]) for kit in _KITS])
    heads = np.zeros(4**_HEAD, np.bool_)
    heads[known[:, :_HEAD] @ np.array([64, 16, 4, 1])] = True
    return known, heads


@kernel(inline="always")
def _differences(a, b):
    """Bases that differ between two words of 32 bases (2 bits each), as a word of flags."""
    x = a ^ b
    return (x | (x >> np.uint64(1))) & np.uint64(0x5555555555555555)


@kernel(inline="always")
def _count(flags):
    """Flags set in the even bits of a word."""
    two, four = np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
    x = (flags & two) + ((flags >> np.uint64(2)) & two)
    x = (x + (x >> np.uint64(4))) & four
    return np.int64((x * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def _adapter_at(codes, at, end, known):
    """Whether codes[at:end] begins as a known adapter: 1 base in 8 may differ from 12 on."""
    size = min(end - at, known.shape[1])
    allowed = size // 8 if size >= _SEED else 0
    for kit in range(known.shape[0]):
        wrong = 0
        for i in range(size):
            wrong += codes[at + i] != known[kit, i]
            if wrong > allowed:
                break
        if wrong <= allowed:
            return True
    return False


@kernel
def find_adapter(codes, start, length, last, known, heads):
    """Where a known adapter begins in codes[start:][:length], at most at `last`; else `length`.

    Its first 4 bases must be there (`heads`); 12 bases must be seen, or 8 without a difference at
    the read's end.
    """
    end, head = start + length, 0
    for i in range(min(last + _HEAD, length)):
        head = ((head << 2) | (codes[start + i] & 3)) & 255
        at = start + i - _HEAD + 1
        if i < _HEAD - 1 or not heads[head] or end - at < _TAIL:
            continue
        if _adapter_at(codes, at, end, known):
            return at - start
    return length


@kernel
def _overlaps(codes, a, a_len, b, b_len, insert):
    """Whether reads at a and b are the two ends of `insert` bases: 1 base in 10 may differ."""
    first, stop = max(0, insert - b_len), min(insert, a_len)
    allowed, wrong = (stop - first) // 10, 0
    for i in range(first, stop):
        base = codes[b + insert - 1 - i]
        wrong += base > 3 or codes[a + i] != 3 - base
        if wrong > allowed:
            return False
    return True


@kernel
def find_insert(codes, a, a_len, b, b_len, known):
    """Insert size of a pair where it is less than the longer read, else that read's length.

    a: start of the shorter read in codes, b: of the longer. The first 32 bases of the one slide
    over the other as packed words; what differs in at most 4 is compared in full. A short overlap
    counts with a known adapter behind it only, and so does any where several fit (repeats).
    """
    word, slide = np.uint64(0), np.uint64(0)
    for i in range(min(_WORD, a_len)):
        word |= np.uint64(codes[a + i] & 3) << np.uint64(62 - 2 * i)
    found, fits = b_len, 0
    for insert in range(1, b_len):
        base = np.uint64(3 - (codes[b + insert - 1] & 3))
        slide = (slide >> np.uint64(2)) | (base << np.uint64(62))
        if insert < MIN_KEEP:
            continue
        flags = _differences(word, slide)
        if insert < _WORD:
            flags &= ~np.uint64(0) << np.uint64(64 - 2 * insert)
        if _count(flags) > 4 or not _overlaps(codes, a, a_len, b, b_len, insert):
            continue
        tail = b_len - insert
        if tail >= _TAIL and _adapter_at(codes, b + insert, b + b_len, known):
            return insert
        if insert >= SURE_OVERLAP:
            found, fits = insert, fits + 1
    return found if fits == 1 else b_len


@kernel
def trim(codes, start, length, paired, known, heads, keep):
    """Set keep[r] (int32) to the leading bases of read r that are insert, 0 below 20.

    codes: uint8, start: int64[n], length: int32[n]; known, heads: from `adapters`.
    """
    step = 2 if paired else 1
    for r in range(0, len(length), step):
        if not paired:
            kept = find_adapter(codes, start[r], length[r], length[r], known, heads)
            keep[r] = kept if kept >= MIN_KEEP or kept == length[r] else 0
            continue
        s, g = (r, r + 1) if length[r] <= length[r + 1] else (r + 1, r)
        insert = find_insert(codes, start[s], length[s], start[g], length[g], known)
        for mate in (r, r + 1):
            size = length[mate]
            dimer = find_adapter(codes, start[mate], size, MIN_KEEP - 1, known, heads) < size
            keep[mate] = 0 if dimer else min(size, insert)
