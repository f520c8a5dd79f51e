"""How right alignments of simulated reads are: offsets per read, shares, curves, calibration."""

from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam
from simulate import FOREIGN, Reads

NEAR = 20
"""Bases that the unclipped start of a correct read may be off."""

FAR = np.int32(1 << 30)
STEP = 5
THRESHOLDS = (1, *range(STEP, 61, STEP))
_OTHER_RECORD = 0x100 | 0x800


@dataclass(frozen=True)
class Placed:
    """What an aligner said of each read: how far from the truth, and how sure it was."""

    start: (
        np.ndarray
    )  # int32[reads], unclipped start minus the true one; FAR: unmapped, other contig
    end: np.ndarray  # int32[reads], the same of the ends
    mapq: np.ndarray  # int16[reads], -1: unmapped
    foreign: np.ndarray  # bool[reads]

    def correct(self, either_end: bool = False) -> np.ndarray:
        """Whether each read lies where it came from: by its start, or by any of its two ends."""
        right = np.abs(self.start) <= NEAR
        return right | (np.abs(self.end) <= NEAR) if either_end else right

    def save(self, path: Path) -> None:
        """Keep it as .npz."""
        np.savez_compressed(path, **vars(self))


def load(path: Path) -> Placed:
    """What `save` kept."""
    with np.load(path) as held:
        return Placed(**held)


def pool(parts: list[Placed]) -> Placed:
    """Reads of several simulations together."""
    names = Placed.__dataclass_fields__
    return Placed(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def place(alignments: Path, reads: Reads) -> Placed:
    """Read the primary records of a SAM or BAM file of simulated reads."""
    columns = tuple(array("i") for _ in range(5))
    which, tid, start, end, mapq = (column.append for column in columns)
    with pysam.AlignmentFile(str(alignments), check_sq=False) as records:
        names = records.references
        for read in records.fetch(until_eof=True):
            flag = read.flag
            if flag & (_OTHER_RECORD | 0x4):
                continue
            which(2 * int(read.query_name.split("_", 1)[0]) + (flag >> 7 & 1))
            tid(read.reference_id)
            start(read.reference_start - read.query_alignment_start)
            end(read.reference_end + read.query_length - read.query_alignment_end)
            mapq(read.mapping_quality)
    which, tid, start, end, mapq = map(np.asarray, columns)
    known = {name: number for number, name in enumerate(reads.contigs)}
    contig = np.array([known.get(name, len(known)) for name in names], np.int32)[tid]
    here = contig == reads.contig[which]
    count = len(reads.contig)
    placed = Placed(
        np.full(count, FAR),
        np.full(count, FAR),
        np.full(count, -1, np.int16),
        reads.contig == FOREIGN,
    )
    placed.start[which] = np.where(here, start - reads.start[which], FAR)
    placed.end[which] = np.where(here, end - reads.end[which], FAR)
    placed.mapq[which] = mapq
    return placed


@dataclass(frozen=True)
class Curve:
    """Reads of the reference kept, and all that are wrong, at each threshold of MAPQ (0: mapped).

    A foreign read is wrong wherever it lies, and never counts as kept.
    """

    reads: int
    correct: int
    kept: np.ndarray  # int64[256]
    wrong: np.ndarray  # int64[256]
    foreign_kept: np.ndarray  # int64[256]

    def at(self, threshold: int) -> tuple[int, int]:
        """(kept, wrong) at a threshold."""
        return int(self.kept[threshold]), int(self.wrong[threshold])

    def said(self, threshold: int) -> int:
        """All reads, foreign too, that are given a place at a threshold."""
        return int(self.kept[threshold] + self.foreign_kept[threshold])

    def steps(self) -> np.ndarray:
        """The thresholds at which something changes, from 1 on."""
        changes = np.flatnonzero(np.diff(self.kept, append=0))
        return changes[changes > 0]


def curve(placed: Placed, either_end: bool = False) -> Curve:
    """Count what an aligner kept and got wrong."""
    right = placed.correct(either_end)
    mapped = placed.mapq >= 0

    def at_least(which: np.ndarray) -> np.ndarray:
        counts = np.bincount(placed.mapq[which], minlength=256)
        return counts[::-1].cumsum()[::-1]

    home = ~placed.foreign
    return Curve(
        int(home.sum()),
        int((right & home).sum()),
        at_least(mapped & home),
        at_least(mapped & ~right),
        at_least(mapped & placed.foreign),
    )


def calibration(placed: Placed, either_end: bool = False) -> np.ndarray:
    """float64[13, 3], by steps of MAPQ: wrong reads that MAPQs claim, reads, wrong observed."""
    mapped = placed.mapq >= 0
    mapq, wrong = placed.mapq[mapped], ~placed.correct(either_end)[mapped]
    step, steps = np.minimum(mapq // STEP, 60 // STEP), 60 // STEP + 1
    weights = 10 ** (-mapq / 10), np.ones(len(mapq)), wrong
    return np.transpose([np.bincount(step, weight, steps) for weight in weights])


def rivals(own: Curve, peer: Curve) -> list[tuple[int, int, int, float]]:
    """Where a peer is ahead: (its MAPQ threshold, kept, wrong, our wrong where we keep as many).

    MAPQ scales differ, so that it is the curves of wrong against kept that are held together; ours
    is drawn straight between its thresholds. Infinity: we do not keep as many at any.
    """
    kept_by_us, first = np.unique(own.kept[::-1], return_index=True)
    wrong_by_us = own.wrong[::-1][first]
    ahead = []
    for threshold in peer.steps():
        kept, wrong = peer.at(threshold)
        ours = np.interp(kept, [0, *kept_by_us], [0, *wrong_by_us], right=np.inf)
        if ours > wrong:
            ahead.append((int(threshold), kept, wrong, float(ours)))
    return ahead
