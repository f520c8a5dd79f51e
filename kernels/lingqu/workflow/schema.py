"""JSON Schema, with messages for people."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lingqu.workflow.faults import did_you_mean

Keys = tuple[str | int, ...]

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a block of keys",
    "null": "empty",
}


@cache
def read_schema(path: Path) -> dict:
    """The schema of a JSON file."""
    import json

    return json.loads(path.read_text(encoding="utf-8"))


def violations(schema: dict, data: object) -> Iterator[tuple[Keys, str]]:
    """Yield (path of keys, message) of everything in `data` that `schema` forbids."""
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema).iter_errors(data):
        yield from _messages(error, tuple(error.absolute_path))


def _messages(error, keys: Keys) -> Iterator[tuple[Keys, str]]:
    known = error.schema.get("properties", {})
    what = f"{_name(keys)!r}" if keys else "the file"
    match error.validator:
        case "additionalProperties":
            for key in error.instance:
                if key not in known:
                    yield (*keys, str(key)), f"unknown key {key!r}; {did_you_mean(str(key), known)}"
        case "required":
            for key in error.validator_value:
                if key not in error.instance:
                    told = known.get(key, {}).get("description", "")
                    yield keys, f"key {key!r} is missing; add it" + (f" ({told})" if told else "")
        case "type":
            yield keys, f"{what} must be {_type_names(error)}, not {error.instance!r}"
        case "enum":
            choices = ", ".join(
                str(choice) for choice in error.validator_value if choice is not None
            )
            yield keys, f"{what} must be one of {choices}, not {error.instance!r}"
        case "pattern" | "minLength":
            told = error.schema.get("$comment", f"must match {error.validator_value}")
            yield keys, f"{what} {told}, not {error.instance!r}"
        case "minimum" | "maximum":
            side = "least" if error.validator == "minimum" else "most"
            yield keys, f"{what} must be at {side} {error.validator_value}, not {error.instance!r}"
        case "propertyNames":
            yield keys, f"{what}: {error.instance!r} is no name; use letters, digits, '.', '_', '-'"
        case _:
            yield keys, f"{what}: {error.message}"


def _type_names(error) -> str:
    names = error.validator_value
    return " or ".join(_TYPES[name] for name in ([names] if isinstance(names, str) else names))


def _name(keys: Keys) -> str:
    text = ""
    for key in keys:
        text += f"[{key + 1}]" if isinstance(key, int) else f".{key}" if text else str(key)
    return text


def with_defaults(schema: dict, data: dict) -> dict:
    """`data` with the schema's defaults for the keys it does not hold, in the schema's order."""
    filled = {}
    for key, told in schema["properties"].items():
        value = data.get(key)
        if value is None:
            value = told.get("default")
        if "properties" in told and (value is not None or "default" not in told):
            value = with_defaults(told, value or {})
        filled[key] = value
    return filled
