"""Duplicates: templates whose unclipped 5' ends agree, and which of them to keep.

The rules are those of Picard's MarkDuplicates: pairs are compared by both ends, single ends lose
to any pair that shares theirs, the highest sum of base qualities >= 15 is kept.

Other tools' marks differ from these in what follows, and in nothing else that was found:

- Of equal scores the first of the input is kept; Picard keeps the first by tile, x and y, samtools
  markdup the first by name. The input's order is the same however a run is cut.
- All records of a template are marked, also supplementary, secondary and unmapped ones. So does
  Picard where reads come in order of name; in order of place it marks primary ones only. samtools
  marks no secondary ones, and supplementary ones with -S.
- Pairs of one strand (both forward, both reverse) are duplicates whichever mate is the lower one,
  as for Picard; samtools keeps the two kinds apart.
- Libraries (LB) are kept apart, as by Picard; samtools takes a file for one library.
- Optical duplicates are told of single ends too, and only between templates whose lower end is of
  the same mate, as those of one cluster have it. Picard looks at pairs only, and does not see
  which mate is the lower one in pairs of one strand. samtools never sees it, takes a pair for a
  neighbour of a single end, and of duplicates that lie together apart from the kept one may spare
  another than the first.
"""

import numpy as np

from lingqu.base.jit import kernel

SINGLE, MARK = 0, 1
"""second_key of a template with one mapped end, and of the mark that a pair leaves at its other
end; a pair's own is above both."""

KEPT, DUPLICATE, OPTICAL = 0, 1, 2

_LOW_QUALITY = 15
_MOST_PER_READ = 16383


@kernel
def unclipped_end(pos, reverse, cigar, start, length):
    """Place (0-based) of the read's first base as if nothing were clipped."""
    if not reverse:
        for i in range(start, start + length):
            if cigar[i] & 15 != 4 and cigar[i] & 15 != 5:
                break
            pos -= cigar[i] >> 4
        return pos
    behind = True
    for i in range(start, start + length):
        op, size = cigar[i] & 15, cigar[i] >> 4
        clip = op == 4 or op == 5
        if (clip and not behind) or op == 0 or op == 2 or op == 3 or op > 6:
            pos += size
        behind = behind and clip
    return pos - 1


@kernel
def _quality_sum(text, start, length):
    letters, total = text[start : start + length], np.uint32(0)
    for i in range(length):
        score = np.uint32(letters[i]) - np.uint32(33)
        total += score if score >= _LOW_QUALITY else np.uint32(0)
    return min(np.int64(total), _MOST_PER_READ)


@kernel
def _number(text, at, end):
    """The number at text[at:end] before anything that is no digit, or -1."""
    value, first = 0, at
    while at < end and 48 <= text[at] <= 57 and at - first < 9:
        value = 10 * value + text[at] - 48
        at += 1
    return value if at > first else -1


@kernel
def place_on_flow_cell(text, start, length):
    """(tile with its lane, x, y) of an Illumina read name of 5, 7 or 8 fields, else (-1, 0, 0)."""
    colons, end = 0, start + length
    for i in range(start, end):
        colons += text[i] == 58
    lane_field = 1 if colons == 4 else 3
    if colons != 4 and colons != 6 and colons != 7:
        return -1, 0, 0
    field, lane, tile, x, y = 0, -1, -1, -1, -1
    for i in range(start, end):
        if text[i] != 58:
            continue
        field += 1
        if field == lane_field:
            lane = _number(text, i + 1, end)
        elif field == lane_field + 1:
            tile = _number(text, i + 1, end)
        elif field == lane_field + 2:
            x = _number(text, i + 1, end)
        elif field == lane_field + 3:
            y = _number(text, i + 1, end)
    if min(lane, tile) < 0 or min(x, y) < 0 or lane > 1000 or tile > 999_999:
        return -1, 0, 0
    return lane * 1_000_000 + tile, x, y


@kernel
def _end_key(offsets, tid, pos, reverse, cigar, start, length):
    place = offsets[tid] + unclipped_end(pos, reverse, cigar, start, length)
    return (place << 1) | (1 if reverse else 0)


@kernel
def template_ends(
    text, name_start, name_len, qual_start, length,
    record_start, read, flag, tid, pos, cigar_start, cigar_len, cigar, offsets,
    first_key, second_key, score, template, strand, tile, x, y,
):  # fmt: skip
    """The duplicate records of a batch: one a template with a mapped end, and one mark a pair.

    An end's key (int64) is (its place in the reference's flat array << 1) | reverse strand.
    Outputs hold 2 rows a template: first_key, second_key (int64; SINGLE, MARK or the higher end),
    score (int32: qualities of the mapped reads), template (int32), strand (int8: whether the
    lower end is R2's), tile, x, y (int32; tile -1 where the name tells none). Returns the rows.
    """
    row = 0
    for t in range(len(record_start) - 1):
        total, ends, low, high, lower_read = 0, 0, 0, 0, 0
        for i in range(record_start[t], min(record_start[t] + 2, record_start[t + 1])):
            if flag[i] & 0x904:
                continue
            r = read[i]
            total += _quality_sum(text, qual_start[r], length[r])
            key = _end_key(
                offsets, tid[i], pos[i], flag[i] & 0x10, cigar, cigar_start[i], cigar_len[i]
            )
            if not ends or key < low:
                low, high, lower_read = key, low, flag[i] & 0x80
            else:
                high = key
            ends += 1
        if not ends:
            continue
        r = read[record_start[t]]
        spot, spot_x, spot_y = place_on_flow_cell(text, name_start[r], name_len[r])
        for mark in range(ends):
            first_key[row] = high if mark else low
            second_key[row] = MARK if mark else (high if ends == 2 else SINGLE)
            score[row], template[row], strand[row] = total, t, lower_read > 0
            tile[row], x[row], y[row] = spot, spot_x, spot_y
            row += 1
    return row


@kernel
def resolve(first_key, second_key, score, kind, group):
    """Tell duplicates among rows sorted by first_key, second_key, then input order.

    Fills kind (uint8: KEPT or DUPLICATE) and group (int64: a number shared by the rows of a set of
    duplicates, -1 for the rest). Of equal scores the first in input order is kept.
    """
    n, begin, sets = len(first_key), 0, 0
    while begin < n:
        stop = begin + 1
        while stop < n and first_key[stop] == first_key[begin]:
            stop += 1
        has_pair = second_key[stop - 1] != SINGLE
        i = begin
        while i < stop:
            j, best = i + 1, i
            while j < stop and second_key[j] == second_key[i]:
                if score[j] > score[best]:
                    best = j
                j += 1
            lost = second_key[i] == SINGLE and has_pair
            mark = second_key[i] == MARK
            for k in range(i, j):
                kind[k] = DUPLICATE if not mark and (lost or k != best) else KEPT
                group[k] = sets if j - i > 1 and not mark else -1
            sets += 1
            i = j
        begin = stop


@kernel
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@kernel
def optical(cell, x, y, distance, ordinal, kind, parent):
    """Set kind to OPTICAL for all but one of the duplicates that lie together on the flow cell.

    Rows are sorted by cell (int64: set of duplicates, read group, strand and tile), then x.
    distance: int64[n], pixels in x and in y within which two belong together. parent: int64[n]
    scratch. Of each cluster the kept row, else the first in input order (ordinal, int64), is no
    optical duplicate.
    """
    n = len(cell)
    for i in range(n):
        parent[i] = i
    for i in range(n):
        j = i + 1
        while j < n and cell[j] == cell[i] and x[j] - x[i] <= distance[i]:
            if abs(y[j] - y[i]) <= distance[i]:
                a, b = _root(parent, i), _root(parent, j)
                if a != b:
                    first = kind[b] != KEPT and (kind[a] == KEPT or ordinal[a] < ordinal[b])
                    if first:
                        parent[b] = a
                    else:
                        parent[a] = b
            j += 1
    for i in range(n):
        if _root(parent, i) != i:
            kind[i] = OPTICAL
