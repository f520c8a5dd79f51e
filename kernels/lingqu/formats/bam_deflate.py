"""BAM records to BGZF blocks."""

import numpy as np

from lingqu.formats import bgzf
from lingqu.formats.bam_deflate_kernels import SLACK, deflate_records, new_scratch


class RecordCompressor:
    """Compresses blocks of records of at most `longest` bytes; the caller fills `data` (uint8)."""

    def __init__(self, longest: int):
        self.data = np.zeros(max(longest, bgzf.PAYLOAD) + SLACK, np.uint8)
        self._scratch = new_scratch(bgzf.PAYLOAD)

    def compress(self, n: int) -> bytes:
        """BGZF blocks of the whole records data[:n]: one block, if they fit."""
        if n <= bgzf.PAYLOAD:
            size = deflate_records(self.data, n, *self._scratch)
            if size:
                return bgzf.block(self.data[:n], self._scratch.out[:size])
        return bgzf.compress(self.data[:n])
