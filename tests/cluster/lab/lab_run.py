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
        self._number = 0
        self._hung: list[psutil.Process] = []

    def start(self, *words: str, machine: str = "login") -> subprocess.Popen:
        """Start `lingqu run germline --profile slurm` with more words."""
        command = (sys.executable, "-m", "lingqu", "run", "germline", "--profile", "slurm", *words)
        self._number += 1
        with self._log.open("wb") as log:
            self.process = self.slurm[machine].start_process(
                *command, cwd=self.path, env=self.environment, stdout=log, stderr=log
            )
        return self.process

    @property
    def _log(self) -> Path:
        return self.log / f"told-{self._number}.txt"

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

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition while the run goes on; AssertionError where it ends before."""

        def met():
            assert self.process.poll() is None, f"ended before {what}: {self.brief}"
            return condition()

        wait_for(met, what, _PATIENCE)

    @property
    def launcher(self) -> psutil.Process:
        """The process of `lingqu run`."""
        return inner(self.process)

    @property
    def owner(self) -> psutil.Process:
        """The process that owns the cluster."""
        (found,) = self._found("login", "lingqu.cluster.owner")
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
        return [x for node in nodes or self.slurm.nodes for x in self._found(node, pattern)]

    def _found(self, machine: str, pattern: str) -> list[psutil.Process]:
        found = []
        for process in self.slurm[machine].processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                if re.search(pattern, " ".join(process.cmdline())):
                    found.append(process)
        return found

    def pieces(self, command: str) -> list[Path]:
        """What checkpoints of `command` hold."""
        where = {"align": "align", "call": "calls", "joint": "cohort"}[command]
        return [x for x in self.folder.glob(f"results/{where}/.lingqu/*/**/*") if x.is_file()]

    def hang(self, processes: list[psutil.Process]) -> None:
        """Stop processes until `wake`."""
        for process in processes:
            process.suspend()
        self._hung += processes

    def wake(self) -> None:
        """Let what hangs go on."""
        _resume(self._hung)
        self._hung.clear()

    @contextlib.contextmanager
    def middle(self, command: str, workers: bool = True) -> Iterator[None]:
        """Wait until `command` is in the middle; drivers, and workers, stand still meanwhile."""
        self.wait_for(lambda: self.pieces(command), f"a piece of {command}")
        stopped = self.drivers()
        for process in stopped:
            process.suspend()
        if workers:
            more = self.workers()
            for process in more:
                process.suspend()
            stopped += more
        try:
            yield
        finally:
            _resume([process for process in stopped if process not in self._hung])


def _resume(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()
