"""Depth as mosdepth has it, and how it goes with the GC of the reference as Picard has that.

Depth of a place: records whose M, = or X lies over it, the two mates of a proper pair counted once
(mosdepth, Pedersen and Quinlan 2018). Of a pair with one mate inside the other we take what both
cover; mosdepth takes more where both CIGARs are one operation.
"""

import numpy as np

from lingqu.base.jit import kernel, leaf

PROPER, REVERSE = 0x2, 0x10
GC_WINDOW = 100
_MOST_N = 4


@leaf
def _add(cover, first, last, change):
    """Change the depth of [first, last), as far as `cover` reaches."""
    begin = max(first, np.int64(0))
    stop = min(last, np.int64(len(cover)) - 1)
    if begin < stop:
        cover[begin] += change
        cover[stop] -= change


@leaf
def _is_aligned(word):
    op = word & 15
    return op == 0 or op == 7 or op == 8


@leaf
def _over_reference(word):
    """Bases of the reference that a CIGAR word takes."""
    op = word & 15
    return np.int64(word >> 4) if _is_aligned(word) or op == 2 or op == 3 else np.int64(0)


@kernel
def add_aligned(pos, cigar_start, cigar, start, cover):
    """Add the changes of depth at the ends of aligned bases.

    pos, cigar_start, cigar: of records, see `Alignments`. cover: int32[n + 1], place start + k of
    the contig being row k.
    """
    for r in range(len(pos)):
        at = np.int64(pos[r]) - start
        for k in range(cigar_start[r], cigar_start[r + 1]):
            size = _over_reference(cigar[k])
            if _is_aligned(cigar[k]):
                _add(cover, at, at + size, 1)
            at += size


@kernel
def _take_shared(reads, one, two, start, cover):
    """Count once what both reads cover."""
    a, last_a = reads.cigar_start[one], reads.cigar_start[one + 1]
    b, last_b = reads.cigar_start[two], reads.cigar_start[two + 1]
    at_a, at_b = np.int64(reads.pos[one]) - start, np.int64(reads.pos[two]) - start
    while a < last_a and b < last_b:
        end_a = at_a + _over_reference(reads.cigar[a])
        end_b = at_b + _over_reference(reads.cigar[b])
        first, last = max(at_a, at_b), min(end_a, end_b)
        if first < last and _is_aligned(reads.cigar[a]) and _is_aligned(reads.cigar[b]):
            _add(cover, first, last, -1)
        if end_a <= end_b:
            at_a = end_a
            a += 1
        else:
            at_b = end_b
            b += 1


@kernel
def take_overlaps(reads, template, mate, start, cover):
    """Count what the two reads of a proper pair cover both once.

    reads: Alignments. template: int32[reads], see `number_templates`. mate: int32[templates],
    scratch. start, cover: see `add_aligned`.
    """
    mate[:] = -1
    for r in range(len(reads.pos)):
        if reads.flag[r] & PROPER:
            first = mate[template[r]]
            if first < 0:
                mate[template[r]] = r
            else:
                mate[template[r]] = -1
                if reads.end[first] > reads.pos[r]:
                    _take_shared(reads, np.int64(first), np.int64(r), start, cover)


@kernel
def sum_up(cover):
    """Turn changes of depth (see `add_aligned`) into depths; returns the greatest."""
    depth = np.int32(0)
    greatest = np.int32(0)
    for k in range(len(cover)):
        depth += cover[k]
        cover[k] = depth
        greatest = max(greatest, depth)
    return greatest


@kernel
def count_depths(depth, start, codes, pairs, before, window, histogram, unknown, sums, windows):
    """Count the depths of places.

    depth: int32[n + 1], from place start on. codes: uint8, the contig. pairs: int64[m, 2], places
    [from, to) that count, sorted. histogram: int64[most + 1], places by depth, the last being that
    and more; unknown: the same of the places where the reference has N. sums: int64[2], depths and
    squares of them. windows: int64[], depths of each `window` counted places, of which `before`
    came before; row 0 is the window of the first. All are added to.
    """
    most = np.int64(len(histogram) - 1)
    first_window = before // window
    done = np.int64(before)
    for m in range(len(pairs)):
        place = pairs[m, 0]
        while place < pairs[m, 1]:
            stop = min(pairs[m, 1], place + window - done % window)
            total = np.int64(0)
            squares = np.int64(0)
            for p in range(place, stop):
                own = np.int64(depth[p - start])
                total += own
                squares += own * own
                histogram[min(own, most)] += 1
                if codes[p] > 3:
                    unknown[min(own, most)] += 1
            sums[0] += total
            sums[1] += squares
            windows[done // window - first_window] += total
            done += stop - place
            place = stop


@kernel
def count_known(depth, start, codes, pairs, histogram):
    """Add the depths of the places of `pairs` where the reference has no N; see `count_depths`."""
    most = np.int64(len(histogram) - 1)
    for m in range(len(pairs)):
        for p in range(pairs[m, 0], pairs[m, 1]):
            if codes[p] < 4:
                histogram[min(np.int64(depth[p - start]), most)] += 1


@leaf
def _is_gc(code):
    return code == 1 or code == 2


@kernel
def count_gc(codes, start, pairs, gc, windows):
    """GC of the windows of GC_WINDOW bases that begin at the places of `pairs`.

    gc: int8[n], of the window that begins at place start + k, -1 where none is wanted and where
    more than four bases are N. windows: int64[101], added to. As Picard's CollectGcBiasMetrics,
    which leaves out a contig's first window and its last.
    """
    gc[:] = -1
    for m in range(len(pairs)):
        first = max(pairs[m, 0], np.int64(1))
        last = min(pairs[m, 1], np.int64(len(codes)) - GC_WINDOW)
        if first >= last:
            continue
        strong = np.int64(0)
        unknown = np.int64(0)
        for p in range(first, first + GC_WINDOW):
            strong += _is_gc(codes[p])
            unknown += codes[p] > 3
        for p in range(first, last):
            if unknown <= _MOST_N:
                gc[p - start] = strong
                windows[strong] += 1
            ahead = codes[p + GC_WINDOW]
            strong += np.int64(_is_gc(ahead)) - np.int64(_is_gc(codes[p]))
            unknown += np.int64(ahead > 3) - np.int64(codes[p] > 3)


@kernel
def count_starts(pos, end, flag, start, gc, starts):
    """Count records by the GC of the window where they begin.

    gc: see `count_gc`. starts: int64[101], added to. A reverse record's window ends where the
    record does; a forward one's begins one base behind its first, as in Picard.
    """
    for r in range(len(pos)):
        place = np.int64(end[r]) - GC_WINDOW if flag[r] & REVERSE else np.int64(pos[r]) + 1
        k = place - start
        if 0 <= k < len(gc) and gc[k] >= 0:
            starts[gc[k]] += 1


@kernel
def count_genes(depth, start, parts, rows):
    """Depths of genes.

    depth: int32[n], from place start on. parts: int64[m, 3], (row, from, to) of exons. rows:
    int64[genes, 5], added to: bases, sum of depths, least depth, bases at 20 and more, at 30.
    """
    for m in range(len(parts)):
        row = parts[m, 0]
        total = np.int64(0)
        least = rows[row, 2]
        for p in range(parts[m, 1], parts[m, 2]):
            own = np.int64(depth[p - start])
            total += own
            least = min(least, own)
            rows[row, 3] += own >= 20
            rows[row, 4] += own >= 30
        rows[row, 0] += parts[m, 2] - parts[m, 1]
        rows[row, 1] += total
        rows[row, 2] = least
