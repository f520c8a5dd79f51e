"""Cores of this process, and the order in which any backend gives its results."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any


def in_order(submit: Callable, items: Iterable, full: Callable[[deque], bool]) -> Iterator:
    """Yield the results of submit(item).result() in item order.

    `full` says of the futures that are waited for whether they are enough for now.
    """
    waiting: deque = deque()
    try:
        for item in items:
            waiting.append(submit(item))
            while full(waiting):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def default_threads() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


class Threads:
    """Threads of this process; the kernels release the GIL."""

    def __init__(self, workers: int):
        self.workers = workers
        self._pool = ThreadPoolExecutor(workers)

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""

        def full(waiting: deque) -> bool:
            return len(waiting) >= 2 * self.workers

        return in_order(lambda item: self._pool.submit(function, item), items, full)

    def close(self) -> None:
        """End the threads; what has not started is dropped."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def open_threads(workers: int) -> Iterator[Threads]:
    """Threads for a while."""
    pool = Threads(workers)
    try:
        yield pool
    finally:
        pool.close()
