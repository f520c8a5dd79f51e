"""How the chunks' records are cut into stretches of the genome: by their weight alone.

Stretches are as even as the data: a few for a panel, hundreds for a genome, and none that does
not fit in memory, whatever the depth, unless one window of 2^14 bases is too deep by itself.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from lingqu.align.steps import StretchTask

SHARD_BYTES = 1 << 25, 1 << 29
"""Least and most bytes of records in a shard, before compression."""

_STRETCHES = 512

JUDGED_ROWS = 1 << 18, 1 << 22
"""Least and most duplicate records judged at a time."""


def fair(weight: np.ndarray, least: int, most: int) -> int:
    """Weight of a stretch: small enough to spread, large enough not to be many."""
    return min(max(int(weight.sum()) // _STRETCHES, least), most)


def _starts(weight: np.ndarray, limit: int) -> list[int]:
    """Where stretches of about `limit` begin, the first at 0; each has some weight."""
    heavy = np.flatnonzero(weight)
    before = (np.cumsum(weight) - weight)[heavy]
    starts = heavy[np.diff(before // limit, prepend=-1) > 0].tolist()
    return [0, *starts[1:]] if starts else []


def cut(weight: np.ndarray, limit: int) -> list[int]:
    """Windows at which stretches of about `limit` begin, and the one behind the last."""
    starts = _starts(weight, limit)
    return [*starts, len(weight)] if starts else [0]


def stretches(fasta: Path, folder: Path, chunks: int, bounds: list[int]) -> list[StretchTask]:
    """One task for each stretch between `bounds`, numbered from 0, over all chunks."""
    count = len(bounds) - 1
    return [StretchTask(fasta, folder, n, n, 0, chunks, True) for n in range(count)]


def unplaced_stretches(
    fasta: Path, folder: Path, first: int, size: list[int], limit: int
) -> list[StretchTask]:
    """Tasks, numbered from `first`, for the unplaced records of runs of chunks.

    size: bytes of unplaced records in each chunk.
    """
    starts = _starts(np.array(size, np.int64), limit)
    return [
        StretchTask(fasta, folder, first + i, first, begin, end, False)
        for i, (begin, end) in enumerate(pairwise([*starts, len(size)]))
    ]
