"""The blocks that a section is made of: plain data.

assets/*.js draws them; `lingqu.report.static` does where no script runs. A phrase is what a reader
sees: "@key" of the table of words, ["@key", {name: value}] with values in its {braces}, or text as
it is. Values keep their numbers; a form (`lingqu.report.forms`) says how they look.
"""

from collections.abc import Iterable, Sequence

from lingqu.report.html import Cell

Block = dict
Phrase = str | list


def digits(values: Iterable[float | None], count: int = 4) -> list:
    """Values of at most `count` significant digits, whole ones as int: short in JSON."""
    return [value if value is None else _short(float(f"{value:.{count}g}")) for value in values]


def _short(value: float) -> int | float:
    return int(value) if value == int(value) else value


def prose(text: Phrase, tone: str = "") -> Block:
    """A paragraph; tone "quiet", "warn" or "fail"."""
    return {"kind": "prose", "text": text, "tone": tone}


def heading(text: Phrase) -> Block:
    """A title within a section."""
    return {"kind": "heading", "text": text}


def facts(rows: Iterable[tuple[Phrase, Cell, str]]) -> Block:
    """Pairs of name and value with the value's form; rows without a value are left out."""
    return {"kind": "facts", "rows": [list(row) for row in rows if row[1] is not None]}


def code(text: str) -> Block:
    """Text of a machine, as it is."""
    return {"kind": "code", "text": text}


def folded(title: Phrase, blocks: Sequence[Block]) -> Block:
    """Blocks that open on a click."""
    return {"kind": "folded", "title": title, "blocks": list(blocks)}


def cards(blocks: Sequence[Block]) -> list[Block]:
    """Blocks side by side as the width allows; nothing where there are none."""
    return [{"kind": "cards", "blocks": list(blocks)}] if blocks else []


def column(label: Phrase, how: str = "text") -> dict:
    """A column of a table and the form of its values."""
    return {"label": label, "form": how}


def table(
    columns: Sequence[dict],
    rows: Iterable[Sequence[Cell]],
    label: Phrase = "",
    search: bool = False,
    bare: bool = False,
) -> Block:
    """A table to sort; search gives it a field to search in, bare hides its title."""
    rows = [list(row) for row in rows]
    return {
        "kind": "table",
        "columns": list(columns),
        "rows": rows,
        "label": label,
        "search": search,
        "bare": bare,
    }


def split(title: Phrase, parts: Iterable[tuple[Phrase, float | None, int]]) -> Block:
    """A bar of 100 % cut into parts: label, value, colour."""
    kept = [list(part) for part in parts if part[1]]
    return {"kind": "split", "title": title, "parts": kept}


def axis(label: Phrase, how: str = "number", **more) -> dict:
    """An axis. more: log (start logarithmic), low, high, names (of the positions 0, 1, …)."""
    return {"label": label, "form": how} | more


def steps(first: float, count: int, step: float = 1) -> dict:
    """Positions first, first + step, … along x."""
    return {"first": first, "step": step, "count": count}


def line(label: Phrase, values: Iterable[float | None], colour: int | str = 1, **more) -> dict:
    """A series of a plot. colour: 1 to 8, or a base. more: dash, fill."""
    return {"label": label, "values": digits(values), "colour": colour} | more


def band(label: Phrase, low: Sequence, high: Sequence, colour: int = 1) -> dict:
    """The room between two lines."""
    return {"label": label, "low": digits(low), "high": digits(high), "colour": colour}


def plot(
    title: Phrase,
    x: dict,
    y: dict,
    at: dict | list,
    series: Sequence[dict],
    shape: str = "line",
    **more,
) -> Block:
    """A plot; shape "line", "area", "bars" or "dots".

    at: positions by `steps`, or a list in rising order. more: note (what it should look like),
    marks ([{"x" or "y", "label"}]), alt (a phrase for who cannot see it), key (drawn also without a
    script), wide, points (the label of each dot).
    """
    told = {"title": title, "x": x, "y": y, "at": at, "series": list(series), "shape": shape}
    return {"kind": "plot"} | told | more


def positions(at: dict | list) -> list:
    """The positions along x, written out."""
    if isinstance(at, list):
        return at
    return [at["first"] + at["step"] * number for number in range(at["count"])]
