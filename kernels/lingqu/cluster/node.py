"""The program of a node: `python -m lingqu.cluster.node SCHEDULER_FILE [TIME]`; it ends by then.

It fills the node: Dask workers, a process for each core, which work on chunks, and the drivers that
the desk sends. SIGUSR1 says that the job's time is nearly up: no more chunks are taken, and what
runs is given back last of all. SIGTERM says that it is up. Where the desk or the scheduler is gone,
so is the program, with all it started.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

from lingqu import __version__
from lingqu.base.atomic import no_room
from lingqu.base.errors import LingquError
from lingqu.base.lock import is_stopped
from lingqu.base.progress import say
from lingqu.base.staging import STAGE_VARIABLE
from lingqu.cluster import security, usage, wire
from lingqu.cluster.parent import die_with_parent
from lingqu.cluster.processes import default_workers
from lingqu.cluster.rendezvous import DRIVER_VARIABLE, SCHEDULER_VARIABLE, Rendezvous, read

_ALIVE_EVERY = 5.0
_SILENCE = 120.0
_THREADS = 1  # threads of a process wait for each other where they are in Python
_DRIVER = "lingqu.cluster.drive"


def cores_here() -> int:
    """The cores that this job may use."""
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return default_workers()


def shape(settings: dict, cores: int) -> tuple[int, int]:
    """(processes, threads in each) of the workers."""
    processes, threads = settings.get("processes"), settings.get("threads")
    if not threads:
        threads = max(cores // processes, 1) if processes else _THREADS
    return processes or max(cores // threads, 1), threads


def slots(settings: dict, cores: int) -> int:
    """Drivers at a time: what one reads and joins by itself keeps some 16 cores busy."""
    return settings.get("drivers") or max(2, cores // 16)


def scratch_folder(wanted: str | None, state: Path) -> Path:
    """A new folder for temporary files, below `wanted` or where there is room."""
    for place in filter(None, (wanted and os.path.expandvars(wanted), tempfile.gettempdir())):
        if not (why := no_room(place)):
            return Path(tempfile.mkdtemp(prefix="lingqu-", dir=place))
        say(f"{socket.gethostname()}: {place}: {why}; temporary files go elsewhere")
    return Path(tempfile.mkdtemp(prefix="scratch-", dir=state))


class Drivers:
    """The commands that run here, each a process group of its own."""

    def __init__(self, told: Rendezvous, line: wire.Line, scratch: Path):
        self._told, self._line, self._scratch = told, line, scratch
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: set[asyncio.Task] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, message: dict) -> None:
        """Run an order; what it says and its end are told to the desk."""
        task = asyncio.create_task(self._run(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, message: dict) -> None:
        order, kept = message["order"], self._scratch / f"usage-{message['order']}"
        environment = {
            **os.environ,
            **message["environment"],
            SCHEDULER_VARIABLE: str(self._told.file),
            DRIVER_VARIABLE: order,
            usage.USAGE_VARIABLE: str(kept),
        }
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._told.workers.get("driver", _DRIVER), *message["words"],
                cwd=message["folder"], env=environment, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, process_group=0,
            )  # fmt: skip
        except OSError as error:
            host = socket.gethostname()
            told = f"{message['folder']}: node {host} cannot work there ({error.strerror});"
            text = f"lingqu: error: {told} work on a file system that all nodes share\n"
            self._line.send({"op": "text", "order": order, "stream": 2, "text": text})
            self._line.send({"op": "ended", "order": order, "code": 1, "usage": {}})
            return
        self._running[order] = process
        await asyncio.gather(
            self._pass_on(order, 1, process.stdout), self._pass_on(order, 2, process.stderr)
        )
        code = await process.wait()
        if self._running.pop(order, None):
            told = {"op": "ended", "order": order, "code": code, "usage": usage.left(kept)}
            self._line.send(told)

    async def _pass_on(self, order: str, stream: int, source: asyncio.StreamReader) -> None:
        while data := await source.read(1 << 16):
            text = data.decode(*wire.ENCODING)
            self._line.send({"op": "text", "order": order, "stream": stream, "text": text})
            await self._line.sent()

    async def watch(self, patience: float) -> None:
        """End those that are stopped for longer than `patience` seconds, as by SIGSTOP."""
        since: dict[str, float] = {}
        while True:
            await asyncio.sleep(1)
            now = time.monotonic()
            stopped = [order for order, own in self._running.items() if is_stopped(own.pid)]
            since = {order: since.get(order, now) for order in stopped}
            for order in stopped:
                if now - since[order] > patience and self.stop(order):
                    why = f"its driver on {socket.gethostname()} was stopped, and is ended"
                    self._line.send({"op": "back", "order": order, "why": why})

    def stop(self, order: str) -> bool:
        """End one; nothing more is told of it. False where it has ended already."""
        process = self._running.pop(order, None)
        if process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return process is not None

    def give_back(self) -> None:
        """End all; the desk gives them to other nodes."""
        for order in list(self._running):
            if self.stop(order):
                self._line.send({"op": "back", "order": order})


class Workers:
    """The Dask workers of this node; one that has died is started again."""

    def __init__(self, told: Rendezvous, name: str, scratch: Path):
        self._told, self._name, self._scratch = told, name, scratch
        self._nannies: list = []
        self._ending = False

    async def start(self, processes: int, threads: int) -> None:
        """Start them all; LingquError where the scheduler does not take them."""
        started = (self._started(number, threads) for number in range(processes))
        self._nannies = await asyncio.gather(*started)

    async def _started(self, number: int, threads: int):
        from distributed import Nanny

        settings = self._told.workers
        nanny = Nanny(
            self._told.address,
            name=f"{self._name}/{number}",
            nthreads=threads,
            security=security.security(self._told.file.parent),
            protocol="tls://",
            interface=settings.get("interface"),
            silence_logs="ERROR",
            preload=["lingqu.cluster.plain_log"],
            memory_limit=0,  # as in dask.CONFIG: what is mapped would count
            local_directory=str(self._scratch),
            death_timeout=60,
            dashboard_address="127.0.0.1:0",
            dashboard=False,
        )
        try:
            return await nanny
        except Exception:  # of Dask's own kinds; its log says more
            raise self._told.gone() from None

    async def keep(self) -> None:
        """Replace workers that gave up, as those that hung for a while."""
        from distributed import Status

        while not self._ending:
            await asyncio.sleep(1)
            for k, nanny in enumerate(self._nannies):
                gone = nanny.status in (Status.closed, Status.failed, Status.closing_gracefully)
                if gone and not self._ending:
                    threads = nanny.nthreads
                    await nanny.close(timeout=5)
                    self._nannies[k] = await self._started(k, threads)

    async def kill(self, address: str) -> None:
        """Kill the worker of that address, which its scheduler has given up."""
        for nanny in self._nannies:
            if nanny.worker_address == address and nanny.process:
                process = nanny.process.process  # a hung one hears no request
                if process is not None and process.is_alive():
                    with contextlib.suppress(ProcessLookupError):  # it has ended just now
                        os.kill(process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End them all."""
        self._ending = True
        closing = (nanny.close(timeout=5) for nanny in self._nannies)
        await asyncio.gather(*closing, return_exceptions=True)


class Program:
    """What this node does from its first word to the desk to its last."""

    def __init__(self, told: Rendezvous, until: float):
        self._told, self._until = told, until
        self._margin = told.workers.get("margin", 120)
        self._name = f"{socket.gethostname()}-{os.getpid()}"
        self._line: wire.Line | None = None
        self._drivers: Drivers | None = None
        self._over = asyncio.Event()
        self._heard = time.monotonic()
        self._drained = False

    async def run(self) -> None:
        """Work until the time is up, the desk says so, or it is gone."""
        scratch = scratch_folder(self._told.workers.get("scratch"), self._told.file.parent)
        os.environ["TMPDIR"] = str(scratch)
        if self._told.workers.get("stage"):
            os.environ[STAGE_VARIABLE] = str(scratch)
        cores = cores_here()
        self._workers = Workers(self._told, self._name, scratch)
        try:
            self._line = await wire.dial(self._told)
            self._drivers = Drivers(self._told, self._line, scratch)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGUSR1, signal.SIGTERM):
                loop.add_signal_handler(number, self._over.set)
            await self._workers.start(*shape(self._told.workers, cores))
            self._hello(cores)  # the first that the desk may hear of it
            loop.add_signal_handler(signal.SIGUSR1, self._leave)
            await self._serve()
        finally:
            await self._end()
            shutil.rmtree(scratch, ignore_errors=True)
            for number in (signal.SIGUSR1, signal.SIGTERM):  # the loop is deaf before it lets go
                signal.signal(number, signal.SIG_IGN)

    def _hello(self, cores: int) -> None:
        self._line.send(
            {
                "kind": "node",
                "version": __version__,
                "name": self._name,
                "host": socket.gethostname(),
                "job": os.environ.get("LINGQU_JOB") or os.environ.get("SLURM_JOB_ID", ""),
                "cores": cores,
                "slots": slots(self._told.workers, cores),
                "deadline": self._until,
            }
        )

    async def _serve(self) -> None:
        tasks = [
            asyncio.create_task(one)
            for one in (
                self._listen(),
                self._beat(),
                self._watch(),
                self._workers.keep(),
                self._drivers.watch(self._told.workers.get("patience", 60)),
            )
        ]
        tasks.append(asyncio.create_task(self._over.wait()))
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in done:  # without one of its parts a node would be there, and do nothing
            task.result()

    async def _listen(self) -> None:
        async for message in self._line:
            self._heard = time.monotonic()
            match message["op"]:
                case "run":
                    self._drivers.start(message)
                case "stop":
                    self._drivers.stop(message["order"])
                case "kill":
                    await self._workers.kill(message["worker"])
                case "drained":
                    self._drained = True
                case "end":
                    break
        self._over.set()

    async def _beat(self) -> None:
        while True:
            self._line.send({"op": "alive"})
            await asyncio.sleep(_ALIVE_EVERY)
            if time.monotonic() - self._heard > _SILENCE:
                self._over.set()

    async def _watch(self) -> None:
        """Leave in time."""
        while time.time() < self._until - self._margin:
            await asyncio.sleep(1)
        self._leave()
        while time.time() < self._until - self._margin / 8:
            if self._drained and not len(self._drivers):
                break
            await asyncio.sleep(0.2)
        self._over.set()

    def _leave(self) -> None:
        self._until = min(self._until, time.time() + self._margin)
        self._line.send({"op": "leaving"})

    async def _end(self) -> None:
        if self._drivers:
            self._drivers.give_back()
            with contextlib.suppress(OSError):
                await self._line.sent()
        await self._workers.close()
        if self._line:
            self._line.close()


def main() -> None:
    """Run the program; exit 1 with one line where the cluster is gone."""
    if os.environ.get("LINGQU_JOB"):  # a process of the owner's machine, not a job
        die_with_parent(signal.SIGTERM)
    told = read(sys.argv[1])
    until = float(sys.argv[2]) if sys.argv[2:] else time.time() + told.workers["walltime"]
    from lingqu.cluster.dask import configure

    configure()
    try:
        asyncio.run(Program(told, until).run())
    except LingquError as error:
        print(f"lingqu: error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
