"""Snakemake as a child process: what it tells goes to a view, signals go to all that it started."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from lingqu.workflow.follow import EVENTS, FOLLOW_VARIABLE, MARK
from lingqu.workflow.view import View

_LOOK_EVERY = 0.5
_LINES = 12


def without_logging_errors(lines: Iterable[str]) -> Iterator[str]:
    """Snakemake's lines, less what Python tells of a log file on a full disk."""
    inside = False
    for line in lines:
        inside = inside or line.startswith("--- Logging error ---")
        if not inside:
            yield line
        elif line.startswith("Arguments: "):
            inside = False


def _read(lines: Iterable[str]) -> queue.SimpleQueue:
    """The lines as a thread reads them, and None after the last."""
    found: queue.SimpleQueue = queue.SimpleQueue()

    def read() -> None:
        for line in without_logging_errors(lines):
            found.put(line.rstrip("\n"))
        found.put(None)

    threading.Thread(target=read, daemon=True).start()
    return found


class _Listener:
    """Shows lines and events; holds back what Snakemake says before the first event, if asked to.

    Where no event comes at all, as from a workflow with a fault, what was held back is shown.
    """

    def __init__(self, view: View, hold: bool):
        self._view, self._hold = view, hold
        self._held: list[str] = []

    def take(self, line: str) -> None:
        said, _, event = line.partition(MARK)
        if event and self._hears(event):
            self._hold = False
            if not said:
                return
        elif event:
            said += event
        if self._hold:
            self._held.append(said)
        else:
            self._view.line(said)

    def _hears(self, event: str) -> bool:
        """Give an event to the view; False where it is none, as when two have spoken at once."""
        try:
            self._view.hear(json.loads(event))
        except (ValueError, KeyError, TypeError):
            return False
        return True

    def close(self, code: int) -> None:
        if not self._hold:
            return
        for line in self._held:
            self._view.line(line)
        if code and self._held:
            told = "\n".join(self._held[-_LINES:])
            self._view.hear({"event": "told", "text": told}, show=False)


def _attend(child: subprocess.Popen, lines: Iterable[str], view: View, listener: _Listener) -> None:
    """Show what comes, and how far the run is, until there is no more."""
    told = _read(lines)
    while True:
        try:
            line = told.get(timeout=_LOOK_EVERY)
        except queue.Empty:
            if child.poll() is not None:  # killed; what it started may hold the pipe open
                return
        else:
            if line is None:
                return
            listener.take(line)
        view.look()


@contextlib.contextmanager
def _forwarding() -> Iterator[tuple[list[subprocess.Popen], list[int]]]:
    """Signals that end this process go to the group of each process in the first list instead.

    The second list holds their numbers. To be entered before a child starts: one of a script's
    background would be born deaf to SIGINT.
    """
    children: list[subprocess.Popen] = []
    stopped: list[int] = []

    def forward(number: int, _frame: object) -> None:
        stopped.append(number)
        for child in children:
            if child.poll() is None:
                os.killpg(child.pid, number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, forward) for number in numbers}
    try:
        yield children, stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def supervise(words: list[str], folder: Path, environment: dict, view: View) -> int:
    """Run Snakemake to its end in `folder`; returns the exit code, 128 + N after a signal N.

    Where FOLLOW_VARIABLE in the environment asks for events, these are what is shown.
    """
    follows = FOLLOW_VARIABLE in environment
    merged = follows and view.draws  # what a step prints must not go through the picture
    listener = _Listener(view, environment.get(FOLLOW_VARIABLE) == EVENTS)
    with _forwarding() as (children, stopped):
        child = subprocess.Popen(
            words,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if merged else None,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        )
        children.append(child)
        if stopped:
            os.killpg(child.pid, stopped[0])
        try:
            _attend(child, child.stdout if merged else child.stderr, view, listener)
            view.close()
            code = child.wait()
            listener.close(code)
        finally:
            view.close()
    if stopped:
        return 128 + stopped[0]
    return code if code >= 0 else 128 - code
