"""Reads against the reference, base by base, to see where a variant may be.

One pass over the alignments counts, per place, how many reads cover it and which other bases they
hold; insertions and deletions are listed one by one, shifted to the left; ends that the aligner
clipped are counted where they begin.
"""

import numpy as np

from lingqu.base.bits import LANES, differences, lowest_bit
from lingqu.base.jit import kernel

MIN_CLIP = 6
"""Shortest soft clip that says something."""
_ONE = np.uint64(1)


@kernel
def left_shift_deletion(ref, start, size, first):
    """Leftmost start (>= first) of the deletion of ref[start:start + size] with the same result."""
    while start > first and ref[start - 1] == ref[start + size - 1] and ref[start - 1] < 4:
        start -= 1
    return start


@kernel
def left_shift_insertion(ref, start, bases, size, first):
    """Leftmost place (>= first) of the insertion of bases[:size] before ref[start].

    `bases` (uint8) is turned in place to what is inserted there.
    """
    while start > first and ref[start - 1] == bases[size - 1] and ref[start - 1] < 4:
        last = bases[size - 1]
        for k in range(size - 1, 0, -1):
            bases[k] = bases[k - 1]
        bases[0] = last
        start -= 1
    return start


@kernel
def right_shift(ref, end, unit, most):
    """The place behind the bases from ref[end] on that an indel of the bases `unit` (uint8), which
    ends there, can be shifted over; at most `most` of them.
    """
    right = np.int64(end)
    k = 0
    while right < min(len(ref), end + most) and ref[right] == unit[k] and ref[right] < 4:
        right += 1
        k = (k + 1) % len(unit)
    return right


@kernel
def repeat_end(ref, pos, step, periods, most):
    """The first place from `pos` on, in direction `step` (1 or -1), behind tandem repeats there.

    A repeat has at least two copies of a unit of at most `periods` bases, and begins before `pos`
    or within a unit behind it. The end is at most `most` places away.
    """
    end = np.int64(pos)
    for period in range(1, periods + 1):
        at = np.int64(pos)
        run = np.int64(0)
        while 0 <= at < len(ref) and abs(at - pos) < most:
            before = at - step * period
            if 0 <= before < len(ref) and ref[at] == ref[before]:
                run += 1
            elif abs(at - pos) >= 2 * period:
                break
            else:
                run = np.int64(0)
            at += step
        if run >= period and abs(at - pos) > abs(end - pos):
            end = at
    return end


@kernel
def tally_gaps(ref, origin, depth, starts, table):
    """Count indels by repeat.

    depth: int32[n] from place `origin` on. starts: int32[n], indels by their leftmost start.
    table: int64[periods, copies, bins, 2], added to: reads over repeats of such a unit and such a
    number of copies, and indels in them, by the share of the reads that has one. Row 0 counts bases
    outside of repeats, copies - 1 is the last class.
    """
    periods, most, bins, _ = table.shape
    n = np.int64(len(depth))
    covered = np.int64(0)
    for i in range(8, n - 64):
        if i < covered:
            continue
        best_end, best_period = i, 0
        for period in range(1, periods):
            at = i + period
            while at < n - 32 and ref[origin + at] == ref[origin + at - period]:
                at += 1
            least = 4 if period == 1 else 3
            if at - i >= least * period and at > best_end:
                best_end, best_period = at, period
        copies = 0
        if best_period:
            copies = min((best_end - i) // best_period, most - 1)
            covered = best_end
        else:
            best_end = i + 1
        indels = np.int64(0)
        for k in range(i, best_end):
            indels += starts[k]
        reads = np.int64(min(depth[i], depth[best_end - 1]))
        if reads >= 8:
            share = min(indels * bins // reads, bins - 1) if indels else np.int64(0)
            table[best_period, copies, share, 0] += reads
            table[best_period, copies, share, 1] += indels


@kernel
def _count_base(reads, at, ref, to, row, min_base, counts, weights):
    """Count the base at place `at` of the reads' bases, which lies on ref[to]."""
    code = reads.codes[at]
    quality = reads.quals[at]
    if code != ref[to] and code < 4 and ref[to] < 4 and quality >= min_base:
        counts[row, code] += 1
        weights[row, code] += min(quality, 40)


@kernel
def _count_bases(reads, base, begin, stop, ref, shift, origin, min_base, counts, weights):
    """Count bases begin <= i < stop of a read; base i lies on ref[i + shift]."""
    i = begin
    while i < stop and base + i + LANES <= len(reads.codes) and i + shift + LANES <= len(ref):
        unequal = differences(reads.codes, base + i, ref, i + shift)
        if stop - i < LANES:
            unequal &= (_ONE << np.uint64(stop - i)) - _ONE
        while unequal:
            k = i + lowest_bit(unequal)
            unequal &= unequal - _ONE
            _count_base(
                reads, base + k, ref, k + shift, k + shift - origin, min_base, counts, weights
            )
        i += LANES
    for k in range(i, stop):
        _count_base(reads, base + k, ref, k + shift, k + shift - origin, min_base, counts, weights)


@kernel
def substitutions(counts, weights, depth, found):
    """Bases that a heterozygote explains better than errors do (log-likelihood in 1/1000).

    counts, weights: see `scan`. depth: int32[n]. found: int64[4n, 3], filled with row, code and
    reads of each. Returns how many.
    """
    n = np.int64(0)
    for row in range(len(depth)):
        for code in range(4):
            seen = np.int64(counts[row, code])
            if seen >= 2:
                score = 100 * np.int64(weights[row, code]) + 176 * seen
                if score > 301 * (np.int64(depth[row]) - seen):
                    found[n, 0] = row
                    found[n, 1] = code
                    found[n, 2] = seen
                    n += 1
    return n


@kernel
def crowds(clips, depth, found):
    """Rows (int64, into found) at which enough reads have clipped ends for something to be hidden:
    three within two places to either side, and a tenth of all.

    clips, depth: int32[n]. Returns how many.
    """
    n = np.int64(0)
    for row in range(len(depth)):
        if clips[row] > 0:
            total = np.int64(0)
            for k in range(max(row - 2, 0), min(row + 3, len(depth))):
                total += clips[k]
            if total >= 3 and 10 * total > depth[row]:
                found[n] = row
                n += 1
    return n


@kernel
def scan(reads, ref, origin, min_mapq, min_base, counts, weights, cover, clips, indels, inserted):
    """Fill the counts of the window whose first base is place `origin` of the contig.

    reads: Alignments. ref: uint8, the whole contig. counts, weights: int32[n, 4], reads with that
    base where it is not the reference's, and the sum of their Phred qualities (at most 40 each).
    cover: int32[n + 1], changes of the number of reads on a place. clips: int32[n + 1], clipped
    ends of MIN_CLIP good bases that begin before it. indels: int32[m, 4], filled with (start, bases
    removed, bases put in, place in `inserted`), shifted to the left; inserted: uint8.
    Returns (indels found, bases put in); what does not fit is counted and not stored.
    """
    n = np.int64(len(cover) - 1)
    found = np.int64(0)
    filled = np.int64(0)
    for r in range(len(reads.pos)):
        if reads.mapq[r] < min_mapq:
            continue
        base = reads.base_start[r]
        low = np.int64(reads.low[r])
        high = np.int64(reads.high[r])
        at = np.int64(0)
        pos = np.int64(reads.pos[r])
        first_word = reads.cigar_start[r]
        last_word = reads.cigar_start[r + 1] - 1
        for word in range(first_word, last_word + 1):
            op = reads.cigar[word] & 15
            size = np.int64(reads.cigar[word] >> 4)
            if op == 0 or op == 7 or op == 8:
                begin = max(max(at, low), at + origin - pos)
                stop = min(min(at + size, high), at + origin + n - pos)
                if begin < stop:
                    shift = pos - at
                    cover[begin + shift - origin] += 1
                    cover[stop + shift - origin] -= 1
                    _count_bases(
                        reads, base, begin, stop, ref, shift, origin, min_base, counts, weights
                    )
                at += size
                pos += size
            elif op == 1 or op == 2:
                inner = first_word < word < last_word and at > low and at < high
                taken = size if op == 1 else np.int64(0)
                if inner and origin < pos < origin + n and pos + size < len(ref):
                    clean = at + taken <= high
                    for k in range(taken):
                        clean = clean and reads.codes[base + at + k] < 4
                    fits = found < len(indels) and filled + taken <= len(inserted)
                    if clean and fits:
                        start = pos
                        if op == 1:
                            for k in range(size):
                                inserted[filled + k] = reads.codes[base + at + k]
                            start = left_shift_insertion(
                                ref, pos, inserted[filled : filled + size], size, origin + 1
                            )
                        else:
                            start = left_shift_deletion(ref, pos, size, origin + 1)
                        indels[found, 0] = start
                        indels[found, 1] = 0 if op == 1 else size
                        indels[found, 2] = taken
                        indels[found, 3] = filled
                        filled += taken
                    if clean:
                        found += 1
                at += taken
                if op == 2:
                    pos += size
            elif op == 3:
                pos += size
            elif op == 4:
                begin = max(at, low)
                stop = min(at + size, high)
                if stop - begin >= MIN_CLIP and origin <= pos <= origin + n:
                    total = np.int64(0)
                    for i in range(begin, stop):
                        total += reads.quals[base + i]
                    if total >= 15 * (stop - begin):
                        clips[pos - origin] += 1
                at += size
    return found, filled


@kernel
def gap_costs(codes, first, last, table, costs):
    """Chance of a gap to open at each place of codes[first:last] (uint8), into costs (float32).

    table: float32[period, copies]: the chance in a repeat of so many whole copies of a unit of so
    many bases (both cut to the table). Each place of a repeat has the greatest chance of those
    that cover it.
    """
    periods, most = table.shape
    for i in range(first, last):
        costs[i - first] = table[0, 0]
    for period in range(1, periods):
        run = np.int64(0)
        for i in range(first + period, last + 1):
            if i < last and codes[i] == codes[i - period] and codes[i] < 4:
                run += 1
                continue
            copies = run // period + 1
            if copies > 1:
                chance = table[period, min(copies, most - 1)]
                for k in range(i - run - period, i):
                    if chance > costs[k - first]:
                        costs[k - first] = chance
            run = 0
