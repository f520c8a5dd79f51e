"""FASTQ text to arrays."""

import numpy as np

from lingqu.base.jit import kernel

NEWLINE, RETURN, SPACE, TAB, AT, PLUS, SLASH = 10, 13, 32, 9, 64, 43, 47
_STEP = 4096


@kernel
def nth_newline(text, start, n):
    """Where the n-th newline of `text` (uint8[size]) from `start` on ends.

    Returns (position after it, n), or (-1, newlines found) where there are fewer. Whole steps are
    counted first (a loop that vectorises), only the last one is searched.
    """
    at, found = start, 0
    while at < len(text):
        stop = min(at + _STEP, len(text))
        step, count = text[at:stop], np.uint32(0)
        for i in range(len(step)):
            count += np.uint32(step[i] == NEWLINE)
        if found + count >= n:
            break
        found += count
        at = stop
    for i in range(at, len(text)):
        if text[i] == NEWLINE:
            found += 1
            if found == n:
                return i + 1, n
    return -1, found


@kernel
def _line_end(text, at, end):
    while at < end and text[at] != NEWLINE:
        at += 1
    return at


@kernel
def _bare(text, start, end):
    """`end` without the carriage return before it."""
    if end > start and text[end - 1] == RETURN:
        return end - 1
    return end


@kernel
def _name_end(text, start, end):
    """End of the name that begins at `start`: before blank or tab, without /1 or /2.

    `start` where the name has a character that SAM's names have not: it is '!' to '~' but '@'.
    """
    at = start
    while at < end and text[at] != SPACE and text[at] != TAB:
        if text[at] < 33 or text[at] > 126 or text[at] == AT:
            return start
        at += 1
    digit = text[at - 1]
    if at - start > 2 and text[at - 2] == SLASH and (digit == 49 or digit == 50):
        at -= 2
    return at


@kernel
def find_records(text, end, mate, mates, name_start, name_len, base_start, length, qual_start):
    """Find the parts of the FASTQ records in text[:end] (uint8), four lines each.

    Record i fills row i * mates + mate of the outputs (int64 starts, int32 lengths). LF and CRLF,
    with or without one at the end. Returns (records, -1), or (records before it, its start) at a
    record that is not well formed: its quality must be as long as its sequence.
    """
    at, row = 0, mate
    while at < end:
        record = row // mates
        line = _line_end(text, at, end)
        name = at + 1
        name_start[row] = name
        name_len[row] = _name_end(text, name, _bare(text, name, line)) - name
        base = line + 1
        line = _line_end(text, base, end)
        size = _bare(text, base, line) - base
        plus = line + 1
        if plus >= end or text[at] != AT or text[plus] != PLUS:
            return record, at
        if name_len[row] < 1 or name_len[row] > 254:
            return record, at
        qual = min(_line_end(text, plus, end) + 1, end)
        next_at = qual + size
        if next_at > end:
            return record, at
        if next_at < end and text[next_at] == RETURN:
            next_at += 1
        if next_at < end and text[next_at] != NEWLINE:
            return record, at
        base_start[row] = base
        length[row] = size
        qual_start[row] = qual
        at = next_at + 1
        row += mates
    return row // mates, -1


@kernel
def _code_bases(text, base, size, code_of_ascii, codes, to):
    """Fill codes[to:][:size]; the highest code."""
    letters, row, worst = text[base : base + size], codes[to : to + size], np.uint8(0)
    for i in range(size):
        code = code_of_ascii[letters[i]]
        row[i] = code
        worst = max(worst, code)
    return worst


@kernel
def _span(text, start, size):
    """Lowest and highest byte of text[start:][:size]; (255, 0) of none."""
    letters, low, high = text[start : start + size], np.uint8(255), np.uint8(0)
    for i in range(size):
        low, high = min(low, letters[i]), max(high, letters[i])
    return low, high


@kernel
def encode_bases(text, base_start, qual_start, length, start, code_of_ascii, mate, mates, codes):
    """Fill codes[start[r]:][:length[r]] for rows r = mate, mate + mates, ...

    Returns (row, lowest, highest quality byte): the row of the first read with a letter outside
    IUPAC or a quality outside '!' to '~', or -1.
    """
    low, high = np.uint8(255), np.uint8(0)
    for row in range(mate, len(length), mates):
        size = length[row]
        worst = _code_bases(text, base_start[row], size, code_of_ascii, codes, start[row])
        row_low, row_high = _span(text, qual_start[row], size)
        low, high = min(low, row_low), max(high, row_high)
        if worst == 255 or (size and (row_low < 33 or row_high > 126)):
            return row, low, high
    return -1, low, high


@kernel
def first_other_name(text1, text2, name_start, name_len):
    """The first pair (rows 2t and 2t + 1) whose names differ, or -1."""
    for pair in range(len(name_len) // 2):
        r1, r2 = 2 * pair, 2 * pair + 1
        if name_len[r1] != name_len[r2]:
            return pair
        a, b = name_start[r1], name_start[r2]
        for i in range(name_len[r1]):
            if text1[a + i] != text2[b + i]:
                return pair
    return -1
