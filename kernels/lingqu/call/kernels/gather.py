"""Which reads tell of a region, and how much of each."""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.limits import MAX_READS, MAX_TEMPLATES
from lingqu.call.kernels.pairhmm import MAX_ROWS

_CLIP = 60


@kernel
def _known(ref, pos, step):
    """Bases of the reference from `pos` on, in direction `step`: up to an N or the contig's end, at
    most _CLIP.
    """
    count = np.int64(0)
    while count < _CLIP and 0 <= pos < len(ref) and ref[pos] < 4:
        pos += step
        count += 1
    return count


@kernel
def _trim(reads, r, ref, begin, end, row):
    """Cut read r to reference places [begin, end) and the clipped ends there.

    row (int64[6]) gets first and last + 1 of its bases used, and the base and the place of its
    first and of its last aligned base among them. Returns False where nothing is aligned there.
    Of a clipped end no more is used than the reference has bases there to lay it on.
    """
    low = np.int64(reads.low[r])
    high = np.int64(reads.high[r])
    at = np.int64(0)
    pos = np.int64(reads.pos[r])
    any_aligned = False
    first, last = high, low
    for word in range(reads.cigar_start[r], reads.cigar_start[r + 1]):
        op = reads.cigar[word] & 15
        size = np.int64(reads.cigar[word] >> 4)
        if op == 0 or op == 7 or op == 8:
            start = max(max(at, low), at + begin - pos)
            stop = min(min(at + size, high), at + end - pos)
            if start < stop:
                if not any_aligned:
                    row[2] = start
                    row[3] = start + pos - at
                row[4] = stop - 1
                row[5] = stop - 1 + pos - at
                any_aligned = True
                first = min(first, start)
                last = max(last, stop)
            at += size
            pos += size
        elif op == 1:
            if begin < pos < end:
                first = min(first, max(at, low))
                last = max(last, min(at + size, high))
            at += size
        elif op == 2 or op == 3:
            pos += size
        elif op == 4:
            if begin < pos < end:
                if at == 0:
                    first = min(first, max(low, size - _known(ref, pos - 1, -1)))
                else:
                    last = max(last, min(high, at + _known(ref, pos, 1)))
            at += size
    row[0] = first
    row[1] = min(last, first + MAX_ROWS)
    return any_aligned and row[4] < row[1]


@kernel
def gather(
    reads, template, ref, slot_of, stamp, left, right, begin, end, from_read, min_mapq, rows, who
):  # fmt: skip
    """Reads over [left, right), cut to [begin, end); returns (reads, slots, templates there).

    rows: int64[MAX_READS, 6], see `_trim`. who: int64[MAX_READS, 2], read and slot of its
    template. slot_of: int64[templates, 2], stamp of the region that last used it, and slot there.
    """
    total = np.int64(0)
    for r in range(from_read, len(reads.pos)):
        if reads.pos[r] >= right:
            break
        if reads.end[r] > left and reads.mapq[r] >= min_mapq:
            total += 1
            if slot_of[template[r], 0] == stamp:
                total -= 1
            slot_of[template[r], 0] = stamp
            slot_of[template[r], 1] = -1
    share = 1.0
    if total > MAX_TEMPLATES:
        share = MAX_TEMPLATES / total
    n = np.int64(0)
    slots = np.int64(0)
    for r in range(from_read, len(reads.pos)):
        if reads.pos[r] >= right or n == MAX_READS:
            break
        if reads.end[r] <= left or reads.mapq[r] < min_mapq:
            continue
        if np.float64(reads.name_hash[r] >> np.uint64(11)) * 2.0**-53 > share:
            continue
        if not _trim(reads, r, ref, begin, end, rows[n]):
            continue
        if slot_of[template[r], 1] < 0:
            slot_of[template[r], 1] = slots
            slots += 1
        who[n, 0] = r
        who[n, 1] = slot_of[template[r], 1]
        n += 1
    return n, slots, total


@kernel
def sort_by_length(rows, n, order):
    """order[:n]: reads from short to long, by counting; equal ones in their own order."""
    count = np.zeros(MAX_ROWS + 2, np.int64)
    for i in range(n):
        count[rows[i, 1] - rows[i, 0] + 1] += 1
    for k in range(1, MAX_ROWS + 2):
        count[k] += count[k - 1]
    for i in range(n):
        length = rows[i, 1] - rows[i, 0]
        order[count[length]] = i
        count[length] += 1
