"""Clipped ends as split alignments: where the clipped bases lie nearby, an indel is between.

An aligner clips a read at a deletion or a tandem duplication that is too long for its gap costs.
The k-mers of local assembly cannot tell it in a repeat, nor where both ends do not lie in one
window; the bases behind the clip can (Pindel, Ye et al. 2009, with the place given).
"""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.scan import left_shift_deletion, left_shift_insertion

MIN_TAIL = 12
"""Fewer clipped bases are not looked for."""
MIN_SHIFT = 4
"""Shortest indel that is looked for."""
_MOST_TAIL = 60
_WRONG = 12
"""Of so many bases, one may differ."""


@kernel
def _differences(codes, first, step, count, ref, pos, most):
    """Bases codes[first], codes[first + step] ... that differ from ref[pos], ref[pos + step] ...;
    counting ends behind `most`.
    """
    wrong = np.int64(0)
    for k in range(count):
        if codes[first + k * step] != ref[pos + k * step] or codes[first + k * step] > 3:
            wrong += 1
            if wrong > most:
                break
    return wrong


@kernel
def _shift(codes, first, step, count, ref, pos, reach):
    """How far from `pos` the bases lie (MIN_SHIFT to reach), with the fewest differences; 0 where
    they are nowhere or at several places.
    """
    best = count // _WRONG + 1
    found = np.int64(0)
    for distance in range(MIN_SHIFT, reach + 1):
        for sign in (-1, 1):
            at = pos + sign * distance
            end = at + step * (count - 1)
            if min(at, end) < 0 or max(at, end) >= len(ref):
                continue
            wrong = _differences(codes, first, step, count, ref, at, best)
            if wrong < best:
                best = wrong
                found = np.int64(sign * distance)
            elif wrong == best:
                found = np.int64(0)
    return found


@kernel
def split_clips(reads, ref, origin, marked, min_mapq, reach, indels, inserted):
    """List the indels of `reach` bases or fewer that clipped ends tell.

    reads: Alignments. ref: uint8, the whole contig. marked: bool[n], places from `origin` on where
    clipped ends are looked at. indels, inserted: filled as by `scan`. Returns (indels found, bases
    put in); what does not fit is left out.
    """
    found = np.int64(0)
    filled = np.int64(0)
    for r in range(len(reads.pos)):
        words = reads.cigar_start[r + 1] - reads.cigar_start[r]
        if reads.mapq[r] < min_mapq or words < 2:
            continue
        for side in range(2):
            word = reads.cigar[reads.cigar_start[r] + side * (words - 1)]
            clip = np.int64(word >> 4)
            pos = np.int64(reads.end[r] if side else reads.pos[r])
            if word & 15 != 4 or not 0 <= pos - origin < len(marked) or not marked[pos - origin]:
                continue
            step = 1 if side else -1
            length = reads.base_start[r + 1] - reads.base_start[r]
            # first clipped base, and the place it would have
            first = length - clip if side else clip - 1
            count = min(np.int64(reads.high[r]) - first if side else first + 1 - reads.low[r], clip)
            at = pos if side else pos - 1
            first += reads.base_start[r]
            while count > 0 and 0 <= at < len(ref) and reads.codes[first] == ref[at]:
                first += step
                at += step
                count -= 1
            count = min(count, _MOST_TAIL)
            if count < MIN_TAIL:
                continue
            shift = _shift(reads.codes, first, step, count, ref, at, reach) * step
            start = at if side else at + 1
            size = abs(shift)
            if shift == 0 or found == len(indels) or filled + size > len(inserted):
                continue
            removed, put = size, np.int64(0)
            if shift > 0:
                start = start if side else start - size
                start = left_shift_deletion(ref, start, size, origin + 1)
            else:
                removed, put = np.int64(0), size
                from_place = start - size if side else start
                for k in range(size):
                    inserted[filled + k] = ref[from_place + k]
                start = left_shift_insertion(
                    ref, start, inserted[filled : filled + size], size, origin + 1
                )
            indels[found, 0] = start
            indels[found, 1] = removed
            indels[found, 2] = put
            indels[found, 3] = filled
            filled += put
            found += 1
    return found, filled
