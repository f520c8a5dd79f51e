"""Thresholds, and what they say of a sample: pass, warn or fail, with a sentence for people."""

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import yaml

from lingqu.base.errors import LingquError
from lingqu.base.resources import house
from lingqu.report.measures import MEASURES, Measure, Sample, Value, measured
from lingqu.report.words import shown, words

Threshold = dict
ORDER = ("pass", "warn", "fail")

_LEVELS = ("fail", "warn")  # the worse one first
_KEYS = ("warn", "fail", "needs")
_BY_NAME = {measure.name: measure for measure in MEASURES}


def packaged() -> Path:
    """The file of the packaged thresholds."""
    return house("config") / "qc.yaml"


def thresholds(path: str | Path | None = None) -> dict[str, Threshold]:
    """{measure: {warn, fail, needs}}: the packaged ones, less those that the file at `path` sets.

    A measure without a threshold has {}. LingquError where the file cannot be read or is wrong.
    """
    return _packaged() | (_read(Path(path)) if path else {})


@cache
def _packaged() -> dict[str, Threshold]:
    return _read(packaged())


def _read(path: Path) -> dict[str, Threshold]:
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise LingquError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LingquError(f"{path}: no YAML ({error}); mend it") from None
    for keys, message in faults(told):
        raise LingquError(f"{path}: {'.'.join(keys) or 'the file'}: {message}")
    return {name: threshold or {} for name, threshold in told.items()}


def faults(told: object) -> Iterator[tuple[tuple[str, ...], str]]:
    """(path of keys, message) of everything in a file of thresholds that is not right."""
    if not isinstance(told, dict):
        yield (), "must be measures and their thresholds, as in `mapped: {warn: 0.95, fail: 0.8}`"
        return
    for name, threshold in told.items():
        if name not in _BY_NAME:
            yield (name,), f"no such measure; known are {', '.join(_BY_NAME)}"
        elif threshold is not None and (message := _fault(_BY_NAME[name], threshold)):
            yield (name,), message


def _fault(measure: Measure, threshold: object) -> str:
    if not isinstance(threshold, dict) or not set(threshold) <= set(_KEYS):
        return "must be {warn: .., fail: .., needs: ..}, or nothing for no verdict"
    limits = [threshold[level] for level in ("fail", "warn") if threshold.get(level) is not None]
    if measure.bad == "differs":
        return "" if all(limit is False for limit in limits) else "warn or fail can only be false"
    for limit in limits:
        ends = limit if measure.bad == "both" and isinstance(limit, list) else [limit]
        if len(ends) != (2 if measure.bad == "both" else 1) or not all(map(_is_number, ends)):
            form = "[from, to]" if measure.bad == "both" else "one number"
            return f"a limit must be {form}, not {limit!r}"
    if threshold.get("needs") is not None and type(threshold["needs"]) is not int:
        return f"'needs' must be a whole number, not {threshold['needs']!r}"
    if len(limits) == 2 and not _widens(measure.bad, *limits):
        return "the limit of fail must lie beyond that of warn"
    return ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _widens(bad: str, fail, warn) -> bool:
    if bad == "both":
        return fail[0] <= warn[0] <= warn[1] <= fail[1]
    return fail <= warn if bad == "low" else fail >= warn


def judge(sample: Sample, limits: dict[str, Threshold]) -> Iterator[dict]:
    """The verdict of each measure, in their order.

    measure, value, verdict ("pass", "warn", "fail" or None), limit (the one passed, or None), side
    ("below", "above", "differs" or None), why (of no verdict: "missing", "few" or "unset").
    """
    for measure, value, counted in measured(sample):
        yield verdict(measure, value, counted, limits.get(measure.name) or {})


def verdict(measure: Measure, value: Value, counted: int | None, threshold: Threshold) -> dict:
    """The verdict of one measure, as `judge` tells it."""
    told = {"measure": measure.name, "value": value, "verdict": None, "limit": None, "side": None}
    if value is None:
        return told | {"why": "missing"}
    if all(threshold.get(level) is None for level in _LEVELS):
        return told | {"why": "unset"}
    if threshold.get("needs") and (counted or 0) < threshold["needs"]:
        return told | {"why": "few", "counted": counted or 0, "needs": threshold["needs"]}
    for level in _LEVELS:
        limit = threshold.get(level)
        if limit is not None and (side := _side(measure.bad, value, limit)):
            passed = limit[side == "above"] if isinstance(limit, list) else limit
            return told | {"verdict": level, "limit": passed, "side": side, "why": None}
    return told | {"verdict": "pass", "why": None}


def _side(bad: str, value: Value, limit) -> str | None:
    """On which bad side of the limit a value lies; None on the good one."""
    if bad == "differs":
        return None if value else "differs"
    low, high = limit if bad == "both" else (limit, limit)
    if bad != "high" and value < low:
        return "below"
    return "above" if bad != "low" and value > high else None


def worst(verdicts: Iterable[dict]) -> str | None:
    """The worst of verdicts; None where there is none."""
    return max((v["verdict"] for v in verdicts if v["verdict"]), key=ORDER.index, default=None)


def sentence(told: dict, language: str) -> str:
    """A verdict in words: what was found, what it means and what to do; or why there is none.

    Of a pass, the value alone.
    """
    measure, table = _BY_NAME[told["measure"]], words(language)
    text = table["measures"][measure.name]
    if told["why"]:
        form = table["no_verdict"][told["why"]]
        counts = {name: f"{told.get(name, 0):,}" for name in ("counted", "needs")}
        return form.format(**counts)
    value = shown(measure.kind, told["value"], language)
    if not told["side"]:
        return value
    limit = shown(measure.kind, told["limit"], language)
    found = table["sides"][told["side"]].format(label=text["label"], value=value, limit=limit)
    meaning = text[{"below": "low", "above": "high", "differs": "differs"}[told["side"]]]
    return f"{found}{'' if language == 'zh' else ' '}{meaning}"
