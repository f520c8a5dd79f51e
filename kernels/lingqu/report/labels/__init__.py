"""The page's own words by language, beside those of measures and verdicts in `words`."""

from functools import cache
from pathlib import Path

import yaml


@cache
def labels(language: str) -> dict:
    """Nested texts by key, the same keys in every language."""
    path = Path(__file__).with_name(f"{language}.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def join(*tables: dict) -> dict:
    """Tables as one; what is nested in both is joined, else the later table counts."""
    joined: dict = {}
    for table in tables:
        for key, told in table.items():
            both = isinstance(told, dict) and isinstance(joined.get(key), dict)
            joined[key] = join(joined[key], told) if both else told
    return joined


def phrase(told: str | list, table: dict) -> str:
    """The text of a phrase (`lingqu.report.blocks`); one that the table lacks by its last key."""
    key, values = told if isinstance(told, list) else (told, {})
    if not key.startswith("@"):
        return key
    found = table
    for part in key[1:].split("."):
        found = found.get(part) if isinstance(found, dict) else None
    text = found if isinstance(found, str) else key.rpartition(".")[2].replace("_", " ")
    return text.format_map({name: _shown(value) for name, value in values.items()})


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–" if value is None else str(value)
