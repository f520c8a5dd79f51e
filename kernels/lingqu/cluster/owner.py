"""The owner of a run's cluster: `python -m lingqu.cluster.owner SCHEDULER_FILE < settings.json`.

One process beside the launcher: Dask's scheduler, the desk and the pool. It goes with the launcher,
and then cancels its jobs; SIGTERM has it close, and tell what the run cost.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from lingqu.base import journal
from lingqu.base.errors import LingquError
from lingqu.base.progress import say
from lingqu.cluster import dask, rendezvous, security, wire
from lingqu.cluster.desk import Desk, Node
from lingqu.cluster.jobs import Jobs, Processes, Steps
from lingqu.cluster.parent import die_with_parent
from lingqu.cluster.pool import Pool
from lingqu.cluster.slurm import SlurmJobs
from lingqu.cluster.usage import Usage

_HEARTBEAT, _LOOK = 2.0, 0.2
_AWAY = 5.0
_LATER = 6.0  # a silent node is found before its workers are blamed; it speaks every 5 seconds


def jobs_of(settings: dict, run: str, file: Path) -> Jobs:
    """The jobs of the kind that the settings want."""
    match settings["pool"]:
        case "processes":
            return Processes(file)
        case "allocation":
            return Steps(file, settings)
        case _:
            return SlurmJobs(settings, run, file)


class Owner:
    """Scheduler, desk and pool of one run."""

    def __init__(self, file: Path, settings: dict):
        self._file, self._settings = file, settings
        self._dashboard = settings.get("dashboard", False)
        self._core_seconds = 0.0
        self._desk = Desk(self._left, self._drain, self._say)
        self._jobs = jobs_of(settings, settings["run"], file)
        self._pool = Pool(self._jobs, settings["nodes"], self._desk, self._say)
        self._tasks: set[asyncio.Task] = set()
        # since when this process was never away for long
        self._looked = self._awake = time.monotonic()

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody is there to be told
            say(f"lingqu: {text}")

    def _soon(self, work) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self, over: asyncio.Event) -> None:
        """Own the cluster until `over`."""
        async with await self._scheduler() as scheduler:
            self._dask = scheduler
            host = scheduler.address.partition("://")[2].rpartition(":")[0]
            server = await wire.listen(self._file.parent, host, self._desk.answer)
            port = server.sockets[0].getsockname()[1]
            self._publish(scheduler.address, f"{host}:{port}")
            if self._dashboard:
                self._say(f"Dask's dashboard: http://127.0.0.1:{scheduler.http_server.port}/status")
            try:
                await self._keep(over)
            finally:
                self._file.unlink(missing_ok=True)
                for node in list(self._desk.nodes.values()):
                    self._desk.dismiss(node)
                await self._jobs.cancel()
                server.close()

    async def _scheduler(self):
        from distributed import Scheduler

        from lingqu.cluster.lost import LostWorkers

        settings = self._settings
        if self._dashboard and not find_spec("bokeh"):
            raise LingquError("no dashboard: bokeh is missing; pip install bokeh")
        return await Scheduler(
            host=settings.get("host"),
            interface=settings.get("interface"),
            protocol="tls://",
            security=security.security(self._file.parent),
            dashboard=self._dashboard,
            dashboard_address="127.0.0.1:0",
            worker_ttl=None,  # it would ask nannies to help, which may hang, too
            plugins=[LostWorkers(self._lost)],
        )

    def _publish(self, address: str, desk: str) -> None:
        told = rendezvous.Rendezvous(
            self._file, address, self._settings["run"], desk, socket.gethostname(), os.getpid(),
            self._settings,
        )  # fmt: skip
        rendezvous.write(told)

    async def _keep(self, over: asyncio.Event) -> None:
        hiring = asyncio.create_task(self._hire())
        try:
            while not over.is_set():
                if hiring.done():
                    hiring.result()
                await self._check()
                self._note()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), self._settings["look"])
        finally:
            hiring.cancel()
            await asyncio.wait([hiring])

    async def _hire(self) -> None:
        """Have as many jobs as there may be; Slurm may take its time to answer."""
        try:
            while True:
                await self._pool.tick()
                await asyncio.sleep(self._settings["look"])
        except LingquError as error:
            self._say(f"error: {error}")
            self._desk.refuse(str(error))

    async def _check(self) -> None:
        """Give up nodes and workers that were not heard of for long, unless this end was away."""
        now, patience = time.monotonic(), self._settings["patience"]
        if now - self._looked > self._settings["look"] + _AWAY:
            self._awake = now
        self._looked = now
        if now - self._awake < patience:
            return
        lost = self._desk.silent(patience)
        for node in lost:
            self._desk.dismiss(node, f"node {node.host} is lost: not heard of for {patience} s")
            self._pool.drop(node.job)
            self._soon(self._jobs.end(node.job))
        blameless = {state.address for node in lost for state in self._own(node)}
        await self._part(self._silent(patience) - blameless, expected=False)

    def _silent(self, patience: float) -> set[str]:
        """Workers that were not heard of; the more there are, the rarer they speak."""
        from distributed.scheduler import heartbeat_interval

        workers = self._dask.workers.values()
        longest = max(patience + _LATER, 10 * heartbeat_interval(len(workers)))
        return {state.address for state in workers if time.time() - state.last_seen > longest}

    async def _part(self, addresses: Iterable[str], expected: bool) -> None:
        """Give the chunks of workers to others, at once; expected: they are not to blame."""
        for address in addresses:
            if comm := self._dask.stream_comms.get(address):
                stimulus = f"part-{time.time()}"
                await self._dask.remove_worker(address, stimulus_id=stimulus, expected=expected)
                comm.abort()

    def _note(self) -> None:
        """Leave what there is, for the launcher's view."""
        run = os.environ.get(journal.RUN_VARIABLE)
        if run and self._desk.asked:
            nodes = self._desk.nodes.values()
            facts = {
                "nodes": len(nodes),
                "cores": sum(node.cores for node in nodes),
                "chunks": sum(len(state.processing) for state in self._dask.workers.values()),
                "waiting": [order.makes for order in self._desk.waiting],
                "at": {order.makes: x.host for x in nodes for order in x.orders.values()},
                "why": self._pool.waits,
                "jobs": self._pool.submitted,
                "held": self._core_seconds + sum(map(self._held, self._desk.nodes.values())),
                "costs": {command: asdict(cost) for command, cost in self._desk.costs.items()},
            }
            journal.leave(journal.journal_folder(run) / f"{journal.CLUSTER}.json", facts)

    def _held(self, node: Node) -> float:
        """Core-seconds for which a node has been there."""
        return (time.time() - node.since) * node.cores

    def _left(self, node: Node) -> None:
        """A node is no more there: neither are its workers, nor its drivers as Dask's clients."""
        self._core_seconds += self._held(node)
        self._soon(self._part([state.address for state in self._own(node)], expected=True))
        for order in node.orders:
            for client, comm in self._dask.client_comms.items():
                if dask.client_name(order) in client:
                    comm.abort()

    def _own(self, node: Node) -> list:
        """What Dask's scheduler knows of the workers of a node."""
        workers = self._dask.workers.values()
        return [state for state in workers if str(state.name).rpartition("/")[0] == node.name]

    def _lost(self, worker: str, name: str) -> None:
        """A worker that the scheduler has given up: its node may have to kill it."""
        node = self._desk.nodes.get(name.rpartition("/")[0])
        if node and not node.leaving:
            node.line.send({"op": "kill", "worker": worker})

    def _drain(self, node: Node) -> None:
        self._soon(self._drained(node))

    async def _drained(self, node: Node) -> None:
        """Let the node's workers finish what they are at, and take no more; then part with them."""
        own = self._own(node)
        self._dask_quiet(own)
        await asyncio.sleep(_HEARTBEAT)  # by then they have told what they are at
        latest = node.deadline - self._settings["margin"] / 6
        while any(state.executing for state in own) and time.time() < latest:
            await asyncio.sleep(_LOOK)
        await self._dask.retire_workers([state.address for state in own], close_workers=False)
        node.line.send({"op": "drained"})

    def _dask_quiet(self, own: list) -> None:
        from distributed import Status

        for state in own:
            stimulus = f"drain-{time.time()}"
            self._dask.handle_worker_status_change(Status.closing_gracefully, state, stimulus)
            self._dask.stream_comms[state.address].send(
                {
                    "op": "worker-status-change",
                    "status": Status.closing_gracefully.name,
                    "stimulus_id": stimulus,
                }
            )

    async def summary(self) -> None:
        """Tell what the run cost."""
        if not self._pool.submitted:
            return
        total = Usage()
        for cost in self._desk.costs.values():
            total.add(cost)
        hours, busy = self._core_seconds / 3600, total.cpu + total.driver
        share = f", {100 * busy / self._core_seconds:.0f} % of it at work" if busy else ""
        self._say(f"{self._pool.submitted} worker jobs, {hours:.3f} core-hours{share}")
        for command, cost in self._desk.costs.items():
            share = f" ({100 * cost.cpu / cost.wall:.0f} % busy)" if cost.wall else ""
            self._say(
                f"  {command:<8}{cost.chunks:>9,} chunks {cost.cpu:>10,.0f} CPU s in workers{share}"
                f" {cost.driver:>8,.0f} in drivers {cost.peak / 1e9:>6.1f} GB at most in one"
            )
        for line in await self._jobs.told():
            self._say(f"  sacct: {line}")


async def _main(file: Path, settings: dict) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, over.set)
    die_with_parent(signal.SIGTERM)
    owner = Owner(file, settings)
    await owner.run(over)
    await owner.summary()
    for number in numbers:  # the loop is deaf before it lets go
        signal.signal(number, signal.SIG_IGN)


def main() -> None:
    """Own a cluster until told to close; exit 1 with one line where it cannot be."""
    settings = json.loads(sys.stdin.read())
    dask.configure()
    try:
        asyncio.run(_main(Path(sys.argv[1]), settings))
    except (LingquError, OSError, ValueError) as error:
        say(f"lingqu: error: {error}")
        sys.exit(1)


if __name__ == "__main__":
    main()
