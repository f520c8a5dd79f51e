"""The blocks of a BGZF file, told by their headers (SAM specification, section 4.1)."""

import numpy as np

from lingqu.base.jit import kernel

_HEAD, _TAIL = 18, 8


@kernel
def whole_blocks(data):
    """(bytes of the whole blocks that `data` (uint8) begins with, bytes that these hold, whether
    what follows can be a block).
    """
    at = np.int64(0)
    held = np.int64(0)
    while at + _HEAD <= len(data):
        if data[at] != 31 or data[at + 1] != 139 or data[at + 2] != 8 or data[at + 3] != 4:
            return at, held, False
        size = (np.int64(data[at + 16]) | np.int64(data[at + 17]) << 8) + 1
        if size < _HEAD + _TAIL:
            return at, held, False
        if at + size > len(data):
            break
        for k in range(4):
            held += np.int64(data[at + size - 4 + k]) << 8 * k
        at += size
    return at, held, True
