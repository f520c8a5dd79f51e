"""A machine of one's own inside this one: host name, processes, /etc/slurm and scratch disk."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

# The first process of a machine: it reaps orphans and holds a pipe to the machine's owner, so that
# all processes end when the owner does, however that ends.
_INIT = """
set -e
mount --bind "$1/etc" /etc/slurm
mount --bind "$1/hosts" /etc/hosts
mount -t tmpfs -o size="$3" scratch "$1/scratch"
hostname "$2"
shift 3
"$@" &
echo up
read -r _ || true
"""


class MachineError(Exception):
    """A machine did not start."""


class Machine:
    """Linux namespaces (processes, mounts, host name) around a command.

    folder: holds etc/ (seen as /etc/slurm), hosts (seen as /etc/hosts) and scratch/ (a small file
    system of the machine's own). Processes of one machine do not see those of another, but this
    process sees all of them. The network is shared.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        words: Sequence[str] = ("true",),
        disk: str = "64m",
        beside: "Machine | None" = None,
    ):
        """words: its command; disk: size of scratch; beside: whose mounts it sees, too."""
        self.folder = folder
        self.name = name
        self.words = tuple(map(str, words))
        self.disk = disk
        self.beside = beside
        self._init: subprocess.Popen | None = None

    def start(self) -> "Machine":
        """Come up; MachineError where this is not allowed here."""
        unshare = ("unshare", "--pid", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc")
        settings = ("-c", _INIT, self.name, str(self.folder), self.name, self.disk)
        enter = ("nsenter", f"--target={self.beside.first.pid}", "--mount") if self.beside else ()
        with (self.folder / "log" / f"{self.name}.log").open("ab") as log:
            self._init = subprocess.Popen(
                (*enter, *unshare, "bash", *settings, *self.words),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                process_group=0,
            )
        if self._init.stdout.readline() != b"up\n":
            self.kill()
            raise MachineError(f"{self.name}: {self.log()[-500:].strip()}")
        return self

    def log(self) -> str:
        """What its first process and its command said."""
        return (self.folder / "log" / f"{self.name}.log").read_text(errors="replace")

    @property
    def first(self) -> psutil.Process:
        """Its first process."""
        return psutil.Process(self._init.pid).children()[0]

    def processes(self) -> list[psutil.Process]:
        """All its processes but the first, without zombies; none where it is down."""
        if self._init is None:
            return []
        first = self.first
        return [x for x in psutil.process_iter() if x != first and x in self]

    def __contains__(self, process: psutil.Process) -> bool:
        """Whether a live process is one of it."""
        with contextlib.suppress(OSError, IndexError, AttributeError, psutil.NoSuchProcess):
            there = os.stat(f"/proc/{process.pid}/ns/pid")
            if os.path.samestat(there, os.stat(f"/proc/{self.first.pid}/ns/pid")):
                return process.status() != psutil.STATUS_ZOMBIE
        return False

    def start_process(self, *words: str, **options) -> subprocess.Popen:
        """Start a command on it, in a process group of its own; options are those of Popen.

        The pid is that of an nsenter that waits for the command: see `inner`.
        """
        enter = ("nsenter", f"--target={self.first.pid}", "--pid", "--mount", "--uts")
        folder = f"--wdns={options.pop('cwd', self.folder)}"
        return subprocess.Popen((*enter, folder, *map(str, words)), process_group=0, **options)

    def ask(self, *words: str) -> str:
        """What a command on it prints; CalledProcessError with all it said where it fails."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with self.start_process(*words, **streams) as process:
            told, faults = process.communicate(timeout=60)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, words, told, faults)
        return told

    def kill(self) -> None:
        """Lose power: no process of it gets to say a word."""
        if self._init is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            self.first.send_signal(signal.SIGKILL)
        self._init.stdin.close()
        self._init.stdout.close()
        self._init.wait()
        self._init = None

    def on_scratch(self, name: str = "") -> Path:
        """Its scratch disk, or a file of it, as this process sees it."""
        return self.seen(self.folder / "scratch" / name)

    def seen(self, path: Path) -> Path:
        """A path on it as this process sees it."""
        return Path(f"/proc/{self.first.pid}/root{path}")


def inner(entered: subprocess.Popen) -> psutil.Process:
    """The command that `Machine.start_process` started."""
    return psutil.Process(entered.pid).children()[0]
