"""Counts of the lines of a VCF of one sample, from their bytes."""

import numpy as np

from lingqu.base.jit import kernel, leaf

_TAB, _END, _COMMA, _COLON, _DOT, _SLASH, _PIPE = 9, 10, 44, 58, 46, 47, 124
_COLUMNS = 10
SNV, MNV, INSERTION, DELETION, OTHER = range(5)
"""Kinds of alleles; what replaces bases by another number of them is of the latter three."""

NUMBERS = (
    "records", "pass", "snv", "mnv", "insertion", "deletion", "other", "transition",
    "transversion", "snv_records", "mnv_records", "indel_records", "multiallelic", "heterozygous",
    "homozygous", "haploid", "known", "known_transition", "known_transversion", "strand_tested",
    "strand_biased", "x_heterozygous", "x_homozygous",
)  # fmt: skip
"""What `count_lines` counts, in this order."""
(
    RECORDS, PASS, _KIND, _, _, _, _, TRANSITION, TRANSVERSION, SNV_RECORDS, MNV_RECORDS,
    INDEL_RECORDS, MULTIALLELIC, HETEROZYGOUS, HOMOZYGOUS, HAPLOID, KNOWN, KNOWN_TRANSITION,
    KNOWN_TRANSVERSION, STRAND_TESTED, STRAND_BIASED, X_HETEROZYGOUS, X_HOMOZYGOUS,
) = range(len(NUMBERS))  # fmt: skip
AUTOSOME, X, ELSEWHERE = range(3)
"""Where lines are: the balance of homozygous calls is of the first, X_ is of the second."""
LEAST_DEPTH = 10
"""DP from which the reads of a genotype are weighed against each other."""
LONGEST = 50
BINS = 50


@leaf
def _number(text, at, end):
    """The whole number at the begin of text[at:end], -1 for none."""
    value = np.int64(-1)
    while at < end and 48 <= text[at] <= 57:
        value = max(value, np.int64(0)) * 10 + np.int64(text[at]) - 48
        at += 1
    return value


@leaf
def _until(text, at, end, mark):
    """The place of a mark in text[at:end], or the end."""
    while at < end and text[at] != mark:
        at += 1
    return at


@leaf
def _is(text, at, end, word):
    """Whether text[at:end] is a word (uint8[])."""
    same = end - at == len(word)
    for k in range(len(word) if same else 0):
        same = same and text[at + k] == word[k]
    return same


@leaf
def _place_of(text, at, end, one, two):
    """Which of the keys of FORMAT text[at:end] is of these two letters; -1 for none."""
    place = np.int64(0)
    while at < end:
        stop = _until(text, at, end, _COLON)
        if stop - at == 2 and text[at] == one and text[at + 1] == two:
            return place
        place += 1
        at = stop + 1
    return np.int64(-1)


@leaf
def _value(text, at, end, place):
    """Where value number `place` of a sample's column begins; the end where it is missing."""
    if place < 0:
        return end
    while place > 0 and at < end:
        at = _until(text, at, end, _COLON) + 1
        place -= 1
    return min(at, end)


@leaf
def _code(letter):
    """A, C, G, T (or small) as 0 to 3; -1 for others."""
    letter = letter & 0xDF
    if letter == 65:
        return 0
    if letter == 67:
        return 1
    if letter == 71:
        return 2
    return 3 if letter == 84 else -1


@leaf
def _change(text, ref, ref_end, alt, alt_end):
    """(kind, first place of the change in REF, in ALT, bases removed, bases put in)."""
    for p in range(alt, alt_end):
        letter = text[p] & 0xDF
        if letter < 65 or letter > 90:
            return OTHER, ref, alt, np.int64(1), np.int64(1)
    while ref < ref_end and alt < alt_end and text[ref_end - 1] == text[alt_end - 1]:
        ref_end -= 1
        alt_end -= 1
    while ref < ref_end and alt < alt_end and text[ref] == text[alt]:
        ref += 1
        alt += 1
    removed, put = ref_end - ref, alt_end - alt
    kind = INSERTION if put > removed else DELETION
    if removed == put:
        kind = OTHER if not put else SNV if put == 1 else MNV
    return kind, ref, alt, removed, put


@leaf
def _inside(place, pairs):
    inside = False
    for k in range(len(pairs)):
        inside = inside or pairs[k, 0] <= place < pairs[k, 1]
    return inside


@kernel
def _count_alleles(text, at, is_known, numbers, substitutions, lengths):
    """Count the alleles of a line whose columns begin at `at`; whether (SNV, MNV, indel) is one."""
    has_snv = has_mnv = has_indel = False
    alt, last = at[4], at[5] - 1
    while alt < last:
        end = _until(text, alt, last, _COMMA)
        kind, one, two, removed, put = _change(text, at[3], at[4] - 1, alt, end)
        numbers[_KIND + kind] += 1
        if kind == SNV:
            has_snv = True
            old, new = _code(text[one]), _code(text[two])
            if old >= 0 and new >= 0:
                substitutions[old, new] += 1
                step = np.int64(0 if (old ^ new) == 2 else 1)
                numbers[TRANSITION + step] += 1
                if is_known:
                    numbers[KNOWN_TRANSITION + step] += 1
        elif kind == MNV:
            has_mnv = True
        elif kind != OTHER and (removed == 0 or put == 0):
            has_indel = True
            lengths[min(max(put - removed, -LONGEST), LONGEST) + LONGEST] += 1
        alt = end + 1
    return has_snv, has_mnv, has_indel


@kernel
def _count_genotype(text, at, where, par, is_plain_snv, has_snv, counts):
    """Count the genotype of a passing line whose columns begin at `at`."""
    numbers, _, _, balance, _, depths, pure = counts
    sample, end = at[9], at[10] - 1
    stop = _until(text, sample, end, _COLON)
    depth_at = _value(text, sample, end, _place_of(text, at[8], at[9] - 1, 68, 80))
    depth = _number(text, depth_at, end)
    if depth >= 0:
        depths[min(depth, np.int64(len(depths) - 1))] += 1
    one = _number(text, sample, stop)
    cut = sample
    while cut < stop and text[cut] != _SLASH and text[cut] != _PIPE:
        cut += 1
    if cut == stop:
        numbers[HAPLOID] += 1
        return
    two = _number(text, cut + 1, stop)
    numbers[HETEROZYGOUS if one != two else HOMOZYGOUS] += 1
    if has_snv and where == X and not _inside(_number(text, at[1], at[2] - 1) - 1, par):
        numbers[X_HETEROZYGOUS if one != two else X_HOMOZYGOUS] += 1
    if not is_plain_snv or depth < LEAST_DEPTH or min(one, two) < 0:
        return
    ref_at = _value(text, sample, end, _place_of(text, at[8], at[9] - 1, 65, 68))
    alt_at = _until(text, ref_at, end, _COMMA) + 1
    ref, alt = _number(text, ref_at, end), _number(text, alt_at, end)
    if min(ref, alt) < 0 or ref + alt == 0:
        return
    if one != two:
        balance[min(BINS * alt // (ref + alt), np.int64(BINS - 1))] += 1
    elif one == 1 and where == AUTOSOME:
        both = ref + alt
        pure[0] += 1
        pure[1] += ref
        pure[2] += both
        pure[3] += ref * ref
        pure[4] += ref * both
        pure[5] += both * both


@kernel
def count_lines(text, where, par, passed, biased, at, failed, counts):
    """Count whole lines of one contig; returns how many do not pass.

    text: uint8. where: AUTOSOME, X or ELSEWHERE. par: int64[n, 2], of X. passed, biased: uint8,
    the words PASS and StrandBias. at: int64[11], scratch. failed: int64[lines, 2], filled with the
    places of FILTER columns that are not PASS. counts, int64 and added to: NUMBERS; substitutions
    [4, 4]; indels by length [2 * LONGEST + 1]; share of ALT at heterozygous SNVs [BINS]; QUAL by
    tens; DP; homozygous SNVs of autosomes [6]: how many, REF reads, all reads, and the sums of
    REF * REF, REF * all, all * all. All but the first of NUMBERS are of lines that pass.
    """
    numbers, substitutions, lengths, _, qualities, _, _ = counts
    wrong = np.int64(0)
    p = np.int64(0)
    while p < len(text):
        column = np.int64(0)
        at[0] = p
        while text[p] != _END:
            if text[p] == _TAB and column < _COLUMNS - 1:
                column += 1
                at[column] = p + 1
            p += 1
        p += 1
        at[column + 1] = p
        numbers[RECORDS] += 1
        is_passed = _is(text, at[6], at[7] - 1, passed)
        if not is_passed:
            failed[wrong, 0] = at[6]
            failed[wrong, 1] = at[7] - 1
            wrong += 1
            if _is(text, at[6], at[7] - 1, biased):
                only = _until(text, at[4], at[5] - 1, _COMMA)
                if _change(text, at[3], at[4] - 1, at[4], only)[0] == SNV:
                    numbers[STRAND_TESTED] += 1
                    numbers[STRAND_BIASED] += 1
            continue
        numbers[PASS] += 1
        is_known = text[at[2]] != _DOT
        numbers[KNOWN] += is_known
        has_snv, has_mnv, has_indel = _count_alleles(
            text, at, is_known, numbers, substitutions, lengths
        )
        numbers[SNV_RECORDS] += has_snv
        numbers[STRAND_TESTED] += has_snv
        numbers[MNV_RECORDS] += has_mnv
        numbers[INDEL_RECORDS] += has_indel
        is_single = _until(text, at[4], at[5] - 1, _COMMA) == at[5] - 1
        numbers[MULTIALLELIC] += not is_single
        quality = max(_number(text, at[5], at[6] - 1), np.int64(0))
        qualities[min(quality // 10, np.int64(len(qualities) - 1))] += 1
        if column == _COLUMNS - 1:
            _count_genotype(text, at, where, par, is_single and has_snv, has_snv, counts)
    return wrong
