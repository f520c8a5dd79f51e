"""How a run stands: its record, its commands, its cluster and its lease, read and put together."""

import contextlib
import json
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lingqu.base.journal import CLUSTER, journal_folder, read
from lingqu.base.lock import Holder
from lingqu.cluster.desk import ERROR
from lingqu.workflow import lease
from lingqu.workflow.phrase import last_lines
from lingqu.workflow.record import FAILED, INTERRUPTED, RUNNING, Record, Step, read_record

_STALE = 90.0
_LINES = 8


class State(StrEnum):
    """How a run stands. STOPPED: by a signal, in good order; KILLED: gone without a word."""

    NEVER = "never"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"
    KILLED = "killed"


@dataclass(frozen=True)
class Status:
    """How a run stands.

    commands: what the commands of steps at work tell, by step; others: commands of no step that is
    known; cluster: what its owner tells; holder: the launcher; seen: its last sign (Unix time);
    leftovers: processes of a killed run on this machine.
    """

    folder: Path
    state: State
    record: Record
    now: float
    commands: dict[int, dict] = field(default_factory=dict)
    others: list[dict] = field(default_factory=list)
    cluster: dict = field(default_factory=dict)
    holder: Holder | None = None
    seen: float = 0.0
    leftovers: list[int] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether something may still come of it."""
        return self.state in (State.STARTING, State.RUNNING, State.PAUSED)

    @property
    def since(self) -> float:
        """When the run began (Unix time)."""
        return self.record.begin.get("time", self.now)

    @property
    def until(self) -> float:
        """When it ended, was last heard of, or now."""
        if self.record.end:
            return self.record.end["time"]
        return self.seen if self.state is State.KILLED else self.now

    @property
    def failed(self) -> list[Step]:
        """The steps that failed."""
        return [step for step in self.record.steps.values() if step.state == FAILED]

    def host(self, step: Step) -> str:
        """The node on which a step's command works; empty where there are no nodes."""
        return next((self.cluster["at"][name] for name in self._asks(step, "at")), "")

    def queued(self, step: Step) -> bool:
        """Whether the command of a step at work waits for a node."""
        return step.state == RUNNING and any(self._asks(step, "waiting"))

    def _asks(self, step: Step, where: str) -> list[str]:
        known = self.cluster.get(where, ())
        return [name for name in step.subjects if name in known]

    def log_lines(self, step: Step, count: int = _LINES) -> list[str]:
        """The last lines of a step's log."""
        logs = (last_lines(self.folder / name, count) for name in step.log)
        return next(filter(None, logs), [])

    def why(self, step: Step) -> str:
        """The line in which a failed step says why; empty where it has none."""
        errors = [line for line in self.log_lines(step) if line.startswith(ERROR)]
        return errors[-1].removeprefix(ERROR) if errors else ""

    def targets(self) -> list[tuple[str, int]]:
        """What the run was to make, and is there: names and bytes."""
        found = []
        for name in self.record.targets:
            with contextlib.suppress(OSError):
                found.append((name, (self.folder / name).stat().st_size))
        return found


def _commands(folder: Path, record: Record, now: float) -> tuple[dict[int, dict], list[dict]]:
    """What commands tell, by the step that they work for; and those of no known step."""
    makes = {
        name: number
        for number, step in record.steps.items()
        if step.state == RUNNING
        for name in step.subjects
    }
    known: dict[int, dict] = {}
    others = []
    for facts in read(folder):
        number = makes.get(facts["output"])
        if number is None and not record.steps and now - facts["now"] < _STALE:
            others.append(facts)
        elif number is not None and facts["now"] >= known.get(number, facts)["now"]:
            known[number] = facts
    return known, others


def _cluster(folder: Path) -> dict:
    with contextlib.suppress(OSError, ValueError):
        return json.loads((folder / f"{CLUSTER}.json").read_text())
    return {}


def gather(folder: Path, record: Record, state: State = State.RUNNING, **more) -> Status:
    """The status of a live run whose record is at hand; more: of the fields of Status."""
    now, journal = time.time(), journal_folder(folder)
    commands, others = _commands(journal, record, now)
    return Status(folder, state, record, now, commands, others, _cluster(journal), **more)


def _of_code(code: int) -> State:
    return State.FINISHED if not code else State.STOPPED if code > 128 else State.FAILED


def _over(folder: Path, record: Record, now: float, life: lease.Life | None) -> Status:
    """Of a run that works no more."""
    for step in record.steps.values():
        step.state = INTERRUPTED if step.state == RUNNING else step.state
    if not record.begin:
        return Status(folder, State.NEVER, record, now)
    if record.end:
        return Status(folder, _of_code(record.end["code"]), record, now)
    holder = Holder(record.begin["process"], record.begin["host"], 0, str(folder))
    known = [record.begin["time"], *(step.since for step in record.steps.values())]
    seen = life.seen if life else max(known)
    here = lease.leftovers(folder) if holder.here else []
    return Status(folder, State.KILLED, record, now, holder=holder, seen=seen, leftovers=here)


def _is_of(record: Record, life: lease.Life) -> bool:
    """Whether the record is that of the run that lives, and not of the one before."""
    own = life.holder.process, life.holder.host
    return own == (record.begin.get("process"), record.begin.get("host"))


def look(folder: Path) -> Status:
    """How the run in a folder stands, or the last one there; reads, and writes nothing.

    Of a run on another machine this takes a moment, and twelve seconds where that is dead.
    """
    folder = folder.resolve()
    life, record, now = lease.look(folder), read_record(folder), time.time()
    if not life or not life.alive or (record.end and _is_of(record, life)):
        return _over(folder, record, now, life)
    more = {"holder": life.holder, "seen": life.seen}
    if not _is_of(record, life):
        return Status(folder, State.STARTING, Record(), now, **more)
    state = State.PAUSED if life.holder.stopped else State.RUNNING
    return gather(folder, record, state, **more)
