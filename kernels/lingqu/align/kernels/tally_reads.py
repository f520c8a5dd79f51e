"""Counts over reads as sequenced: lengths, qualities, bases, GC, adapters; by FastQC's definitions.

What stands where in a table is the cycle, from 0; of cycles from CYCLES on only lengths are told.
"""

from typing import NamedTuple

import numpy as np

from lingqu.base.jit import kernel

CYCLES, QUALITIES = 1000, 94
PREFIX = 50
"""Bases by which FastQC tells sequences apart."""

KITS = {
    "Illumina Universal Adapter": b"AGATCGGAAGAG",
    "Illumina Small RNA 3' Adapter": b"TGGAATTCTCGG",
    "Illumina Small RNA 5' Adapter": b"GATCGTCGGACT",
    "Nextera Transposase Sequence": b"CTGTCTCTTATA",
    "PolyA": b"AAAAAAAAAAAA",
    "PolyG": b"GGGGGGGGGGGG",
}
"""The adapters that FastQC looks for."""

KIT = 12
"""Their length, in bases."""

_WORDS = 3
_ACGT = 4
_MOST = 255  # reads between two emptyings of counters of one byte
_WHOLE, _COARSE = 100, 5151
_ONE, _TWO, _THREE, _FOUR, _EIGHT = (np.uint8(n) for n in (1, 2, 3, 4, 8))


class ReadTally(NamedTuple):
    """Counts of the reads of one mate (int32)."""

    quality: np.ndarray  # [CYCLES, QUALITIES]
    bases: np.ndarray  # [CYCLES, 4]: A, C, G, T
    length: np.ndarray  # [CYCLES + 1], the last: of CYCLES and more bases
    total: np.ndarray  # [1], bases
    mean: np.ndarray  # [QUALITIES], reads by their mean quality, rounded down
    gc: np.ndarray  # [GC_CELLS], see gc_cell
    adapter: np.ndarray  # [len(KITS) + 1, CYCLES], reads by where it begins; last: by trimming


@kernel
def gc_cell(length):
    """The first of length + 1 cells: reads by their G and C, of those so long.

    FastQC cuts reads to whole hundreds of bases, so these are 1 to 100, 200, 300, ..., 1000.
    """
    if length <= _WHOLE:
        return length * (length + 1) // 2
    hundreds = length // _WHOLE
    return _COARSE + _WHOLE * ((hundreds - 1) * hundreds // 2 - 1) + hundreds - 2


GC_CELLS = 10_560


@kernel
def _count_qualities(quals, at, size, shown, zero, table, mean):
    """Count the qualities of a read: by cycle as far as `shown`, and their mean."""
    begin, zero, total = np.uint64(at), np.uint64(zero), np.uint64(0)
    for i in range(np.uint64(shown)):
        score = np.uint64(quals[begin + i]) - zero
        table[i, score] += 1
        total += score
    for i in range(np.uint64(shown), np.uint64(size)):
        total += np.uint64(quals[begin + i]) - zero
    mean[np.int64(total) // size] += 1


@kernel
def _count_bases(codes, at, shown, seen):
    """Count the bases of a read in seen (uint8[4, CYCLES]): one step of vector code for 32."""
    begin = np.uint64(at)
    for base in range(_ACGT):
        row, code = seen[base], np.uint8(base)
        for i in range(np.uint64(shown)):
            row[i] += np.uint8(codes[begin + i] == code)


@kernel
def _empty_seen(seen, cycles, bases):
    """Add seen to bases for so many cycles, and clear it."""
    for base in range(_ACGT):
        for i in range(cycles):
            bases[i, base] += seen[base, i]
            seen[base, i] = 0


@kernel
def _count_gc(codes, at, shown, gc):
    """Count the read among those with as many G and C in their first whole hundred bases."""
    size = shown if shown <= _WHOLE else shown // _WHOLE * _WHOLE
    begin, found = np.uint64(at), np.uint32(0)
    for i in range(np.uint64(size)):
        code = codes[begin + i]
        found += np.uint32((code == 1) | (code == 2))
    if size:
        gc[gc_cell(size) + found] += 1


@kernel
def _fours(codes, at, size, words):
    """Fill words[i] (uint8) with bases i to i + 3 of a read, two bits each."""
    read = codes[at : at + size]
    for i in range(np.uint64(max(size - 3, 0))):
        low = (read[i] & _THREE) | ((read[i + _ONE] & _THREE) << _TWO)
        high = (read[i + _TWO] & _THREE) | ((read[i + _THREE] & _THREE) << _TWO)
        words[i] = low | (high << _FOUR)


@kernel
def _some_kit(words, places, kit_words):
    """Whether a kit's words stand somewhere in the first places of a read."""
    some = np.uint8(0)
    for kit in range(len(kit_words)):
        a, b, c = kit_words[kit, 0], kit_words[kit, 1], kit_words[kit, 2]
        for i in range(np.uint64(places)):
            hit = (words[i] == a) & (words[i + _FOUR] == b) & (words[i + _EIGHT] == c)
            some |= np.uint8(hit)
    return some != 0


@kernel
def _first_place(codes, at, places, kit):
    """The first of the places of a read where kit (uint8[KIT]) stands, or -1."""
    for i in range(places):
        k = 0
        while k < KIT and codes[at + i + k] == kit[k]:
            k += 1
        if k == KIT:
            return i
    return -1


@kernel
def count_reads(
    rows, quals, qual_start, zero, codes, start, length, keep, kits, kit_words, words, seen, tally
):
    """Add reads to a tally.

    rows (int64[]): which ones. quals (uint8): Phred scores + zero at qual_start[r] (int64), of
    reads with a qual_start below 0 none. codes, start, length, keep: as of ReadBatch. kits,
    kit_words: uint8[n, KIT] codes, and uint8[n, 3], their words of four bases. Scratch: words
    (uint8[CYCLES]), seen (uint8[4, CYCLES], zeros in and out). tally: ReadTally.
    """
    waiting = longest = 0
    for r in rows:
        size = np.int64(length[r])
        shown, at = min(size, CYCLES), start[r]
        tally.length[shown] += 1
        tally.total[0] += size
        if keep[r] < size:
            tally.adapter[len(kits), min(keep[r], CYCLES - 1)] += 1
        if not size:
            continue
        if qual_start[r] >= 0:
            _count_qualities(quals, qual_start[r], size, shown, zero, tally.quality, tally.mean)
        _count_bases(codes, at, shown, seen)
        longest, waiting = max(longest, shown), waiting + 1
        if waiting == _MOST:
            _empty_seen(seen, longest, tally.bases)
            waiting = longest = 0
        _count_gc(codes, at, shown, tally.gc)
        places = shown - KIT + 1
        _fours(codes, at, shown, words)
        if places > 0 and _some_kit(words, places, kit_words):
            for kit in range(len(kits)):
                place = _first_place(codes, at, places, kits[kit])
                if place >= 0:
                    tally.adapter[kit, place] += 1
    _empty_seen(seen, longest, tally.bases)


@kernel
def hash_prefixes(codes, start, length, table, out):
    """out[r] (uint64): a number that tells the first PREFIX bases of a read, never 0.

    table: uint64[PREFIX, 5], random (Zobrist 1970). Two of a billion sequences share a number with
    a chance of 3 in 100, two of the 100,000 that are counted with one in a billion.
    """
    for r in range(len(length)):
        begin, word = np.uint64(start[r]), np.uint64(0)
        for i in range(np.uint64(min(length[r], PREFIX))):
            word ^= table[i, codes[begin + i]]
        out[r] = max(word, np.uint64(1))
