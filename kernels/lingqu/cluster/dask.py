"""Chunks over the workers of a Dask cluster, whoever owns that."""

import os
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from lingqu.base.errors import LingquError
from lingqu.cluster import plain_log, security, usage
from lingqu.cluster.parcels import LostError, Parcels, fetch
from lingqu.cluster.rendezvous import DRIVER_VARIABLE, Rendezvous, read
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
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.admin.tick.interval": "1s",  # by default a process looks at itself so often that
    "distributed.admin.tick.limit": "1m",  # it takes 1 % of a core while it does nothing
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.admin.low-level-log-length": 10,  # else a scheduler keeps 1000 messages a worker
}
"""What of Dask's configuration matters here, whatever a user's own says."""

_WORTH, _MOST = 0.2, 64
"""Seconds of work that a task is worth, and the most items of one."""

_LOOK_EVERY = 5.0
_FETCHES = 3


def configure() -> None:
    """Set Dask's configuration in this process; its own log tells of errors only, in lines."""
    import dask
    import distributed  # noqa: F401  (fills in its defaults, also into what is empty)

    dask.config.set(CONFIG)
    plain_log.set_up()


@dataclass
class Done:
    """What a worker made of some items, up to the first that failed; what that cost."""

    results: list
    cost: usage.Usage
    error: Exception | None = None


def work(function: Callable[[Any], Any], handed: list) -> Done:
    """What a worker does with a task."""
    done = Done([], usage.Usage())
    for item in handed:
        try:
            result, cost = usage.measured(function, fetch(item))
        except Exception as error:
            if not done.results:
                raise
            done.error = error
            break
        done.results.append(result)
        done.cost.add(cost)
    return done


class _Pace:
    """How many items of a map go into one task: one, or as many small ones as are worth it."""

    def __init__(self):
        self._cost = usage.Usage()

    def note(self, cost: usage.Usage) -> None:
        """Learn from what items cost."""
        self._cost.add(cost)

    def size(self) -> int:
        """Items of the next task."""
        if not self._cost.chunks:
            return 1
        each = self._cost.wall / self._cost.chunks
        return int(min(max(_WORTH / max(each, 1e-9), 1), _MOST))


class _Pending:
    """Results to come; their items are kept until then."""

    def __init__(self, function: Callable[[Any], Any], handed: list, owner: "Dask"):
        self._function, self._handed, self._owner = function, handed, owner
        self._future = owner.submitted(function, handed)

    def result(self) -> Done:
        try:
            return self._result()
        finally:
            self._drop()

    def _result(self) -> Done:
        for _ in range(_FETCHES):
            try:
                return self._owner.gathered(self._future, self._function.__name__)
            except LostError as error:
                why = error
                self._future = self._owner.submitted(self._function, self._handed)
        raise LingquError(f"workers cannot fetch their work from its driver at {why}")

    def cancel(self) -> None:
        self._future.release()
        self._drop()

    def _drop(self) -> None:
        for item in self._handed:
            self._owner.parcels.drop(item)


class Dask:
    """Workers of a Dask cluster, through its client."""

    def __init__(self, client, place: str, keys: str):
        """place: what to call the cluster in a message; keys: folder of its keys, or empty."""
        self._client, self._place = client, place
        self._cores, self._looked = 0, float("-inf")
        # where this end of the line to the scheduler is, workers reach it, too
        own = client.scheduler_comm.comm.local_address
        host = own.partition("://")[2].rpartition(":")[0].strip("[]")
        self.parcels = Parcels(host, keys)

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
        pace, items = _Pace(), iter(items)

        def groups() -> Iterator[list]:
            while group := list(islice(items, pace.size())):
                yield group

        def submit(group: list) -> _Pending:
            return _Pending(function, [self.parcels.hand_in(item) for item in group], self)

        def full(waiting: deque) -> bool:
            enough = len(waiting) >= 2 * self.workers
            return enough or (self.parcels.full and len(waiting) > 1)

        for done in in_order(submit, groups(), full):
            pace.note(done.cost)
            usage.OWN.add(done.cost)
            yield from done.results
            if done.error:
                raise done.error

    def submitted(self, function: Callable[[Any], Any], handed: list):
        """Dask's future of some items."""
        key = f"{function.__name__}-{uuid.uuid4().hex}"
        return self._client.submit(work, function, handed, key=key, pure=False)

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
        yield from _opened(client, "LocalCluster", "")


@contextmanager
def connect(scheduler: Path) -> Iterator[Dask]:
    """The cluster of a scheduler file; LingquError where nobody answers."""
    told = read(scheduler)
    client = _client(told)
    with client:
        yield from _opened(client, str(told.file), str(told.file.parent) if told.run else "")


def client_name(order: str) -> str:
    """What the scheduler sees of the driver of an order."""
    return f"driver-{order}-"


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
            name=client_name(os.environ.get(DRIVER_VARIABLE, "")),
        )
    except (OSError, TimeoutError, ValueError):
        raise told.gone() from None


def _opened(client, place: str, keys: str) -> Iterator[Dask]:
    cluster = Dask(client, place, keys)
    try:
        yield cluster
    finally:
        cluster.close()
