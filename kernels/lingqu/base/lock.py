"""A file that one process holds, and that tells the others who that is.

The lock is a flock: it goes with its process. It is the first, friendly answer, where processes
can see each other's locks; what must not be written twice is kept apart without it.
"""

import contextlib
import errno
import fcntl
import json
import math
import os
import secrets
import signal
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from lingqu.base.journal import RUN_VARIABLE
from lingqu.base.progress import say

PULSE_VARIABLE = "LINGQU_PULSE"
"""Environment variable of the commands of a run: a file that is gone once another took it over."""

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)

_held: set[int] = set()
"""Open lock files of this process."""

_LOOK = 0.05
"""Seconds between two looks at a lock that is waited for."""


def _state(process: int) -> tuple[str, int]:
    """(state letter, start in ticks since boot) of a process here; proc_pid_stat(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[19])


def is_stopped(process: int) -> bool:
    """Whether a process here does nothing: by SIGSTOP, or by Ctrl-Z in a shell."""
    with contextlib.suppress(OSError):
        return _state(process)[0] == "T"
    return False


@dataclass(frozen=True)
class Holder:
    """A process that holds a lock. start: ticks since boot; run: the folder of its run, or ""."""

    process: int
    host: str
    start: int
    run: str

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    @property
    def here(self) -> bool:
        """Whether it is, or was, on this machine."""
        return self.host == socket.gethostname()

    @property
    def alive(self) -> bool:
        """Whether it is on this machine and has not ended."""
        return self._among("RSDTtIPW")

    @property
    def stopped(self) -> bool:
        """Whether it is on this machine and does nothing: by SIGSTOP, or by Ctrl-Z in a shell."""
        return self._among("Tt")

    def _among(self, states: str) -> bool:
        try:
            state, start = _state(self.process)
        except OSError:
            return False
        return self.here and start == self.start and state in states


def this_process() -> Holder:
    """What this process tells of itself."""
    own = os.getpid()
    return Holder(own, socket.gethostname(), _state(own)[1], os.environ.get(RUN_VARIABLE, ""))


def holder(path: Path) -> Holder | None:
    """Who holds the lock file, or held it last; None where it does not say."""
    try:
        return Holder(**json.loads(path.read_text().partition("\n")[0]))
    except (OSError, ValueError, TypeError):
        return None


def _same_file(handle: int, path: Path) -> bool:
    """Whether the open file is still what stands under `path`."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def signature() -> bytes:
    """The line by which `holder` knows this process."""
    return json.dumps(asdict(this_process())).encode() + b"\n"


def _sign(handle: int) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, signature(), 0)


def release(handle: int) -> None:
    """Close what `lock`, `seize` or `wait` gave."""
    _held.discard(handle)
    os.close(handle)


def _forget() -> None:
    """In a forked process: its parent's locks are to go with its parent."""
    for handle in list(_held):
        release(handle)


os.register_at_fork(after_in_child=_forget)


def _flock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def lock(path: Path) -> int:
    """The open file `path`, made if missing with its folder, and locked until it is closed.

    A file that its last holder has removed is no lock. BlockingIOError where another process holds
    it, another OSError where it cannot be written.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue  # a run that ended has just removed the folder
        try:
            _flock(handle)
            if _same_file(handle, path):
                _sign(handle)
                _held.add(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def make_way() -> None:
    """Where another run took over, end this one's process group, its Snakemake included.

    To be called by a command that failed: from Snakemake's hands it would go on to remove the
    outputs of the failed command by their paths, under which the newer run may have published.
    """
    pulse = os.environ.get(PULSE_VARIABLE)
    try:
        if pulse:
            os.stat(pulse)
    except FileNotFoundError:
        say(f"{pulse}: another run took over; this one ends and leaves it alone")
        os.killpg(0, signal.SIGKILL)
    except OSError:  # a file system that fails tells nothing
        pass


def seize(path: Path) -> int:
    """As `lock`, from whoever holds it: a new file takes the place of the held one."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        _flock(handle)
        _sign(handle)
        os.replace(beside, path)
    except BaseException:
        os.close(handle)
        beside.unlink(missing_ok=True)
        raise
    _held.add(handle)
    return handle


def wait(path: Path, why: str = "", patience: float = math.inf) -> int:
    """As `lock`, after who holds it; `why` is told once, with the holder, unless it is empty.

    None waits for one that is stopped, nor longer than `patience` seconds. OSError where the file
    cannot be written.
    """
    told, deadline = not why, time.monotonic() + patience
    while True:
        with contextlib.suppress(BlockingIOError):
            return lock(path)
        other = holder(path)
        if time.monotonic() > deadline or (other and other.stopped):
            return seize(path)
        if not told:
            say(f"{why}: waiting for {other or 'another process'}")
        told = True
        time.sleep(_LOOK)
