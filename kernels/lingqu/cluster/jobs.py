"""What a pool of nodes is made of: Slurm jobs, steps of an allocation, processes of this machine.

All have one face: `submit` gives the name of a new job, `states` tells of all that were submitted,
`cancel` ends all of them, `tail` is the end of a job's log.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lingqu.base.errors import LingquError

WAITING, RUNNING, ENDED = "waiting", "running", "ended"


@dataclass(frozen=True)
class State:
    """Of a job: WAITING, RUNNING or ENDED, and why."""

    phase: str
    why: str = ""


class NotNowError(Exception):
    """Another job is refused as things are, and may be taken later: why."""


class Jobs(Protocol):
    """A kind of jobs."""

    async def submit(self) -> str:
        """Start one more node; LingquError where that is refused, NotNowError where for now."""

    async def states(self) -> dict[str, State] | None:
        """The state of each; None where that cannot be known now."""

    async def end(self, job: str) -> None:
        """End one that is given up."""

    async def cancel(self) -> None:
        """End all."""

    def log(self, job: str) -> Path:
        """Where a job's node writes."""

    async def told(self) -> list[str]:
        """What the site's accounting says at the end; lines."""


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log, in one."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return "no log"
    return " | ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip()) or "-"


def program(file: Path, *more: str) -> list[str]:
    """The command line of a node's program."""
    return [sys.executable, "-m", "lingqu.cluster.node", str(file), *more]


class Processes:
    """Nodes that are processes of this machine, each with all its cores."""

    def __init__(self, file: Path):
        self._file = file
        self._started: dict[str, subprocess.Popen] = {}

    def _command(self, _job: str) -> list[str]:
        return program(self._file)

    async def submit(self) -> str:
        """See Jobs."""
        job = str(len(self._started) + 1)
        environment = {**os.environ, "LINGQU_JOB": job}
        with self.log(job).open("wb") as log:
            self._started[job] = subprocess.Popen(
                self._command(job), env=environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=subprocess.STDOUT, process_group=0,
            )  # fmt: skip
        return job

    async def states(self) -> dict[str, State]:
        """See Jobs."""
        told = {}
        for job, process in self._started.items():
            code = process.poll()
            told[job] = State(RUNNING) if code is None else State(ENDED, f"exit code {code}")
        return told

    async def end(self, job: str) -> None:
        """See Jobs."""
        self._started[job].kill()

    async def cancel(self) -> None:
        """See Jobs."""
        live = [process for process in self._started.values() if process.poll() is None]
        for process in live:
            process.send_signal(signal.SIGTERM)
        for _ in range(100):
            if all(process.poll() is not None for process in live):
                return
            await asyncio.sleep(0.1)
        for process in live:
            if process.poll() is None:
                process.kill()

    def log(self, job: str) -> Path:
        """See Jobs."""
        return self._file.parent / "log" / f"{job}.log"

    async def told(self) -> list[str]:
        """See Jobs."""
        return []


class Steps(Processes):
    """Nodes of the allocation that this process runs in, a step of the job on each."""

    def __init__(self, file: Path, settings: dict):
        super().__init__(file)
        self._hosts, self._until, self._margin = (settings[x] for x in ("hosts", "until", "margin"))
        self._places: dict[str, str] = {}

    async def submit(self) -> str:
        """See Jobs."""
        if time.time() > self._until - self._margin:
            raise LingquError(
                "the time of this job is up; sbatch it again, and it goes on from here"
            )
        live = {
            self._places[job] for job, process in self._started.items() if process.poll() is None
        }
        used = list(self._places.values())
        host = min(self._hosts, key=lambda host: (host in live, used.count(host)))
        self._places[str(len(self._started) + 1)] = host
        return await super().submit()

    def _command(self, job: str) -> list[str]:
        step = ["srun", "--overlap", "--nodes=1", "--ntasks=1", "--mem=0"]
        step += [f"--nodelist={self._places[job]}"]
        cores = os.environ.get("SLURM_CPUS_ON_NODE")
        step += [f"--cpus-per-task={cores}"] if cores else []
        return [*step, *program(self._file, str(self._until))]
