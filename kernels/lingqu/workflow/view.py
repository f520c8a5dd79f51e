"""What a run shows while it works: lines above, and on a terminal a picture that stays below them.

Elsewhere there are lines only, one for each step that ended, and one a minute for what works.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from lingqu.base.journal import journal_folder
from lingqu.workflow.phrase import clock, duration, plural
from lingqu.workflow.record import DONE, FAILED, Record, Recorder, Step
from lingqu.workflow.sentences import fault, news
from lingqu.workflow.status import gather

_LINE_EVERY = 60.0
_DRAW_EVERY = 1.0
_ROOM = 12
"""Lines of a terminal that are left to other things than samples."""


def forget(run: Path) -> None:
    """Remove what the commands of an earlier run in the folder have left."""
    for path in journal_folder(run).glob("*.json"):
        path.unlink(missing_ok=True)


def is_terminal(stream: TextIO) -> bool:
    """Whether a picture can be drawn there."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class View:
    """What is shown of the run in `folder`; any thread may show a line."""

    def __init__(self, folder: Path, stream: TextIO | None = None):
        self._folder, self._recorder = folder, Recorder(folder)
        self._stream = stream or sys.stderr
        self.draws = is_terminal(self._stream)
        self._live = None
        self._last = time.monotonic()
        self._lock = threading.Lock()

    @property
    def record(self) -> Record:
        """What was heard."""
        return self._recorder.record

    def line(self, text: str) -> None:
        """Show a line above."""
        with self._lock:
            if self._live:
                from rich.text import Text

                self._live.console.print(Text.from_ansi(text), soft_wrap=True)
            else:
                print(text, file=self._stream, flush=True)

    def hear(self, event: dict, show: bool = True) -> None:
        """Take in an event of the run, write it down, and show what is worth a line."""
        event = {"time": time.time(), **event}
        step = self._recorder.hear(event)
        if not show:
            return
        when = clock(event["time"])
        if step and step.state in (DONE, FAILED) and step.rule not in self.record.small:
            for line in self._end_of(step):
                self.line(f"{when} {line}")
        elif event["event"] == "told":
            for line in event["text"].splitlines():
                self.line(f"{when} {line}")
        elif event["event"] == "plan":
            self.line(f"{when} {self._plan()}")

    def _plan(self) -> str:
        counts, samples = self.record.counts, len(self.record.samples)
        told = f"{counts['waiting']:,} of {plural(sum(counts.values()), 'step')} to do"
        return told + (f", {plural(samples, 'sample')}" if samples else "")

    def _end_of(self, step: Step) -> list[str]:
        if step.state == FAILED:
            return fault(gather(self._folder, self.record), step)
        counts = self.record.counts
        done = counts["done"] + counts["present"]
        return [f"[{done}/{sum(counts.values())}] {step.title}, {duration(step.seconds)}"]

    def look(self) -> None:
        """Show how far the run is, when it is time to."""
        if not self.record.begin:
            return
        now = time.monotonic()
        if now - self._last < (_DRAW_EVERY if self.draws else _LINE_EVERY):
            return
        self._last = now
        status = gather(self._folder, self.record)
        if self.draws:
            with self._lock:
                self._draw(status)
        elif told := news(status):
            self.line(f"{clock(time.time())} {told}")

    def close(self) -> None:
        """Take the picture off the terminal."""
        with self._lock:
            if self._live:
                self._live.stop()
                self._live = None

    def _draw(self, status) -> None:
        from rich.console import Console
        from rich.live import Live

        from lingqu.workflow.picture import live

        if not self._live:
            told = {"auto_refresh": False, "transient": True}
            told |= {"redirect_stdout": False, "redirect_stderr": False}
            self._live = Live(console=Console(file=self._stream, highlight=False), **told)
            self._live.start()
        console = self._live.console
        most = max(console.height - _ROOM, 1)
        self._live.update(live(status, console, most), refresh=True)
