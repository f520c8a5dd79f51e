"""Nodes that are Slurm jobs: one script, sbatch, squeue, scancel, and sacct where it works."""

import asyncio
import contextlib
import os
import re
import shlex
from pathlib import Path

from lingqu.base.errors import LingquError
from lingqu.cluster.jobs import ENDED, RUNNING, WAITING, State, program

_PATIENCE = 60.0
_WAITING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"}
_RUNNING = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}

NEVER = re.compile(r"InvalidAccount|InvalidQOS|BadConstraints|PartitionNodeLimit|PartitionTimeLimit"
                   r"|AccountNotAllowed|QOSNotAllowed")  # fmt: skip
"""Reasons for which a job would wait for ever."""

_WORDS = (
    (r"Priority|Resources|None|BeginTime|Dependency", "the queue is full"),
    (r"QOS|Assoc|MaxJobs|Licenses", "a limit of your account or QOS holds them"),
    (r"JobHeld", "they are held: scontrol release"),
    (r"Node|Partition|Reserv|DOWN", "nodes are down or reserved"),
)


def in_words(reason: str) -> str:
    """What Slurm's reason for waiting means."""
    told = next((words for pattern, words in _WORDS if re.search(pattern, reason)), "they wait")
    return f"{told} ({reason})"


async def ask(words: list[str], text: str = "") -> tuple[int, str, str]:
    """(exit code, output, errors) of one of Slurm's commands; code -1 where it does not answer."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, process_group=0,
        )  # fmt: skip
    except OSError as error:
        return 127, "", f"{words[0]}: {error.strerror}"
    try:
        out, err = await asyncio.wait_for(process.communicate(text.encode()), _PATIENCE)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return -1, "", f"{words[0]} does not answer"
    return process.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def seconds(walltime: str | int) -> int:
    """Of a time as Slurm writes it: [D-]HH:MM:SS, MM:SS, minutes."""
    text = str(walltime)
    days, _, rest = text.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if days:
        parts += [0] * (3 - len(parts))
    elif len(parts) == 1:
        return parts[0] * 60
    total = 0
    for part in parts:
        total = total * 60 + part
    return total + int(days or 0) * 86400


def script(settings: dict, run: str, file: Path) -> str:
    """The job script of a node."""
    wanted = {
        "job-name": job_name(run),
        "nodes": 1,
        "ntasks": 1,
        "cpus-per-task": settings.get("cores"),
        "mem": settings.get("memory"),
        "time": settings.get("time"),
        "partition": settings.get("partition"),
        "account": settings.get("account"),
        "output": f"{file.parent}/log/%j.log",
        "signal": f"B:USR1@{settings['margin']}",
        "chdir": str(file.parent),
    }
    lines = [f"#SBATCH --{name}={value}" for name, value in wanted.items() if value is not None]
    lines += ["#SBATCH --no-requeue"]
    lines += ["#SBATCH --exclusive"] if not settings.get("cores") else []
    lines += [f"#SBATCH {option}" for option in settings.get("sbatch", [])]
    lines += settings.get("setup", [])
    return "\n".join(["#!/bin/bash", *lines, f"exec {shlex.join(program(file))}", ""])


def job_name(run: str) -> str:
    """By which all jobs of a run are known."""
    return f"lingqu-{run}"


class SlurmJobs:
    """See Jobs."""

    def __init__(self, settings: dict, run: str, file: Path):
        self._run, self._file = run, file
        self._script = script(settings, run, file)
        self._names: list[str] = []
        self._ended: dict[str, State] = {}

    async def submit(self) -> str:
        """See Jobs."""
        code, out, err = await ask(["sbatch", "--parsable"], self._script)
        if code:
            why = (err.strip().splitlines() or ["no reason given"])[-1]
            raise LingquError(f"{why}; mend the profile: config.yaml, workers.yaml")
        self._names.append(out.strip().split(";")[0])
        return self._names[-1]

    async def states(self) -> dict[str, State] | None:
        """See Jobs."""
        words = ["squeue", "--noheader", "--me", "--states=all", "--format=%i|%T|%r"]
        code, out, _ = await ask([*words, f"--name={job_name(self._run)}"])
        if code:
            return None
        listed = dict.fromkeys(self._names, State(ENDED, "no more in the queue"))
        for line in out.splitlines():
            job, state, why = line.strip().split("|", 2)
            phase = WAITING if state in _WAITING else RUNNING if state in _RUNNING else ENDED
            listed[job] = State(phase, state if phase == ENDED else why)
        self._ended |= {job: state for job, state in listed.items() if state.phase == ENDED}
        return listed | self._ended

    async def cancel(self) -> None:
        """See Jobs."""
        if self._names:
            await ask(
                ["scancel", "--quiet", f"--name={job_name(self._run)}", f"--user={os.getuid()}"]
            )

    def log(self, job: str) -> Path:
        """See Jobs."""
        return self._file.parent / "log" / f"{job}.log"

    async def told(self) -> list[str]:
        """What sacct says of each job, where the site has accounting."""
        if not self._names:
            return []
        words = ["sacct", "--noheader", "--parsable2", f"--jobs={','.join(self._names)}"]
        code, out, _ = await ask([*words, "--format=JobID,ElapsedRaw,AllocCPUS,TotalCPU,MaxRSS"])
        return [] if code else list(map(_accounted, filter(_is_script, out.splitlines())))


def _is_script(line: str) -> bool:
    """Whether a line of sacct is of a job's script: in it all of a worker job runs."""
    return line.partition("|")[0].endswith(".batch")


def _accounted(line: str) -> str:
    job, elapsed, cores, spent, memory = line.split("|")
    hours = int(elapsed) * int(cores) / 3600
    job = job.removesuffix(".batch")
    return f"job {job}: {hours:.3f} core-hours, CPU {spent}, {memory or '?'} of memory at most"
