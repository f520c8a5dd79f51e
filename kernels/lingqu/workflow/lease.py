"""One live run in a folder: a lock that dies with its process, and an end to what was left behind.

The lock is a flock, so a killed run never blocks the next one. Not all machines that share a folder
see each other's locks: so a run has a pulse, too, a file that grows while it lives. Who finds one
of another machine watches it for a while, without a clock that both would have to agree on. Who
takes over renames it, and a run whose pulse is gone ends.
What a killed run's children still do is found by a mark in their environment (LINGQU_RUN, the
folder) and ended before work goes on.
"""

import contextlib
import os
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lingqu.base import lock
from lingqu.base.errors import LingquError
from lingqu.base.journal import RUN_VARIABLE
from lingqu.base.progress import say

_PATIENCE = 10.0
_BEAT = 2.0
"""Seconds from beat to beat of a run's pulse."""
_BEATS = 6
"""Beats without which a run of another machine is taken for dead."""


def _refusal(folder: Path, other: lock.Holder | None) -> LingquError:
    mend = "wait for it or stop it"
    if other and other.stopped:
        mend = f"it is stopped: kill -CONT {other.process} lets it go on, kill -9 ends it"
    return LingquError(f"{folder}: a run works here already ({other or 'another process'}); {mend}")


def _pulse(state: Path) -> Path | None:
    """The pulse of the run that works in the folder, or worked there and did not end well."""
    return next(state.glob("run.*.pulse"), None)


def _grows(pulse: Path) -> bool:
    """Whether the pulse of a run on another machine grows; FileNotFoundError where it is gone."""
    before = pulse.stat().st_size
    for _ in range(_BEATS):
        time.sleep(_BEAT)
        with pulse.open("rb") as stream:  # a shared file's size is fresh when it is opened
            if os.fstat(stream.fileno()).st_size != before:
                return True
    return False


def _watch(folder: Path, pulse: Path) -> None:
    """LingquError where the run of the pulse lives."""
    other = lock.holder(pulse)
    if other is None or other.here:
        if other and other.alive and other != lock.this_process():
            raise _refusal(folder, other)
        return
    say(f"{folder}: watching whether the run of {other} still works")
    if _grows(pulse):
        raise _refusal(folder, other)


@dataclass(frozen=True)
class Life:
    """Who runs in a folder, or ran there and did not end well; seen: its last sign (Unix time)."""

    holder: lock.Holder
    alive: bool
    seen: float


def look(folder: Path) -> Life | None:
    """Whether a run works in `folder`; None where there is none. Changes nothing.

    Of a run on another machine this takes a moment, as that of a pulse.
    """
    while pulse := _pulse(folder / ".lingqu"):
        with contextlib.suppress(FileNotFoundError):  # it ends just now, or is taken over
            other, seen = lock.holder(pulse), pulse.stat().st_mtime
            if other is None:  # just begun, or on a disk that was full
                return None
            return Life(other, other.alive if other.here else _grows(pulse), seen)
    return None


def _take_pulse(folder: Path) -> Path:
    """A pulse of this run, in place of a dead one's."""
    state = folder / ".lingqu"
    own = state / f"run.{secrets.token_hex(4)}.pulse"
    while old := _pulse(state):
        with contextlib.suppress(FileNotFoundError):
            _watch(folder, old)
            os.rename(old, own)
            break
    own.write_bytes(lock.signature())
    return own


def _beat(folder: Path, own: Path, ended: threading.Event) -> None:
    """Let the pulse grow; end all that this run does here when it is gone."""
    while not ended.wait(_BEAT):
        try:
            handle = os.open(own, os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            newer = _pulse(folder / ".lingqu")
            who = (newer and lock.holder(newer)) or "another run"
            say(f"{folder}: {who} took it over; this run ends and leaves it alone")
            end_leftovers(folder)
            return
        except OSError:
            continue
        with contextlib.suppress(OSError):
            os.write(handle, b".")
        with contextlib.suppress(OSError):
            os.close(handle)


@contextlib.contextmanager
def _living(folder: Path) -> Iterator[Path]:
    own, ended = _take_pulse(folder), threading.Event()
    beating = threading.Thread(target=_beat, args=(folder, own, ended), daemon=True)
    beating.start()
    try:
        yield own
    finally:
        ended.set()
        beating.join()
        own.unlink(missing_ok=True)


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[Path]:
    """Hold `folder` for one run and yield its pulse; LingquError where another live run holds it.

    Where another one takes it over all the same, since this one was stopped for long, the processes
    of this run are killed: a Snakemake that ends by itself removes outputs that are not its own.
    """
    state = folder / ".lingqu"
    try:
        handle = lock.lock(state / "run.lock")
    except BlockingIOError:
        raise _refusal(folder, lock.holder(state / "run.lock")) from None
    except OSError as error:
        raise LingquError(
            f"{state}: cannot be written ({error.strerror}); work in a folder of your own"
        ) from None
    try:
        with _living(folder) as pulse:
            end_leftovers(folder)
            _refuse_foreign(folder)
            shutil.rmtree(folder / ".snakemake" / "locks", ignore_errors=True)
            yield pulse
    finally:
        lock.release(handle)


def _processes() -> Iterator[Path]:
    own = {os.getpid(), os.getppid()}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) not in own:
            yield entry


def leftovers(folder: Path) -> list[int]:
    """Live processes of a run in `folder` on this machine, other than this one."""
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
    while found := leftovers(folder):
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
