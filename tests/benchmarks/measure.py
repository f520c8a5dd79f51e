"""Run whole commands and count what they cost."""

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True)
class Cost:
    """CPU seconds of a command with its children, wall seconds, memory of the largest process."""

    cpu: float
    wall: float
    memory_mb: float


def run_once(command: str) -> Cost:
    """Run a shell command (pipes fail if any part fails); its stderr is shown if it fails."""
    start = monotonic()
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed ({process.returncode}): {command}\n{errors[-3000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, monotonic() - start, usage.ru_maxrss / 1024)


def run(command: str, times: int) -> Cost:
    """The medians of `times` runs."""
    costs = [run_once(command) for _ in range(times)]
    return Cost(
        *(
            statistics.median(getattr(cost, name) for cost in costs)
            for name in ("cpu", "wall", "memory_mb")
        )
    )


def table(head: list[str], rows: list[list[str]]) -> str:
    """Rows of text under their heads, in columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [head, *rows]
    )
