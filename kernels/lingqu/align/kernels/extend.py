"""Extend chains to alignments: along diagonals where that is enough, else in a banded DP.

The DP is Gotoh's affine-gap local alignment ("An improved algorithm for matching biological
sequences", J Mol Biol 162:705, 1982) with a bonus for reaching the read's ends, on LANES reads
side by side in int16, so that every step is one vector instruction over the lanes.
"""

import numpy as np

from lingqu.align.kernels.candidates import MOST
from lingqu.align.kernels.diagonal import (
    GAP,
    READ_BEGIN,
    READ_END,
    REF_BEGIN,
    REF_END,
    SCORE,
    TURN,
    align_flat,
    align_simply,
    is_crowded,
    new_scratch,
)
from lingqu.align.kernels.scoring import (
    END_BONUS,
    GAP_EXTEND,
    GAP_OPEN,
    MATCH,
    MISMATCH,
    READ_N,
    UNKNOWN,
)
from lingqu.base.jit import kernel, leaf

LANES = 32
NARROW = 40
WIDE = 160
"""Widths of the band, in diagonals."""

LARGE = 24
"""Score lost from which on an alignment with one gap may want more of them."""

MATTERS = 12
"""A place that scores so much below the read's best weighs nothing."""

MIN_CLIP_FOR_DP = 10
"""Clipped bases that more than one gap may win back."""

_I16 = np.int16
_NEVER = np.int16(-10000)
_OPEN = np.int16(GAP_OPEN + GAP_EXTEND)
_EXTEND = np.int16(GAP_EXTEND)
_MATCH = np.int16(MATCH)
_MISMATCH = np.int16(MISMATCH)
_UNKNOWN = np.int16(UNKNOWN)
_BONUS = np.int16(END_BONUS)
_ZERO = np.int16(0)

_ANY_BASE = np.int16(READ_N)

_FROM_INSERTION = np.int16(1)
_FROM_DELETION = np.int16(2)
_STARTS = np.int16(4)
_INSERTION_GOES_ON = np.int16(8)
_DELETION_GOES_ON = np.int16(16)
_NO_SOURCE = np.int16(28)

_LANES = np.uint64(LANES)
_INSERT, _NEXT_HEIGHT, _NEXT_INSERT = (np.uint64(k * LANES) for k in (1, 2, 3))
_LEFT, _DELETE, _LAST, _BEST, _BEST_ROW, _BEST_COLUMN = (
    np.uint64(k * LANES) for k in (1, 2, 3, 4, 5, 6)
)

M, I, D = 0, 1, 2  # noqa: E741  (the names of CIGAR operations)


@leaf
def _fill_cell(at, cells, row_state, target, t, moves, m, row, column, floor):
    """One column of one row, all lanes; see `align_lanes` for the arrays.

    Indices are unsigned and the arrays few and flat: then LLVM proves that lanes are independent.
    """
    for lane in range(_LANES):
        base = row_state[lane]
        value = _MATCH if base == target[t + lane] else _MISMATCH
        value = _UNKNOWN if base == _ANY_BASE else value
        before = cells[at + lane]
        starts = before <= floor
        height = _I16((floor if starts else before) + value)
        move = _STARTS if starts else _ZERO

        opened = _I16(cells[at + _NEXT_HEIGHT + lane] - _OPEN)
        longer = _I16(cells[at + _NEXT_INSERT + lane] - _EXTEND)
        goes_on = longer > opened
        insert = longer if goes_on else opened
        move = _I16(move | (_INSERTION_GOES_ON if goes_on else _ZERO))

        opened = _I16(row_state[_LEFT + lane] - _OPEN)
        longer = _I16(row_state[_DELETE + lane] - _EXTEND)
        goes_on = longer > opened
        delete = longer if goes_on else opened
        move = _I16(move | (_DELETION_GOES_ON if goes_on else _ZERO))

        higher = delete > height
        move = _I16(move | (_FROM_DELETION if higher else _ZERO))
        height = delete if higher else height
        higher = insert > height
        move = _I16((move & _NO_SOURCE) | _FROM_INSERTION) if higher else move
        height = insert if higher else height

        cells[at + lane] = height
        cells[at + _INSERT + lane] = insert
        row_state[_LEFT + lane] = height
        row_state[_DELETE + lane] = delete
        moves[m + lane] = np.uint8(move)
        total = _I16(height + (_BONUS if row == row_state[_LAST + lane] else _ZERO))
        best = row_state[_BEST + lane]
        better = total > best
        row_state[_BEST + lane] = total if better else best
        row_state[_BEST_ROW + lane] = row if better else row_state[_BEST_ROW + lane]
        row_state[_BEST_COLUMN + lane] = column if better else row_state[_BEST_COLUMN + lane]


@leaf
def align_lanes(rows, width, query, target, cells, row_state, moves):
    """Banded local alignment of LANES reads, row i against columns i to i + width - 1.

    All arrays are flat, with LANES values side by side; the sizes here are a lane's. query:
    int16[rows]. target: int16[rows + width]. cells: int16[2 * (width + 1)], scratch: height and
    insertion score of a column. row_state: int16[7], in at _LAST: last row of each read; out at
    _BEST, _BEST_ROW, _BEST_COLUMN: score with end bonuses and place of the best cell, row -1 for
    none. moves: uint8[rows * width], out, for `trace`.
    """
    cells[: 2 * (width + 1) * LANES] = _NEVER
    row_state[_BEST:_BEST_ROW] = 0
    row_state[_BEST_ROW:_BEST_COLUMN] = -1
    for i in range(rows):
        for lane in range(_LANES):
            row_state[lane] = query[np.uint64(i * LANES) + lane]
        row_state[_LEFT:_LAST] = _NEVER
        floor = _BONUS if i == 0 else _ZERO
        for j in range(width):
            _fill_cell(
                np.uint64(2 * j * LANES), cells, row_state, target, np.uint64((i + j) * LANES),
                moves, np.uint64((i * width + j) * LANES), _I16(i), _I16(j), floor,
            )  # fmt: skip


@leaf
def trace(moves, width, lane, row, column, cigar, at):
    """Follow the moves back from a cell; writes (length << 4 | operation) from cigar[at] on.

    Returns (number of operations, first row, its column); operations stand first to last.
    """
    n = 0
    run = 0
    operation = M
    state = M
    while True:
        move = moves[(row * width + column) * LANES + lane]
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


@leaf
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


@leaf
def _load_lanes(tasks, begin, table, codes, start, keep, width, reference, query, target):
    """Put the reads and reference windows of tasks[begin:begin + LANES] side by side."""
    rows = 0
    for lane in range(LANES):
        if begin + lane < tasks.size:
            rows = max(rows, keep[table.read[tasks[begin + lane]]])
    for lane in range(LANES):
        if begin + lane >= tasks.size:
            query[lane : rows * LANES : LANES] = READ_N
            target[lane : (rows + width) * LANES : LANES] = 4
            continue
        c = tasks[begin + lane]
        r = table.read[c]
        strand = table.strand[c]
        n = keep[r]
        origin = _band_origin(table, c, width)
        for i in range(n):
            query[i * LANES + lane] = codes[strand, start[r] + i]
        for i in range(n, rows):
            query[i * LANES + lane] = 6
        for i in range(rows + width):
            target[i * LANES + lane] = reference[origin + i]
    return rows


@leaf
def write_simple(table, c, result, query, begin, target, cigar, used):
    """Enter what `align_simply` found as candidate `c`; returns the new end of the CIGAR pool.

    query, begin: the oriented reads and where this one begins. cigar: uint32[], with room for three
    operations from `used` on.
    """
    table.score[c] = result[SCORE]
    table.read_begin[c], table.read_end[c] = result[READ_BEGIN], result[READ_END]
    table.ref_begin[c], table.ref_end[c] = result[REF_BEGIN], result[REF_END]
    table.cigar_len[c] = 0
    turn, gap = result[TURN], result[GAP]
    if turn:
        n = result[READ_END]
        inserted = max(-gap, 0)
        cigar[used] = (turn << 4) | M
        cigar[used + 1] = (abs(gap) << 4) | (I if inserted else D)
        cigar[used + 2] = ((n - turn - inserted) << 4) | M
        shift_left(cigar, used, 3, query[begin : begin + n], 0, target, result[REF_BEGIN])
        table.cigar_start[c], table.cigar_len[c] = used, 3
        used += 3
    return used


@kernel
def extend_chains(
    table, slots, counts, codes, unknowns, start, keep, reference, cigar, used, tasks, wide_tasks
):
    """Align all fresh candidates (ref_end 0) along their diagonals; list those that need the DP.

    counts: int32[n], candidates a read. cigar, used: pool of operations and where it is free, with
    room for three a fresh candidate. tasks, wide_tasks: int64[table size], out: candidates for a
    NARROW and for a WIDE band. Returns (narrow ones, wide ones, new `used`).
    """
    masks, places, result = new_scratch()
    fresh = np.empty(MOST, np.int64)
    narrow = wide = 0
    for r in range(counts.size):
        n = np.int64(keep[r])
        listed, chain, best = _list_fresh(table, slots[r], counts[r], fresh)
        for k in range(listed):
            c = fresh[k]
            query = codes[table.strand[c]]
            diagonal = table.diagonal_low[c]
            align_flat(query, start[r], n, reference, diagonal, masks[0], places, result)
            used = write_simple(table, c, result, query, start[r], reference, cigar, used)
            best = max(best, table.score[c])
        for k in range(listed):
            c = fresh[k]
            lost = n * MATCH + 2 * END_BONUS - _total(table, c, n)
            if table.chain[c] * 2 < chain or lost <= _OPEN:
                continue
            low, high = table.diagonal_low[c], table.diagonal_high[c]
            query = codes[table.strand[c]]
            align_simply(
                query, start[r], n, unknowns[r], reference, low, high, masks, places, result
            )
            used = write_simple(table, c, result, query, start[r], reference, cigar, used)
            best = max(best, table.score[c])
            crowded = is_crowded(query, start[r], n, reference, masks, places, result)
            if not _may_gain(table, c, n, crowded, best):
                continue
            if high - low > NARROW // 2:
                wide_tasks[wide] = c
                wide += 1
            else:
                tasks[narrow] = c
                narrow += 1
    return narrow, wide, used


@leaf
def _list_fresh(table, slot, count, fresh):
    """List the fresh candidates of a read: (how many, best chain, best other score)."""
    listed = chain = best = 0
    for c in range(slot, slot + count):
        chain = max(chain, table.chain[c])
        if table.ref_end[c]:
            best = max(best, table.score[c])
        else:
            fresh[listed] = c
            listed += 1
    return listed, chain, best


@leaf
def _total(table, c, n):
    """A candidate's score with its end bonuses."""
    ends = int(table.read_begin[c] == 0) + int(table.read_end[c] == n)
    return table.score[c] + ends * END_BONUS


@leaf
def _may_gain(table, c, n, crowded, best):
    """Whether the DP may bring a candidate to where it matters beside the `best` of its read.

    What more than one gap could mend is a clipped end, a crowd of mismatches, or the join of two
    diagonals.
    """
    clipped = table.read_begin[c] + n - table.read_end[c]
    apart = table.diagonal_low[c] != table.diagonal_high[c]
    split = apart and n * MATCH - table.score[c] > LARGE
    if clipped < MIN_CLIP_FOR_DP and not (split or crowded):
        return False
    gain = max(clipped * MATCH - _OPEN, LARGE)
    return table.score[c] + gain + MATTERS >= best


@kernel
def list_clipped(table, slots, counts, keep, tasks, wide_tasks, wide):
    """Add to wide_tasks, from `wide` on, the tasks of a narrow band that want a wide one.

    These are the best places of their reads and still leave bases out: rare, and the gap may be
    longer than the band is wide. Returns how many wide tasks there are then.
    """
    for k in range(tasks.size):
        c = tasks[k]
        r = table.read[c]
        if keep[r] - (table.read_end[c] - table.read_begin[c]) < MIN_CLIP_FOR_DP:
            continue
        best = table.score[c]
        for other in range(slots[r], slots[r] + counts[r]):
            best = max(best, table.score[other])
        if table.score[c] == best:
            wide_tasks[wide] = c
            wide += 1
    return wide


@kernel(inline="always")
def _band_origin(table, c, width):
    return ((table.diagonal_low[c] + table.diagonal_high[c]) >> 1) - (width >> 1)


@kernel
def extend_gapped(tasks, width, table, codes, start, keep, reference, cigar, cigar_used):
    """Align the candidates in `tasks` (int64[]) in a band of `width` and update the table.

    codes: uint8[2, bases], reads forward and reverse-complemented, read r at start[r]:][:keep[r]].
    reference: uint8[], padded. cigar: uint32[], pool with room, from cigar_used on, for a third of
    the longest read and 8 operations a task. An alignment is taken over only where it scores more,
    with end bonuses, than what the table holds. Returns the new cigar_used.
    """
    longest = 0
    for k in range(tasks.size):
        longest = max(longest, keep[table.read[tasks[k]]])
    query = np.empty(longest * LANES, np.int16)
    target = np.empty((longest + width) * LANES, np.int16)
    cells = np.empty(2 * (width + 1) * LANES, np.int16)
    row_state = np.empty(7 * LANES, np.int16)
    moves = np.empty(longest * width * LANES, np.uint8)
    path = np.empty(2 * longest + width + 2, np.uint32)
    for begin in range(0, tasks.size, LANES):
        rows = _load_lanes(tasks, begin, table, codes, start, keep, width, reference, query, target)
        for lane in range(LANES):
            inside = begin + lane < tasks.size
            row_state[_LAST + np.uint64(lane)] = (
                keep[table.read[tasks[begin + lane]]] - 1 if inside else -1
            )
        align_lanes(rows, width, query, target, cells, row_state, moves)
        scores = row_state[_BEST:].reshape((3, LANES))
        for lane in range(min(LANES, tasks.size - begin)):
            c = tasks[begin + lane]
            r = table.read[c]
            row, column = np.int64(scores[1, lane]), np.int64(scores[2, lane])
            if row < 0:
                continue
            n, first_row, first_column = trace(moves, width, lane, row, column, path, 0)
            score = np.int64(scores[0, lane])
            if first_row == 0:
                score -= END_BONUS
            if row == keep[r] - 1:
                score -= END_BONUS
            if scores[0, lane] <= _total(table, c, keep[r]):
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
                for k in range(n):
                    cigar[cigar_used + k] = path[k]
                cigar_used += n
    return cigar_used
