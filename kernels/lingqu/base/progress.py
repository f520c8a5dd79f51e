"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lingqu.base.journal import Journal
from lingqu.base.reading import Reading

_LINE_EVERY = 30.0


class Progress:
    """Counts units of work; `advance(n)` tells what was done."""

    def __init__(self, what: str, unit: str, total: int | None, files: Iterable[str | Path] = ()):
        self._what, self._unit, self._total = what, unit, total
        self._reading = Reading(files)
        self._done, self._start, self._last = 0, time.monotonic(), time.monotonic()
        self._journal = Journal(what, unit, total, self._share)
        self._journal.note(0)

    def advance(self, amount: int) -> None:
        """Add `amount` finished units and show them when it is time to."""
        self._done += amount
        self._journal.note(self._done)
        now = time.monotonic()
        every = 0.2 if sys.stderr.isatty() else _LINE_EVERY
        if now - self._last >= every:
            self._last = now
            self._show(now)

    def _share(self, done: int) -> float | None:
        return min(done / self._total, 1.0) if self._total else self._reading.share()

    def _text(self, now: float) -> str:
        spent = max(now - self._start, 1e-9)
        rate = self._done / spent
        text = f"{self._what}: {self._done:,} {self._unit}, {rate:,.0f} {self._unit}/s"
        if rate and (share := self._share(self._done)):
            text += f", {100 * share:.0f} %, {spent * (1 - share) / share:,.0f} s left"
        return text

    def _show(self, now: float) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{self._text(now)}", end="", file=sys.stderr, flush=True)
        else:
            print(self._text(now), file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the bar off the terminal."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def abandon(self) -> None:
        """Show nothing more."""
        self._journal.end()
        self.clear()

    def close(self) -> None:
        """Show the final count."""
        self._journal.end()
        self.clear()
        print(self._text(time.monotonic()), file=sys.stderr, flush=True)


@contextmanager
def progress(
    what: str, unit: str, total: int | None = None, files: Iterable[str | Path] = ()
) -> Iterator[Progress]:
    """Show the progress of `what`, counted in `unit`.

    How much there is to do: `total`, where that is known, else the files that are read for it, in
    their order. A failure leaves the last word to its error.
    """
    shown = Progress(what, unit, total, files)
    try:
        yield shown
    except BaseException:
        shown.abandon()
        raise
    shown.close()


def say(line: str) -> None:
    """One line to the user, on standard error."""
    print(line, file=sys.stderr, flush=True)
