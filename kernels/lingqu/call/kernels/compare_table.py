"""The two lists of variants on a contig as the one sorted table that `match` walks along."""

from dataclasses import dataclass

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.compare import Variants
from lingqu.sequence.codes import CODE_OF_ASCII


@dataclass(frozen=True)
class Alleles:
    """The called alleles of n records of one list, as they stand in the file.

    Record r has alleles allele_start[r] to allele_start[r + 1] (int64[n + 1]), one at least, and
    options option_start[r] to option_start[r + 1] (int64[n + 1]) of `options` (int64[m, 2]), see
    Variants. Allele a replaces, from base pos[a] (int64), the REF of ref_count[a] (int64) letters
    at text[ref_start[a]] (ASCII codes) by the ALT at alt_start[a] of alt_count[a] letters.
    """

    allele_start: np.ndarray
    option_start: np.ndarray
    options: np.ndarray
    pos: np.ndarray
    ref_start: np.ndarray
    ref_count: np.ndarray
    alt_start: np.ndarray
    alt_count: np.ndarray
    text: np.ndarray


@dataclass(frozen=True)
class Changes:
    """Alleles without the letters that they share with REF, and what they make of their records.

    change_from, change_to, letter_start, letter_count: int64[alleles], letters: uint8[], see
    Variants. Of the records: first, reach (int64[n]) as in Variants; last (int64[n]), the end of
    the bases they change; indel (bool[n]), whether an allele changes the length.
    """

    alleles: Alleles
    change_from: np.ndarray
    change_to: np.ndarray
    letter_start: np.ndarray
    letter_count: np.ndarray
    letters: np.ndarray
    first: np.ndarray
    reach: np.ndarray
    last: np.ndarray
    indel: np.ndarray


@kernel
def _trim(ref_start, ref_count, alt_start, alt_count, letters, head, tail):
    """Count the letters that REF and ALT share: at their right ends first, then at their left.

    ref_start, ref_count, alt_start, alt_count: int64[n], places in letters (uint8). Writes head
    and tail (int64[n]); what stands between them is the change.
    """
    for i in range(len(ref_start)):
        shorter = min(ref_count[i], alt_count[i])
        ref_end, alt_end = ref_start[i] + ref_count[i], alt_start[i] + alt_count[i]
        right, left = 0, 0
        while right < shorter and letters[ref_end - 1 - right] == letters[alt_end - 1 - right]:
            right += 1
        shorter -= right
        while left < shorter and letters[ref_start[i] + left] == letters[alt_start[i] + left]:
            left += 1
        head[i] = left
        tail[i] = right


def find_changes(alleles: Alleles) -> Changes:
    """Trim the alleles of a list."""
    letters = CODE_OF_ASCII[alleles.text]
    head, tail = np.empty_like(alleles.pos), np.empty_like(alleles.pos)
    _trim(
        *(alleles.ref_start, alleles.ref_count, alleles.alt_start, alleles.alt_count),
        *(letters, head, tail),
    )
    change_from = alleles.pos + head
    change_to = alleles.pos + alleles.ref_count - tail
    records = alleles.allele_start[:-1]
    return Changes(
        alleles,
        change_from,
        change_to,
        alleles.alt_start + head,
        alleles.alt_count - head - tail,
        letters,
        np.minimum.reduceat(change_from, records),
        np.maximum.reduceat(change_from, records),
        np.maximum.reduceat(change_to, records),
        np.logical_or.reduceat(alleles.ref_count != alleles.alt_count, records),
    )


def _following(side: np.ndarray) -> np.ndarray:
    n = len(side)
    index = np.arange(n)
    rows = np.full((n + 2, 2), n, np.int64)
    for which in (0, 1):
        own = np.where(side == which, index, n)
        rows[:n, which] = np.minimum.accumulate(own[::-1])[::-1]
    return rows


def arrange(
    truth: Changes, calls: Changes, chosen: tuple[np.ndarray, np.ndarray], ploidy: int
) -> tuple[Variants, np.ndarray]:
    """Both lists as one sorted table; for each of its rows the record, counted through both lists.

    chosen: indices (int64[]) of the records to take of either list. ploidy 2 takes the options as
    they are; ploidy 1 lets any one allele of a record stand on the one haplotype.
    """
    both = (truth, calls)
    alleles = (0, len(truth.change_from))

    def joined(arrays, shifts=(0, 0)) -> np.ndarray:
        return np.concatenate([array + by for array, by in zip(arrays, shifts, strict=True)])

    if ploidy == 1:
        starts = [part.alleles.allele_start for part in both]
        rows, options = alleles, np.arange(sum(len(part.change_from) for part in both))[:, None]
    else:
        starts = [part.alleles.option_start for part in both]
        rows = (0, len(truth.alleles.options))
        options = np.concatenate([truth.alleles.options, calls.alleles.options])
        options[rows[1] :][calls.alleles.options >= 0] += alleles[1]

    side = np.repeat(np.array([0, 1], np.uint8), [len(truth.first), len(calls.first)])
    first, last = joined([part.first for part in both]), joined([part.last for part in both])
    records = joined(chosen, (0, len(truth.first)))
    records = records[np.lexsort((records, side[records], last[records], first[records]))]
    variants = Variants(
        side[records],
        first[records],
        joined([part.reach for part in both])[records],
        _following(side[records]),
        joined([start[:-1] for start in starts], rows)[records],
        joined([start[1:] for start in starts], rows)[records],
        options,
        joined([part.change_from for part in both]),
        joined([part.change_to for part in both]),
        joined([part.letter_start for part in both], (0, len(truth.letters))),
        joined([part.letter_count for part in both]),
        np.concatenate([part.letters for part in both]),
    )
    return variants, records
