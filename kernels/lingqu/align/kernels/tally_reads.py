"""Counts over reads as sequenced: lengths, qualities, bases, GC, adapters; by FastQC's definitions.

What stands where in a table is the cycle, from 0; of cycles from CYCLES on only lengths are told.
"""

from typing import NamedTuple

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.sequence.codes import encode

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

_ACGT = 4
_MOST = 255  # reads between two emptyings of counters of one byte
_WHOLE, _COARSE = 100, 5151
_ONE, _TWO, _THREE, _FOUR = (np.uint8(n) for n in range(1, 5))
_BIT, _EIGHT = np.uint64(1), np.uint64(8)


def _words(at: int) -> tuple[np.uint8, ...]:
    """The four bases from `at` on of each kit, two bits each."""
    return tuple(np.uint8(encode(kit)[at : at + 4] @ [1, 4, 16, 64]) for kit in KITS.values())


_FIRST, _LAST = _words(0), _words(KIT - 4)


class ReadTally(NamedTuple):
    """Counts of the reads of one mate (int32)."""

    quality: np.ndarray  # [CYCLES, QUALITIES]
    bases: np.ndarray  # [CYCLES, 4]: A, C, G, T
    length: np.ndarray  # [CYCLES + 1], the last: of CYCLES and more bases
    total: np.ndarray  # [1], bases
    mean: np.ndarray  # [QUALITIES], reads by their mean quality, rounded down
    gc: np.ndarray  # [GC_CELLS], see gc_cell
    adapter: np.ndarray  # [len(KITS) + 1, CYCLES], reads by where it begins; last: by trimming


@leaf
def gc_cell(length):
    """The first of length + 1 cells: reads by their G and C, of those so long.

    FastQC cuts reads to whole hundreds of bases, so these are 1 to 100, 200, 300, ..., 1000.
    """
    if length <= _WHOLE:
        return length * (length + 1) // 2
    hundreds = length // _WHOLE
    return _COARSE + _WHOLE * ((hundreds - 1) * hundreds // 2 - 1) + hundreds - 2


GC_CELLS = 10_560


@leaf
def _count_qualities(scores, shown, zero, cells, mean):
    """Count the qualities (uint8[]) of a read: by cycle as far as `shown`, and their mean.

    cells: the table of qualities by cycle, flat, which is twice as fast.
    """
    total, size = np.uint32(0), np.int64(len(scores))
    row = np.uint64(0) - np.uint64(zero)
    for i in range(np.uint64(shown)):
        cells[row + np.uint64(scores[i])] += 1
        row += np.uint64(QUALITIES)
    for i in range(size):
        total += np.uint32(scores[i])
    mean[np.int64(total) // size - zero] += 1


@leaf
def _count_bases(read, seen):
    """Count the bases of a read in seen (uint8[4, CYCLES]): one step of vector code for 32."""
    for base in range(_ACGT):
        row, code = seen[base], np.uint8(base)
        for i in range(len(read)):
            row[i] += np.uint8(read[i] == code)


@leaf
def _empty_seen(seen, cycles, bases):
    """Add seen to bases for so many cycles, and clear it."""
    for base in range(_ACGT):
        for i in range(cycles):
            bases[i, base] += seen[base, i]
            seen[base, i] = 0


@leaf
def _count_gc(read, gc):
    """Count the read among those with as many G and C in their first whole hundred bases."""
    size, found = len(read), np.uint32(0)
    if size > _WHOLE:
        size = size // _WHOLE * _WHOLE
    for i in range(size):
        found += np.uint32((read[i] == 1) | (read[i] == 2))
    gc[gc_cell(size) + found] += 1


@leaf
def _fours(read, words):
    """Fill words[i] (uint8) with bases i to i + 3 of a read, two bits each."""
    for i in range(np.uint64(len(read) - 3)):
        low = (read[i] & _THREE) | ((read[i + _ONE] & _THREE) << _TWO)
        high = (read[i + _TWO] & _THREE) | ((read[i + _THREE] & _THREE) << _TWO)
        words[i] = low | (high << _FOUR)


@leaf
def _mark_kits(words, places, hits):
    """Set hits[i] (uint8) where first and last word of a kit stand: one step of vector code for 32
    of the places. Whether any is set.
    """
    some = np.uint8(0)
    for i in range(np.uint64(places)):
        a, b = words[i], words[i + _EIGHT]
        hit = np.uint8(a == _FIRST[0]) & np.uint8(b == _LAST[0])
        hit |= np.uint8(a == _FIRST[1]) & np.uint8(b == _LAST[1])
        hit |= np.uint8(a == _FIRST[2]) & np.uint8(b == _LAST[2])
        hit |= np.uint8(a == _FIRST[3]) & np.uint8(b == _LAST[3])
        hit |= np.uint8(a == _FIRST[4]) & np.uint8(b == _LAST[4])
        hit |= np.uint8(a == _FIRST[5]) & np.uint8(b == _LAST[5])
        hits[i] = hit
    for i in range(places):
        some |= hits[i]
    return some != 0


@leaf
def _count_kits(read, places, kits, hits, adapter):
    """Count where each kit (uint8[n, KIT]) stands first in a read; hits tells where to look."""
    seen = np.uint64(0)
    for i in range(places):
        if not hits[i]:
            continue
        for kit in range(len(kits)):
            k = 0
            while k < KIT and read[i + k] == kits[kit, k]:
                k += 1
            if k == KIT and not seen >> np.uint64(kit) & _BIT:
                adapter[kit, i] += 1
                seen |= _BIT << np.uint64(kit)


@leaf
def _count_rows(
    rows, quals, qual_start, zero, codes, start, length, keep, kits, words, hits, seen, cells, tally
):
    """`count_reads`; cells: its table of qualities by cycle, flat."""
    waiting = longest = 0
    for r in rows:
        size = np.int64(length[r])
        shown = min(size, CYCLES)
        tally.length[shown] += 1
        tally.total[0] += size
        if keep[r] < size:
            tally.adapter[len(kits), min(keep[r], CYCLES - 1)] += 1
        if not size:
            continue
        read = codes[start[r] : start[r] + shown]
        if qual_start[r] >= 0:
            scores = quals[qual_start[r] : qual_start[r] + size]
            _count_qualities(scores, shown, zero, cells, tally.mean)
        _count_bases(read, seen)
        longest, waiting = max(longest, shown), waiting + 1
        if waiting == _MOST:
            _empty_seen(seen, longest, tally.bases)
            waiting = longest = 0
        _count_gc(read, tally.gc)
        places = shown - KIT + 1
        if places > 0:
            _fours(read, words)
            if _mark_kits(words, places, hits):
                _count_kits(read, places, kits, hits, tally.adapter)
    _empty_seen(seen, longest, tally.bases)


@kernel
def count_reads(
    rows, quals, qual_start, zero, codes, start, length, keep, kits, words, hits, seen, tally
):
    """Add reads to a tally.

    rows (int64[]): which ones. quals (uint8): Phred scores + zero at qual_start[r] (int64), of
    reads with a qual_start below 0 none. codes, start, length, keep: as of ReadBatch. kits: KITS
    as codes (uint8[n, KIT]). Scratch: words, hits (uint8[CYCLES]), seen (uint8[4, CYCLES], zeros in
    and out). tally: ReadTally.
    """
    _count_rows(
        rows, quals, qual_start, zero, codes, start, length, keep, kits, words, hits, seen,
        tally.quality.reshape(-1), tally,
    )  # fmt: skip


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
