"""What Snakemake's process tells of its steps: for the `onstart` of a workflow.

Who asks, by FOLLOW_VARIABLE, gets each event as a line on standard error: MARK, then JSON (a JSON
text sequence, RFC 7464; the events are those of `lingqu.workflow.record`). Other lines there are
then those that steps themselves have said.
"""

import contextlib
import json
import logging
import os
import sys
import time
from collections.abc import Iterator

MARK = "\x1e"

FOLLOW_VARIABLE = "LINGQU_FOLLOW"
"""Environment variable: EVENTS in place of Snakemake's own lines, or EVERYTHING."""

EVENTS, EVERYTHING = "events", "everything"

_INPUTS = 4

_TOLD_ALREADY = (
    "CalledProcessError",
    "Exiting because a job execution failed",
    "At least one job did not complete successfully",
)
"""In errors of Snakemake that say no more than the events of its steps."""


def _step(rule: str, wildcards: dict) -> dict:
    return {"rule": rule, "sample": wildcards.get("sample", "")}


def _events(record: logging.LogRecord) -> Iterator[dict]:
    """What a line of Snakemake's log tells."""
    told = record.__dict__
    match told.get("event"):
        case "job_info":
            step = _step(told["rule_name"], told["wildcards"])
            files = {"log": list(told["log"]), "files": list(told["output"])}
            files["reads"] = list(told["input"])[:_INPUTS]
            yield {"event": "start", "step": told["jobid"], **step, **files}
        case "job_finished":
            yield {"event": "done", "step": told["job_id"]}
        case "job_error":
            yield {"event": "failed", "step": told["jobid"], "log": list(told["log"])}
        case "group_error":
            for step in told["job_error_info"]:
                yield {"event": "failed", "step": step["jobid"], "log": list(step["log"])}
        case _ if record.levelno >= logging.WARNING:
            text = record.getMessage().strip()
            if not any(known in text for known in _TOLD_ALREADY):
                yield {"event": "told", "text": text}


class _Teller(logging.Handler):
    """Tells what is logged; of no steps in `idle`."""

    def __init__(self, idle: set[int]):
        super().__init__()
        self._idle = idle

    def emit(self, record: logging.LogRecord) -> None:
        for event in _events(record):
            if event.get("step") not in self._idle:
                _tell(event)


def _tell(event: dict) -> None:
    """Write an event; where nobody reads any more Snakemake ends, as by a line of its own."""
    line = json.dumps(event | {"time": time.time()})
    sys.stderr.write(f"{MARK}{line}\n")
    sys.stderr.flush()


def _plan(workflow, small: tuple[str, ...]) -> dict:
    """All steps of a run, also those that are done already."""
    dag = workflow.dag
    jobs = [job for job in dag.jobs if not job.is_norun]
    steps = [
        [dag.jobid(job), job.rule.name, job.wildcards_dict.get("sample", ""), dag.needrun(job)]
        for job in jobs
    ]
    targets = [str(name) for job in dag.targetjobs for name in (job.output or job.input)]
    names = {job.rule.name for job in jobs}
    rules = [rule.name for rule in workflow.rules if rule.name in names]
    told = {"event": "plan", "rules": rules, "small": list(small)}
    return told | {"targets": sorted(set(targets)), "steps": sorted(steps)}


def follow(workflow, small: tuple[str, ...] = ()) -> None:
    """Tell the steps of a Snakemake `workflow` from now on, if somebody asks for them.

    small: rules that only keep books, and are not worth a word.
    """
    asked = os.environ.get(FOLLOW_VARIABLE)
    if not asked:
        return
    from snakemake.logging import logger

    with contextlib.suppress(AttributeError):  # of another Snakemake: a run is more than its view
        _tell(_plan(workflow, small))
        if asked == EVENTS:
            own = [one for one in logger.handlers if one.name == "DefaultStreamHandler"]
            for handler in own:
                logger.removeHandler(handler)
        dag = workflow.dag
        logger.addHandler(_Teller({dag.jobid(job) for job in dag.jobs if job.is_norun}))
