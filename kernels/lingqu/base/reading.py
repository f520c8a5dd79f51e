"""How far this process has read its input files, where nobody knows how much is in them."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

_OPEN = Path("/proc/self/fdinfo")


def _place(handle: str) -> int:
    """The place in an open file; proc_pid_fdinfo(5)."""
    return int((_OPEN / handle).read_text().split(maxsplit=2)[1])


class Reading:
    """Files that are read in this order, some side by side, whoever opens and closes them."""

    def __init__(self, files: Iterable[str | Path]):
        self._sizes: dict[tuple[int, int], int] = {}
        for file in files:
            with contextlib.suppress(OSError):
                told = os.stat(file)
                self._sizes[told.st_dev, told.st_ino] = told.st_size
        self._begun: set[tuple[int, int]] = set()

    def _places(self) -> dict[tuple[int, int], int]:
        found = {}
        for handle in os.listdir(_OPEN):
            with contextlib.suppress(OSError, ValueError, IndexError):  # closed just now
                told = os.fstat(int(handle))
                if (key := (told.st_dev, told.st_ino)) in self._sizes:
                    found[key] = max(_place(handle), found.get(key, 0))
        return found

    def share(self) -> float | None:
        """The part of all bytes that is read; None where it cannot be known, as from a pipe."""
        total = sum(self._sizes.values())
        places = self._places() if total else {}
        self._begun |= places.keys()
        if not self._begun:
            return None
        keys = list(self._sizes)
        last = max(keys.index(key) for key in self._begun)
        over = (key for key in keys[: last + 1] if key not in places)
        return (sum(places.values()) + sum(self._sizes[key] for key in over)) / total
