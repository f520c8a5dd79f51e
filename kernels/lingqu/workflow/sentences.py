"""How a run stands, in sentences."""

import signal

from lingqu.workflow.estimate import time_left
from lingqu.workflow.phrase import date, duration, pace, plural
from lingqu.workflow.record import DONE, PRESENT, RUNNING, Step
from lingqu.workflow.status import State, Status

_MOST = 8


def advice(status: Status) -> str:
    """What is to be done, as one sentence; empty where nothing."""
    again = status.record.begin.get("command", "lingqu run WORKFLOW")
    match status.state:
        case State.NEVER:
            return f"start one here: {again}; or name its folder: lingqu status DIR"
        case State.PAUSED:
            number = status.holder.process
            return f"kill -CONT {number} lets it go on, kill -9 {number} ends it"
        case State.STOPPED | State.KILLED:
            return f"it goes on from what is finished: {again}"
        case State.FAILED:
            return f"mend what is told above; then it goes on from what is finished: {again}"
    return ""


def _signal(status: Status) -> str:
    number = status.record.end["code"] - 128
    known = {one.value: one.name for one in signal.Signals}
    return known.get(number, f"signal {number}")


def headline(status: Status) -> str:
    """How it stands, in a line."""
    begin, spent = status.record.begin, duration(status.until - status.since)
    name, when = begin.get("workflow", "a run"), date(status.until)
    who = f", {status.holder}" if status.holder else ""
    match status.state:
        case State.NEVER:
            return f"nothing was run in {status.folder} yet"
        case State.STARTING:
            return f"a run starts in {status.folder}{who}"
        case State.PAUSED:
            return f"{name} stands still: {status.holder} is stopped (SIGSTOP, Ctrl-Z)"
        case State.RUNNING:
            return f"{name}, running for {spent}{who}"
        case State.FINISHED:
            return f"{name}, finished {when} after {spent}"
        case State.FAILED:
            return f"{name}, failed {when} after {spent}"
        case State.STOPPED:
            return f"{name}, stopped {when} after {spent} by {_signal(status)}"
    return f"{name}, killed: nobody runs here; {status.holder} is gone, last seen {when}"


def remaining(status: Status) -> str:
    """How long it will still take, in words; empty where nothing tells."""
    seconds, rules = time_left(status.record, status.commands, status.now)
    if seconds is None:
        return ""
    return f"about {duration(seconds)} left" + (f", then {', '.join(rules)}" if rules else "")


def steps_done(status: Status) -> str:
    """How many steps are done."""
    counts = status.record.counts
    told = f"{counts[DONE] + counts[PRESENT]:,} of {plural(sum(counts.values()), 'step')} done"
    return told + (f", {counts[PRESENT]:,} of them before" if counts[PRESENT] else "")


def detail(status: Status, number: int, step: Step) -> str:
    """What a step at work tells, what it waits for, or what it said last."""
    if status.queued(step):
        return "waits for a node"
    facts, host = status.commands.get(number), status.host(step)
    where = [f"on {host}"] if host else []
    if facts and facts["done"]:
        return ", ".join([pace(facts), *where])
    last = [line.removeprefix("lingqu: ") for line in status.log_lines(step, 1)]
    spent = [f"for {duration(status.now - step.since)}"] if step.state == RUNNING else []
    return ", ".join([*spent, *where, *last])


def cluster(status: Status) -> str:
    """What the nodes of a run do, and what is waited for; empty where there are none."""
    if not status.alive or not status.cluster:
        return ""
    facts, count = status.cluster, len(status.cluster["waiting"])
    told = [plural(facts["nodes"], "node"), plural(facts["cores"], "core")]
    told += [f"{plural(facts['chunks'], 'chunk')} at work"]
    waits = "waits" if count == 1 else "wait"
    told += [f"{plural(count, 'command')} {waits} for a node"] if count else []
    return ", ".join(told) + (f"; {facts['why']}" if facts["why"] else "")


def fault(status: Status, step: Step) -> list[str]:
    """Why a step failed: it, its files, its log and the end of that."""
    lines = [f"{step.title} failed after {duration(step.seconds)}"]
    lines += [f"  to make  {name}" for name in step.files[:1]]
    lines += [f"  its log  {name}" for name in step.log]
    ends = status.log_lines(step) or (["(the log is empty)"] if step.log else [])
    return lines + [f"    {line}" for line in ends]


def news(status: Status) -> str:
    """All that is to be told of a run at work, in one line."""
    work = [
        f"{step.title}: {detail(status, number, step)}"
        for number, step in status.record.steps.items()
        if step.state == RUNNING and step.rule not in status.record.small
    ]
    work += [f"{x['command']} {x['output']}: {pace(x)}" for x in status.others]
    more = [f"{len(work) - _MOST} more at work"] if work[_MOST:] else []
    total = [steps_done(status)] if status.record.steps else []
    told = [*total, remaining(status), *work[:_MOST], *more, cluster(status)]
    return "; ".join(filter(None, told))
