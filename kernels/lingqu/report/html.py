"""The few HTML parts that a report is made of; all text is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape

Cell = str | int | float | None


def element(name: str, content: str, **attributes: str) -> str:
    """An element around `content`, which is HTML already; `class_` stands for class."""
    told = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{told}>{content}</{name}>"


def text(content: Cell) -> str:
    """Escaped text: counts with thousands separators, a dash for what is not known."""
    if content is None:
        return '<span class="none">–</span>'
    if isinstance(content, bool):
        return "yes" if content else "no"
    if isinstance(content, int):
        return f"{content:,}"
    if isinstance(content, float):
        return f"{content:,.4g}" if abs(content) < 1000 else f"{content:,.0f}"
    return escape(content)


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table of numbers: its first column names the rows, the others stand right."""
    return _table(heads, rows, "numbers")


def words(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """A table of words, all left; without a line of heads where there are none."""
    return _table(heads, rows, "words")


def _table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], kind: str) -> str:
    head = "".join(element("th", text(name), scope="col") for name in heads)
    body = element("tbody", "".join(element("tr", _row(row)) for row in rows))
    inner = (element("thead", element("tr", head)) if heads else "") + body
    return element("div", element("table", inner, class_=kind), class_="scroll")


def _row(row: Sequence[Cell]) -> str:
    first, *others = row
    cells = "".join(element("td", text(cell)) for cell in others)
    return element("th", text(first), scope="row") + cells


def section(title: str, *parts: str, name: str) -> str:
    """A titled section that the contents list links to by `name`."""
    return element("section", element("h2", text(title)) + "".join(parts), id=name)


def folded(title: str, *parts: str) -> str:
    """A part that opens on a click."""
    return element("details", element("summary", text(title)) + "".join(parts))
