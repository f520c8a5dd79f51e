"""How long a run will still take, as far as that can be known from what it has done."""

from collections import defaultdict
from collections.abc import Mapping

from lingqu.workflow.phrase import left
from lingqu.workflow.record import DONE, FAILED, RUNNING, WAITING, Record, Step


def _cost(step: Step, facts: dict | None, mean: float | None, now: float) -> float | None:
    """Seconds that a step will still take; None where nothing tells."""
    if step.state == WAITING:
        return mean
    known = [] if mean is None else [max(mean - (now - step.since), 0.0)]
    own = left(facts) if facts else None
    known += [] if own is None else [own]
    return max(known, default=None)


def time_left(
    record: Record, commands: Mapping[int, dict], now: float
) -> tuple[float | None, list[str]]:
    """(seconds to the end or None, rules that come on top of it since none of their kind is done).

    A step takes as long as others of its rule took on average, one that works what its own rate
    tells; as many steps are at work at once as now. Nothing more comes of a sample of which a step
    has failed, nor of all samples together. commands: what the commands of steps tell.
    """
    took: dict[str, list[float]] = defaultdict(list)
    for step in record.worthy:
        if step.state == DONE:
            took[step.rule].append(step.seconds)
    means = {rule: sum(seconds) / len(seconds) for rule, seconds in took.items()}
    total, width, unknown, chains = 0.0, 0, set(), defaultdict(float)
    stuck = {step.sample for step in record.worthy if step.state == FAILED}
    stuck |= {""} if stuck else set()
    for number, step in record.steps.items():
        if step.rule in record.small or step.state not in (WAITING, RUNNING):
            continue
        if step.state == WAITING and step.sample in stuck:
            continue
        cost = _cost(step, commands.get(number), means.get(step.rule), now)
        if cost is None:
            unknown.add(step.rule)
            continue
        width += step.state == RUNNING
        total += cost
        chains[step.sample] += cost
    without = [rule for rule in record.rules if rule in unknown]
    if not chains:
        return None, without
    return max(total / max(width, 1), *chains.values()), without
