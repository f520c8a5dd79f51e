"""Local assembly: detours from the reference in a de Bruijn graph of the reads.

The k-mers of a window's reads and of the reference there form a graph. A detour leaves the
reference at a k-mer that stands once in the window, runs over k-mers that enough reads hold, and
comes back at another such k-mer: ahead (a substitution, a deletion, a short insertion) or behind (a
duplication). All detours are listed one by one, so that no cap on whole haplotypes loses one.
Compare GATK HaplotypeCaller (Poplin et al. 2018) and Platypus (Rimmer et al. 2014).
"""

import numpy as np

from lingqu.base.jit import kernel

SLOTS = 1 << 14
"""Size of the hash table of k-mers, a power of two."""
MAX_PATH = 400
"""Longest detour."""
DEPTH = 200
"""Of more reads over a place, a fair part is used."""
_MAX_STEPS = 6000
_MIN_QUALITY = 10
_EMPTY = -3
_SEVERAL = -2
_NONE = -1
_BASE = np.uint64(0xD1342543DE82EF95)
_ONE = np.uint64(1)


@kernel
def _power(k):
    """What the oldest base of a k-mer weighs in its word."""
    weight = _ONE
    for _ in range(k - 1):
        weight *= _BASE
    return weight


@kernel
def _roll(word, old, new, weight):
    """The word of the next k-mer: a polynomial of the bases modulo 2^64, for any k.

    old, new: codes of the base that leaves and of the one that comes (Karp and Rabin 1987).
    """
    return (word - (np.uint64(old) + _ONE) * weight) * _BASE + np.uint64(new) + _ONE


@kernel
def _next(word, codes, i, good, k, weight):
    """The word of the k-mer that ends at codes[i]; good: its bases so far, with this one."""
    if good > k:
        return _roll(word, codes[i - k], codes[i], weight)
    return word * _BASE + np.uint64(codes[i]) + _ONE


@kernel
def _find(word, words, place):
    """Slot of a k-mer, or the empty one where it belongs; -1 where the table is full."""
    slot = np.int64((word * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(50))
    for _ in range(SLOTS):
        if place[slot] == _EMPTY or words[slot] == word:
            return slot
        slot = (slot + 1) & (SLOTS - 1)
    return np.int64(-1)


@kernel
def _load_reference(ref, begin, end, k, words, place, count):
    """Enter the k-mers of the reference; returns whether one stands there twice."""
    twice = False
    for slot in range(SLOTS):
        place[slot] = _EMPTY
        count[slot] = 0
    weight = _power(k)
    word = np.uint64(0)
    good = np.int64(0)
    for i in range(begin, end):
        if ref[i] > 3:
            good = 0
            word = np.uint64(0)
            continue
        good += 1
        word = _next(word, ref, i, good, k, weight)
        if good >= k:
            slot = _find(word, words, place)
            if place[slot] == _EMPTY:
                words[slot] = word
                place[slot] = i - k + 1
            else:
                place[slot] = _SEVERAL
                twice = True
    return twice


@kernel
def _load_reads(reads, share, from_read, begin, end, min_mapq, k, words, place, count):
    """Count the k-mers of the reads over the window; False where the table is too small.

    share: part of the templates that is used, those whose names have the smallest hashes.
    """
    weight = _power(k)
    used = np.int64(0)
    for r in range(from_read, len(reads.pos)):
        if reads.pos[r] >= end:
            break
        if reads.end[r] <= begin or reads.mapq[r] < min_mapq:
            continue
        if np.float64(reads.name_hash[r] >> np.uint64(11)) * 2.0**-53 > share:
            continue
        word = np.uint64(0)
        good = np.int64(0)
        base = reads.base_start[r]
        for i in range(base + reads.low[r], base + reads.high[r]):
            if reads.codes[i] > 3 or reads.quals[i] < _MIN_QUALITY:
                good = 0
                word = np.uint64(0)
                continue
            good += 1
            word = _next(word, reads.codes, i, good, k, weight)
            if good >= k:
                slot = _find(word, words, place)
                if place[slot] == _EMPTY:
                    used += 1
                    if used > SLOTS // 2:
                        return False
                    words[slot] = word
                    place[slot] = _NONE
                count[slot] += 1
    return True


@kernel
def assemble(
    reads, from_read, ref, begin, end, min_mapq, k, depth, words, place, count, path, tried, slots,
    stack, found, bases, n, filled,
):  # fmt: skip
    """List the detours of ref[begin:end] that a 15th of the k-mers, at least two, hold all along.

    depth: k-mers of reads over a place of the window, on the mean. Of more than DEPTH, or of more
    than the table of k-mers takes (errors make new ones), a fair part is used, by the hash of their
    names. words: uint64[SLOTS], place, count: int32[SLOTS], path, tried: uint8[MAX_PATH + 1],
    slots: int64[MAX_PATH + 1], stack: uint64[MAX_PATH + 2]: scratch. No k-mer comes twice in a
    detour: how often a cycle was run through, the k-mers cannot tell.
    found: int32[m, 4], from row n on: start, bases removed, bases put in, their place in `bases`
    (uint8, from `filled` on), not in normal form. Returns (n, filled) after it, and whether a k-mer
    stands twice in the reference, so that a longer one would tell more.
    """
    share = min(1.0, DEPTH / max(depth, 1))
    twice = _load_reference(ref, begin, end, k, words, place, count)
    while not _load_reads(reads, share, from_read, begin, end, min_mapq, k, words, place, count):
        share /= 2
        _load_reference(ref, begin, end, k, words, place, count)
    least = max(2, np.int64(depth * share) // 15)
    weight = _power(k)
    for p in range(begin, end - k):
        word = np.uint64(0)
        plain = True
        for i in range(p, p + k):
            plain = plain and ref[i] < 4
            word = word * _BASE + np.uint64(ref[i]) + _ONE
        if not plain or place[_find(word, words, place)] != p:
            continue
        depth = np.int64(0)
        tried[0] = 0
        steps = np.int64(0)
        stack[0] = word
        while depth >= 0 and steps < _MAX_STEPS:
            if tried[depth] > 3:
                depth -= 1
                continue
            code = tried[depth]
            tried[depth] += 1
            if depth == 0 and code == ref[p + k]:
                continue
            steps += 1
            path[depth] = code
            old = ref[p + depth] if depth < k else path[depth - k]
            word = _roll(stack[depth], old, code, weight)
            slot = _find(word, words, place)
            if slot < 0 or place[slot] == _EMPTY or count[slot] < least:
                continue
            q = np.int64(place[slot])
            if q >= 0:
                removed = max(q - p, 0)
                again = max(p - q, 0)
                put = depth + 1 + again
                if n < len(found) and filled + put <= len(bases) and put <= MAX_PATH:
                    found[n, 0] = p + k
                    found[n, 1] = removed
                    found[n, 2] = put
                    found[n, 3] = filled
                    for i in range(depth + 1):
                        bases[filled + i] = path[i]
                    for i in range(again):
                        bases[filled + depth + 1 + i] = ref[q + k + i]
                    filled += put
                    n += 1
            elif depth < MAX_PATH - 1:
                cycle = False
                for i in range(depth):
                    cycle = cycle or slots[i] == slot
                if not cycle:
                    slots[depth] = slot
                    depth += 1
                    stack[depth] = word
                    tried[depth] = 0
    return n, filled, twice
