"""Blocks as plain HTML, for where no script runs: tables, texts and still pictures."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

from lingqu.report.blocks import Block
from lingqu.report.forms import form
from lingqu.report.html import element
from lingqu.report.svg import svg

Words = Callable[[str | list], str]
_ROWS = 20
_MARKS = {"p": "✓", "w": "!", "f": "✕", "-": ""}


def static(blocks: Iterable[Block], words: Words, pictures: bool = True) -> str:
    """The HTML of blocks; words(phrase) is its text. Without pictures, numbers and texts only."""
    return "".join(_block(block, words, pictures) for block in blocks)


def _block(block: Block, words: Words, pictures: bool) -> str:
    kind = block["kind"]
    if kind in ("cards", "folded"):
        title = element("h4", escape(words(block["title"]))) if "title" in block else ""
        return title + static(block["blocks"], words, pictures)
    if kind == "plot":
        if not (pictures and block.get("key")):
            return ""
        caption = element("figcaption", escape(words(block["title"])))
        return element("figure", caption + svg(block, words))
    return _KINDS[kind](block, words) if kind in _KINDS else ""


def _prose(block: Block, words: Words) -> str:
    return element("p", escape(words(block["text"])))


def _heading(block: Block, words: Words) -> str:
    return element("h4", escape(words(block["text"])))


def _facts(block: Block, words: Words) -> str:
    rows = (
        element("th", escape(words(name)), scope="row") + element("td", _cell(value, how, words))
        for name, value, how in block["rows"]
    )
    return element("table", "".join(element("tr", row) for row in rows))


def _cell(value, how: str, words: Words) -> str:
    if isinstance(value, list) or (isinstance(value, str) and value.startswith("@")):
        return escape(words(value))
    if isinstance(value, str) and how in ("why", "kin"):
        return escape(words(f"@{how}.{value.replace(' ', '_')}"))
    return escape(form(value, how))


def _table(block: Block, words: Words) -> str:
    heads = [words(column["label"]) for column in block["columns"]]
    forms = [column["form"] for column in block["columns"]]
    rows = (
        [_cell(value, how, words) for value, how in zip(row, forms, strict=False)]
        for row in block["rows"][:_ROWS]
    )
    title = (
        element("h4", escape(words(block["label"]))) if block["label"] and not block["bare"] else ""
    )
    return title + _grid(heads, rows)


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already; the first of a row names it."""
    head = "".join(element("th", escape(name), scope="col") for name in heads)
    body = "".join(
        element("tr", element("th", first, scope="row") + "".join(element("td", c) for c in rest))
        for first, *rest in rows
    )
    table = element("table", element("thead", element("tr", head)) + element("tbody", body))
    return element("div", table, class_="scroll")


def _split(block: Block, words: Words) -> str:
    whole = sum(value for _, value, _ in block["parts"]) or 1
    parts = ", ".join(
        f"{words(label)} {form(value / whole, 'percent')}" for label, value, _ in block["parts"]
    )
    return element("p", escape(f"{words(block['title'])}: {parts}"))


def _code(block: Block, _words: Words) -> str:
    return element("pre", escape(block["text"]))


def _copy(block: Block, words: Words) -> str:
    text = block["text"].get(words("@language_code")) or next(iter(block["text"].values()))
    return element("pre", escape(text))


def _heat(block: Block, words: Words) -> str:
    """A row a sample; of a single one, a row a measure."""
    heads = [words("@column.sample"), words("@column.verdict")]
    heads += [words(f"@measures.{name}.label") for name in block["measures"]]
    rows = [
        [
            escape(name),
            _MARKS[verdict],
            *(
                f"{escape(form(value, how))} {_MARKS[mark] if mark in 'wf' else ''}".strip()
                for value, mark, how in zip(values, marks, block["forms"], strict=True)
            ),
        ]
        for name, verdict, values, marks in zip(
            block["names"], block["verdicts"], block["values"], block["marks"], strict=True
        )
    ]
    if len(rows) > 1:
        return _grid(heads, rows)
    return _grid(heads[:1] + rows[0][:1], zip(map(escape, heads[1:]), rows[0][1:], strict=True))


def _summary(block: Block, words: Words) -> str:
    samples = block["samples"]
    if len(samples) == 1:
        verdict = samples[0]["verdict"] or "none"
        told = words([f"@summary.one.{verdict}", {"name": samples[0]["name"]}])
    else:
        good = sum(sample["verdict"] == "pass" for sample in samples)
        told = words(["@summary.some", {"good": good, "count": len(samples)}])
    worries = "".join(
        element("li", escape(_worry(worry, samples, words))) for worry in block["worries"]
    )
    nothing = element("p", escape(words("@summary.nothing")))
    title = element("h3", escape(words("@summary.worry")))
    return (
        element("p", escape(told), class_="told")
        + title
        + (element("ul", worries) if worries else nothing)
    )


def _worry(worry: dict, samples: list[dict], words: Words) -> str:
    names = ", ".join(samples[number]["name"] for number, _ in worry["samples"][:8])
    more = len(worry["samples"]) - 8
    others = f" {words(['@summary.more', {'count': more}])}" if more > 0 else ""
    key = f"@measures.{worry['measure']}"
    side = {"below": "low", "above": "high"}.get(worry["side"], "differs")
    mark, label = words(f"@mark.{worry['verdict']}"), words(f"{key}.label")
    return f"{mark}: {label}: {names}{others}. {words(f'{key}.{side}')}"


_KINDS = {
    "prose": _prose,
    "heading": _heading,
    "facts": _facts,
    "table": _table,
    "split": _split,
    "code": _code,
    "copy": _copy,
    "heat": _heat,
    "summary": _summary,
}
