"""Find where the insert of a read ends and adapter begins.

A pair whose insert is shorter than its reads tells so itself: the first bases of one read are the
reverse complement of the other's, and known adapters follow. Single reads, and pairs with next to
no insert, are searched for the adapters of the common library kits.
"""

from functools import cache

import numpy as np

from lingqu.base.jit import kernel
from lingqu.sequence.codes import encode

MIN_KEEP = 20
"""Inserts shorter than this many bases are taken for none."""

SURE_OVERLAP = 100
"""Bases of overlap that tell an insert size without a known adapter behind it.

Copies of one repeat on opposite strands, such as Alu, lie within the reach of a pair everywhere.
"""

_WORD = 32
_WRONG = 4
_ONE, _TWO, _THREE, _FOUR = (np.uint8(n) for n in range(1, 5))
_BEFORE = np.uint64(12)
_AT = tuple(np.uint64(28 - 4 * j) for j in range(8))
_AGREE = _WORD // 4 - _WRONG  # words of the head: each difference spoils one at most
_FOURS = 255 - np.arange(256)
_TURNED = sum(((_FOURS >> 2 * i) & 3) << (6 - 2 * i) for i in range(4)).astype(np.uint8)
_SEED = 12
_HEAD = 4
_TAIL = 8
KITS = {
    "Illumina TruSeq, read 1": b"AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC",
    "Illumina TruSeq, read 2": b"AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT",
    "Illumina Nextera, read 1": b"CTGTCTCTTATACACATCTCCGAGCCCACGAGAC",
    "Illumina Nextera, read 2": b"CTGTCTCTTATACACATCTGACGCTGCCGACGA",
    "Illumina TruSeq Small RNA, read 1": b"TGGAATTCTCGGGTGCCAAGGAACTCCAGTCAC",
    "Illumina TruSeq Small RNA, read 2": b"GATCGTCGGACTGTAGAACTCTGAACGTGTAGA",
    "MGI, read 1": b"AAGTCGGAGGCCAAGCGGTCTTAGGAAGACAA",
    "MGI, read 2": b"AAGTCGGATCGTAGCCATGTCGTTCTGTGAGCC",
}
"""Adapters of the common library kits."""


@cache
def adapters() -> tuple[np.ndarray, np.ndarray]:
    """The known adapters: codes, and the words of four bases that begin one.

    uint8[kits, 32], cut to one length, and bool[256], the words packed to 2 bits a base.
    """
    known = np.array([encode(kit[:_WORD]) for kit in KITS.values()])
    heads = np.zeros(4**_HEAD, np.bool_)
    heads[known[:, :_HEAD] @ np.array([1, 4, 16, 64])] = True
    return known, heads


@kernel
def _adapter_at(codes, at, end, known):
    """Whether codes[at:end] begins as a known adapter: 1 base in 8 may differ from 12 on."""
    size = min(end - at, known.shape[1])
    allowed = size // 8 if size >= _SEED else 0
    begin, best = np.uint64(at), size
    for kit in range(known.shape[0]):
        wrong, adapter = np.uint8(0), known[kit]
        for i in range(np.uint64(size)):
            wrong += np.uint8(codes[begin + i] != adapter[i])
        best = min(best, np.int64(wrong))
    return best <= allowed


@kernel
def find_adapter(codes, start, length, last, known, heads):
    """Where a known adapter begins in codes[start:][:length], at most at `last`; else `length`.

    Its first 4 bases must be there (`heads`); 12 bases must be seen, or 8 without a difference at
    the read's end.
    """
    end, head = start + length, 0
    for i in range(min(last + _HEAD, length)):
        head = (head >> 2) | ((codes[start + i] & 3) << 6)
        at = start + i - _HEAD + 1
        if i < _HEAD - 1 or not heads[head] or end - at < _TAIL:
            continue
        if _adapter_at(codes, at, end, known):
            return at - start
    return length


@kernel
def _is_dimer(codes, start, length, words, known, heads):
    """Whether a known adapter begins in the first 20 bases; words: as of `_words`."""
    some = False
    for i in range(min(MIN_KEEP, length - _HEAD + 1)):
        some |= heads[words[_BEFORE + i]]
    return some and find_adapter(codes, start, length, MIN_KEEP - 1, known, heads) < length


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
def _words(codes, start, length, words):
    """Fill words[12 + i] (uint8) with bases i to i + 3 of a read, the first in the low bits."""
    read = codes[start : start + length]
    for i in range(np.uint64(max(length - 3, 0))):
        low = (read[i] & _THREE) | ((read[i + _ONE] & _THREE) << _TWO)
        high = (read[i + _TWO] & _THREE) | ((read[i + _THREE] & _THREE) << _TWO)
        words[i + _BEFORE] = low | (high << _FOUR)


@kernel
def _head_words(codes, start, length, words):
    """A read's first 32 bases by fours, each four reverse complemented: eight of uint8.

    words: of this read; what a read of under 32 bases lacks counts as A.
    """
    if length < _WORD:
        padded = np.zeros(_WORD, np.uint8)
        padded[:length] = codes[start : start + length]
        _words(padded, 0, _WORD, words)
    first = words[12:]
    return (
        _TURNED[first[0]], _TURNED[first[4]], _TURNED[first[8]], _TURNED[first[12]],
        _TURNED[first[16]], _TURNED[first[20]], _TURNED[first[24]], _TURNED[first[28]],
    )  # fmt: skip


@kernel
def _count_words(head, words, places, hits):
    """Set hits[i] (uint8), i < places, to how many of head's words stand where an insert of
    20 + i bases would have them: one step of vector code for 32 places. Returns the most.

    What an insert of under 32 bases has not is counted as there.
    """
    h0, h1, h2, h3, h4, h5, h6, h7 = head
    for i in range(np.uint64(places)):
        found = np.uint8(words[i + _AT[0]] == h0) + np.uint8(words[i + _AT[1]] == h1)
        found += np.uint8(words[i + _AT[2]] == h2) + np.uint8(words[i + _AT[3]] == h3)
        found += np.uint8(words[i + _AT[4]] == h4) + np.uint8(words[i + _AT[5]] == h5)
        found += np.uint8(words[i + _AT[6]] == h6) + np.uint8(words[i + _AT[7]] == h7)
        hits[i] = found
    for i in range(min(places, _WORD - MIN_KEEP)):
        hits[i] += (_WORD - i - MIN_KEEP + 3) // 4
    most = np.uint8(0)
    for i in range(places):
        most = max(most, hits[i])
    return most


@kernel
def _heads_agree(codes, a, a_len, b, insert):
    """Whether of the first 32 bases of the read at a at most 4 differ from the other's."""
    wrong = 0
    for i in range(min(insert, _WORD)):
        base = codes[a + i] & 3 if i < a_len else 0
        wrong += base != 3 - (codes[b + insert - 1 - i] & 3)
    return wrong <= _WRONG


@kernel
def find_insert(codes, a, a_len, b, b_len, known, a_words, b_words, hits):
    """Insert size of a pair where it is less than the longer read, else that read's length.

    a: start of the shorter read in codes, b: of the longer. Where enough words of four bases of
    the one's head stand in the other, the heads, and then all that overlaps, are compared. A short
    overlap counts with a known adapter behind it only, where one could be seen, and so does any
    where several fit (repeats). a_words, b_words: as of `_words`. hits: uint8 scratch of b_len.
    """
    found, fits = b_len, 0
    head = _head_words(codes, a, a_len, a_words)
    if _count_words(head, b_words, b_len - MIN_KEEP, hits) < _AGREE:
        return found
    for insert in range(MIN_KEEP, b_len):
        if hits[insert - MIN_KEEP] < _AGREE or not _heads_agree(codes, a, a_len, b, insert):
            continue
        if not _overlaps(codes, a, a_len, b, b_len, insert):
            continue
        tail = b_len - insert
        if tail >= _TAIL and _adapter_at(codes, b + insert, b + b_len, known):
            return insert
        if insert >= SURE_OVERLAP or (tail < _TAIL and insert >= _WORD):
            found, fits = insert, fits + 1
    return found if fits == 1 else b_len


@kernel
def _trim_pair(codes, start, length, r, known, heads, words, hits, keep):
    """`trim` of the pair of reads r and r + 1; words: two rows of scratch."""
    for k in range(2):
        _words(codes, start[r + k], length[r + k], words[k])
    s, g = (0, 1) if length[r] <= length[r + 1] else (1, 0)
    insert = find_insert(
        codes, start[r + s], length[r + s], start[r + g], length[r + g], known,
        words[s], words[g], hits,
    )  # fmt: skip
    for k in range(2):
        size = length[r + k]
        dimer = _is_dimer(codes, start[r + k], size, words[k], known, heads)
        keep[r + k] = 0 if dimer else min(size, insert)


@kernel
def trim(codes, start, length, paired, known, heads, keep):
    """Set keep[r] (int32) to the leading bases of read r that are insert, 0 below 20.

    codes: uint8, start: int64[n], length: int32[n]; known, heads: from `adapters`.
    """
    longest = 0
    for r in range(len(length)):
        longest = max(longest, length[r])
    words = np.zeros((2, longest + 2 * _WORD), np.uint8)
    hits = np.empty(longest, np.uint8)
    if paired:
        for r in range(0, len(length), 2):
            _trim_pair(codes, start, length, r, known, heads, words, hits, keep)
    else:
        for r in range(len(length)):
            kept = find_adapter(codes, start[r], length[r], length[r], known, heads)
            keep[r] = kept if kept >= MIN_KEEP or kept == length[r] else 0
