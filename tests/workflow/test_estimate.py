"""Time left: from what others of a rule took, from a command's own rate, never from nothing."""

from lingqu.workflow.estimate import time_left
from lingqu.workflow.record import DONE, FAILED, PRESENT, RUNNING, WAITING, Record, Step

NOW = 1000.0


def record(*steps: Step) -> Record:
    return Record(rules=["align", "call", "joint"], small={"note"}, steps=dict(enumerate(steps)))


def done(rule: str, seconds: float) -> Step:
    return Step(rule, "S0", DONE, 100.0, 100.0 + seconds)


def facts(share: float, spent: float) -> dict:
    return {"share": share, "since": NOW - spent, "now": NOW}


def test_nothing_is_known_of_what_was_never_done():
    steps = Step("align", "S1", RUNNING, NOW - 50), Step("call", "S1"), Step("joint", "")
    assert time_left(record(*steps), {}, NOW) == (None, ["align", "call", "joint"])


def test_what_was_done_before_the_run_tells_nothing():
    steps = Step("align", "S0", PRESENT), Step("align", "S1", RUNNING, NOW)
    assert time_left(record(*steps), {}, NOW) == (None, ["align"])


def test_a_step_takes_as_long_as_others_of_its_rule():
    steps = done("align", 100), done("align", 200), Step("align", "S1", RUNNING, NOW - 30)
    assert time_left(record(*steps), {}, NOW) == (120.0, [])
    late = done("align", 20), Step("align", "S1", RUNNING, NOW - 30)
    assert time_left(record(*late), {}, NOW) == (0.0, [])


def test_a_command_knows_better():
    steps = done("align", 100), Step("align", "S1", RUNNING, NOW - 90)
    assert time_left(record(*steps), {1: facts(0.25, 90)}, NOW) == (270.0, [])
    assert time_left(record(*steps), {1: facts(0.0, 90)}, NOW) == (10.0, [])
    alone = record(Step("align", "S1", RUNNING, NOW - 90))
    assert time_left(alone, {0: facts(0.5, 90)}, NOW) == (90.0, [])


def test_steps_work_side_by_side_as_now_and_those_of_a_sample_in_turn():
    waiting = [Step("align", f"S{k}") for k in range(3, 8)]
    running = [Step("align", f"S{k}", RUNNING, NOW) for k in (1, 2)]
    steps = record(done("align", 100), *running, *waiting)
    assert time_left(steps, {}, NOW) == (350.0, [])
    chain = done("align", 100), done("call", 60), Step("align", "S1", RUNNING, NOW)
    chain += Step("call", "S1"), Step("align", "S2", RUNNING, NOW - 90), Step("joint", "", WAITING)
    assert time_left(record(*chain), {}, NOW) == (160.0, ["joint"])


def test_nothing_comes_of_what_has_failed():
    steps = done("align", 100), Step("align", "S1", FAILED), Step("call", "S1"), Step("joint", "")
    steps += Step("align", "S2", RUNNING, NOW), Step("call", "S2")
    assert time_left(record(*steps), {}, NOW) == (100.0, ["call"])
    assert time_left(record(*steps[:4]), {}, NOW) == (None, [])


def test_small_rules_do_not_count():
    assert time_left(record(Step("note", "S1")), {}, NOW) == (None, [])
