"""How the chunks' records are cut into stretches of the genome: by their weight alone.

Stretches are as even as the data: a few for a panel, hundreds for a genome, and none that does
not fit in memory, whatever the depth, unless one window of 2^14 bases is too deep by itself.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np

from lingqu.align.records import UNPLACED
from lingqu.align.steps import WINDOW_BITS, StretchTask, chunk_path
from lingqu.formats.arrays import open_arrays

SHARD_BYTES = 1 << 25, 1 << 29
"""Least and most bytes of records in a shard, before compression."""

_SHARDS = 512

STRETCH_ROWS = 1 << 18
"""Duplicate records judged at a time."""


def total_weights(folder: Path, chunks: int, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """(bytes of records, duplicate records) in each window: int64[windows], over all chunks."""
    size, rows = np.zeros(windows, np.int64), np.zeros(windows, np.int64)
    for number in range(chunks):
        _, arrays = open_arrays(chunk_path(folder, number))
        size[arrays["window"]] += arrays["window_bytes"]
        rows[arrays["end_window"]] += arrays["end_rows"]
    return size, rows


def shard_limit(weight: np.ndarray) -> int:
    """Bytes of records a shard: small enough to spread, large enough not to be many."""
    least, most = SHARD_BYTES
    return min(max(int(weight.sum()) // _SHARDS, least), most)


def _starts(weight: np.ndarray, limit: int) -> list[int]:
    """Where stretches of about `limit` begin, the first at 0; each has some weight."""
    heavy = np.flatnonzero(weight)
    before = (np.cumsum(weight) - weight)[heavy]
    starts = heavy[np.diff(before // limit, prepend=-1) > 0].tolist()
    return [0, *starts[1:]] if starts else []


def cut(weight: np.ndarray, limit: int) -> list[tuple[int, int]]:
    """Keys [low, high) of stretches of whole windows that weigh about `limit` each."""
    starts = _starts(weight, limit)
    return [
        (low << WINDOW_BITS, high << WINDOW_BITS) for low, high in pairwise([*starts, len(weight)])
    ]


def stretches(
    fasta: Path, folder: Path, chunks: int, weight: np.ndarray, limit: int
) -> list[StretchTask]:
    """One task for each stretch of `weight`, numbered from 0, over all chunks."""
    return [
        StretchTask(fasta, folder, number, 0, chunks, low, high)
        for number, (low, high) in enumerate(cut(weight, limit))
    ]


def unplaced_stretches(
    fasta: Path, folder: Path, first: int, size: list[int], limit: int
) -> list[StretchTask]:
    """Tasks, numbered from `first`, for the unplaced records of runs of chunks.

    size: bytes of unplaced records in each chunk.
    """
    starts = _starts(np.array(size, np.int64), limit)
    return [
        StretchTask(fasta, folder, first + i, begin, end, UNPLACED, UNPLACED + 1)
        for i, (begin, end) in enumerate(pairwise([*starts, len(size)]))
    ]
