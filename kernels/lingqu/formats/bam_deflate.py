"""BAM records to BGZF blocks."""

import numpy as np

from lingqu.formats import bgzf
from lingqu.formats.bam_deflate_kernels import SLACK, deflate_records, new_scratch
from lingqu.formats.huffman_kernels import new_work


class RecordCompressor:
    """Compresses blocks of records of at most `longest` bytes; the caller fills `data` (uint8).

    Where general matching does better than ours, as on qualities in few bins, libdeflate does it.
    """

    def __init__(self, longest: int):
        self.data = np.zeros(max(longest, bgzf.PAYLOAD) + SLACK, np.uint8)
        self._scratch, self._work = new_scratch(bgzf.PAYLOAD), new_work()
        self._out = np.zeros(2 * bgzf.PAYLOAD + 400, np.uint8)

    def compress(self, n: int) -> bytes:
        """BGZF blocks of the whole records data[:n]: one block, if they fit."""
        if n <= bgzf.PAYLOAD:
            size = deflate_records(self.data, n, self._scratch, self._work, self._out)
            if size:
                return bgzf.block(self.data[:n], self._out[:size])
        return bgzf.compress(self.data[:n])
