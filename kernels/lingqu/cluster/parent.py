"""Processes that do not outlive the one that started them, however that ends."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have the system send this process the signal when its parent is gone."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent or parent == 1:  # gone meanwhile
        os.kill(os.getpid(), number)
