"""Processes that do not outlive the one that started them, however that ends."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: int = signal.SIGKILL, parent: int = 0) -> None:
    """Have the system send this process the signal when its parent is gone.

    parent: its process, where that is known for sure.
    """
    expected = parent or os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != expected or (expected == 1 and not parent):  # gone meanwhile
        os.kill(os.getpid(), number)
