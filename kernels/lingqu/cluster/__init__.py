"""One way to map chunks over cores: `open_cluster(...).map(function, items)`.

Functions are top-level functions, items are picklable; results come in the order of the items,
whatever the backend. Big shared data is opened inside the function, from its path, once a process.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from lingqu.base.errors import LingquError

SCHEDULER_VARIABLE = "LINGQU_SCHEDULER"
"""Environment variable that names the scheduler file of a running Dask cluster."""


class Cluster(Protocol):
    """Cores to map over."""

    workers: int

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """Yield function(item) in item order; items are pulled lazily, a few ahead of the work."""


class Threads:
    """Threads of this process; the kernels release the GIL."""

    def __init__(self, workers: int):
        self.workers = workers
        self._pool = ThreadPoolExecutor(workers)

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""
        return _in_order(lambda item: self._pool.submit(function, item), items, 2 * self.workers)

    def close(self) -> None:
        """End the threads; what has not started is dropped."""
        self._pool.shutdown(cancel_futures=True)


class Dask:
    """Workers of a Dask cluster, through its client."""

    def __init__(self, client, workers: int):
        self.workers = workers
        self._client = client

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""

        def submit(item):
            return self._client.submit(function, item, pure=False)

        return _in_order(submit, items, 2 * self.workers)


def _in_order(submit: Callable, items: Iterable, ahead: int) -> Iterator:
    waiting: deque = deque()
    try:
        for item in items:
            waiting.append(submit(item))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def default_threads() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def open_cluster(
    threads: int | None = None, backend: str = "threads", scheduler: str | Path | None = None
) -> Iterator[Cluster]:
    """Open a cluster: the Dask one of `scheduler` (or of LINGQU_SCHEDULER), else `backend`.

    backend "threads" works in this process, "dask" starts a LocalCluster of one-thread processes.
    LingquError where the scheduler file is missing or nobody answers.
    """
    threads = threads or default_threads()
    scheduler = scheduler or os.environ.get(SCHEDULER_VARIABLE)
    if scheduler:
        opened = _connect(Path(scheduler))
    elif backend == "dask":
        opened = _local_cluster(threads)
    else:
        opened = _threads(threads)
    with opened as cluster:
        yield cluster


@contextmanager
def _threads(threads: int) -> Iterator[Cluster]:
    pool = Threads(threads)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _local_cluster(threads: int) -> Iterator[Cluster]:
    from distributed import Client, LocalCluster

    options = {"dashboard_address": "127.0.0.1:0", "silence_logs": "ERROR"}
    with (
        LocalCluster(n_workers=threads, threads_per_worker=1, **options) as local,
        Client(local) as client,
    ):
        yield Dask(client, threads)


@contextmanager
def _connect(scheduler: Path) -> Iterator[Cluster]:
    from distributed import Client

    if not scheduler.exists():
        raise LingquError(f"{scheduler}: no scheduler file; start the cluster or unset it")
    try:
        client = Client(scheduler_file=str(scheduler), timeout="20s")
    except (OSError, TimeoutError, ValueError):
        raise LingquError(
            f"{scheduler}: no scheduler answers; the file is stale, remove it"
        ) from None
    with client:
        cores = sum(client.nthreads().values())
        if not cores:
            raise LingquError(f"{scheduler}: the cluster has no workers; start some")
        yield Dask(client, cores)
