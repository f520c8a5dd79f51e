"""Memory that one step of work hands back whole, for the next to use again.

A large array fresh from the system costs a page fault and a page of zeros for every page of it;
over the chunks of a run that is more than many a kernel. So each thread keeps one block of memory:
within `scratch()` arrays are cut from it, one behind the other, and at its end all are void.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_ALIGN = 64


class _Block(threading.local):
    """A thread's memory, how much of it is handed out, and how much was asked for at once."""

    def __init__(self):
        self.depth = self.used = 0
        self.memory = np.empty(0, np.uint8)


_block = _Block()


@contextmanager
def scratch() -> Iterator[None]:
    """Within, `empty` gives this thread's kept memory; what it gave must not be used afterwards."""
    outside, _block.depth = _block.used, _block.depth + 1
    try:
        yield
    finally:
        _block.depth -= 1
        most, _block.used = _block.used, outside
        if not _block.depth and most > len(_block.memory):
            _block.memory = np.empty(most + most // 8, np.uint8)


def empty(shape: int | tuple[int, ...], dtype: type = np.uint8) -> np.ndarray:
    """An array with undefined contents, as np.empty; of kept memory where `scratch` holds."""
    if not _block.depth:
        return np.empty(shape, dtype)
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    size = int(count) * np.dtype(dtype).itemsize
    start = _block.used
    _block.used += -(-size // _ALIGN) * _ALIGN
    if _block.used > len(_block.memory):  # grown at the end of this step
        return np.empty(shape, dtype)
    return _block.memory[start : start + size].view(dtype).reshape(shape)
