"""HTML elements; all text that they are given must be escaped."""

from html import escape

Cell = str | int | float | None


def element(name: str, content: str, **attributes: str) -> str:
    """An element around `content`, which is HTML already; `class_` stands for class."""
    told = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return f"<{name}{told}>{content}</{name}>"
