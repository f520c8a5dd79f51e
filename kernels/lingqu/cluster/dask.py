"""Chunks over the workers of a Dask cluster, whoever owns that."""

import contextlib
import os
import resource
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from lingqu.base.errors import LingquError
from lingqu.cluster import plain_log, security, usage
from lingqu.cluster.order import in_order
from lingqu.cluster.pace import Pace
from lingqu.cluster.parcels import LostError, Parcels, fetch
from lingqu.cluster.rendezvous import DRIVER_VARIABLE, Rendezvous, read

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
    "distributed.comm.retry.count": 0,  # connecting is tried again as it is, until its time is over
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

_LOAD = 24 << 20
"""Bytes of big items with which a task is full."""

_FILES = 1 << 16
"""The most files that a process may have open: a driver has a connection to each worker."""

_LOOK_EVERY = 5.0
_FETCHES = 3

_CONNECT = 5.0
"""Seconds until a worker that does not answer its driver is taken for lost."""


def configure() -> None:
    """Set Dask's configuration in this process; its own log tells of errors only, in lines.

    And let it open many files: most systems have 1024 as a start, a scheduler several a worker.
    """
    import dask
    import distributed  # noqa: F401  (fills in its defaults, also into what is empty)

    dask.config.set(CONFIG)
    plain_log.set_up()
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now < _FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(_FILES, most), most))


def _open_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


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


class _CutError(Exception):
    """The line to the scheduler was cut; it knows nothing of this client's tasks any more."""


class _Pending:
    """Results to come; their items are kept until then."""

    def __init__(self, function: Callable[[Any], Any], handed: list, owner: "Dask"):
        self._function, self._handed, self._owner = function, handed, owner
        self.submit()
        owner.pending.add(self)

    def submit(self) -> None:
        """Have the scheduler see to it, for the first time or once more."""
        self._future = self._owner.submitted(self._function, self._handed)

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
                why = f"workers cannot fetch their work from its driver at {error}"
                self.submit()
            except _CutError:
                why = "the scheduler is lost again and again; run the same again"
                self._owner.reconnect()
        raise LingquError(why)

    def done(self) -> bool:
        return self._future.done()

    def cancel(self) -> None:
        self._future.release()
        self._drop()

    def _drop(self) -> None:
        self._owner.pending.discard(self)
        for item in self._handed:
            self._owner.parcels.drop(item)


class Dask:
    """Workers of a Dask cluster, through a client of it."""

    def __init__(self, client: Callable, place: str, keys: str):
        """client: makes one; place: what to call the cluster in a message; keys: their folder."""
        self._make_client, self._client, self._place = client, client(), place
        self.pending: set[_Pending] = set()
        self._cores, self._drivers, self._looked = 1, 1, float("-inf")
        # where this end of the line to the scheduler is, workers reach it, too
        own = self._client.scheduler_comm.comm.local_address
        host = own.partition("://")[2].rpartition(":")[0].strip("[]")
        self.parcels = Parcels(host, keys)

    @property
    def workers(self) -> int:
        """Threads of all workers as of late: nodes come and go."""
        now = time.monotonic()
        if now - self._looked > _LOOK_EVERY:
            with contextlib.suppress(OSError):  # its line was cut: the next result shows
                cores, self._drivers = self._client.run_on_scheduler(_cores_and_drivers)
                self._cores = max(cores or self._cores, 1)
            self._looked = now
        return self._cores

    @property
    def _ahead(self) -> int:
        """Tasks of this driver that may wait at a time: two a core, fewer beside many drivers."""
        return max(2 * self.workers * min(2, self._drivers) // self._drivers, 2)

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""
        pace, items, since = Pace(items), iter(items), time.monotonic()

        def groups() -> Iterator[list]:
            while True:
                size = pace.size(self.workers, self._ahead, time.monotonic() - since)
                if not (group := self.handed_in(islice(items, size))):
                    break
                pace.take(len(group))
                yield group

        def full(waiting: deque) -> bool:
            if not waiting:
                return False
            enough = len(waiting) >= self._ahead or (self.parcels.full and len(waiting) > 1)
            return enough or waiting[0].done()

        for done in in_order(lambda group: _Pending(function, group, self), groups(), full):
            pace.note(done.cost)
            usage.OWN.add(done.cost)
            yield from done.results
            if done.error:
                raise done.error

    def handed_in(self, items: Iterable) -> list:
        """The items as they go to a worker; of big ones no more than a task's load."""
        before, group = self.parcels.held, []
        for item in items:
            group.append(self.parcels.hand_in(item))
            if self.parcels.held - before >= _LOAD:
                break
        return group

    def submitted(self, function: Callable[[Any], Any], handed: list):
        """Dask's future of some items."""
        from distributed.client import ClosedClientError

        key = f"{function.__name__}-{uuid.uuid4().hex}"
        try:
            return self._client.submit(work, function, handed, key=key, pure=False)
        except ClosedClientError:  # it was cut off for long
            self.reconnect()
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
            raise _CutError from None
        except OSError:
            if future.status == "error":  # it is the function's
                raise
            raise _CutError from None

    def reconnect(self) -> None:
        """Take another client, and submit again what is pending; LingquError where nobody answers.

        Dask's own client comes back under its name, which its scheduler may then take for ended.
        """
        old, self._client = self._client, self._make_client()
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            old.close(timeout=1)
        for one in list(self.pending):
            one.submit()

    def close(self) -> None:
        """Let go of the client."""
        self.parcels.close()
        self._client.close()


def _cores_and_drivers(dask_scheduler) -> tuple[int, int]:
    clients = dask_scheduler.clients.keys() - {"fire-and-forget"}
    return dask_scheduler.total_nthreads, max(len(clients), 1)


@contextmanager
def local(workers: int) -> Iterator[Dask]:
    """A LocalCluster of one-thread processes, for a while."""
    configure()
    from distributed import Client, LocalCluster

    options = {"dashboard_address": "127.0.0.1:0", "silence_logs": "ERROR"}
    with LocalCluster(n_workers=workers, threads_per_worker=1, **options) as cluster:
        client = partial(Client, cluster, direct_to_workers=True, set_as_default=False)
        yield from _opened(client, "LocalCluster", "")


@contextmanager
def connect(scheduler: Path) -> Iterator[Dask]:
    """The cluster of a scheduler file; LingquError where nobody answers."""
    told = read(scheduler)
    keys = str(told.file.parent) if told.run else ""
    yield from _opened(partial(_client, told), str(told.file), keys)


def client_name(order: str) -> str:
    """What the scheduler sees of the driver of an order."""
    return f"driver-{order}-"


def _client(told: Rendezvous):
    configure()
    from distributed import Client

    try:
        client = Client(
            told.address,
            security=security.security(told.file.parent) if told.run else None,
            timeout="20s",
            direct_to_workers=True,
            connection_limit=_open_files() // 2,
            set_as_default=False,
            name=client_name(os.environ.get(DRIVER_VARIABLE, "")),
        )
    except (OSError, TimeoutError, ValueError):
        raise told.gone() from None
    client.rpc.timeout = _CONNECT
    return client


def _opened(client: Callable, place: str, keys: str) -> Iterator[Dask]:
    cluster = Dask(client, place, keys)
    try:
        yield cluster
    finally:
        cluster.close()
