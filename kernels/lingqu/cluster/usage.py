"""What work costs: seconds of wall clock and CPU, and memory, of chunks and of their drivers."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lingqu.base.atomic import publish

USAGE_VARIABLE = "LINGQU_USAGE"
"""Environment variable of a driver: the file into which it writes what it and its chunks cost."""


@dataclass
class Usage:
    """Sums over chunks: their number, CPU and wall-clock seconds; CPU seconds of drivers.

    peak: most bytes that a worker held for itself while it worked on them.
    """

    chunks: int = 0
    cpu: float = 0.0
    wall: float = 0.0
    driver: float = 0.0
    peak: int = 0

    def add(self, other: "Usage") -> None:
        """Add what others cost."""
        self.chunks += other.chunks
        self.cpu += other.cpu
        self.wall += other.wall
        self.driver += other.driver
        self.peak = max(self.peak, other.peak)


OWN = Usage()
"""What this process has cost as a driver, its chunks included."""


def own_memory() -> int:
    """Bytes that this process holds for itself; mapped files, which nodes share, do not count."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def measured(function: Callable[[Any], Any], item: Any) -> tuple[Any, Usage]:
    """(function(item), what that cost)."""
    wall, cpu = time.monotonic(), time.thread_time()
    result = function(item)
    spent = time.thread_time() - cpu, time.monotonic() - wall
    return result, Usage(1, *spent, peak=own_memory())


def leave() -> None:
    """Write what this driver cost, where somebody wants to know."""
    if path := os.environ.get(USAGE_VARIABLE):
        OWN.add(Usage(driver=time.process_time(), peak=own_memory()))
        with publish(path, durable=False) as beside:
            beside.write_text(json.dumps(asdict(OWN)))


def left(path: Path) -> dict:
    """What a driver has left, as the fields of Usage; nothing where it was killed."""
    try:
        return asdict(Usage(**json.loads(path.read_text())))
    except (OSError, ValueError, TypeError):
        return {}
