"""What failed in a run and why, by what its steps have left: outputs that lack, and their logs."""

import re
from collections.abc import Iterator
from pathlib import Path

from lingqu.report.words import words

_ERROR = "lingqu: error: "
_RAISED = re.compile(r"(\w+\.)*\w*(Error|Exception)\b")
_LINES = 12
_LAST = 64 << 10


def missing(project: dict, results: Path) -> list[dict]:
    """The steps of `project.json` (rule, sample, output, log) whose output is not there."""
    return [step for step in project.get("steps", ()) if not (results / step["output"]).exists()]


def failures(project: dict, results: Path) -> Iterator[dict]:
    """What became of each step that has not done its work, in the order of the project.

    rule, sample; state: "failed" (it told why), "killed" (it has a log and told nothing) or
    "waiting" (it never began); reason: its error, in one line, or ""; log, lines: the end of it.
    """
    for step in missing(project, results):
        log = results / step["log"]
        lines = last_lines(log)
        reason = _reason(lines)
        state = "waiting" if not log.exists() else "failed" if reason else "killed"
        yield {
            "rule": step["rule"],
            "sample": step["sample"],
            "state": state,
            "reason": reason,
            "log": step["log"],
            "lines": lines[-_LINES:],
        }


def last_lines(path: Path) -> list[str]:
    """The lines at the end of a text file; none where there is no such file."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _LAST, 0))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _reason(lines: list[str]) -> str:
    """The last error that a command told in one line, else the last that a traceback names."""
    told = [line.removeprefix(_ERROR) for line in lines if line.startswith(_ERROR)]
    if told:
        return told[-1]
    if not any(line.startswith("Traceback (most recent call last)") for line in lines):
        return ""
    raised = [line for line in lines if _RAISED.match(line)]
    return raised[-1] if raised else lines[-1]


def sentence(failure: dict, language: str) -> str:
    """A failure in words."""
    table = words(language)["failures"]
    sample = failure["sample"] or table["run"]
    return table[failure["state"]].format(
        step=failure["rule"], sample=sample, reason=failure["reason"]
    )
