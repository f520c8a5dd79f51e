"""One way to map chunks over cores: `open_cluster(...).map(function, items)`.

Functions are top-level functions, items are picklable; results come in the order of the items,
whatever the backend. Big shared data is opened inside the function, from its path, once a process.

Forked processes, those of a LocalCluster, or the workers of a scheduler that a file names.
`lingqu run` with a profile of workers is the owner of such a cluster:

    owner      one process beside the launcher: Dask's scheduler, the desk and the pool of nodes
    desk       takes heavy commands in, gives each to a node, passes its lines and exit code back
    node       one program a node: Dask workers for chunks, and the drivers that the desk sends it
    thin       a heavy command where it was started: hands itself in at the desk and waits
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from lingqu.cluster.processes import default_workers, open_processes
from lingqu.cluster.rendezvous import SCHEDULER_VARIABLE

__all__ = ["SCHEDULER_VARIABLE", "Cluster", "default_workers", "open_cluster"]


class Cluster(Protocol):
    """Cores to map over."""

    workers: int

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """Yield function(item) in item order; items are pulled lazily, a few ahead of the work."""


@contextmanager
def open_cluster(
    workers: int | None = None, backend: str = "processes", scheduler: str | Path | None = None
) -> Iterator[Cluster]:
    """Open a cluster: the Dask one of `scheduler` (or of LINGQU_SCHEDULER), else `backend`.

    backend "processes" forks this process, "dask" starts a LocalCluster of one-thread processes.
    LingquError where the scheduler file is missing or nobody answers.
    """
    workers = workers or default_workers()
    scheduler = scheduler or os.environ.get(SCHEDULER_VARIABLE)
    if scheduler or backend == "dask":
        from lingqu.cluster import dask

        opened = dask.connect(Path(scheduler)) if scheduler else dask.local(workers)
    else:
        opened = open_processes(workers)
    with opened as cluster:
        yield cluster
