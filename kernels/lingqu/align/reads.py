"""Chunks of FASTQ text to batches of trimmed reads."""

import numpy as np

from lingqu.align.batch import MAX_READ, ReadBatch
from lingqu.align.kernels.trim import adapters, trim
from lingqu.align.umis import read_umis
from lingqu.base.errors import LingquError
from lingqu.base.scratch import empty
from lingqu.formats import fastq


def read_batch(chunk: fastq.Chunk) -> ReadBatch:
    """Parse a chunk and find its adapters and UMIs.

    LingquError as `lingqu.formats.fastq.parse` and `lingqu.align.umis.read_umis`, and on a read of
    over MAX_READ bases.
    """
    columns = fastq.parse(chunk)
    mates = len(chunk.texts)
    longest = int(columns["length"].argmax())
    if columns["length"][longest] > MAX_READ:
        raise LingquError(
            f"{chunk.files[longest % mates]}: record {chunk.first + longest // mates + 1:,}:"
            f" {columns['length'][longest]:,} bases; lingqu aligns short reads, of at most"
            f" {MAX_READ:,}"
        )
    batch = ReadBatch(paired=mates == 2, keep=empty(len(columns["length"]), np.int32), **columns)
    trim(batch.codes, batch.start, batch.length, batch.paired, *adapters(), batch.keep)
    batch.umis = read_umis(chunk, batch)
    return batch
