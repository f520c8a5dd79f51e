"""FASTQ text to arrays."""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.sequence.codes import CODE_OF_ASCII

NEWLINE, RETURN, SPACE, TAB, AT, PLUS, SLASH = 10, 13, 32, 9, 64, 43, 47
_STEP = 4096
_ONE, _TWO, _THREE = np.uint8(1), np.uint8(2), np.uint8(3)
_A, _C, _G, _T = (np.uint8(letter) for letter in b"ACGT")


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
def _copy(text, start, size, out, to):
    """Unsigned places spare the test for indices below 0, and the loop becomes a block copy."""
    begin, at = np.uint64(start), np.uint64(to)
    for i in range(np.uint64(size)):
        out[at + i] = text[begin + i]


@kernel
def _code_plain(text, start, size, codes, to):
    """Fill codes[to:][:size]; whether all letters of text[start:][:size] are ACGT.

    Bits 1 and 2 of these letters tell them apart, which makes vector code of the loop.
    """
    begin, at, wrong = np.uint64(start), np.uint64(to), np.uint8(0)
    for i in range(np.uint64(size)):
        letter = text[begin + i]
        codes[at + i] = ((letter >> _ONE) ^ (letter >> _TWO)) & _THREE
        wrong |= np.uint8((letter != _A) & (letter != _C) & (letter != _G) & (letter != _T))
    return wrong == 0


@kernel
def _code_any(text, start, size, codes, to):
    """Fill codes[to:][:size]; whether all letters of text[start:][:size] are IUPAC."""
    letters, row, worst = text[start : start + size], codes[to : to + size], np.uint8(0)
    for i in range(size):
        code = CODE_OF_ASCII[letters[i]]
        row[i] = code
        worst |= code
    return worst < 128


@kernel
def _ends_line(text, at, end):
    """Whether a line ends at text[at]."""
    if at < end and text[at] == RETURN:
        at += 1
    return at < end and text[at] == NEWLINE


@kernel
def _read_bases(text, base, end, usual, codes, to):
    """Code the line at text[base:] to codes[to:]; (its bases, whether all are IUPAC letters).

    usual: bases to expect. Where as many plain letters stand before a line's end, the line is not
    searched for its end. A line that leaves no room for '+' and as many qualities is not coded.
    """
    fits = base + 2 * usual + 2 <= end
    if fits and _ends_line(text, base + usual, end):
        if _code_plain(text, base, usual, codes, to):
            return usual, True
    size = _bare(text, base, _line_end(text, base, end)) - base
    if base + 2 * size + 2 > end:
        return size, False
    return size, _code_any(text, base, size, codes, to)


@kernel
def _past_line(text, at, end):
    """The place behind the end of line at `at`, or -1 where none is."""
    if at < end and text[at] == RETURN:
        at += 1
    if at < end and text[at] != NEWLINE:
        return -1
    return at + 1


@kernel
def _copy_qualities(text, start, size, out, to):
    """Copy text[start:][:size] to out[to:]; its lowest and highest byte, (255, 0) of none."""
    begin, at, low, high = np.uint64(start), np.uint64(to), np.uint8(255), np.uint8(0)
    for i in range(np.uint64(size)):
        letter = text[begin + i]
        out[at + i] = letter
        low, high = min(low, letter), max(high, letter)
    return low, high


@kernel
def _read_record(
    text, at, end, row, usual, bases, letters, name_start, name_len, start, length, codes, kept
):
    """Take the record at text[at:end] into a row; see `read_records`.

    Returns the place behind it, or -1 where it is not well formed, and the range of its qualities.
    """
    low, high = np.uint8(255), np.uint8(0)
    line = _line_end(text, at, end)
    name, base = at + 1, line + 1
    size = _name_end(text, name, _bare(text, name, line)) - name
    if text[at] != AT or size < 1 or size > 254 or base >= end:
        return -1, low, high
    found, fine = _read_bases(text, base, end, usual, codes, bases)
    plus = _line_end(text, base + found, end) + 1
    if not fine or plus >= end or text[plus] != PLUS:
        return -1, low, high
    qual = min(_line_end(text, plus, end) + 1, end)
    past = _past_line(text, qual + found, end) if qual + found <= end else -1
    if past >= 0:
        low, high = _copy_qualities(text, qual, found, kept, bases)
        _copy(text, name, size, kept, letters)
        start[row], length[row], name_start[row], name_len[row] = bases, found, letters, size
        if found and (low < 33 or high > 126):
            past = -1
    return past, low, high


@kernel
def read_records(
    text1, text2, mates, at, ends, low, high, letters, name_start, name_len, start, length, codes,
    kept,
):  # fmt: skip
    """Take the FASTQ records of one or two texts (uint8) in turn, four lines each, LF or CRLF.

    at: int64[2], where each text begins, and in the end what of it is left. ends: int64[2]. low,
    high: uint8[2], in and out: the range of each text's qualities. Record i of mate m fills row
    i * mates + m of name_start, start (int64), name_len, length (int32), as far as these go. Codes
    go to codes, qualities to the same places of kept (uint8), names to kept[letters:], all back to
    back; of codes there must be room for half the texts, and one each. Returns (rows filled, mate
    whose next record is not well formed or -1, bases). The rows end with the shorter text.
    """
    row = mate = bases = usual = 0
    while row < len(length):
        if mate == 0 and (at[0] >= ends[0] or at[mates - 1] >= ends[mates - 1]):
            break
        text = text1 if mate == 0 else text2
        past, lowest, highest = _read_record(
            text, at[mate], ends[mate], row, usual, bases, letters, name_start, name_len, start,
            length, codes, kept,
        )  # fmt: skip
        if past < 0:
            return row, mate, bases
        low[mate], high[mate] = min(low[mate], lowest), max(high[mate], highest)
        usual = length[row]
        at[mate], bases, letters = past, bases + usual, letters + name_len[row]
        row, mate = row + 1, mates - 1 - mate
    return row, -1, bases


@kernel
def first_other_name(text, name_start, name_len):
    """The first pair (rows 2t and 2t + 1) whose names differ, or -1."""
    for pair in range(len(name_len) // 2):
        r1, r2 = 2 * pair, 2 * pair + 1
        if name_len[r1] != name_len[r2]:
            return pair
        a, b, wrong = np.uint64(name_start[r1]), np.uint64(name_start[r2]), np.uint8(0)
        for i in range(np.uint64(name_len[r1])):
            wrong |= text[a + i] ^ text[b + i]
        if wrong:
            return pair
    return -1
