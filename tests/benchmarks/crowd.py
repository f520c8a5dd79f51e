"""A crowd of Dask workers, many in a process, and drivers that map over them.

    python -c "import crowd; crowd.main()" workers SCHEDULER_FILE FIRST COUNT THREADS BEATS RAN.npy
    python -c "import crowd; crowd.main()" drive SCHEDULER_FILE KERNEL FIRST COUNT

Workers are set up as those of a node, and stand at the desk as nodes of NODE workers. They send a
share of their heartbeats: BEATS. At the end of the run they leave the numbers of all chunks that
ran here. Drivers map KERNEL over numbers.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from dask import config as dask_config
from distributed import Worker

from lingqu import __version__
from lingqu.cluster import dask, open_cluster, pace, rendezvous, security, wire
from lingqu.cluster.parent import die_with_parent

NODE = 16
_ALIVE_EVERY = 5.0
_AT_ONCE = 50
_REST = 0.2
_SWITCH = 0.5  # seconds; by default hundreds of threads look every 5 ms whether it is their turn

_QUIET = {
    "distributed.admin.system-monitor.interval": "10m",  # one look a process would do for all
    "distributed.admin.tick.interval": "1m",
}

_ran: list[int] = []


def at_once(number: int) -> int:
    """A chunk that takes no time: many go to a task."""
    _ran.append(number)
    return number


def rest(number: int) -> int:
    """A chunk that takes time, no CPU, and a task of its own: see drive()."""
    _ran.append(number)
    time.sleep(_REST)
    return number


async def _stand(told: rendezvous.Rendezvous, name: str, cores: int, over: asyncio.Event) -> None:
    """Be a node at the desk that takes no orders, until the desk is gone."""
    line = await wire.dial(told)
    hello = {"kind": "node", "version": __version__, "name": name, "host": name, "job": name}
    line.send(hello | {"cores": cores, "slots": 0, "deadline": time.time() + 86400})

    async def beat() -> None:
        while True:
            line.send({"op": "alive"})
            await asyncio.sleep(_ALIVE_EVERY)

    beating = asyncio.create_task(beat())
    async for message in line:
        if message["op"] == "end":
            break
    beating.cancel()
    line.close()
    over.set()


class _Worker(Worker):
    """A worker with few heartbeats."""

    beats = 1.0

    async def heartbeat(self) -> None:
        if random.random() < self.beats:
            await super().heartbeat()


async def _worker(told: rendezvous.Rendezvous, number: int, threads: int, scratch: str):
    return await _Worker(
        told.address,
        name=f"crowd{number // NODE}/{number % NODE}",
        nthreads=threads,
        security=security.security(told.file.parent),
        protocol="tls://",
        memory_limit=0,
        local_directory=scratch,
        death_timeout=600,
        dashboard=False,
    )


async def _gather(told: rendezvous.Rendezvous, numbers: range, threads: int, scratch: str) -> None:
    over = asyncio.Event()
    workers = []
    for k in range(0, len(numbers), _AT_ONCE):
        some = numbers[k : k + _AT_ONCE]
        workers += await asyncio.gather(*(_worker(told, n, threads, scratch) for n in some))
    nodes = sorted({number // NODE for number in numbers})
    standing = [
        asyncio.create_task(_stand(told, f"crowd{node}", NODE * threads, over)) for node in nodes
    ]
    await over.wait()
    for task in standing:
        task.cancel()


def workers(file: str, first: str, count: str, threads: str, beats: str, ran: str) -> None:
    """Be so many workers until the desk says that the run is over."""
    dask.configure()
    dask_config.set(_QUIET)
    sys.setswitchinterval(_SWITCH)
    _Worker.beats = float(beats)
    told = rendezvous.read(file)
    numbers = range(int(first), int(first) + int(count))
    with tempfile.TemporaryDirectory() as scratch:
        loop = asyncio.new_event_loop()
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(_gather(told, numbers, int(threads), scratch))
    np.save(ran, np.array(_ran, np.int64))
    os._exit(0)  # a thousand workers part slowly, and the scheduler is gone


def drive(file: str, kernel: str, first: str, count: str) -> None:
    """Map a kernel over COUNT numbers from FIRST on; print what that cost, as JSON."""
    numbers = range(int(first), int(first) + int(count))
    tasks, most = 0, 0
    if kernel == rest.__name__:
        pace._MOST = 1
    with open_cluster(scheduler=file) as cluster:
        submitted = cluster.submitted

        def counted(*given):
            nonlocal tasks
            tasks += 1
            return submitted(*given)

        cluster.submitted = counted
        before = time.process_time()
        ordered = all(
            got == want
            for got, want in zip(cluster.map(globals()[kernel], numbers), numbers, strict=True)
        )
        cpu = time.process_time() - before
        most = threading.active_count()
    print(json.dumps({"ordered": ordered, "tasks": tasks, "cpu": cpu, "threads": most}))


def main() -> None:
    """Run as a command."""
    die_with_parent()
    sys.path.insert(0, str(Path(__file__).parent))
    {"workers": workers, "drive": drive}[sys.argv[1]](*sys.argv[2:])
