#!/usr/bin/env python3
"""What a run's scheduler costs, by simulation: real owner and drivers, workers that do nothing.

    python tests/benchmarks/scheduler.py [--workers 10 100 1000] [--chunks 1000 10000 100000]

The owner is that of `lingqu run`; workers are Dask's, many in a process (crowd.py), and stand at
the desk as nodes; drivers map with lingqu's own map. A chunk of kind `rest` sleeps, and is a task
of its own; those of kind `at_once` return at once, and many go to a task. CPU is counted, not
time, for the machine may be busy. Prints a table and fits; draws scheduler.svg.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from pathlib import Path

import numpy as np
import psutil
from measure import table
from plot import lines_plot

from lingqu.cluster import SCHEDULER_VARIABLE, dask, hire, rendezvous

HERE = Path(__file__).parent
CROWD = [sys.executable, "-c", "import crowd; crowd.main()"]
SETTINGS = {
    "pool": "processes",
    "nodes": 1,
    "walltime": 86400,
    "margin": 120,
    "patience": 600,  # a crowd of workers shares one thread of Python
    "look": 5,
    "host": "127.0.0.1",
}


@dataclass(frozen=True)
class Row:
    """Of one map: CPU seconds of owner, all drivers and all workers; owner's bytes after it.

    idle: cores that the owner takes with these workers and no work: heartbeats.
    """

    kernel: str
    workers: int
    chunks: int
    tasks: int
    seconds: float
    idle: float
    owner: float
    drivers: float
    crowd: float
    memory: int


def spent(process: psutil.Process) -> float:
    """CPU seconds of a process."""
    return sum(process.cpu_times()[:2])


class Crew:
    """An owner with its crowd, and drivers on demand."""

    def __init__(
        self, file: Path, workers: int, threads: int, processes: int, beats: float,
        environment: dict,
    ):  # fmt: skip
        self._file, self._environment = file, environment
        self.workers = workers
        self.owner = psutil.Process(rendezvous.read(file).pid)
        self.idle, self._next = 0.0, 0
        cuts = np.linspace(0, workers, processes + 1).astype(int)
        self._crowd = [
            self._started("workers", file, a, b - a, threads, beats, self._ran(k))
            for k, (a, b) in enumerate(pairwise(cuts))
        ]
        self._times = [psutil.Process(process.pid) for process in self._crowd]

    def _ran(self, number: int) -> Path:
        return self._file.parent / f"ran{number}.npy"

    def _started(self, *words, **options) -> subprocess.Popen:
        command = [*CROWD, *map(str, words)]
        return subprocess.Popen(command, env=self._environment, **options)

    def rest(self, seconds: float) -> None:
        """Note what the owner takes while nothing is done."""
        before = time.monotonic(), spent(self.owner)
        time.sleep(seconds)
        self.idle = (spent(self.owner) - before[1]) / (time.monotonic() - before[0])

    def map(self, kernel: str, chunks: int, drivers: int) -> tuple[Row, bool]:
        """Have drivers map over so many chunks together; whether all came in order."""
        before = time.monotonic(), spent(self.owner), sum(map(spent, self._times))
        each, left = divmod(chunks, drivers)
        started = []
        for k in range(drivers):
            count = each + (k < left)
            words = "drive", self._file, kernel, self._next, count
            started.append(self._started(*words, stdout=subprocess.PIPE, text=True))
            self._next += count
        told = [json.loads(driver.communicate()[0]) for driver in started]
        row = Row(
            kernel, self.workers, chunks, sum(one["tasks"] for one in told),
            time.monotonic() - before[0], self.idle, spent(self.owner) - before[1],
            sum(one["cpu"] for one in told), sum(map(spent, self._times)) - before[2],
            self.owner.memory_info().rss,
        )  # fmt: skip
        return row, all(one["ordered"] for one in told)

    def ran(self) -> np.ndarray:
        """The numbers of all chunks that ran; when the owner has ended."""
        for process in self._crowd:
            process.wait(120)
        return np.concatenate([np.load(self._ran(k)) for k in range(len(self._crowd))])


@contextlib.contextmanager
def crew(
    folder: Path, workers: int, threads: int, processes: int, beats: float = 1.0
) -> Iterator[Crew]:
    """A hired owner with a crowd that has come."""
    path = f"{HERE}:{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "PYTHONPATH": path}
    with hire.hired(folder / "cluster", SETTINGS, environment) as hired:
        file = Path(hired[SCHEDULER_VARIABLE])
        made = Crew(file, workers, threads, processes, beats, hired)
        with dask.connect(file) as cluster:
            cluster._client.wait_for_workers(workers, timeout=300)
        yield made


def cells(given: argparse.Namespace, workers: int) -> Iterator[tuple[str, int]]:
    """What to map with so many workers: kinds and numbers of chunks, but no rest for too long."""
    for kernel in given.kinds:
        for count in given.chunks:
            if kernel != "rest" or count <= min(100 * workers, given.rest):
                yield kernel, count


def measure(given: argparse.Namespace) -> Iterator[Row]:
    """The rows of the table, as they come; ends the program where a chunk was lost or doubled."""
    for workers in given.workers:
        processes = max(1, min(workers // 50, 4))
        with tempfile.TemporaryDirectory() as folder:
            wanted, right = 0, True
            with crew(Path(folder), workers, given.threads, processes, given.beats) as made:
                made.rest(10)
                for kernel, chunks in cells(given, workers):
                    row, ordered = made.map(kernel, chunks, given.drivers)
                    wanted, right = wanted + chunks, right and ordered
                    yield row
            if not right or not np.array_equal(np.sort(made.ran()), np.arange(wanted)):
                sys.exit(f"{workers} workers: not every chunk ran once and came in order")


HEAD = ["chunks", "kind", "workers", "tasks", "owner MB", "idle: cores", "beats apart",
        "owner: ms/task", "drivers: ms/task",
        "workers: ms/task", "owner: ms/chunk", "drivers: ms/chunk"]  # fmt: skip


def net(row: Row) -> float:
    """CPU seconds of the owner beyond the heartbeats of that time.

    Too low where the crowd has no cores to beat in time.
    """
    return row.owner - row.idle * row.seconds


def cells_of(row: Row) -> list[str]:
    """A row as text."""
    task, chunk = 1e3 / row.tasks, 1e3 / row.chunks
    return [
        f"{row.chunks:,}", row.kernel, f"{row.workers:,}", f"{row.tasks:,}",
        f"{row.memory / 1e6:.0f}", f"{row.idle:.3f}",
        *(f"{cost * task:.2f}" for cost in (net(row), row.owner, row.drivers, row.crowd)),
        *(f"{cost * chunk:.3f}" for cost in (row.owner, row.drivers)),
    ]  # fmt: skip


def fitted(across: list[float], up: list[float]) -> tuple[float, float, float]:
    """(slope, start, largest residual as a share of the largest value) of the line that fits."""
    slope, start = np.polyfit(across, up, 1)
    off = np.abs(np.array(up) - slope * np.array(across) - start).max()
    return slope, start, off / max(up)


def fits(rows: list[Row]) -> Iterator[str]:
    """Lines that tell how straight the figures are."""
    for workers in sorted({row.workers for row in rows}):
        own = [row for row in rows if row.workers == workers]
        tasks = [row.tasks for row in own]
        if len(set(tasks)) < 3:
            continue
        for name, cost in (("owner", attrgetter("owner")), ("drivers", attrgetter("drivers"))):
            slope, start, off = fitted(tasks, [cost(row) for row in own])
            yield (
                f"{workers:>5,} workers: {name:<7} {1e3 * slope:.2f} ms a task {start:+.1f} s,"
                f" off by {100 * off:.0f} % at most"
            )
    last = {row.workers: row for row in rows}.values()
    if len(last) > 2:
        slope, start, off = fitted([r.workers for r in last], [r.memory / 1e6 for r in last])
        yield (
            f"owner's memory: {start:.0f} MB and {1e3 * slope:.0f} kB a worker,"
            f" off by {100 * off:.0f} % at most"
        )


def draw(rows: list[Row], out: Path) -> None:
    """CPU of the owner against tasks, a series for each number of workers."""
    series = {
        f"{workers:,} workers": [(r.tasks, r.owner) for r in rows if r.workers == workers]
        for workers in sorted({row.workers for row in rows})
    }
    up = "CPU seconds of the owner (dashed: 5 ms a task)"
    lines_plot(series, out, "tasks", up, 5e-3)


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--chunks", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--rest", type=int, default=1000, help="most chunks of a task each")
    parser.add_argument("--kinds", nargs="+", default=["at_once", "rest"])
    parser.add_argument("--beats", type=float, default=1.0, help="share of heartbeats to send")
    parser.add_argument("--threads", type=int, default=1, help="of a worker")
    parser.add_argument("--drivers", type=int, default=2, help="at once")
    parser.add_argument("--out", type=Path, default=Path("scheduler.svg"))
    given = parser.parse_args()
    rows = []
    for row in measure(given):
        rows.append(row)
        print("  ".join(cells_of(row)), file=sys.stderr, flush=True)
    print(table(HEAD, [cells_of(row) for row in rows]))
    print(*fits(rows), sep="\n")
    draw(rows, given.out)


if __name__ == "__main__":
    main()
