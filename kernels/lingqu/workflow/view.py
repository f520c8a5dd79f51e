"""All commands of a run in one view: lines above, and on a terminal a table that stays below them.

Elsewhere one plain line a minute tells the same.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from lingqu.base.journal import CLUSTER, journal_folder, read

_LINE_EVERY = 60.0
_STALE = 90.0
_MOST = 12


def _duration(seconds: float) -> str:
    """As people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def row(facts: dict) -> str:
    """One command: what it makes, how far it is, how fast, and how long it will take."""
    spent = max(facts["now"] - facts["since"], 1e-9)
    rate = facts["done"] / spent
    text = f"{facts['command']:<8}{Path(facts['output']).name:<28.28}{facts['what']:<18}"
    text += f"{facts['done']:>16,} {facts['unit']:<7}{rate:>12,.0f}/s"
    if facts["total"] and rate:
        left = max(facts["total"] - facts["done"], 0) / rate
        text += f"{100 * facts['done'] / facts['total']:>6.0f} %{_duration(left):>8} left"
    return text


def _cluster(folder: Path) -> str:
    """What the owner of the cluster tells."""
    try:
        facts = json.loads((folder / f"{CLUSTER}.json").read_text())
    except (OSError, ValueError):
        return ""
    text = f"{facts['nodes']} nodes, {facts['cores']} cores, {facts['chunks']:,} chunks at work"
    return text + (f", {facts['waiting']} commands wait for a node" if facts["waiting"] else "")


def forget(run: Path) -> None:
    """Remove what the commands of an earlier run in the folder have left."""
    for path in journal_folder(run).glob("*.json"):
        path.unlink(missing_ok=True)


class View:
    """What is shown of the run in `folder`; any thread may show a line."""

    def __init__(self, folder: Path, stream: TextIO | None = None):
        self._folder = journal_folder(folder)
        self._stream = stream or sys.stderr
        self._drawn = 0
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def line(self, text: str) -> None:
        """Show a line above."""
        with self._lock:
            self._clear()
            print(text, file=self._stream, flush=True)

    def look(self) -> None:
        """Show how far the commands are, when it is time to."""
        terminal, now = self._stream.isatty(), time.monotonic()
        if not terminal and now - self._last < _LINE_EVERY:
            return
        self._last = now
        rows = self.rows()
        with self._lock:
            if terminal:
                self._clear()
                self._draw(rows)
            elif rows:
                told = (" ".join(text.split()) for text in rows)
                print("; ".join(told), file=self._stream, flush=True)

    def rows(self) -> list[str]:
        """The lines of the table."""
        now = time.time()
        live = [
            facts
            for facts in read(self._folder)
            if not facts["ended"] and now - facts["now"] < _STALE
        ]
        rows = [row(facts) for facts in live[:_MOST]]
        rows += [f"and {len(live) - _MOST} more"] if live[_MOST:] else []
        cluster = _cluster(self._folder)
        return rows + ([cluster] if cluster else [])

    def close(self) -> None:
        """Take the table off the terminal."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        if self._drawn:
            print(f"\x1b[{self._drawn}A\r\x1b[J", end="", file=self._stream, flush=True)
            self._drawn = 0

    def _draw(self, rows: list[str]) -> None:
        try:
            width = os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            width = 80
        for text in rows:
            print(text[: width - 1], file=self._stream)
        self._stream.flush()
        self._drawn = len(rows)
