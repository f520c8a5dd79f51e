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
    """A table whose first column names the rows; numbers stand right."""
    head = element("tr", "".join(element("th", text(name), scope="col") for name in heads))
    body = "".join(element("tr", _row(row)) for row in rows)
    inner = element("thead", head) + element("tbody", body)
    return element("div", element("table", inner), class_="scroll")


def _row(row: Sequence[Cell]) -> str:
    first, *others = row
    cells = [element("th", text(first), scope="row")]
    for cell in others:
        number = {} if isinstance(cell, str) and not _is_number(cell) else {"class_": "number"}
        cells.append(element("td", text(cell), **number))
    return "".join(cells)


def _is_number(cell: str) -> bool:
    return cell[:1].isdigit()


def section(title: str, *parts: str, name: str) -> str:
    """A titled section that the contents list links to by `name`."""
    return element("section", element("h2", text(title)) + "".join(parts), id=name)


def folded(title: str, *parts: str) -> str:
    """A part that opens on a click."""
    return element("details", element("summary", text(title)) + "".join(parts))
