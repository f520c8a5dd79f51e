"""The report as one self-contained page: its data, one script, one style; no network.

    <head>          style
    <body>          header; main, which the script fills; noscript with the same in brief
      #told         JSON: words, sections with their blocks, samples
      .sample-told  one per sample: its sections as gzipped JSON in base64, unpacked when opened

The blocks of all sections are plain data (`lingqu.report.blocks`); which sections there are, and in
which order, the workflow says.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path

from deflate import gzip_compress

from lingqu.report.html import element
from lingqu.report.labels import join, labels, phrase
from lingqu.report.loci import trimmed
from lingqu.report.measures import MEASURES
from lingqu.report.sections import blocks_of, section
from lingqu.report.static import static
from lingqu.report.words import LANGUAGES, words

STILL = 8
"""Of so many samples the pictures are drawn for readers without a script, too."""

_ASSETS = Path(__file__).with_name("assets")
_SCRIPTS = ("core", "uPlot.min", "plots", "tables", "piles", "summary", "page")
_STYLES = ("uPlot.min", "page")
_FORMS = {"share": "percent"}


def page(
    numbers: dict, run: dict, sections: list[str], looks: dict[str, dict | None] | None = None
) -> str:
    """The HTML of a report.

    numbers: of `lingqu.report.numbers.gather`; run: of `lingqu.report.run.run_facts`; sections:
    names, in the order of the page; looks: sample -> what `lingqu.report.look` wrote.
    """
    tables = {name: join(words(name), labels(name)) for name in LANGUAGES}
    samples = [
        sample | {"loci": trimmed((looks or {}).get(sample["name"]), len(numbers["samples"]))}
        for sample in numbers["samples"]
    ]
    once, each = _parts({**numbers, "run": run, "samples": samples}, sections)
    forms = {measure.name: _FORMS.get(measure.kind, measure.kind) for measure in MEASURES}
    for block in (block for part in once for block in part.get("blocks", ())):
        if block["kind"] == "heat":
            block["forms"] = [forms[name] for name in block["measures"]]
    told = {
        "lingqu": numbers["lingqu"],
        "workflow": numbers["workflow"],
        "reference": Path(numbers["config"]["reference"]).name,
        "words": tables,
        "forms": forms,
        "sections": once,
        "samples": [[sample["name"], sample["verdict"]] for sample in numbers["samples"]],
    }
    first = LANGUAGES[0]
    table = tables[first] | {"language_code": first}
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(_title(numbers, table))}</title>"
        f"<style>{_joined(_STYLES, 'css')}</style>"
    )
    body = (
        '<div id="page"></div>'
        f"<noscript>{_still(numbers, once, each, table)}</noscript>"
        f'<script type="application/json" id="told">{_json(told)}</script>'
        + "".join(_packed(number, parts) for number, parts in enumerate(each))
        + f"<!--\nuPlot: {_text('uPlot.LICENSE')}\n-->"
        f"<script>{_joined(_SCRIPTS, 'js')}</script>"
    )
    return f'<!doctype html>\n<html lang="{first}"><head>{head}</head><body>{body}</body></html>\n'


def _parts(numbers: dict, sections: list[str]) -> tuple[list[dict], list[list[dict]]]:
    """Sections of the page with their blocks, and of every sample; empty ones are left out.

    Where the first section of a sample stands in the order, the page has {"name": "each"}.
    """
    once, names = [], []
    for name in sections:
        if section(name).EACH:
            names.append(name)
            if len(names) == 1:
                once.append({"name": "each"})
        elif blocks := blocks_of(name, numbers):
            once.append({"name": name, "blocks": blocks})
    each = [
        [{"name": name, "blocks": blocks} for name in names if (blocks := blocks_of(name, sample))]
        for sample in numbers["samples"]
    ]
    return once, each


def _title(numbers: dict, table: dict) -> str:
    samples = numbers["samples"]
    workflow = phrase(f"@page.workflow.{numbers['workflow']}", table)
    who = samples[0]["name"] if len(samples) == 1 else f"{len(samples)} samples"
    return f"{phrase(['@page.title', {'workflow': workflow}], table)}: {who}"


def _still(numbers: dict, once: list[dict], each: list[list[dict]], table: dict) -> str:
    return "".join(_still_parts(numbers, once, each, table))


def _still_parts(
    numbers: dict, once: list[dict], each: list[list[dict]], table: dict
) -> Iterator[str]:
    def text(told: str | list) -> str:
        return phrase(told, table)

    yield '<div class="still">' + element("h1", escape(_title(numbers, table)))
    yield element("p", escape(text("@page.no_script")), class_="quiet")
    for part in once:
        if part["name"] != "each":
            title = element("h2", escape(text(f"@sections.{part['name']}")))
            yield title + static(part["blocks"], text)
            continue
        for sample, parts in list(zip(numbers["samples"], each, strict=True))[:STILL]:
            yield element("h2", escape(sample["name"]))
            for told in parts:
                yield element("h3", escape(text(f"@sections.{told['name']}")))
                yield static(told["blocks"], text)
    yield "</div>"


def _packed(number: int, parts: list[dict]) -> str:
    packed = b64encode(bytes(gzip_compress(_dense(parts).encode(), 9))).decode()
    return f'<script type="text/plain" class="sample-told" id="told-{number}">{packed}</script>'


def _dense(told: object) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _json(told: object) -> str:
    """JSON that may stand within a script element."""
    return _dense(told).replace("<", "\\u003c")


def _joined(names: tuple[str, ...], ending: str) -> str:
    return "\n".join(_text(f"{name}.{ending}") for name in names)


def _text(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8").strip()
