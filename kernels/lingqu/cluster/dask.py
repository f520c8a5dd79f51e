"""Chunks over the workers of a Dask cluster, whoever owns that."""

import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lingqu.base.errors import LingquError
from lingqu.cluster import security, usage
from lingqu.cluster.parcels import Parcels, Ticket, fetch
from lingqu.cluster.rendezvous import Rendezvous, read
from lingqu.cluster.threads import in_order

CONFIG = {
    "distributed.scheduler.work-stealing": True,
    "distributed.scheduler.allowed-failures": 3,
    "distributed.scheduler.idle-timeout": None,
    "distributed.scheduler.no-workers-timeout": None,
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.preload": [],
    "distributed.worker.profile.enabled": False,  # a look at all stacks every 10 ms
    "distributed.worker.resources": {},
    "distributed.worker.lifetime.duration": None,
    "distributed.worker.memory.target": False,  # results are small and soon fetched; what workers
    "distributed.worker.memory.spill": False,  # map is shared with others, and must not count
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.nanny.preload": [],
    "distributed.nanny.pre-spawn-environ": {},  # no MALLOC_TRIM_THRESHOLD_: chunks reuse memory
    "distributed.comm.compression": False,
    "distributed.comm.retry.count": 3,
    "distributed.comm.timeouts.connect": "30s",
    "distributed.comm.timeouts.tcp": "60s",
    "distributed.diagnostics.nvml": False,
}
"""What of Dask's configuration matters here, whatever a user's own says."""

_HELD = 1 << 30
_LOOK_EVERY = 5.0


def configure() -> None:
    """Set Dask's configuration in this process; its own log tells of errors only."""
    import dask

    dask.config.set(CONFIG)
    import distributed  # noqa: F401  (sets up its loggers)

    logging.getLogger("distributed").setLevel(logging.ERROR)


def work(function: Callable[[Any], Any], handed: Any) -> tuple[Any, usage.Usage]:
    """What a worker does with a task."""
    return usage.measured(function, fetch(handed))


class _Pending:
    """A result to come; the item is kept until it is there."""

    def __init__(self, future, name: str, handed: Any, owner: "Dask"):
        self._future, self._name, self._handed, self._owner = future, name, handed, owner

    def result(self) -> Any:
        try:
            result, cost = self._owner.gathered(self._future, self._name)
        finally:
            self._owner.parcels.drop(self._handed)
        usage.OWN.add(cost)
        return result

    def cancel(self) -> None:
        self._future.release()
        self._owner.parcels.drop(self._handed)

    @property
    def big(self) -> bool:
        return isinstance(self._handed, Ticket)


class Dask:
    """Workers of a Dask cluster, through its client."""

    def __init__(self, client, place: str):
        """place: what to call the cluster in a message."""
        self._client, self._place = client, place
        self._cores, self._looked = 0, float("-inf")
        self.parcels = Parcels(client)

    @property
    def workers(self) -> int:
        """Threads of all workers as of late: nodes come and go."""
        now = time.monotonic()
        if now - self._looked > _LOOK_EVERY:
            self._cores = self._client.run_on_scheduler(_cores) or self._cores
            self._looked = now
        return max(self._cores, 1)

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""
        name = function.__name__

        def submit(item: Any) -> _Pending:
            handed = self.parcels.hand_in(item)
            key = f"{name}-{uuid.uuid4().hex}"
            future = self._client.submit(work, function, handed, key=key, pure=False)
            return _Pending(future, name, handed, self)

        def full(waiting: deque) -> bool:
            enough = len(waiting) >= 2 * self.workers
            return enough or (self.parcels.held > _HELD and len(waiting) > 1)

        return in_order(submit, items, full)

    def gathered(self, future, name: str) -> Any:
        """The result of a task; errors of its function come through as they are."""
        from distributed import CancelledError, KilledWorker
        from distributed.client import FutureCancelledError

        try:
            return future.result()
        except KilledWorker as killed:
            raise LingquError(
                f"{self._place}: {name}: {killed.allowed_failures + 1} workers died over one and"
                " the same piece of work; most often memory is short: give nodes more memory or"
                " fewer threads (workers.yaml); their logs are in .lingqu/cluster/log"
            ) from None
        except (FutureCancelledError, CancelledError):
            raise LingquError(
                f"{self._place}: the cluster is gone; finished parts are kept: run the same again"
            ) from None

    def close(self) -> None:
        """Let go of the client."""
        self.parcels.close()


def _cores(dask_scheduler) -> int:
    return dask_scheduler.total_nthreads


@contextmanager
def local(workers: int) -> Iterator[Dask]:
    """A LocalCluster of one-thread processes, for a while."""
    configure()
    from distributed import Client, LocalCluster

    options = {"dashboard_address": "127.0.0.1:0", "silence_logs": "ERROR"}
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, **options) as cluster,
        Client(cluster, direct_to_workers=True, set_as_default=False) as client,
    ):
        yield from _opened(client, "LocalCluster")


@contextmanager
def connect(scheduler: Path) -> Iterator[Dask]:
    """The cluster of a scheduler file; LingquError where nobody answers."""
    told = read(scheduler)
    client = _client(told)
    with client:
        yield from _opened(client, str(told.file))


def _client(told: Rendezvous):
    configure()
    from distributed import Client

    try:
        return Client(
            told.address,
            security=security.security(told.file.parent) if told.run else None,
            timeout="20s",
            direct_to_workers=True,
            set_as_default=False,
        )
    except (OSError, TimeoutError, ValueError):
        raise told.gone() from None


def _opened(client, place: str) -> Iterator[Dask]:
    cluster = Dask(client, place)
    try:
        yield cluster
    finally:
        cluster.close()
