"""Shards to one file: header, blocks in order, end of file, and the merged index."""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lingqu.align.steps import shard_path
from lingqu.base.atomic import publish
from lingqu.formats import bgzf
from lingqu.formats.arrays import array_starts, open_arrays
from lingqu.formats.bam_header import bam_header
from lingqu.formats.bam_index import index_bytes, indices_of, merge
from lingqu.formats.cram import write_cram
from lingqu.formats.reference import Reference


def _append(out, path: Path, size: int) -> None:
    """Append a shard's `size` bytes of blocks to the open file; LingquError where it is damaged."""
    open_arrays(path, check=True)
    start = array_starts(path)["blocks"]
    out.flush()
    with path.open("rb") as source:
        done = 0
        while done < size:
            sent = os.sendfile(out.fileno(), source.fileno(), start + done, size - done)
            if not sent:
                raise OSError(errno.EIO, "ends too early", str(path))
            done += sent
    out.seek(0, os.SEEK_END)


def _write_bam(path: Path, folder: Path, header: bytes, shards: Iterable[dict]) -> tuple[list, int]:
    """Write a whole BAM file from shards as they come.

    Returns (file offset, index arrays) of each shard of placed records, and how many others are.
    """
    placed, unplaced = [], 0
    with path.open("wb") as out:
        out.write(bgzf.compress(header))
        for number, shard in enumerate(shards):
            source, at = shard_path(folder, number), out.tell()
            _append(out, source, shard["bytes"])
            if shard["placed"]:
                _, arrays = open_arrays(source)
                # copies: a map is an open file, and shards are many
                placed.append((at, {k: v.copy() for k, v in arrays.items() if k != "blocks"}))
            else:
                unplaced += shard["records"]
        out.write(bgzf.EOF)
    return placed, unplaced


def join(
    out: Path, folder: Path, reference: Reference, header: str, shards: Iterable[dict]
) -> Path:
    """Publish `out` (.bam, or .cram) and its index from the folder's shards; the index's path.

    shards: the facts of each, in order.
    """
    head = bam_header(reference, header)
    if out.suffix == ".cram":
        bam = folder / ".joined.bam"  # the dot: not to be taken over half written
        _write_bam(bam, folder, head, shards)
        return write_cram(bam, out, reference, folder)
    with publish(out, folder, indices_of(out)) as beside:
        placed, unplaced = _write_bam(beside, folder, head, shards)
    suffix, index = index_bytes(merge(placed), np.asarray(reference.lengths), unplaced)
    path = Path(f"{out}{suffix}")
    with publish(path, folder) as beside:
        beside.write_bytes(index)
    return path
