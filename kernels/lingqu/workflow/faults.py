"""Faults of a user's files, each with its place; all of them are told at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from lingqu.base.errors import LingquError


@dataclass(frozen=True, order=True)
class Fault:
    """One fault of one file; line and column count from 1, and are 0 where there is no place."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        place = f":{self.line}:{self.column}" if self.line else ""
        return f"{self.file}{place}: {self.message}"


def refuse(faults: Iterable[Fault]) -> None:
    """Raise LingquError with one line a fault, in the order of the files; nothing if none."""
    lines = [str(fault) for fault in sorted(set(faults))]
    if len(lines) > 1:
        lines.insert(0, f"{len(lines)} faults; nothing was run")
    if lines:
        raise LingquError("\n".join(lines))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown `word`: the nearest known one, else all of them."""
    known = list(known)
    near = get_close_matches(word, known, 1, 0.6)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
