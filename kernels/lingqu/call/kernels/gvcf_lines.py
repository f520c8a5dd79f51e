"""Lines of a gVCF -> blocks and records as numbers and letters, which a cohort keeps."""

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.sequence.codes import CODE_OF_ASCII

TEXT_END, NEW_SHARD, REACHES, OTHER_CONTIG, FAULT, NO_GVCF, BAD_BLOCK = range(7)
"""Why `cut_lines` stops; but for REACHES and TEXT_END the line at state[AT] is still to be read."""
AT, LAST, BLOCKS, INTS, LETTERS, RECORDS, LAST_INTS, LAST_LETTERS, STATE = range(9)
"""What `cut_lines` goes on from: place in the text, POS of the line before (0-based), sizes of what
is written, and where the last record of it begins."""
POS, REF, ALT, FILTER, ALTS, PLOIDY, DEPTH, LEFT, RIGHT, PS, PQ, TOLD, RECORD = range(13)
"""Numbers of a record: POS (0-based); letters of REF, ALT (without NON_REF) and FILTER (none if it
passes or is LowQual); ALT alleles; copies; DP; alleles of GT as they stand (-1: none); PS (0:
none); PQ (-1: none); HAS_AD and HAS_PL. AD and PL of all alleles, NON_REF too, follow where they
are told."""
HAS_AD, HAS_PL = 1, 2
MOST_ALTS = 60
"""ALT alleles of a record, at most."""
ROOM = 64
"""Numbers of a record beside its AD and PL are fewer."""

_TAB, _COLON, _SEMICOLON, _COMMA, _DOT = (np.uint8(ord(letter)) for letter in "\t:;,.")
_SLASH, _BAR, _NEWLINE, _RETURN = (np.uint8(ord(letter)) for letter in "/|\n\r")
_ZERO, _NINE = np.uint8(48), np.uint8(57)
_COLUMNS = 10
_KEYS = ("GT", "DP", "MIN_DP", "AD", "PL", "PS", "PQ")
_GT, _DP, _MIN_DP, _AD, _PL, _PS, _PQ = range(7)
_KEY_TEXT = np.frombuffer("".join(_KEYS).encode(), np.uint8).copy()
_KEY_START = np.cumsum([0, *map(len, _KEYS)])
_NON_REF = np.frombuffer(b"<NON_REF>", np.uint8).copy()
_END_IS = np.frombuffer(b"END=", np.uint8).copy()
_PASS = np.frombuffer(b"PASS", np.uint8).copy()
_LOW = np.frombuffer(b"LowQual", np.uint8).copy()
_MOST_FIELDS = 64
SCRATCH = (3, _MOST_FIELDS + 2)
"""Shape of the scratch of `cut_lines`."""
_GREATEST = 2**31 - 1


@leaf
def _is(text, start, end, word):
    """Whether text[start:end] is `word`."""
    if end - start != len(word):
        return False
    same = True
    for i in range(len(word)):
        same &= text[start + i] == word[i]
    return same


@leaf
def _number(text, start, end):
    """The number whose digits text[start:end] are; -1 for anything else, and beyond int32."""
    if end <= start or end - start > 10:
        return -1
    value = 0
    for i in range(start, end):
        if text[i] < _ZERO or text[i] > _NINE:
            return -1
        value = value * 10 + np.int64(text[i] - _ZERO)
    return value if value <= _GREATEST else -1


@leaf
def _split(text, start, end, mark, cuts):
    """Starts of the pieces of text[start:end] between marks, and end + 1, into cuts; how many."""
    n = 0
    cuts[0] = start
    for i in range(start, end):
        if text[i] == mark:
            n += 1
            if n >= len(cuts) - 1:
                return n
            cuts[n] = i + 1
    cuts[n + 1] = end + 1
    return n + 1


@leaf
def _find_keys(text, start, end, cuts, slots):
    """Which field of a sample column each of _KEYS is, into slots (-1: none)."""
    for key in range(len(slots)):
        slots[key] = -1
    n = _split(text, start, end, _COLON, cuts)
    for k in range(n):
        for key in range(len(slots)):
            word = _KEY_TEXT[_KEY_START[key] : _KEY_START[key + 1]]
            if _is(text, cuts[k], cuts[k + 1] - 1, word):
                slots[key] = k


@leaf
def _same_ref(text, start, end, ref, pos):
    """Whether the letters of REF stand at `pos` of the contig (uint8[length], codes)."""
    if pos + end - start > len(ref) or end == start:
        return False
    same = True
    for i in range(end - start):
        same &= CODE_OF_ASCII[text[start + i]] == ref[pos + i]
    return same


@leaf
def _numbers(text, start, end, count, out, at):
    """The `count` numbers between commas into out[at:]; whether they are that many, and numbers."""
    n = 0
    begin = start
    for i in range(start, end + 1):
        if i == end or text[i] == _COMMA:
            value = _number(text, begin, i)
            if value < 0 or n >= count:
                return False
            out[at + n] = value
            n += 1
            begin = i + 1
    return n == count


@leaf
def _copies(text, start, end):
    n = 1
    for i in range(start, end):
        n += text[i] == _SLASH or text[i] == _BAR
    return n


@leaf
def _read_block(text, cuts, fields, count, slots, length, block):
    """END, ploidy, depth and PLs into block, whose first place is there; whether all is well."""
    start = cuts[7]
    for i in range(start, cuts[8]):
        if i == cuts[8] - 1 or text[i] == _SEMICOLON:
            if i - start > 4 and _is(text, start, start + 4, _END_IS):
                block[1] = _number(text, start + 4, i)
                break
            start = i + 1
    if slots[_GT] < 0 or slots[_GT] >= count:
        return False
    k = slots[_GT]
    block[2] = _copies(text, fields[k], fields[k + 1] - 1)
    k = slots[_MIN_DP] if slots[_MIN_DP] >= 0 and slots[_MIN_DP] < count else slots[_DP]
    block[3] = 0
    if k >= 0 and k < count and not _is(text, fields[k], fields[k + 1] - 1, _PASS[:0]):
        if text[fields[k]] != _DOT or fields[k + 1] - fields[k] != 2:
            block[3] = _number(text, fields[k], fields[k + 1] - 1)
    block[4] = block[5] = 0
    k = slots[_PL]
    if k >= 0 and k < count and not _read_pair(text, fields[k], fields[k + 1] - 1, block):
        return False
    fits = block[0] < block[1] and block[1] <= length and block[3] >= 0
    return fits and (block[2] == 1 or block[2] == 2)


@leaf
def _read_pair(text, start, end, block):
    """PLs of 0/x and x/x: the second and the last of a list; nothing where one is missing."""
    n, begin = 0, start
    for i in range(start, end):
        if text[i] == _DOT:
            return True
    for i in range(start, end + 1):
        if i == end or text[i] == _COMMA:
            value = _number(text, begin, i)
            if value < 0:
                return False
            if n == 1:
                block[4] = value
            block[5] = value
            n += 1
            begin = i + 1
    return n > 1


@leaf
def _read_genotype(text, start, end, out, at):
    """Copies and alleles of GT into a record's numbers."""
    copies = min(_copies(text, start, end), 2)
    out[at + PLOIDY] = copies
    begin, n = start, 0
    for i in range(start, end + 1):
        if i == end or text[i] == _SLASH or text[i] == _BAR:
            if n < 2:
                out[at + LEFT + n] = _number(text, begin, i)
            n += 1
            begin = i + 1


@leaf
def _value(text, fields, count, k):
    """The number in field k; -1 where there is none."""
    if k < 0 or k >= count:
        return -1
    return _number(text, fields[k], fields[k + 1] - 1)


@leaf
def _read_record(text, cuts, fields, count, slots, pos, alts, ints, at):
    """The numbers of a record into ints[at:]; how many."""
    ints[at + POS], ints[at + ALTS] = pos, alts
    ints[at + PLOIDY], ints[at + LEFT], ints[at + RIGHT] = 2, -1, -1
    k = slots[_GT]
    if k >= 0 and k < count:
        _read_genotype(text, fields[k], fields[k + 1] - 1, ints, at)
    ints[at + DEPTH] = max(_value(text, fields, count, slots[_DP]), 0)
    ints[at + PS] = max(_value(text, fields, count, slots[_PS]), 0)
    ints[at + PQ] = _value(text, fields, count, slots[_PQ])
    told, size, alleles = 0, RECORD, alts + 2
    states = alleles * (alleles + 1) // 2 if ints[at + PLOIDY] == 2 else alleles
    k = slots[_AD]
    if k >= 0 and k < count:
        if _numbers(text, fields[k], fields[k + 1] - 1, alleles, ints, at + size):
            told |= HAS_AD
            size += alleles
    k = slots[_PL]
    if k >= 0 and k < count:
        if _numbers(text, fields[k], fields[k + 1] - 1, states, ints, at + size):
            told |= HAS_PL
            size += states
    ints[at + TOLD] = told
    return size


@leaf
def _copy_letters(text, start, end, letters, to):
    for i in range(end - start):
        letters[to + i] = text[start + i]
    return to + end - start


@leaf
def _take_record(text, cuts, fields, count, slots, pos, ints, letters, state):
    """Write a record; False where it has more alleles than can be."""
    at, to = state[INTS], state[LETTERS]
    first, last = cuts[4], cuts[5] - 1 - len(_NON_REF) - 1
    alts = 1
    for i in range(first, last):
        alts += text[i] == _COMMA
    if alts > MOST_ALTS:
        return False
    state[LAST_INTS], state[LAST_LETTERS] = at, to
    ints[at + REF] = cuts[4] - 1 - cuts[3]
    ints[at + ALT] = last - first
    for i in range(cuts[3], cuts[4] - 1):  # REF in upper case
        letters[to] = text[i] - np.uint8(32) if text[i] >= 97 else text[i]
        to += 1
    to = _copy_letters(text, first, last, letters, to)
    start, end = cuts[6], cuts[7] - 1
    passes = _is(text, start, end, _PASS) or _is(text, start, end, _LOW)
    passes |= end - start == 1 and text[start] == _DOT
    ints[at + FILTER] = 0 if passes else end - start
    if not passes:
        to = _copy_letters(text, start, end, letters, to)
    state[LETTERS] = to
    state[INTS] = at + _read_record(text, cuts, fields, count, slots, pos, alts, ints, at)
    state[RECORDS] += 1
    return True


@kernel
def cut_lines(text, contig, ref, end, state, block, scratch, blocks, ints, letters):
    """Take lines from text (uint8, whole lines) into the shard that ends at `end`; why it stops.

    contig: uint8, its name; ref: uint8[length], its codes. state: int64[STATE]. block: int64[BLOCK]
    (see kernels.cohort_blocks), the block that goes on behind `end` (REACHES), or start and end of
    such a record, with PLOIDY 0, or of what is to be read next (NEW_SHARD). scratch:
    int64[SCRATCH]. blocks: int64[m, BLOCK], ints: int32, letters: uint8: what is written, with room
    for a block each 24 letters of text, and a number or letter each letter, and ROOM.
    """
    cuts, fields, slots = scratch[0, : _COLUMNS + 2], scratch[1], scratch[2, : len(_KEY_START) - 1]
    size, known = len(text), text[:0]
    while state[AT] < size:
        line = state[AT]
        stop = line
        while text[stop] != _NEWLINE:
            stop += 1
        bare = stop - 1 if stop > line and text[stop - 1] == _RETURN else stop
        if _split(text, line, bare, _TAB, cuts) != _COLUMNS:
            return FAULT
        if not _is(text, line, cuts[1] - 1, contig):
            return OTHER_CONTIG
        pos = _number(text, cuts[1], cuts[2] - 1) - 1
        if pos < 0 or pos < state[LAST] or not _same_ref(text, cuts[3], cuts[4] - 1, ref, pos):
            return FAULT
        block[0], block[1], block[2] = pos, pos + cuts[4] - 1 - cuts[3], 0
        if pos >= end:
            return NEW_SHARD
        if not _is(text, cuts[8], cuts[9], known):
            _find_keys(text, cuts[8], cuts[9] - 1, fields, slots)
            known = text[cuts[8] : cuts[9]]
        count = min(_split(text, cuts[9], bare, _COLON, fields), _MOST_FIELDS)
        last = cuts[5] - 1 - len(_NON_REF)
        if last < cuts[4] or not _is(text, last, cuts[5] - 1, _NON_REF):
            return NO_GVCF
        if last == cuts[4]:
            if not _read_block(text, cuts, fields, count, slots, len(ref), block):
                return BAD_BLOCK
            for k in range(len(block)):
                blocks[state[BLOCKS], k] = block[k]
            state[BLOCKS] += 1
        elif text[last - 1] != _COMMA:
            return NO_GVCF
        elif not _take_record(text, cuts, fields, count, slots, pos, ints, letters, state):
            return FAULT
        state[LAST] = pos
        state[AT] = stop + 1
        if block[1] > end:
            return REACHES
    return TEXT_END
