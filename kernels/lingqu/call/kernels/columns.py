"""The sample columns of a line of a cohort's VCF, as bytes."""

import numpy as np

from lingqu.base.jit import kernel, leaf
from lingqu.call.kernels.sites import UNPHASED

_TAB, _COLON, _COMMA, _DOT, _SLASH, _BAR = (np.uint8(ord(letter)) for letter in "\t:,./|")
_ZERO = np.uint8(48)
_FIXED, _NUMBER = 96, 11
"""Bytes of a column beside its AD, PL and PP, and of a number in these, at most."""


def room(samples: int, alleles: int) -> int:
    """Bytes that `write_columns` takes at most, for so many alleles told."""
    states = alleles * (alleles + 1) // 2
    return samples * (_FIXED + _NUMBER * (alleles + 2 * states))


@leaf
def _put(out, at, letter):
    out[at] = letter
    return at + 1


@leaf
def _put_number(value, out, at):
    """The digits of a number of 0 or more."""
    end = at + 1
    rest = value // 10
    while rest:
        rest //= 10
        end += 1
    for i in range(end - 1, at - 1, -1):
        out[i] = _ZERO + np.uint8(value % 10)
        value //= 10
    return end


@leaf
def _put_genotype(gt, ploidy, place, phase, out, at):
    """GT; place: int64[alleles], the number of each in the line."""
    if gt[0] < 0:
        at = _put(out, at, _DOT)
        if ploidy == 2:
            at = _put(out, _put(out, at, _SLASH), _DOT)
        return at
    if ploidy == 1:
        return _put_number(place[gt[0]], out, at)
    phased = phase[0] != UNPHASED
    first = 1 if phased and phase[2] else 0
    at = _put_number(place[gt[first]], out, at)
    at = _put(out, at, _BAR if phased else _SLASH)
    return _put_number(place[gt[1 - first]], out, at)


@leaf
def _put_states(values, ploidy, kept, out, at):
    """The values of the genotypes of the alleles `kept`, less the least of them."""
    least = np.int64(1) << 40
    for turn in range(2):
        for j in range(len(kept)):
            for i in range(j if ploidy == 1 else 0, j + 1):
                a, b = min(kept[i], kept[j]), max(kept[i], kept[j])
                value = values[b if ploidy == 1 else b * (b + 1) // 2 + a]
                if turn == 0:
                    least = min(least, np.int64(value))
                else:
                    at = _put(out, _put_number(value - least, out, at), _COMMA)
    return at - 1


@leaf
def _put_kin(pp, dq, word, ploidy, kept, out, at):
    """PP, DQ and DN behind colons."""
    at = _put_states(pp, ploidy, kept, out, _put(out, at, _COLON))
    at = _put(out, at, _COLON)
    if np.isnan(dq):
        at = _put(out, at, _DOT)
    else:
        tenths = np.int64(np.rint(np.float64(dq) * 10))
        at = _put(out, _put_number(tenths // 10, out, at), _DOT)
        at = _put_number(tenths % 10, out, at)
    at = _put(out, at, _COLON)
    for k in range(len(word)):
        if word[k]:
            at = _put(out, at, word[k])
    return at


@kernel
def write_columns(
    kept, place, ploidy, gt, gq, depth, ad, pl, phase, has_kin, related, pp, dq, word, out
):
    """Write a tab and the column of each of n samples into out (uint8, `room`); the bytes written.

    kept: int64[k], alleles that are told; place: int64[alleles], the number of each among these.
    ploidy, depth: int64[n]; gt: int16[n, 2], -1: none; gq: int64[n]; ad: int64[n, alleles]; pl:
    int32[n, genotypes]; phase: see `carry_phases`. has_kin: whether there are PP, DQ and DN; those
    who are related (bool[n]) have pp (int32[n, genotypes]), dq (float32[n], NaN: none) and word
    (uint8[n, letters], 0 behind the last); else these are empty.
    """
    at = 0
    for s in range(len(ploidy)):
        at = _put_genotype(gt[s], ploidy[s], place, phase[s], out, _put(out, at, _TAB))
        at = _put(out, at, _COLON)
        told = gt[s, 0] >= 0
        at = _put_number(gq[s], out, at) if told else _put(out, at, _DOT)
        at = _put_number(depth[s], out, _put(out, at, _COLON))
        at = _put(out, at, _COLON)
        if told:
            for k in range(len(kept)):
                at = _put(out, _put_number(ad[s, kept[k]], out, at), _COMMA)
            out[at - 1] = _COLON
            at = _put_states(pl[s], ploidy[s], kept, out, at)
        else:
            at = _put(out, _put(out, _put(out, at, _DOT), _COLON), _DOT)
        if has_kin and related[s]:
            at = _put_kin(pp[s], dq[s], word[s], ploidy[s], kept, out, at)
        elif has_kin:
            for _ in range(3):
                at = _put(out, _put(out, at, _COLON), _DOT)
        if phase[s, 0] != UNPHASED:
            at = _put_number(phase[s, 0], out, _put(out, at, _COLON))
            at = _put(out, at, _COLON)
            at = _put_number(phase[s, 1], out, at) if phase[s, 1] >= 0 else _put(out, at, _DOT)
    return at
