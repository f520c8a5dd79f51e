"""Shows how a run stands on standard output, once or until it ends."""

import contextlib
import json
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from lingqu.base.errors import LingquError
from lingqu.workflow.phrase import clock
from lingqu.workflow.sentences import news
from lingqu.workflow.status import State, Status, look

_EVERY = 2.0
_MOST = 40
"""Samples that are shown where there is no terminal."""

_ROOM = 14
_LINE_EVERY = 60.0


def _looks(folder: Path, watch: bool) -> Iterator[Status]:
    """How it stands, now and then as long as it lives; once without `watch`."""
    if not folder.is_dir():
        raise LingquError(f"{folder}: no such folder; name one in which lingqu run was given")
    while True:
        status = look(folder)
        yield status
        if not watch or not status.alive:
            return
        time.sleep(_EVERY)


def _well(status: Status) -> bool:
    return status.alive or status.state is State.FINISHED


def as_lines(folder: Path, watch: bool) -> bool:
    """Show it as JSON, an object a line; whether all is well."""
    from lingqu.workflow.facts import as_json

    for status in _looks(folder, watch):
        print(json.dumps(as_json(status)), flush=True)
    return _well(status)


def as_pictures(folder: Path, watch: bool) -> bool:
    """Show it as pictures, on a terminal each in place of the one before; whether all is well."""
    from rich.console import Console
    from rich.live import Live

    from lingqu.workflow.picture import live, whole

    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    most = max(console.height - _ROOM, 1) if console.is_terminal else _MOST
    draws = watch and console.is_terminal and not console.is_dumb_terminal
    told = {"auto_refresh": False, "transient": True, "redirect_stdout": False}
    told_at = -math.inf
    with Live(console=console, **told) if draws else contextlib.nullcontext() as screen:
        for status in _looks(folder, watch):
            if draws and status.alive:
                screen.update(live(status, console, most), refresh=True)
            elif watch and status.alive and status.now - told_at >= _LINE_EVERY:
                told_at = status.now
                print(f"{clock(status.now)} {news(status)}", flush=True)
    console.print(whole(status, console, most), soft_wrap=True)
    return _well(status)
