"""What is known of a run: its steps, and what became of them, as events in a file.

`.lingqu/progress/run.jsonl` in the folder of the run, one object a line, each with "event" and
"time" (Unix). The launcher writes it, anybody may read it:

    begin   the run: workflow, command (to give again), profile, samples, results, host, process
    plan    rules (in the workflow's order), small (rules not worth a word), targets (files),
            steps: [step (a number), rule, sample or "", whether it is to be done]
    start   step, rule, sample, log, files (names of its outputs), reads (names of some inputs)
    done    step
    failed  step, log
    told    text: a warning, or a fault
    end     code: Snakemake's exit code, or 128 + N where signal N stopped the run
"""

import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from lingqu.base.journal import journal_folder

PRESENT, WAITING, RUNNING, DONE = "present", "waiting", "running", "done"
FAILED, INTERRUPTED = "failed", "interrupted"
"""States of a step; PRESENT: done before this run; INTERRUPTED: by the end of the run."""


@dataclass
class Step:
    """One step. since, until: Unix times, 0 as long as there is none; the rest: names of files."""

    rule: str
    sample: str
    state: str = WAITING
    since: float = 0.0
    until: float = 0.0
    log: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    @property
    def subjects(self) -> list[str]:
        """By which of its files a command may be known: some make none that they name."""
        return [*self.files, *self.reads]

    @property
    def title(self) -> str:
        """The rule and the sample."""
        return f"{self.rule} {self.sample}".strip()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return max(self.until - self.since, 0.0)


@dataclass
class Record:
    """A run as far as it was heard of; `end` is None until it has ended."""

    begin: dict = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    small: set[str] = field(default_factory=set)
    targets: list[str] = field(default_factory=list)
    steps: dict[int, Step] = field(default_factory=dict)
    told: list[tuple[float, str]] = field(default_factory=list)
    end: dict | None = None

    def hear(self, event: dict) -> Step | None:
        """Take an event in; the step that it is about, unless that is told for the second time."""
        match event["event"]:
            case "begin":
                self.begin = event
            case "plan":
                self._plan(event)
            case "start" | "done" | "failed":
                return self._step(event)
            case "told":
                self.told.append((event["time"], event["text"]))
            case "end":
                self.end = event
        return None

    def _plan(self, event: dict) -> None:
        self.rules, self.small = event["rules"], set(event["small"])
        self.targets = event["targets"]
        for number, rule, sample, needed in event["steps"]:
            self.steps[number] = Step(rule, sample, WAITING if needed else PRESENT)

    def _step(self, event: dict) -> Step | None:
        number, state = event["step"], event["event"]
        if state == "start":
            step = self.steps.setdefault(number, Step(event["rule"], event["sample"]))
            step.state, step.since = RUNNING, event["time"]
            step.log, step.files, step.reads = event["log"], event["files"], event["reads"]
            return step
        step = self.steps.get(number)
        if step is None or step.state == state:
            return None
        step.state, step.until = state, event["time"]
        step.log = event.get("log") or step.log
        return step

    @property
    def worthy(self) -> list[Step]:
        """The steps that are worth a word."""
        return [step for step in self.steps.values() if step.rule not in self.small]

    @property
    def counts(self) -> Counter:
        """How many of them are in each state."""
        return Counter(step.state for step in self.worthy)

    @property
    def samples(self) -> list[str]:
        """All samples, in the order of the sheet."""
        known = {step.sample: None for step in self.steps.values() if step.sample}
        return list({name: None for name in self.begin.get("samples", ()) if name in known} | known)


def record_file(run: Path) -> Path:
    """The record of the run in a folder."""
    return journal_folder(run) / "run.jsonl"


def read_record(run: Path) -> Record:
    """The record of the run in a folder, or of the last one; an empty one where there was none."""
    record = Record()
    with contextlib.suppress(OSError), record_file(run).open(encoding="utf-8") as lines:
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # cut short by a full disk
                record.hear(json.loads(line))
    return record


class Recorder:
    """Hears the events of a run in `folder` and writes them down, as far as the disk takes them."""

    def __init__(self, folder: Path):
        self.record = Record()
        self._path = record_file(folder)

    def hear(self, event: dict) -> Step | None:
        """As Record.hear; a run that begins takes the place of the one before."""
        first = event["event"] == "begin"
        with contextlib.suppress(OSError):
            if first:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.unlink(missing_ok=True)  # who reads the old one reads it to its end
            with self._path.open("a", encoding="utf-8") as out:
                out.write(json.dumps(event) + "\n")
        return self.record.hear(event)
