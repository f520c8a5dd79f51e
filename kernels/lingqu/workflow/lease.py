"""One live run in a folder: a lock that dies with its process, and an end to what was left behind.

The lock is a flock, so a killed run never blocks the next one. What a killed run's children still
do is found by a mark in their environment (LINGQU_RUN, the folder) and ended before work goes on.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from lingqu.base.errors import LingquError

RUN_VARIABLE = "LINGQU_RUN"
"""Environment variable of all processes of a run: its working folder."""

_PATIENCE = 10.0


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold `folder` for one run; LingquError where another live run holds it."""
    state = folder / ".lingqu"
    try:
        state.mkdir(parents=True, exist_ok=True)
        handle = os.open(state / "run.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise LingquError(
            f"{state}: cannot be written ({error.strerror}); work in a folder of your own"
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(handle, 200, 0).decode(errors="replace").strip() or "another process"
            raise LingquError(
                f"{folder}: a run works here already ({holder}); wait for it or stop it"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        end_leftovers(folder)
        _refuse_foreign(folder)
        shutil.rmtree(folder / ".snakemake" / "locks", ignore_errors=True)
        yield
    finally:
        os.close(handle)


def _processes() -> Iterator[Path]:
    own = {os.getpid(), os.getppid()}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own:
            yield entry


def _marked(folder: Path) -> list[int]:
    """Live processes of a run in `folder`, other than this one."""
    mark = f"{RUN_VARIABLE}={folder}".encode()
    found = []
    for process in _processes():
        with contextlib.suppress(OSError):
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def end_leftovers(folder: Path) -> int:
    """Kill the processes of a dead run in `folder`; return how many there were.

    Outputs are published whole and checkpoints are kept, so that a hard end loses nothing.
    """
    ended: set[int] = set()
    deadline = time.monotonic() + _PATIENCE
    while found := _marked(folder):
        if time.monotonic() > deadline:
            raise LingquError(f"{folder}: processes of an earlier run do not end: {found}")
        for process in found:
            ended.add(process)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)
    return len(ended)


def _refuse_foreign(folder: Path) -> None:
    """A plain snakemake that works in `folder` keeps it."""
    if not any((folder / ".snakemake" / "locks").glob("*")):
        return
    for process in _processes():
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes()
            if b"snakemake" in words and (process / "cwd").readlink() == folder:
                raise LingquError(
                    f"{folder}: snakemake (process {process.name}) works here; wait for it"
                )
