"""Every text of a report, in each language, from one table a language: en.yaml, zh.yaml."""

import re
from functools import cache
from pathlib import Path

import yaml

LANGUAGES = ("en", "zh")

_WIDE = "[\u2014\u2019\u201c\u201d\u3000-\u9fff\uff00-\uffef]"
_FOLD = re.compile(f"(?<={_WIDE}) (?={_WIDE})")


@cache
def words(language: str) -> dict:
    """The table of a language: nested texts by key, the same keys in all of them."""
    path = Path(__file__).with_name(f"{language}.yaml")
    return _unfolded(yaml.safe_load(path.read_text(encoding="utf-8")))


def _unfolded(told):
    """Without the spaces that YAML leaves where a line of Chinese was broken."""
    if isinstance(told, dict):
        return {key: _unfolded(value) for key, value in told.items()}
    return closed(told)


def closed(text: str) -> str:
    """A text without spaces between wide characters, as Chinese is written."""
    return _FOLD.sub("", text)


def shown(kind: str, value: float | bool | None, language: str) -> str:
    """A value of a kind of measure as people read it; "–" for none.

    Kinds: share (a fraction, shown in percent), depth, bases, phred, ratio, count, agrees.
    """
    forms = words(language)["values"]
    if value is None:
        return "–"
    if isinstance(value, bool):
        return forms["yes" if value else "no"]
    if kind == "share":
        return forms["share"].format(_percent(100 * value))
    if kind == "depth":
        return forms["depth"].format(f"{value:,.1f}")
    if kind in ("bases", "phred"):
        return forms[kind].format(f"{value:,.0f}")
    return f"{value:,.3g}" if kind == "ratio" else f"{value:,.0f}"


def _percent(value: float) -> str:
    """Two decimals; more where nothing would be left of a small number."""
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.01 else f"{value:.1g}"
