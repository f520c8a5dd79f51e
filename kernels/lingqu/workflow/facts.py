"""How a run stands, for programs."""

from lingqu.workflow.estimate import time_left
from lingqu.workflow.phrase import left, rate
from lingqu.workflow.record import FAILED, INTERRUPTED, RUNNING, Step
from lingqu.workflow.sentences import advice, headline
from lingqu.workflow.status import Status


def _step_facts(status: Status, number: int, step: Step) -> dict:
    told = {"rule": step.rule, "sample": step.sample or None, "state": step.state}
    told |= {"since": step.since or None, "until": step.until or None}
    if step.state in (RUNNING, FAILED, INTERRUPTED):
        told |= {"log": step.log, "files": step.files, "log_lines": status.log_lines(step)}
    if step.state == FAILED:
        told |= {"why": status.why(step)}
    if step.state == RUNNING:
        told |= {"node": status.host(step) or None, "waits_for_a_node": status.queued(step)}
    if facts := status.commands.get(number):
        told |= {name: facts[name] for name in ("what", "unit", "done", "total", "share")}
        told |= {"rate": rate(facts), "left": left(facts)}
    return told


def as_json(status: Status) -> dict:
    """All of it, as JSON can say it: times are Unix times, `left` is in seconds.

    state: one of State. told, do: sentences. steps: how many, in all and in each state. left: to
    the end, less what the rules in left_without will take. work: each step with its state; what its
    command tells (done, total, unit, rate, share, left) while it is at work; the end of its log
    then and where it failed. cluster: as the owner of the nodes tells. made: the targets that are
    there.
    """
    record, counts = status.record, status.record.counts
    seconds, rules = time_left(record, status.commands, status.now)
    told = {"schema": 1, "state": status.state, "told": headline(status), "do": advice(status)}
    told |= {"folder": str(status.folder), "workflow": record.begin.get("workflow")}
    told |= {"command": record.begin.get("command"), "profile": record.begin.get("profile")}
    told |= {"host": record.begin.get("host"), "process": record.begin.get("process")}
    told |= {"since": record.begin.get("time"), "until": None if status.alive else status.until}
    told |= {"code": record.end["code"] if record.end else None}
    told |= {"steps": {"total": sum(counts.values()), **counts}}
    told |= {"left": seconds if status.alive else None, "left_without": rules}
    told |= {"samples": record.samples, "rules": record.rules, "small": sorted(record.small)}
    steps = [_step_facts(status, *one) for one in record.steps.items()]
    told |= {"work": steps, "cluster": status.cluster or None, "leftovers": status.leftovers}
    told |= {"warnings": [{"time": when, "text": text} for when, text in record.told]}
    return told | {"made": [{"file": name, "bytes": count} for name, count in status.targets()]}
