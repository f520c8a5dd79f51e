"""Extend chains to alignments: along the diagonal where that is best, else in a banded DP.

The DP is Gotoh's affine-gap local alignment ("An improved algorithm for matching biological
sequences", J Mol Biol 162:705, 1982) with a bonus for reaching the read's ends, on LANES reads
side by side in int16, so that every step is one vector instruction over the lanes.
"""

import numpy as np

from lingqu.align.kernels.scoring import (
    END_BONUS,
    GAP_EXTEND,
    GAP_OPEN,
    MATCH,
    MISMATCH,
    READ_N,
    UNKNOWN,
)
from lingqu.base.jit import kernel

LANES = 32
MAX_READ = 1000
"""Longest read the DP takes, in bases."""

NARROW = 40
WIDE = 160
"""Widths of the band, in diagonals."""

MIN_CLIP_FOR_WIDE = 12
"""An alignment that leaves out as many bases is tried again in the wide band."""

_I16 = np.int16
_NEVER = np.int16(-10000)
_OPEN = np.int16(GAP_OPEN + GAP_EXTEND)
_EXTEND = np.int16(GAP_EXTEND)
_MATCH = np.int16(MATCH)
_MISMATCH = np.int16(MISMATCH)
_UNKNOWN = np.int16(UNKNOWN)
_BONUS = np.int16(END_BONUS)
_ZERO = np.int16(0)

_FROM_INSERTION = np.uint8(1)
_FROM_DELETION = np.uint8(2)
_STARTS = np.uint8(4)
_INSERTION_GOES_ON = np.uint8(8)
_DELETION_GOES_ON = np.uint8(16)
_NOTHING = np.uint8(0)

M, I, D = 0, 1, 2  # noqa: E741  (the names of CIGAR operations)


@kernel(inline="always")
def base_score(query, target):
    """Score of one base against one reference base."""
    if query == target:
        return MATCH
    return UNKNOWN if query == READ_N else MISMATCH


@kernel
def _reach(query, target, begin, end, step):
    """Best extension from `begin` towards `end` by `step`: (score with bonus, where it stops).

    query and target share coordinates.
    """
    best = score = 0
    stop = begin
    i = begin
    while i != end:
        score += base_score(query[i], target[i])
        i += step
        if score > best:
            best = score
            stop = i
    if score + END_BONUS >= best:
        return score + END_BONUS, end
    return best, stop


@kernel
def _mismatches(query, target, begin, end):
    found = 0
    for i in range(begin, end):
        found += query[i] != target[i]
    return found


@kernel
def extend_ungapped(query, target, length, c, table):
    """Align candidate `c` along its diagonal; returns whether a gap could do better.

    query: uint8[length] in the candidate's orientation. target: uint8[length], the reference on the
    diagonal. A gap in a flank pays only if the flank holds two mismatches; between seeds on one
    diagonal two gaps are needed, which cost as much as three mismatches.
    """
    begin, end = table.read_begin[c], table.read_end[c]
    inside = _mismatches(query, target, begin, end)
    left = _mismatches(query, target, 0, begin)
    right = _mismatches(query, target, end, length)
    score = 0
    if inside == 0:
        score = (end - begin) * MATCH
    else:
        for i in range(begin, end):
            score += base_score(query[i], target[i])
    up, first = _reach(query, target, begin - 1, -1, -1)
    down, last = _reach(query, target, end, length, 1)
    first += 1
    score += up + down
    if first == 0:
        score -= END_BONUS
    if last == length:
        score -= END_BONUS
    table.score[c] = score
    table.read_begin[c] = first
    table.read_end[c] = last
    table.ref_begin[c] = table.diagonal_low[c] + first
    table.ref_end[c] = table.diagonal_low[c] + last
    table.cigar_len[c] = 0
    return left >= 2 or right >= 2 or inside >= 4


@kernel
def _fill_row(i, width, query, target, last, heights, inserts, moves, best, best_row, best_column):
    """Compute row `i` of all lanes in place; see `align_lanes`."""
    floor = _BONUS if i == 0 else _ZERO
    left = np.empty(LANES, np.int16)
    delete = np.empty(LANES, np.int16)
    left[:] = _NEVER
    delete[:] = _NEVER
    row = _I16(i)
    for j in range(width):
        column = _I16(j)
        for lane in range(LANES):
            base = query[i, lane]
            value = _MATCH if base == target[i + j, lane] else _MISMATCH
            value = _UNKNOWN if base == READ_N else value
            before = heights[j, lane]
            starts = before <= floor
            height = _I16((floor if starts else before) + value)
            move = _STARTS if starts else _NOTHING

            opened = _I16(heights[j + 1, lane] - _OPEN)
            longer = _I16(inserts[j + 1, lane] - _EXTEND)
            move |= _INSERTION_GOES_ON if longer > opened else _NOTHING
            insert = longer if longer > opened else opened

            opened = _I16(left[lane] - _OPEN)
            longer = _I16(delete[lane] - _EXTEND)
            move |= _DELETION_GOES_ON if longer > opened else _NOTHING
            gone = longer if longer > opened else opened

            move |= _FROM_DELETION if gone > height else _NOTHING
            height = gone if gone > height else height
            source = np.uint8((move & np.uint8(28)) | _FROM_INSERTION)
            move = source if insert > height else move
            height = insert if insert > height else height

            heights[j, lane] = height
            inserts[j, lane] = insert
            left[lane] = height
            delete[lane] = gone
            moves[i, j, lane] = move
            total = _I16(height + (_BONUS if row == last[lane] else _ZERO))
            better = total > best[lane]
            best[lane] = total if better else best[lane]
            best_row[lane] = row if better else best_row[lane]
            best_column[lane] = column if better else best_column[lane]


@kernel
def align_lanes(rows, width, query, target, last, heights, inserts, moves, best):
    """Banded local alignment of LANES reads, row i against columns i to i + width - 1.

    query: uint8[>= rows, LANES]. target: uint8[>= rows + width, LANES]. last: int16[LANES], the last
    row of each read. heights, inserts: int16[>= width + 1, LANES], scratch. moves: uint8[>= rows,
    width, LANES], out, for `trace`. best: int16[3, LANES], out: score with end bonuses, row and
    column of the best cell.
    """
    heights[: width + 1] = _NEVER
    inserts[: width + 1] = _NEVER
    best[0] = 0
    best[1] = -1
    best[2] = 0
    for i in range(rows):
        _fill_row(i, width, query, target, last, heights, inserts, moves, best[0], best[1], best[2])


@kernel
def trace(moves, lane, row, column, cigar, at):
    """Follow the moves back from a cell; writes (length << 4 | operation) from cigar[at] on.

    Returns (number of operations, first row, its column); operations stand first to last.
    """
    n = 0
    run = 0
    operation = M
    state = M
    while True:
        move = moves[row, column, lane]
        step = state
        if state == M:
            if move & _FROM_INSERTION:
                step = I
            elif move & _FROM_DELETION:
                step = D
        if step != operation and run:
            cigar[at + n] = (run << 4) | operation
            n += 1
            run = 0
        operation = step
        run += 1
        if step == M:
            if move & _STARTS:
                break
            row -= 1
        elif step == I:
            state = I if move & _INSERTION_GOES_ON else M
            row -= 1
            column += 1
        else:
            state = D if move & _DELETION_GOES_ON else M
            column -= 1
    cigar[at + n] = (run << 4) | operation
    n += 1
    for i in range(n >> 1):
        cigar[at + i], cigar[at + n - 1 - i] = cigar[at + n - 1 - i], cigar[at + i]
    return n, row, column


@kernel
def shift_left(cigar, at, n, query, begin, target, origin):
    """Move every gap as far left as its flanks allow, leaving one aligned base before it.

    cigar[at:at + n]: operations; query from `begin` on and target from `origin` on are what they
    align. Adjacent aligned runs keep their order; the score does not change.
    """
    q, t = begin, origin
    for k in range(n):
        length, operation = cigar[at + k] >> 4, cigar[at + k] & 15
        if operation == M:
            q += length
            t += length
            continue
        before = cigar[at + k - 1]
        moved = np.uint32(0)
        if k and k + 1 < n and (before & 15) == M and (cigar[at + k + 1] & 15) == M:
            room = (before >> 4) - 1
            if operation == I:
                while moved < room and query[q - 1 - moved] == query[q - 1 - moved + length]:
                    moved += np.uint32(1)
            else:
                while moved < room and target[t - 1 - moved] == target[t - 1 - moved + length]:
                    moved += np.uint32(1)
            cigar[at + k - 1] -= moved << 4
            cigar[at + k + 1] += moved << 4
        q -= moved
        t -= moved
        if operation == I:
            q += length
        else:
            t += length


@kernel
def _load_lanes(tasks, begin, table, codes, start, keep, slots, width, reference, query, target):
    """Put the reads and reference windows of tasks[begin:begin + LANES] side by side."""
    rows = 0
    for lane in range(LANES):
        if begin + lane < tasks.size:
            rows = max(rows, keep[tasks[begin + lane] // slots])
    for lane in range(LANES):
        if begin + lane >= tasks.size:
            query[:rows, lane] = READ_N
            target[: rows + width, lane] = 4
            continue
        c = tasks[begin + lane]
        r = c // slots
        strand = table.strand[c]
        n = keep[r]
        origin = _band_origin(table, c, width)
        for i in range(n):
            query[i, lane] = codes[strand, start[r] + i]
        for i in range(n, rows):
            query[i, lane] = 6
        for i in range(rows + width):
            target[i, lane] = reference[origin + i]
    return rows


@kernel
def extend_chains(table, counts, slots, codes, start, keep, reference, tasks, wide_tasks):
    """Align all fresh candidates (ref_end 0) along their diagonals; list those that need the DP.

    counts: int32[n], candidates a read. tasks, wide_tasks: int64[table size], out: candidates for
    a NARROW and for a WIDE band. Returns how many of each.
    """
    narrow = wide = 0
    for r in range(counts.size):
        n = keep[r]
        best = 0
        for c in range(r * slots, r * slots + counts[r]):
            best = max(best, table.chain[c])
        for c in range(r * slots, r * slots + counts[r]):
            if table.ref_end[c]:
                continue
            spread = table.diagonal_high[c] - table.diagonal_low[c]
            gaps = spread > 0
            table.score[c] = 0
            if not gaps:
                query = codes[table.strand[c], start[r] : start[r] + n]
                diagonal = table.diagonal_low[c]
                gaps = extend_ungapped(query, reference[diagonal : diagonal + n], n, c, table)
            if not gaps or table.chain[c] * 2 < best:
                continue
            if spread > NARROW // 2:
                wide_tasks[wide] = c
                wide += 1
            else:
                tasks[narrow] = c
                narrow += 1
    return narrow, wide


@kernel
def list_clipped(tasks, table, slots, keep, wide_tasks, wide):
    """Append to wide_tasks[wide:] those of `tasks` that a wider band might extend further."""
    for k in range(tasks.size):
        c = tasks[k]
        left_out = table.read_begin[c] + keep[c // slots] - table.read_end[c]
        if left_out >= MIN_CLIP_FOR_WIDE:
            wide_tasks[wide] = c
            wide += 1
    return wide


@kernel(inline="always")
def _band_origin(table, c, width):
    return ((table.diagonal_low[c] + table.diagonal_high[c]) >> 1) - (width >> 1)


@kernel
def extend_gapped(tasks, width, table, slots, codes, start, keep, reference, cigar, cigar_used):
    """Align the candidates in `tasks` (int64[]) in a band of `width` and update the table.

    codes: uint8[2, bases], reads forward and reverse-complemented, read r at start[r]:][:keep[r]].
    slots: table slots a read. reference: uint8[], padded. cigar: uint32[], pool with room for
    40 operations a task from cigar_used on. An alignment is taken over only where it scores more
    than what the table holds. Returns the new cigar_used.
    """
    longest = 0
    for k in range(tasks.size):
        longest = max(longest, keep[tasks[k] // slots])
    query = np.empty((longest, LANES), np.uint8)
    target = np.empty((longest + width, LANES), np.uint8)
    heights = np.empty((width + 1, LANES), np.int16)
    inserts = np.empty((width + 1, LANES), np.int16)
    moves = np.empty((longest, width, LANES), np.uint8)
    best = np.empty((3, LANES), np.int16)
    last = np.empty(LANES, np.int16)
    path = np.empty(2 * longest + width + 2, np.uint32)
    for begin in range(0, tasks.size, LANES):
        rows = _load_lanes(
            tasks, begin, table, codes, start, keep, slots, width, reference, query, target
        )
        for lane in range(LANES):
            inside = begin + lane < tasks.size
            last[lane] = keep[tasks[begin + lane] // slots] - 1 if inside else -1
        align_lanes(rows, width, query, target, last, heights, inserts, moves, best)
        for lane in range(min(LANES, tasks.size - begin)):
            c = tasks[begin + lane]
            r = c // slots
            row, column = best[1, lane], best[2, lane]
            if row < 0:
                continue
            n, first_row, first_column = trace(moves, lane, row, column, path, 0)
            score = best[0, lane]
            if first_row == 0:
                score -= END_BONUS
            if row == keep[r] - 1:
                score -= END_BONUS
            if score <= table.score[c] and table.ref_end[c] > 0:
                continue
            origin = _band_origin(table, c, width)
            oriented = codes[table.strand[c], start[r] : start[r] + keep[r]]
            ref_begin = origin + first_row + first_column
            shift_left(path, 0, n, oriented, first_row, reference, ref_begin)
            table.score[c] = score
            table.read_begin[c] = first_row
            table.read_end[c] = row + 1
            table.ref_begin[c] = ref_begin
            table.ref_end[c] = origin + row + column + 1
            table.cigar_len[c] = n if n > 1 else 0
            table.cigar_start[c] = cigar_used
            if n > 1:
                cigar[cigar_used : cigar_used + n] = path[:n]
                cigar_used += n
    return cigar_used
