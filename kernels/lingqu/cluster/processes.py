"""Cores of this machine: forked processes, so that what one does in Python holds up none.

They have what this process has imported and mapped, share it with it, and end with it. Each has a
line to it, on which it gets items, one ahead of its work, and sends results.
"""

import contextlib
import gc
import os
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from lingqu.base.errors import LingquError
from lingqu.cluster.memory import Kept, Place, keep, look
from lingqu.cluster.order import in_order
from lingqu.cluster.parent import die_with_parent

_AHEAD = 2
"""Items that a process may have, the one it works on included."""


def default_workers() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0))


def _done(function: Callable[[Any], Any], handed: Any) -> tuple[bool, Any]:
    """Whether the function came to an end, and its result or its error."""
    try:
        return True, function(look(handed) if isinstance(handed, Place) else handed)
    except Exception as error:
        if not isinstance(error, LingquError):
            error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        return False, error


def _serve(line: Connection, parent: int) -> None:
    """What a process does until it is told to end."""
    die_with_parent(parent=parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to see to
    gc.freeze()
    while asked := line.recv():
        done = _done(*asked)
        try:
            told = pickle.dumps(done, protocol=5)
        except Exception as error:
            told = pickle.dumps((False, TypeError(f"{asked[0].__name__}: {done[1]!r}: {error}")))
        line.send_bytes(told)


class _Pending:
    """A result to come; its item is kept until then."""

    def __init__(self, kept: Kept | None, pool: "Processes"):
        self._pool, self._kept, self._told = pool, kept, None

    def come(self, told: bytes) -> None:
        """Take the result."""
        self._told, self._kept = pickle.loads(told), None

    def result(self) -> Any:
        while self._told is None:
            self._pool.listen()
        good, result = self._told
        if not good:
            raise result
        return result

    def cancel(self) -> None:
        self._kept = None


class _Worker:
    """A process, and the results it owes, in their order."""

    def __init__(self):
        fork = get_context("fork")
        self.line, theirs = fork.Pipe()
        self.owes: deque[_Pending] = deque()
        self.process = fork.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
        self.process.start()
        theirs.close()

    def ask(self, function: Callable[[Any], Any], handed: Any, pending: _Pending) -> None:
        """Hand in an item."""
        with self._alive():
            self.line.send((function, handed))
        self.owes.append(pending)

    def hear(self) -> None:
        """Take one result."""
        with self._alive():
            told = self.line.recv_bytes()
        self.owes.popleft().come(told)

    @contextlib.contextmanager
    def _alive(self) -> Iterator[None]:
        """LingquError where the process is gone."""
        try:
            yield
        except (EOFError, OSError):
            raise LingquError(
                "a worker process was killed; if memory is short, use fewer --threads; finished"
                " parts are kept: run the same again"
            ) from None

    def end(self) -> None:
        """End it; what it is at is of no interest any more."""
        if self.owes:
            self.process.kill()
        else:
            with contextlib.suppress(OSError):  # it is gone
                self.line.send(None)
        self.process.join()
        self.line.close()


class Alone:
    """One core: that of the process itself."""

    workers = 1

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""
        return map(function, items)

    def close(self) -> None:
        """Nothing to end."""


class Processes:
    """Processes of this machine, started with the first item."""

    def __init__(self, workers: int):
        self.workers = workers
        self._started: list[_Worker] = []

    def map(self, function: Callable[[Any], Any], items: Iterable) -> Iterator:
        """See Cluster.map."""
        if not self._started:
            self._started = [_Worker() for _ in range(self.workers)]
        most = _AHEAD * self.workers
        return in_order(lambda item: self._submit(function, item), items, lambda w: len(w) >= most)

    def _submit(self, function: Callable[[Any], Any], item: Any) -> _Pending:
        kept = keep(item)
        pending = _Pending(kept, self)
        worker = self._free()
        while len(worker.owes) >= _AHEAD:
            self.listen()
            worker = self._free()
        worker.ask(function, kept.place if kept else item, pending)
        return pending

    def _free(self) -> _Worker:
        return min(self._started, key=lambda worker: len(worker.owes))

    def listen(self) -> None:
        """Take the results that have come, at least one."""
        lines = {worker.line: worker for worker in self._started if worker.owes}
        for line in wait(lines):
            lines[line].hear()

    def close(self) -> None:
        """End them; what is not done is dropped."""
        for worker in self._started:
            worker.end()
        self._started = []


@contextlib.contextmanager
def open_processes(workers: int) -> Iterator[Alone | Processes]:
    """Processes for a while; none where one core is wanted."""
    pool = Processes(workers) if workers > 1 else Alone()
    try:
        yield pool
    finally:
        pool.close()
