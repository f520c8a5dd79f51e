"""Chunks of FASTQ text to batches of trimmed reads."""

import numpy as np

from lingqu.align.batch import ReadBatch
from lingqu.align.kernels.trim import adapters, trim
from lingqu.formats import fastq


def read_batch(chunk: fastq.Chunk) -> ReadBatch:
    """Parse a chunk and find its adapters; LingquError as `lingqu.formats.fastq.parse`."""
    columns = fastq.parse(chunk)
    batch = ReadBatch(
        paired=len(chunk.texts) == 2, keep=np.empty_like(columns["length"]), **columns
    )
    trim(batch.codes, batch.start, batch.length, batch.paired, *adapters(), batch.keep)
    return batch
