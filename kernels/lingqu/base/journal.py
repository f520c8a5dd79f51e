"""How far the commands of a run are: each leaves a small file, which who started the run reads.

`.lingqu/progress/<host>-<process>.json` in the folder that LINGQU_RUN names; nothing without it.
"""

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

RUN_VARIABLE = "LINGQU_RUN"
"""Environment variable of all processes of a run: its working folder."""

CLUSTER = "cluster"
"""Name of the file in which the owner of a run's cluster tells what it has."""

_EVERY = 1.0
_OUTPUTS = ("-o", "--output", "--out")


def journal_folder(run: str | Path) -> Path:
    """Where the commands of the run in a folder leave their files."""
    return Path(run) / ".lingqu" / "progress"


def subject(words: list[str]) -> tuple[str, str]:
    """(command, what it makes) of lingqu's words: the output, else the first that it is given."""
    plain = [word for word in words if not word.startswith("-")]
    after = (make for word, make in pairwise(words) if word in _OUTPUTS)
    return (plain[0] if plain else ""), next(after, plain[1] if plain[1:] else "")


def leave(path: Path, facts: dict) -> None:
    """Put the facts (what JSON can say) under `path`, whole; what cannot be written is no fault."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(facts))
        os.replace(beside, path)


class Journal:
    """The file of this process; share: what part is done when so many units are, or None."""

    def __init__(
        self, what: str, unit: str, total: int | None, share: Callable[[int], float | None]
    ):
        run = os.environ.get(RUN_VARIABLE)
        name = f"{socket.gethostname()}-{os.getpid()}.json"
        self._path = journal_folder(run) / name if run else None
        command, makes = subject(sys.argv[1:])
        self._facts = {"command": command, "output": makes, "what": what, "unit": unit}
        self._facts |= {"total": total, "since": time.time()}
        self._share, self._last = share, float("-inf")

    def note(self, done: int) -> None:
        """Leave how much is done, once a second at most."""
        now = time.monotonic()
        if self._path and now - self._last >= _EVERY:
            self._last = now
            told = {"done": done, "share": self._share(done), "now": time.time()}
            leave(self._path, self._facts | told)

    def end(self) -> None:
        """Leave nothing: only commands at work have a file."""
        if self._path:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def read(folder: Path) -> list[dict]:
    """What the commands at work have left, in the order in which they began."""
    found = []
    for path in folder.glob("[!.]*.json"):
        with contextlib.suppress(OSError, ValueError):  # just going
            found.append(json.loads(path.read_text()))
    return sorted((facts for facts in found if "since" in facts), key=lambda x: x["since"])
