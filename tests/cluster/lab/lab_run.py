"""A `lingqu run` on the lab's login node, and its processes on all machines."""

import contextlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
from machine import inner
from slurm_lab import Slurm, wait_for

_PATIENCE = 240


class LabRun:
    """A run in a project's folder; what it says is in `told`."""

    def __init__(
        self, slurm: Slurm, folder: Path, environment: dict[str, str], log: Path | None = None
    ):
        """folder: the project, as machines see it; log: where its starts write [there]."""
        self.slurm = slurm
        self.path = folder
        self.folder = slurm.seen(folder)
        self.log = log or folder
        self.environment = environment
        self.process: subprocess.Popen | None = None
        self._log = self.log / "told-0.txt"
        self._number = 0
        self._known: set[Path] = set()
        self._hung: list[psutil.Process] = []
        self._to_be_ended: list[psutil.Process] = []

    def start(self, *words: str, machine: str = "login", log: str = "") -> subprocess.Popen:
        """Start `lingqu run germline --profile slurm` with more words; it writes to `log`."""
        command = (sys.executable, "-m", "lingqu", "run", "germline", "--profile", "slurm", *words)
        self._number += 1
        self._log = self.log / (log or f"told-{self._number}.txt")
        with self._log.open("wb") as log:
            self.process = self.slurm[machine].start_process(
                *command, cwd=self.path, env=self.environment, stdout=log, stderr=log
            )
        return self.process

    @property
    def said(self) -> str:
        """What the last start has said itself."""
        return self._log.read_text(errors="replace")

    @property
    def told(self) -> str:
        """What the last start has said, and the logs of its steps."""
        logs = [self._log, *sorted(self.folder.glob("results/logs/**/*.log"))]
        return "\n".join(log.read_text(errors="replace") for log in logs if log.exists())

    @property
    def traces(self) -> list[str]:
        """Tracebacks, wherever there are some: where they stand, and how they end."""
        cluster = sorted(self.folder.glob(".lingqu/cluster/log/*.log"))
        texts = {"told": self.told} | {log.name: log.read_text(errors="replace") for log in cluster}
        return [
            f"{name}: {text[at.start() - 300 : at.start() + 3000]}"
            for name, text in texts.items()
            if (at := re.search("Traceback", text))
        ]

    @property
    def brief(self) -> str:
        """The lines of it that are not Snakemake's."""
        lines = [line for line in self.told.splitlines() if "lingqu: " in line]
        return "\n".join([f"(all of it: {self._log})", *lines])

    def end(self) -> int:
        """Wait for the end; the exit code, -N where signal N killed it."""
        try:
            return self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"no end after {_PATIENCE} s: {self.brief}") from None

    @property
    def ended(self) -> bool:
        """Whether the last start has ended."""
        return self.process.poll() is not None

    @property
    def scheduler_file(self) -> Path:
        """The run's scheduler file, if it is there."""
        return self.folder / ".lingqu" / "cluster" / "scheduler.json"

    @property
    def left(self) -> list:
        """Jobs that are not over, and processes on nodes."""
        return [*self.slurm.jobs("--states=PENDING,RUNNING"), *self.processes()]

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition while the run goes on; AssertionError where it ends before."""

        def met():
            assert not self.ended, f"ended before {what}: {self.brief}"
            return condition()

        wait_for(met, what, _PATIENCE)

    @property
    def launcher(self) -> psutil.Process:
        """The process of `lingqu run`."""
        return inner(self.process)

    @property
    def owner(self) -> psutil.Process:
        """The process that owns the cluster."""
        (found,) = self._found(r"lingqu\.cluster\.owner", "login")
        return found

    def programs(self, *nodes: str) -> list[psutil.Process]:
        """The node programs, of all nodes or of some."""
        return self._on_nodes(nodes, r"lingqu\.cluster\.node")

    def workers(self, *nodes: str) -> list[psutil.Process]:
        """The processes of Dask's workers."""
        return self._on_nodes(nodes, r"multiprocessing\.spawn import spawn_main")

    def drivers(self, *nodes: str, command: str = "") -> list[psutil.Process]:
        """The drivers, of all commands or of one."""
        return self._on_nodes(nodes, rf"lingqu\.cluster\.drive {command}")

    def processes(self) -> list[psutil.Process]:
        """All of them on nodes."""
        return [*self.drivers(), *self.workers(), *self.programs()]

    def node_of(self, process: psutil.Process) -> str:
        """The node that a process is on."""
        return next(x for x in self.slurm.nodes if process in self.slurm[x].processes())

    def _on_nodes(self, nodes: tuple[str, ...], pattern: str) -> list[psutil.Process]:
        return self._found(pattern, *(nodes or self.slurm.nodes))

    def _found(self, pattern: str, *machines: str) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess):
                if re.search(pattern, " ".join(process.cmdline())):
                    found.append(process)
        return [x for machine in machines for x in found if x in self.slurm[machine]]

    def pieces(self, command: str) -> set[Path]:
        """What checkpoints of `command` hold."""
        where = {"align": "align", "call": "calls", "joint": "cohort"}[command]
        found = self.folder.glob(f"results/{where}/.lingqu/*/**/[!.]*")
        return {path for path in found if path.is_file()}

    def hang(self, processes: list[psutil.Process], until_ended: bool = False) -> None:
        """Stop processes until `wake`; until_ended: the run is to end them before."""
        for process in processes:
            process.suspend()
        self._hung += processes
        self._to_be_ended += processes if until_ended else []

    @property
    def to_be_ended(self) -> list[psutil.Process]:
        """The processes that hang and are to be ended, and are not yet."""
        return [process for process in self._to_be_ended if process.is_running()]

    def wake(self) -> None:
        """Let what hangs go on."""
        _resume(self._hung)
        self._hung.clear()

    @contextlib.contextmanager
    def middle(self, command: str) -> Iterator[None]:
        """Wait until `command` has made one more piece; drivers and workers stand still meanwhile.

        More than it had at the last fault, that is.
        """
        stopped: list[psutil.Process] = []

        def stop() -> bool:
            if self.pieces(command) <= self._known:
                return False
            drivers = self.drivers()
            _stop(drivers)
            if not self.drivers(command=command):  # it came to an end just now
                _resume(drivers)
                return False
            stopped.extend(drivers)
            return True

        self.wait_for(stop, f"one more piece of {command}")
        workers = self.workers()
        _stop(workers)
        self._known = self.pieces(command)
        try:
            yield
        finally:
            _resume([process for process in (*stopped, *workers) if process not in self._hung])


def _stop(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()


def _resume(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()
