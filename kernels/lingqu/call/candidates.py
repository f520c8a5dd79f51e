"""What may be there: edits of the reference, and the regions in which they are weighed."""

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lingqu.base.scratch import empty
from lingqu.call import model
from lingqu.call.kernels.clips import split_clips
from lingqu.call.kernels.limits import MAX_EDITS
from lingqu.call.kernels.scan import crowds, right_shift, scan, substitutions, tally_gaps
from lingqu.call.kernels.spelling import MAX_CORE, MAX_NEW, prior_of
from lingqu.formats.bam import Alignments

JOIN = 20
"""Edits closer than this are weighed together."""
MAX_SPAN, MAX_OVERLAP = 300, 600
"""Widest region of several edits; of such whose places overlap: apart, one region's edits would be
called to explain what the other's do."""
MAX_SIZE = 300
"""Longest indel that is taken from a CIGAR."""
LONG, LONGER = 4, 10
"""Indels of so many bases are hardly ever errors, and clipped in the more of their reads."""
OFTEN = -3.0
"""Prior (log10) of an indel for one read to be listened to."""


class Edits(NamedTuple):
    """n edits (see call/kernels/haplotypes.py), sorted by (start, removed), with their bases.

    Edit e puts `bases[at[e] : at[e] + put[e]]`. anchor: VCF POS - 1 of the site it belongs to;
    site: number of that site. prior: log10.
    """

    start: np.ndarray  # int32[n]
    removed: np.ndarray  # int32[n]
    put: np.ndarray  # int32[n]
    at: np.ndarray  # int64[n]
    bases: np.ndarray  # uint8
    anchor: np.ndarray  # int32[n]
    site: np.ndarray  # int64[n]
    prior: np.ndarray  # float64[n]


@dataclass(frozen=True, order=True)
class Edit:
    """One edit while candidates are gathered; left and right: the places where it could stand."""

    start: int
    removed: int
    put: bytes
    left: int
    right: int
    support: int = 0

    @property
    def key(self) -> tuple[int, int, bytes]:
        """What it does, wherever it was seen."""
        return self.start, self.removed, self.put

    @property
    def resizes(self) -> bool:
        """Whether it is an insertion or a deletion."""
        return self.removed != len(self.put)

    @property
    def anchor(self) -> int:
        """VCF POS - 1: an indel stands behind the base before it."""
        return self.start - 1 if not self.removed or not self.put else self.start


def pack(edits: list[Edit], sites: list[int], priors: list[float]) -> Edits:
    """The edits as arrays."""
    put = np.array([len(edit.put) for edit in edits], np.int32)
    return Edits(
        np.array([edit.start for edit in edits], np.int32),
        np.array([edit.removed for edit in edits], np.int32),
        put,
        np.concatenate(([0], np.cumsum(put, dtype=np.int64)))[:-1],
        np.frombuffer(b"".join(edit.put for edit in edits) or b"\0", np.uint8),
        np.array([edit.anchor for edit in edits], np.int32),
        np.array(sites, np.int64),
        np.array(priors, np.float64),
    )


def reach(ref: np.ndarray, start: int, removed: int, put: bytes) -> tuple[int, int]:
    """[left, right): reference places that an edit, shifted to the right end, can touch."""
    if removed and put:
        return start, start + removed
    unit = np.frombuffer(put, np.uint8) if put else ref[start : start + removed]
    right = int(right_shift(ref, start + removed, unit, MAX_SIZE))
    return start - 1, right + 1


@dataclass
class Scan:
    """Counts of a window; see call/kernels/scan.py. depth: int32[n]."""

    origin: int
    counts: np.ndarray
    weights: np.ndarray
    depth: np.ndarray
    clips: np.ndarray
    indels: np.ndarray
    inserted: np.ndarray


def scan_window(reads: Alignments, ref: np.ndarray, start: int, end: int) -> Scan:
    """Count what the reads show in [start, end) of a contig."""
    n = end - start
    counts, weights = np.zeros((n, 4), np.int32), np.zeros((n, 4), np.int32)
    cover, clips = np.zeros(n + 1, np.int32), np.zeros(n + 1, np.int32)
    words = len(reads.cigar)
    indels, inserted = empty((words, 4), np.int32), empty(len(reads.codes))
    found, filled = scan(
        reads, ref, start, model.MIN_MAPQ, model.MIN_BASE, counts, weights, cover, clips, indels,
        inserted,
    )  # fmt: skip
    depth = np.cumsum(cover[:-1], dtype=np.int32)
    return Scan(start, counts, weights, depth, clips, indels[:found], inserted[:filled])


def _substitutions(seen: Scan) -> list[Edit]:
    """Bases that a heterozygote explains better than errors do."""
    found = empty((4 * len(seen.depth), 3), np.int64)
    n = substitutions(seen.counts, seen.weights, seen.depth, found)
    return [
        Edit(p + seen.origin, 1, bytes([c]), p + seen.origin, p + seen.origin + 1, count)
        for p, c, count in found[:n].tolist()
    ]


def _clipped(seen: Scan, reads: Alignments, ref: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indels and the bases put in, as in Scan, that clipped ends tell of."""
    marked = np.zeros(len(seen.clips), np.bool_)
    marked[clip_places(seen) - seen.origin] = True
    most = int(seen.clips[marked].sum())
    indels, inserted = np.empty((most, 4), np.int32), np.empty(most * MAX_SIZE, np.uint8)
    found, filled = split_clips(
        reads, ref, seen.origin, marked, model.MIN_MAPQ, MAX_SIZE, indels, inserted
    )
    return indels[:found], inserted[:filled]


def _counted(indels: np.ndarray, inserted: np.ndarray) -> Counter[tuple[int, int, bytes]]:
    """How often each indel is there."""
    raw = inserted.tobytes()
    return Counter(
        (start, removed, raw[at : at + put])
        for start, removed, put, at in indels.tolist()
        if removed <= MAX_SIZE
    )


def _indels(seen: Scan, reads: Alignments, ref: np.ndarray) -> list[Edit]:
    """Indels that enough reads have, at any place of their repeat and with any wrong base: an
    aligner takes an error beside an indel into it. A single read tells of a long one; of an
    insertion only if it is aligned on both sides, and others have none there with other bases. And
    it tells of another length of a repeat that varies, see `_may_vary`.
    """
    aligned = _counted(seen.indels, seen.inserted)
    support = aligned + _counted(*_clipped(seen, reads, ref))
    resized: dict[int, list[tuple[int, int]]] = {}
    most: dict[int, int] = {}
    for (start, removed, put), count in support.items():
        resized.setdefault(len(put) - removed, []).append((start, count))
        most[start] = max(most.get(start, 0), count)
    found = []
    for (start, removed, put), count in support.items():
        depth = int(seen.depth[min(max(start - seen.origin, 0), len(seen.depth) - 1)])
        size = max(removed, len(put))
        weight = 3000 if size < LONG else 6000 if size < LONGER else 12000
        others = min(depth - count, most[start] if count < most[start] else depth)
        odds = weight * count - 301 * others
        if count < 2 and size < LONGER and odds <= 0:
            continue
        left, right = reach(ref, start, removed, put)
        like = [n for at, n in resized[len(put) - removed] if left < at < right]
        is_told = count > 1 or (
            size >= LONGER and (removed or (max(like) == 1 and (start, removed, put) in aligned))
        )
        enough = is_told and weight * sum(like) > 301 * (depth - sum(like))
        if enough or _may_vary(ref, start, removed, put, odds):
            found.append(Edit(start, removed, put, left, right, count))
    return found


def clip_places(seen: Scan) -> np.ndarray:
    """Places (int64) where enough reads have clipped ends for something to be hidden there."""
    found = np.empty(len(seen.depth), np.int64)
    return found[: crowds(seen.clips, seen.depth, found)] + seen.origin


def observed(seen: Scan, reads: Alignments, ref: np.ndarray) -> list[Edit]:
    """Edits that the alignments show, and the clipped ends of reads that are split."""
    return _substitutions(seen) + _indels(seen, reads, ref)


def tally_indels(seen: Scan, ref: np.ndarray) -> np.ndarray:
    """Counts of reads and indels by repeat, see `tally_gaps`."""
    table = np.zeros(model.TALLY, np.int64)
    starts = np.zeros(len(seen.depth), np.int32)
    np.add.at(starts, np.clip(seen.indels[:, 0] - seen.origin, 0, len(starts) - 1), 1)
    tally_gaps(ref, seen.origin, seen.depth, starts, table)
    return table


def _may_vary(ref: np.ndarray, start: int, removed: int, put: bytes, odds: int) -> bool:
    """Whether an indel is of a repeat that varies so often that few reads are enough.

    odds: 1/1000 of the log-likelihood of a heterozygote with it over errors, by the reads that show
    it and those that may tell another length: of the reference, or the commonest indel there.
    """
    prior = prior_of(ref, start, removed, np.frombuffer(put, np.uint8))
    return prior > OFTEN and odds + 1000 * prior > 0


def room_for(edits: Edits, regions: int) -> Edits:
    """Empty edits, with room for those of so many regions and what spelling adds to them."""
    most = len(edits.start) + MAX_NEW * regions
    empty = Edits(*(np.empty(most, array.dtype) for array in edits))
    bases = len(edits.bases) + (MAX_NEW * regions + 1) * MAX_CORE
    return empty._replace(bases=np.empty(bases, np.uint8))


def _near(region: list[int], edit: Edit) -> bool:
    most = MAX_OVERLAP if edit.left < region[1] else MAX_SPAN
    return edit.left <= region[1] + JOIN and max(region[1], edit.right) - region[0] <= most


def group(edits: list[Edit], sites: list[int] | None = None) -> list[tuple[int, int, int, int]]:
    """Regions (left, right, first edit, edits) of edits that are sorted by (start, removed).

    sites: the site of each edit; edits of one site stay together at any width.
    """
    regions: list[list[int]] = []
    for number, edit in enumerate(edits):
        last = regions[-1] if regions else None
        if (
            last
            and last[3] < MAX_EDITS
            and (_near(last, edit) or (sites and sites[number] in sites[last[2] : number]))
        ):
            last[0] = min(last[0], edit.left)
            last[1] = max(last[1], edit.right)
            last[3] += 1
        else:
            regions.append([edit.left, edit.right, number, 1])
    return [tuple(region) for region in regions]
