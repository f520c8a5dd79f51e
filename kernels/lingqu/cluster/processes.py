"""Cores of this machine: forked processes, so that what one does in Python holds up none.

They have what this process has imported and mapped, share it with it, and end with it.
"""

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from lingqu.base.errors import LingquError
from lingqu.cluster.memory import Place, keep, look
from lingqu.cluster.order import in_order
from lingqu.cluster.parent import die_with_parent

_AHEAD = 64
"""Items at most that wait for a worker; a file is open for each."""


def default_workers() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


def _begin(parent: int) -> None:
    die_with_parent(parent=parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to see to
    gc.freeze()


def _work(function: Callable[[Any], Any], handed: Any) -> Any:
    return function(look(handed) if isinstance(handed, Place) else handed)


class _Pending:
    """A result to come; its item is kept until then."""

    def __init__(self, pool: ProcessPoolExecutor, function: Callable[[Any], Any], item: Any):
        self._kept = keep(item)
        self._future = pool.submit(_work, function, self._kept.place if self._kept else item)

    def result(self) -> Any:
        try:
            return self._future.result()
        except BrokenProcessPool:
            raise LingquError(
                "a worker process was killed; if memory is short, use fewer --threads; finished"
                " parts are kept: run the same again"
            ) from None

    def cancel(self) -> None:
        self._future.cancel()


class Alone:
    """One core: that of the process itself."""

    workers = 1

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""
        return map(function, items)

    def close(self) -> None:
        """Nothing to end."""


class Processes:
    """Processes of this machine, started with the first item."""

    def __init__(self, workers: int):
        self.workers = workers
        fork = multiprocessing.get_context("fork")
        self._pool = ProcessPoolExecutor(workers, fork, _begin, (os.getpid(),))

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""
        most = self.workers + min(self.workers, _AHEAD)

        def submit(item: Any) -> _Pending:
            return _Pending(self._pool, function, item)

        def full(waiting: deque) -> bool:
            return len(waiting) >= most

        return in_order(submit, items, full)

    def close(self) -> None:
        """End them; what has not started is dropped."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def open_processes(workers: int) -> Iterator[Alone | Processes]:
    """Processes for a while; this one where one is enough."""
    pool = Processes(workers) if workers > 1 else Alone()
    try:
        yield pool
    finally:
        pool.close()
