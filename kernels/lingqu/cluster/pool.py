"""Keeps as many nodes at work as the profile allows, and tells what it waits for."""

import time
from collections.abc import Callable

from lingqu.base.errors import LingquError
from lingqu.cluster.desk import Desk, Node
from lingqu.cluster.jobs import ENDED, RUNNING, WAITING, Jobs, NotNowError, State, tail
from lingqu.cluster.slurm import NEVER, in_words

_QUICK = 60.0
_MOST_QUICK = 3
_TELL_EVERY = 300.0
_WAIT, _LONGEST_WAIT = 5.0, 60.0


class Pool:
    """The jobs of a run. Nothing is asked for before the first command is handed in."""

    def __init__(self, jobs: Jobs, nodes: int, desk: Desk, say: Callable[[str], None]):
        self._jobs, self._nodes, self._desk, self._say = jobs, nodes, desk, say
        self._live: dict[str, float] = {}  # since when each job is asked for or runs
        self._joined: set[str] = set()
        self._running: set[str] = set()
        self._quick = 0
        self._told, self._told_at = "", 0.0
        self._silent_since = 0.0
        self._tried = False
        self._refused, self._again_at, self._wait = "", 0.0, _WAIT
        self._known: set[str] = set()

    @property
    def submitted(self) -> int:
        """Jobs of the run up to now."""
        return len(self._known)

    @property
    def waits(self) -> str:
        """What it waits for, in words; empty where for nothing."""
        return self._told

    def joined(self) -> None:
        """Note the jobs whose nodes are at the desk."""
        self._joined |= {node.job for node in self._desk.nodes.values()}

    def drop(self, job: str) -> None:
        """Count a job no more whose node is given up; another one takes its place."""
        self._live.pop(job, None)

    async def tick(self) -> None:
        """Look at the jobs, replace those that ended or are about to; LingquError where in vain."""
        self.joined()
        if not self._desk.asked:
            return
        states = await self._jobs.states() if self._tried else {}
        if states is None:
            self._slow()
            return
        self._silent_since = 0.0
        for job, state in states.items():
            if job not in self._known and state.phase != ENDED:
                self._count(job)  # taken after all, when Slurm was too slow to say so
        for job in list(self._live):
            self._look(job, states.get(job, State(ENDED)))
        leaving = {node.job for node in self._desk.nodes.values() if node.leaving}
        await self._ask_for(self._nodes - len(set(self._live) - leaving))
        self._tell_waiting({job: states[job] for job in self._live if job in states})

    async def _ask_for(self, count: int) -> None:
        """Submit more jobs; where none is taken now, ask again later, and ever more rarely."""
        if count <= 0:
            self._refused = ""
        if count <= 0 or time.monotonic() < self._again_at:
            return
        self._tried = True
        try:
            for _ in range(count):
                self._count(await self._jobs.submit())
            self._refused, self._wait = "", _WAIT
        except NotNowError as error:
            self._refused = str(error)
            self._again_at = time.monotonic() + self._wait
            self._wait = min(2 * self._wait, _LONGEST_WAIT)

    def _count(self, job: str) -> None:
        self._known.add(job)
        self._live[job] = time.monotonic()

    def _look(self, job: str, state: State) -> None:
        if state.phase == WAITING and NEVER.search(state.why):
            raise LingquError(f"job {job} can never start ({state.why}); mend the profile")
        if state.phase == RUNNING and job not in self._running:
            self._running.add(job)
            self._live[job] = time.monotonic()
        if state.phase != ENDED:
            return
        lived = time.monotonic() - self._live.pop(job)
        node = self._node(job)
        if node:  # its program runs on where Slurm has lost the node
            self._desk.dismiss(node)
        if job in self._joined:
            self._quick = 0
            if not (node and node.leaving) and state.why not in ("COMPLETED", "exit code 0"):
                self._say(f"job {job} ended ({state.why}); another one is asked for")
        elif lived < _QUICK or job not in self._joined:
            self._quick += 1
            if self._quick >= _MOST_QUICK:
                raise LingquError(
                    f"{self._quick} worker jobs in a row ended before they could work; the end of"
                    f" {self._jobs.log(job)}: {tail(self._jobs.log(job))}"
                )

    def _node(self, job: str) -> Node | None:
        return next((node for node in self._desk.nodes.values() if node.job == job), None)

    def _slow(self) -> None:
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > 30:
            self._tell("squeue does not answer; waiting for Slurm, work goes on meanwhile")

    def _tell_waiting(self, states: dict[str, State]) -> None:
        at_work = f", {len(self._desk.nodes)} at work" if self._desk.nodes else ""
        whys = sorted({state.why for state in states.values() if state.phase == WAITING})
        count = sum(state.phase == WAITING for state in states.values())
        if self._refused:
            self._tell(f"waiting until there may be more worker jobs{at_work}: {self._refused}")
        elif count:
            plural = "s" if count > 1 else ""
            reasons = "; ".join(map(in_words, whys))
            self._tell(f"waiting for {count} worker job{plural}{at_work}: {reasons}")
        else:
            self._told = ""

    def _tell(self, text: str) -> None:
        now = time.monotonic()
        if text != self._told or now - self._told_at > _TELL_EVERY:
            self._told, self._told_at = text, now
            self._say(text)
