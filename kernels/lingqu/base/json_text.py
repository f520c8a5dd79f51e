"""JSON for people and programs: blocks of keys indented, lists of plain values on one line."""

import json


def significant(value: object, digits: int = 6) -> object:
    """The value with all floating-point numbers within rounded to so many significant digits."""
    if isinstance(value, dict):
        return {name: significant(one, digits) for name, one in value.items()}
    if isinstance(value, list):
        return [significant(one, digits) for one in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def json_text(value: object, indent: str = "") -> str:
    """JSON of what is made of dicts, lists and plain values; no line end behind it."""
    deeper = indent + " "
    if isinstance(value, dict) and value:
        rows = [f"{json.dumps(name)}: {json_text(one, deeper)}" for name, one in value.items()]
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        rows = [json_text(one, deeper) for one in value]
    else:
        return json.dumps(value, allow_nan=False)
    begin, end = "{}" if isinstance(value, dict) else "[]"
    return f"{begin}\n{deeper}" + f",\n{deeper}".join(rows) + f"\n{indent}{end}"
