"""Every described kernel agrees with its oracle, and no oracle agrees with a spoilt answer."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lingqu
from lingqu.base.errors import LingquError
from lingqu.base.plugins import ALIGNERS, CALLERS
from lingqu.oracles import tools
from lingqu.oracles.catalogue import KERNELS, TOOLS, load, trial_of
from lingqu.oracles.trial import check

ROUNDS = 8


@pytest.mark.parametrize("described", KERNELS, ids=lambda described: described.name)
def test_the_kernel_agrees(described):
    kernel = load(described.where)
    assert kernel.py_func.__doc__
    assert trial_of(described.name).unit
    found = check(trial_of(described.name), ROUNDS)
    assert found is None, (found.seed, found.size, found.told)


def _spoilt(answer):
    """The answer with another number in it."""
    if isinstance(answer, tuple):
        return _spoilt(answer[0]), *answer[1:]
    answer = answer.copy()
    for name in answer.dtype.names or ():
        answer[name] += 1000
    if not answer.dtype.names:
        answer += np.ones(1, answer.dtype)
    return answer


def _spoiling(bind):
    def spoilt(**inputs):
        call = bind(**inputs)
        return lambda: _spoilt(call())

    return spoilt


@pytest.mark.parametrize("described", KERNELS, ids=lambda described: described.name)
def test_a_wrong_answer_is_told(described):
    trial = trial_of(described.name)
    found = check(replace(trial, bind=_spoiling(trial.bind)), ROUNDS)
    assert found is not None
    assert "raised" not in found.told


@pytest.mark.parametrize("described", KERNELS, ids=lambda described: described.name)
def test_binding_and_calling_leave_the_inputs_alone(described):
    trial = trial_of(described.name)
    ours, fresh = (trial.make(np.random.default_rng(1), trial.largest) for _ in range(2))
    trial.bind(**ours)()
    assert repr(ours) == repr(fresh)
    assert trial.units(**ours) > 0


def test_the_functions_agree_uncompiled():
    """Integers do not wrap in Python as they do in a compiled kernel: types must be named."""
    names = ["syncmers", "look-up", "chain", "mapq", "duplicates", "detour", "genotype"]
    command = [sys.executable, "-m", "lingqu", "kernels", "check", "--rounds", "5", *names]
    done = subprocess.run(
        command, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("agrees on all inputs (5)") == len(names)


def test_tools_agree():
    assert all(map(load, TOOLS.values()))
    for group in (ALIGNERS, CALLERS):
        found = check(tools.trial_of(group, "lingqu"), 2, size=30)
        assert found is None, (group, found.seed, found.told)


def _run(**change):
    """The built-in aligner with something done to its batches."""

    def run(*arguments):
        return replace(found := load(TOOLS[ALIGNERS])(*arguments), **{
            name: alter(getattr(found, name)) for name, alter in change.items()
        })  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"pos": lambda pos: pos + 50}, "0 of .* reads come back to their place"),
        ({"pos": lambda pos: pos.astype(np.int64)}, "pos is int64, wanted int32"),
        ({"cigar": lambda cigar: cigar + 16}, "CIGAR covers 101 of 100 bases"),
        ({"flag": lambda flag: flag | 0x100}, "not every read has just one primary"),
        ({"mapq": lambda mapq: mapq + np.uint8(len(mapq) > 50)}, "in chunks of half the size"),
        ({"flag": lambda flag: flag & ~np.uint16(4), "mapq": lambda mapq: mapq * 0 + np.uint8(60),
          "cigar_start": lambda at: at * 0}, "foreign reads have MAPQ >= 20|CIGAR"),
    ],
)  # fmt: skip
def test_a_wrong_aligner_is_told(change, told):
    found = check(tools.aligner_trial(_run(**change)), 1, size=30)
    assert re.search(told, found.told)


def test_a_wrong_caller_is_told():
    def blind(shard):
        covered, lines = load(TOOLS[CALLERS])(shard)
        return covered, lines[1:]

    found = check(tools.caller_trial(blind), 1, size=3)
    assert "missed [((" in found.told


def test_other_names():
    assert trial_of("lingqu.oracles.seeds:SYNCMERS") is trial_of("syncmers")
    for name, told in (
        ("nothing", "no such kernel; `lingqu kernels` lists them"),
        ("no_such_module:TRIAL", "No module named 'no_such_module'"),
        ("lingqu.oracles.seeds:NOTHING", "has no attribute 'NOTHING'"),
        ("lingqu.oracles.seeds:word", "is no lingqu.oracles.trial.Trial"),
    ):
        with pytest.raises(LingquError, match=re.escape(told)):
            trial_of(name)


def test_no_room_but_the_commands_knows_the_oracles():
    package = Path(lingqu.__file__).parent
    for path in package.rglob("*.py"):
        room = path.relative_to(package).parts[0]
        if room not in ("oracles", "cli"):
            assert "lingqu.oracles" not in path.read_text(), path
