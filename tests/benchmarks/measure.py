"""Run whole commands and count what they cost; tables, and the interval of a share."""

import math
import os
import statistics
import subprocess
import sys
from dataclasses import astuple, dataclass
from time import monotonic

Z95 = 1.959964


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


def median(costs: list[Cost]) -> Cost:
    """The medians of each figure of several runs."""
    return Cost(*map(statistics.median, zip(*map(astuple, costs), strict=True)))


def run(command: str, times: int) -> Cost:
    """The medians of `times` runs."""
    return median([run_once(command) for _ in range(times)])


def run_in_turn(commands: dict[str, str], times: int) -> dict[str, Cost]:
    """The medians of `times` rounds in which each command runs once: all meet the same weather."""
    costs = {name: [] for name in commands}
    for turn in range(times):
        for name, command in commands.items():
            costs[name].append(run_once(command))
            print(f"run {turn + 1}: {name}: {costs[name][-1].cpu:.1f} CPU s", file=sys.stderr)
    return {name: median(each) for name, each in costs.items()}


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    if of == 0:
        return 0.0, 1.0
    share, weight = hits / of, Z95**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = math.sqrt(share * (1 - share) * weight + weight**2 / 4) / (1 + weight)
    return (0.0 if hits == 0 else middle - half), (1.0 if hits == of else middle + half)


def table(head: list[str], rows: list[list[str]]) -> str:
    """Rows of text under their heads, in columns."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    )
