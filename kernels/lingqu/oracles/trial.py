"""How a kernel is put to the test: inputs by seed and size, an independent answer, a stopwatch."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lingqu.base.cache_folder import cache_folders

Inputs = dict[str, Any]

_SHRINKS = 20
"""Seeds tried at each smaller size, once a disagreement is found."""

_MOST_RUNS = 2000


def unequal(_inputs: Inputs, ours: Any, wanted: Any) -> str:
    """What differs between two answers (numbers, arrays, lists, tuples of such); "" for nothing."""
    if isinstance(wanted, list | tuple):
        if len(ours) != len(wanted):
            return f"{len(ours)} values, wanted {len(wanted)}"
        for at, pair in enumerate(zip(ours, wanted, strict=True)):
            if told := unequal(_inputs, *pair):
                return f"[{at}] {told}"
        return ""
    return "" if np.array_equal(ours, wanted) else f"{shown(ours)}, wanted {shown(wanted)}"


def within(tolerance: float) -> Callable[[Inputs, Any, Any], str]:
    """A comparator of arrays of numbers that may differ by `tolerance`."""

    def differ(_inputs: Inputs, ours: Any, wanted: Any) -> str:
        ours, wanted = np.asarray(ours, float), np.asarray(wanted, float)
        if ours.shape != wanted.shape:
            return f"{ours.shape} values, wanted {wanted.shape}"
        apart = np.abs(ours - wanted)
        if (apart <= tolerance).all():
            return ""
        at = np.unravel_index(np.argmax(np.nan_to_num(apart, nan=np.inf)), apart.shape)
        return f"[{', '.join(map(str, at))}] {ours[at]!r}, wanted {wanted[at]!r} ± {tolerance}"

    return differ


def on_cache_line(size: int, kind: type) -> np.ndarray:
    """An array (kind[size]) that begins on a cache line: vectors across two cost twice as much.

    `np.empty` gives that only by chance outside of kernels; figures then vary from run to run.
    """
    width = np.dtype(kind).itemsize
    raw = np.empty(size + 64 // width, kind)
    first = -raw.ctypes.data % 64 // width
    return raw[first : first + size]


@dataclass(frozen=True)
class Trial:
    """A kernel, what it should compute, and on what.

    make(rng, size): the inputs, by name, of about `size` bases, reads or whatever `unit` is.
    bind(**inputs): makes outputs and scratch and returns the call that is timed; the call takes
    nothing and returns the kernel's answer. It must leave the inputs as they are.
    oracle(**inputs): the same answer from code that shares none with the kernel.
    differ(inputs, ours, wanted): what differs, in a few words, or "".
    units(**inputs): how many units of work the inputs are. largest: size of the largest input of
    a check. rounds: inputs of a check. timed: size of the input that is timed. floor: the
    nanoseconds a unit that the kernel must keep on a core of 2020 or later, 0 where none is stated.
    """

    make: Callable[[np.random.Generator, int], Inputs]
    bind: Callable[..., Callable[[], Any]]
    oracle: Callable[..., Any]
    unit: str
    units: Callable[..., int]
    differ: Callable[[Inputs, Any, Any], str] = unequal
    largest: int = 200
    rounds: int = 40
    timed: int = 100_000
    floor: float = 0.0


@dataclass(frozen=True)
class Disagreement:
    """The smallest input found on which a kernel and its oracle disagree."""

    seed: int
    size: int
    told: str
    inputs: Inputs


@dataclass(frozen=True)
class Timing:
    """CPU seconds of the first call; nanoseconds a unit of the others.

    compiled: functions that the first call compiled; with none it loads them from the cache.
    best, median: of many calls. units: of one call. oracle: plain Python, on a small input.
    """

    first: float
    compiled: int
    units: int
    best: float
    median: float
    oracle: float


def shown(value: Any, width: int = 120) -> str:
    """A value in one line of at most `width` characters."""
    text = repr(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
    return text if len(text) <= width else f"{text[: width - 4]} ..."


def attempt(trial: Trial, seed: int, size: int) -> Disagreement | None:
    """Try one input; a kernel that raises disagrees."""
    inputs = trial.make(np.random.default_rng([seed, size]), size)
    try:
        ours = trial.bind(**inputs)()
    except Exception as error:
        told = f"raised {type(error).__name__}: {error}"
    else:
        told = trial.differ(inputs, ours, trial.oracle(**inputs))
    return Disagreement(seed, size, told, inputs) if told else None


def check(trial: Trial, rounds: int = 0, seed: int = 0, size: int = 0) -> Disagreement | None:
    """Try so many inputs, of ever larger size unless `size` is given; the first disagreement.

    Smaller inputs are tried then, so that what is told is as small as can be had for little.
    """
    rounds = rounds or trial.rounds
    for number in range(rounds):
        at = size or 1 + number * trial.largest // rounds
        found = attempt(trial, seed + number, at)
        if found:
            return found if size else _smaller(trial, found)
    return None


def _smaller(trial: Trial, found: Disagreement) -> Disagreement:
    for size in range(1, found.size):
        for seed in range(found.seed, found.seed + _SHRINKS):
            if told := attempt(trial, seed, size):
                return told
    return found


def _cpu(call: Callable[[], Any]) -> float:
    begin = time.process_time()
    call()
    return time.process_time() - begin


def _compiled() -> int:
    """How many compiled functions the cache holds."""
    from lingqu.base.cache_folder import SUFFIX

    return sum(1 for _ in cache_folders()[0].glob(f"*{SUFFIX}"))


def measure(trial: Trial, seconds: float = 1.0, size: int = 0) -> Timing:
    """Time a kernel for `seconds` of CPU, at least 5 times, each on fresh outputs."""
    small = trial.make(np.random.default_rng(0), max(trial.largest // 4, 1))
    known = _compiled()
    first = _cpu(trial.bind(**small))
    compiled = _compiled() - known
    plain = min(_cpu(lambda: trial.oracle(**small)) for _ in range(3)) / trial.units(**small)
    inputs = trial.make(np.random.default_rng(1), size or trial.timed)
    units = trial.units(**inputs)
    trial.bind(**inputs)()
    runs: list[float] = []
    while len(runs) < 5 or (sum(runs) < seconds and len(runs) < _MOST_RUNS):
        runs.append(_cpu(trial.bind(**inputs)))
    per_unit = 1e9 / units
    median = float(np.median(runs)) * per_unit
    return Timing(first, compiled, units, min(runs) * per_unit, median, plain * 1e9)
