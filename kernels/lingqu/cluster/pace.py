"""How much work one task is: the scheduler sees tasks, and there is one scheduler."""

import math
from collections.abc import Iterable, Sized

from lingqu.cluster import usage

_TASK, _BUSY = 4e-3, 0.5
"""CPU seconds that a task costs the scheduler; the share of a core that all tasks may cost it."""

_LEAST, _LONGEST, _PART = 0.2, 10.0, 1 / 8
"""Seconds of work that a task is worth; the part of a map's time that one may take."""

_MOST = 256
"""The most items of a task."""


class Pace:
    """How many items of a map go into its next task.

    With C cores and tasks of w seconds the scheduler has C / w of them a second: w grows with C.
    But no task may be so long that all wait for it in the end: what is left is shared out, and
    where that is not known, a task takes a part of the time that the map has taken.
    """

    def __init__(self, items: Iterable):
        self._left = len(items) if isinstance(items, Sized) else None
        self._cost = usage.Usage()

    def note(self, cost: usage.Usage) -> None:
        """Learn from what items cost."""
        self._cost.add(cost)

    def size(self, cores: int, ahead: int, passed: float) -> int:
        """Items of the next task; ahead: tasks that may wait at a time; passed: seconds so far."""
        if not self._cost.chunks:
            return 1
        each = max(self._cost.wall / self._cost.chunks, 1e-9)
        fair = passed * _PART if self._left is None else self._left * each / ahead
        worth = min(max(min(cores * _TASK / _BUSY, fair), _LEAST), _LONGEST)
        return min(math.ceil(worth / each), _MOST)

    def take(self, count: int) -> None:
        """Note that so many items are in tasks now."""
        if self._left is not None:
            self._left -= count
