"""Sites of a cohort: what all samples tell of one place.

At a place where any sample has a record, the alleles of all records there become those of the
site, written with the longest REF, sorted, `*` last. A sample without a record there speaks by a
deletion that covers the place, else by its reference block, else not at all. What it says of an
allele that it has not seen is what it says of <NON_REF>.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lingqu.call import records
from lingqu.call.kernels import gvcf_lines
from lingqu.call.kernels.cohort_blocks import tell_places
from lingqu.call.kernels.sites import find_records, gather, number_spellings
from lingqu.call.pieces import Piece


@dataclass(frozen=True)
class Spelling:
    """The alleles of a record of a sample's gVCF; pos is 0-based; alts without <NON_REF>."""

    pos: int
    ref: str
    alts: tuple[str, ...]

    def classes(self, alleles: list[str]) -> list[int]:
        """By allele of the site, a mask of own alleles that it is; of one not seen, <NON_REF>."""
        other, rest = 1 << len(self.alts) + 1, alleles[0][len(self.ref) :]
        own = {alt if alt == "*" else alt + rest: 1 << a for a, alt in enumerate(self.alts, 1)}
        return [1, *(own.get(alt, other) for alt in alleles[1:])]

    def gone(self, pos: int) -> int:
        """Mask of the own alleles without the base at `pos`, which REF covers behind its first."""
        found = 0
        for a, alt in enumerate(self.alts, 1):
            if alt != "*":
                shift, removed, put = records.trimmed(self.ref, alt)
                start = self.pos + shift
                if start + len(put) <= pos < start + len(removed):
                    found |= 1 << a
        return found

    def classes_below(self, alleles: list[str], pos: int) -> list[int]:
        """As `classes`, for a site at a place that REF covers and does not begin with."""
        gone, other = self.gone(pos), 1 << len(self.alts) + 1
        left = other - 1 & ~gone
        return [left, *((gone or other) if alt == "*" else other for alt in alleles[1:])]


def alleles_of(here: Iterable[Spelling], star: bool) -> list[str] | None:
    """The alleles of a site where these records begin, None where they spell none.

    star: whether a deletion of a sample without a record there covers the place.
    """
    here = list(here)
    longest = max((one.ref for one in here), key=len)
    alts = {alt + longest[len(one.ref) :] for one in here for alt in one.alts if alt.isalpha()}
    if not alts:
        return None
    star = star or any("*" in one.alts for one in here)
    return [longest, *sorted(alts, key=lambda alt: (len(alt), alt)), *(["*"] if star else [])]


class Told(NamedTuple):
    """The records that tell of one place: r of them, of which the first `here` begin there.

    at, sample, row: int64[r], masks: int64[rows, alleles], see `gather`. which: int64[r], their
    numbers in `Records`.
    """

    at: np.ndarray
    sample: np.ndarray
    row: np.ndarray
    masks: np.ndarray
    which: np.ndarray
    here: int


class Over(NamedTuple):
    """Records that cover places they do not begin at, one a sample and place, sorted by place.

    place, record: int64[m]; key: int64[m], which of keys. keys: int64[u], place * spellings and the
    number of the spelling, sorted; gone: bool[u], whether it deletes the place.
    """

    place: np.ndarray
    record: np.ndarray
    key: np.ndarray
    keys: np.ndarray
    gone: np.ndarray


class Records:
    """The records of n samples over a shard, by place and sample.

    Of two records of a sample at one place the first counts.
    """

    def __init__(self, pieces: Sequence[Piece]):
        counts = [piece.records for piece in pieces]
        self.samples = len(pieces)
        self.ints = np.concatenate([piece.ints for piece in pieces])
        self._letters = np.concatenate([piece.letters for piece in pieces])
        at, text_at = np.zeros((2, sum(counts)), np.int64)
        sample = np.repeat(np.arange(len(pieces)), counts)
        hashes = np.empty(len(at), np.uint64)
        find_records(self.ints, self._letters, at, text_at, hashes)
        pos = self.ints[at].astype(np.int64)  # the first number of a record
        order = np.argsort(pos, kind="stable")
        again = (np.diff(pos[order]) == 0) & (np.diff(sample[order]) == 0)
        order = np.delete(order, np.flatnonzero(again) + 1)
        self.at, self._text_at, self.sample, self.pos = (
            values[order] for values in (at, text_at, sample, pos)
        )
        self._number = np.empty(len(order), np.int64)
        alike = np.lexsort((hashes[order], self.pos))
        spellings = number_spellings(
            alike, self.pos, hashes[order], self.ints, self._letters, self.at, self._text_at,
            self._number,
        )  # fmt: skip
        first = np.empty(spellings, np.int64)
        first[self._number[alike[::-1]]] = alike[::-1]
        self._spelled_at = self.pos[first]
        self._spellings = [self._spell(i) for i in first.tolist()]

    def _text(self, i: int, skip: int, size: int) -> str:
        start = int(self._text_at[i]) + skip
        return self._letters[start : start + size].tobytes().decode("utf-8", "surrogateescape")

    def _sizes(self, i: int) -> list[int]:
        """Letters of REF and of ALT."""
        at = self.at[i] + gvcf_lines.REF
        return self.ints[at : at + 2].tolist()

    def _spell(self, i: int) -> Spelling:
        ref, alt = self._sizes(i)
        alts = self._text(i, ref, alt).split(",")
        return Spelling(int(self.pos[i]), self._text(i, 0, ref), tuple(alts))

    def filters(self, which: np.ndarray) -> list[str]:
        """The filters that all of these records fail, LowQual left out."""
        sizes = self.ints[self.at[which] + gvcf_lines.FILTER]
        if not len(which) or not sizes.all():
            return []
        failed = None
        for i, size in zip(which.tolist(), sizes.tolist(), strict=True):
            own = frozenset(self._text(i, sum(self._sizes(i)), size).split(";"))
            own -= {"PASS", ".", "LowQual"}
            failed = own if failed is None else failed & own
        return sorted(failed)

    def places(self, start: int, end: int) -> np.ndarray:
        """int64[places]: where in [start, end) records begin."""
        places = np.unique(self.pos)
        return places[(start <= places) & (places < end)]

    def _over(self, places: np.ndarray) -> Over:
        """The records that cover places: of several one that deletes it, or else the last."""
        reach = self.pos + self.ints[self.at + gvcf_lines.REF]
        first = np.searchsorted(places, self.pos, "right")
        counts = np.maximum(np.searchsorted(places, reach) - first, 0)
        record = np.repeat(np.arange(len(counts)), counts)
        place = np.arange(len(record)) - np.repeat(np.cumsum(counts) - counts - first, counts)
        begun = np.searchsorted(places, self.pos) * self.samples + self.sample
        begun = begun[np.isin(self.pos, places)]
        free = ~np.isin(place * self.samples + self.sample[record], begun)
        place, record = place[free], record[free]
        wide = len(self._spellings)
        keys, key = np.unique(place * wide + self._number[record], return_inverse=True)
        gone = np.array(
            [bool(self._spellings[k % wide].gone(places[k // wide])) for k in keys.tolist()], bool
        )
        rank = np.where(gone[key], record, 2 * len(counts) - record)
        order = np.lexsort((rank, self.sample[record], place))
        owner = place[order] * self.samples + self.sample[record[order]]
        order = order[np.diff(owner, prepend=-1) != 0]
        return Over(place[order], record[order], key[order], keys, gone)

    def told(self, places: np.ndarray) -> Iterator[tuple[int, list[str], Told]]:
        """(place, alleles, records that tell of it) of places where an allele is spelled out."""
        over = self._over(places)
        wide, numbers = len(self._spellings), np.arange(len(places))
        bounds = zip(
            places.tolist(),
            *_bounds(self.pos, places),
            *_bounds(self._spelled_at, places),
            *_bounds(over.place, numbers),
            np.searchsorted(over.keys, numbers * wide).tolist(),
            np.searchsorted(over.keys, (numbers + 1) * wide).tolist(),
            strict=True,
        )
        for pos, first, end, spelled, spelled_end, low, high, key, key_end in bounds:
            here = self._spellings[spelled:spelled_end]
            alleles = alleles_of(here, bool(over.gone[key:key_end].any()))
            if not alleles:
                continue
            below = (self._spellings[k % wide] for k in over.keys[key:key_end].tolist())
            masks = [one.classes(alleles) for one in here]
            masks += [one.classes_below(alleles, pos) for one in below]
            which = np.concatenate((np.arange(first, end), over.record[low:high]))
            row = np.concatenate(
                (self._number[first:end] - spelled, over.key[low:high] - key + len(here))
            )
            yield (
                pos,
                alleles,
                Told(self.at[which], self.sample[which], row, np.array(masks), which, end - first),
            )


def _bounds(values: np.ndarray, wanted: np.ndarray) -> tuple[list[int], list[int]]:
    """Where each wanted one begins and ends in sorted values."""
    return np.searchsorted(values, wanted).tolist(), np.searchsorted(
        values, wanted, "right"
    ).tolist()


@dataclass
class Site:
    """What n samples tell of one place; alleles: those of the records, REF first, `*` last.

    ploidy, depth: int64[n]. ad: int64[n, alleles]. pl: int32[n, genotypes of two copies]; of one
    copy the first `alleles` of a row are meant. told: what of `records` it comes from.
    """

    pos: int
    alleles: list[str]
    ploidy: np.ndarray
    depth: np.ndarray
    ad: np.ndarray
    pl: np.ndarray
    told: Told
    records: Records


def _site(records: Records, blocks: np.ndarray, pos: int, alleles: list[str], told: Told) -> Site:
    """The site of a place; blocks: int32[n, 4], see `gather`."""
    n, a = len(blocks), len(alleles)
    ploidy, depth, ad = np.empty(n, np.int64), np.empty(n, np.int64), np.empty((n, a), np.int64)
    pl = np.zeros((n, a * (a + 1) // 2), np.int32)
    gather(blocks, records.ints, told.at, told.sample, told.row, told.masks, ploidy, depth, ad, pl)
    return Site(pos, alleles, ploidy, depth, ad, pl, told, records)


def sites_of(
    pieces: Sequence[Piece], blocks: Callable[[int], np.ndarray], start: int, end: int
) -> Iterator[Site]:
    """The sites in [start, end) of a contig at which a sample has an allele that is spelled out.

    pieces: the records of each sample. blocks: gives the blocks of sample number n, as bytes; they
    are asked for one after the other, and not kept.
    """
    found = Records(pieces)
    told = list(found.told(found.places(start, end)))
    places = np.array([pos for pos, _, _ in told], np.int64)
    values = np.empty((len(pieces), len(places), 4), np.int32)
    row = np.empty(len(places), np.int64)
    for s, piece in enumerate(pieces):
        ploidy = int(piece.ints[gvcf_lines.PLOIDY]) if piece.records else 2
        tell_places(blocks(s), places, ploidy, row, values[s])
    for k, one in enumerate(told):
        yield _site(found, values[:, k], *one)
