"""Nodes that are Slurm jobs: one script, sbatch, squeue, scancel, and sacct where it works."""

import asyncio
import contextlib
import os
import re
import shlex
import tempfile
from pathlib import Path

from lingqu.base.errors import LingquError
from lingqu.cluster.jobs import ENDED, RUNNING, WAITING, NotNowError, State, program

_PATIENCE = 60.0
_SBATCH_PATIENCE = 20.0
_SETTLES = 8
_WAITING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT"}
_RUNNING = {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"}

NEVER = re.compile(r"InvalidAccount|InvalidQOS|BadConstraints|PartitionNodeLimit|PartitionTimeLimit"
                   r"|AccountNotAllowed|QOSNotAllowed")  # fmt: skip
"""Reasons for which a job would wait for ever."""

_BUSY = re.compile(
    r"retrying|temporarily|controller|timed out|does not answer|try again", re.IGNORECASE
)
"""What sbatch says where Slurm takes no job for a while."""

_LIMIT = re.compile(
    r"(?P<others>\b(QOS|Assoc)Grp\w*Submit\w*)|(?P<own>\b(QOS|Assoc)Max\w*Submit\w*)"
    r"|(?P<never>\b(QOS|Assoc)\w+)|(?P<unnamed>job submit limit)"
)
"""Limits by which sbatch refuses: on the jobs of a group, or of one user; on what one may take."""

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


async def _killed(process: asyncio.subprocess.Process) -> None:
    """Have the process ended, if it is not."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            process.kill()
            await asyncio.wait_for(process.wait(), 5)


async def ask(
    words: list[str], text: str = "", patience: float = _PATIENCE
) -> tuple[int, str, str]:
    """(exit code, output, errors) of one of Slurm's commands; code -1 where it does not answer."""
    with tempfile.TemporaryFile() as errors:
        try:
            process = await asyncio.create_subprocess_exec(
                *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=errors, process_group=0,
            )  # fmt: skip
        except OSError as error:
            return 127, "", f"{words[0]}: {error.strerror}"
        out, code = b"", -1
        try:
            out, _ = await asyncio.wait_for(process.communicate(text.encode()), patience)
            code = process.returncode
        except TimeoutError:
            errors.write(f"{words[0]} does not answer\n".encode())
        finally:
            await _killed(process)
        errors.seek(0)
        return code, out.decode(errors="replace"), errors.read().decode(errors="replace")


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


def _reason(told: str) -> str:
    """The gist of what sbatch says."""
    lines = [line.strip().removeprefix("sbatch: ") for line in told.splitlines() if line.strip()]
    return "; ".join(line.removeprefix("error: ") for line in lines[-2:]) or "no reason given"


class SlurmJobs:
    """See Jobs."""

    def __init__(self, settings: dict, run: str, file: Path):
        self._run, self._file = run, file
        self._script = script(settings, run, file)
        self._names: list[str] = []
        self._asked = False
        self._ended: dict[str, State] = {}

    async def submit(self) -> str:
        """See Jobs."""
        self._asked = True
        code, out, err = await ask(["sbatch", "--parsable"], self._script, _SBATCH_PATIENCE)
        if code:
            raise await self._refusal(err.strip())
        self._names.append(out.strip().split(";")[0])
        return self._names[-1]

    async def _refusal(self, told: str) -> Exception:
        """What becomes of it that sbatch took no job."""
        limit = _LIMIT.search(told)
        if not limit and _BUSY.search(told):
            return NotNowError(f"Slurm takes no job now: {_reason(told)}")
        passing = limit and not limit["never"]
        if passing and (limit["others"] or await self._others()):
            return NotNowError(f"you have as many jobs as you may have: {_reason(told)}")
        return LingquError(f"{_reason(told)}; mend the profile: config.yaml, workers.yaml")

    async def _others(self) -> bool:
        """Whether the user has any jobs that may end."""
        code, out, _ = await ask(["squeue", "--noheader", "--me", "--format=%i"])
        return bool(code or out.strip())

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
        self._names += [job for job in listed if job not in self._names]
        self._ended |= {job: state for job, state in listed.items() if state.phase == ENDED}
        return listed | self._ended

    async def end(self, job: str) -> None:
        """See Jobs."""
        await ask(["scancel", "--quiet", job])

    async def cancel(self) -> None:
        """See Jobs."""
        if self._asked:
            await ask(
                ["scancel", "--quiet", f"--name={job_name(self._run)}", f"--user={os.getuid()}"]
            )

    def log(self, job: str) -> Path:
        """See Jobs."""
        return self._file.parent / "log" / f"{job}.log"

    async def told(self) -> list[str]:
        """What sacct says of all jobs, where the site has accounting; it hears of ends late."""
        words = ["sacct", "--noheader", "--parsable2", f"--jobs={','.join(self._names)}"]
        words += ["--format=JobID,ElapsedRaw,AllocCPUS,TotalCPU,MaxRSS,State"]
        for _ in range(_SETTLES if self._names else 0):
            code, out, _ = await ask(words)
            if code:
                return []
            if found := accounted(out):
                return [found]
            await asyncio.sleep(1)
        return []


def accounted(table: str) -> str:
    """What sacct's table says of jobs in sum; empty where some are not over by it.

    JobID|ElapsedRaw|AllocCPUS|TotalCPU|MaxRSS|State: seconds, cores, [D-][HH:]MM:SS[.mmm], bytes
    with a suffix or nothing. Of each job the script's line counts: in it all of a worker job runs.
    """
    lines = [line.split("|") for line in table.splitlines()]
    scripts = [line for line in lines if line[0].endswith(".batch")]
    if not scripts or any(re.match("RUNNING|COMPLETING", line[-1]) for line in lines):
        return ""
    held = sum(int(elapsed) * int(cores) for _, elapsed, cores, *_ in scripts)
    spent = sum(cpu_seconds(line[3]) for line in scripts)
    most = max(size(line[4]) for line in scripts)
    text = f"{len(scripts)} jobs, {held / 3600:.3f} core-hours"
    text += f", {100 * spent / held:.0f} % of it at work" if held and spent else ""
    return text + (f", {most / 1e9:.1f} GB at most in one" if most else "")


def cpu_seconds(text: str) -> float:
    """Of a CPU time as sacct writes it: [D-][HH:]MM:SS[.mmm]."""
    days, _, rest = text.rpartition("-")
    total = 0.0
    for part in rest.split(":"):
        total = total * 60 + float(part or 0)
    return total + int(days or 0) * 86400


def size(text: str) -> float:
    """Bytes of a size as sacct writes it: 9000K, 1.50G, 0, or nothing where it does not know."""
    powers = {unit: 1024.0**power for power, unit in enumerate("KMGTP", 1)}
    return float(text.rstrip("KMGTP") or 0) * powers.get(text[-1:], 1.0)
