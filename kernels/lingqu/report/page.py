"""The report's numbers as one self-contained page: no script, no network, light and dark."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from lingqu.report.failures import sentence
from lingqu.report.html import Cell, element, folded, section, table, text, words
from lingqu.report.measures import MEASURES, compare_rows, flat, group_table
from lingqu.report.words import shown
from lingqu.report.words import words as texts

_STYLE = Path(__file__).with_name("page.css")


def page(numbers: dict, run: dict) -> str:
    """The HTML of a report: `numbers` by lingqu.report.numbers.gather, `run` by run_facts."""
    samples = numbers["samples"]
    title = f"{numbers['workflow'].capitalize()} report: {_some(samples)}"
    parts = [
        section("Samples", _overview(samples), name="samples"),
        *_truth(samples),
        *_of_all(numbers["cohort"]),
        section("Each sample", *map(_sample, samples), name="each"),
        section("How it was made", *_provenance(numbers, run), name="made"),
        section("Time and memory", *_times(run), name="time"),
        *_failed(run["failures"]),
    ]
    style = element("style", _STYLE.read_text(encoding="utf-8"))
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        + element("title", escape(title))
        + style
    )
    told = f"Lingqu {numbers['lingqu']}, reference {Path(numbers['config']['reference']).name}"
    body = (
        element("h1", escape(title))
        + element("p", escape(told), class_="quiet")
        + _contents(parts)
        + "".join(parts)
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _some(samples: list[dict]) -> str:
    return samples[0]["name"] if len(samples) == 1 else f"{len(samples)} samples"


def _contents(parts: list[str]) -> str:
    """Links to the sections, from their own ids and titles."""
    links = []
    for part in parts:
        name = part.split('id="', 1)[1].split('"', 1)[0]
        title = part.split("<h2>", 1)[1].split("</h2>", 1)[0]
        links.append(f'<a href="#{name}">{title}</a>')
    return element("nav", "".join(links))


def _overview(samples: list[dict]) -> str:
    used = [m for m in MEASURES if any(m.of(sample) is not None for sample in samples)]
    rows = [
        [sample["name"], sample["verdict"], *(shown(m.kind, m.of(sample), "en") for m in used)]
        for sample in samples
    ]
    told = [texts("en")["measures"][measure.name] for measure in used]
    meanings = [[text["label"], text["about"]] for text in told]
    heads = ["sample", "verdict", *(text["label"] for text in told)]
    return table(heads, rows) + folded("What the columns mean", words([], meanings))


def _truth(samples: list[dict]) -> Iterator[str]:
    scored = [sample for sample in samples if sample.get("compare")]
    if scored:
        heads = ["type", "truth", "found", "missed", "extra", "precision", "recall", "F1"]
        parts = [
            element("h3", text(sample["name"])) + table(heads, compare_rows(sample["compare"]))
            for sample in scored
        ]
        yield section("Against the truth", *parts, name="truth")


def _of_all(cohort: dict | None) -> Iterator[str]:
    if cohort:
        yield section("Cohort", _cohort(cohort), name="cohort")


def _cohort(cohort: dict) -> str:
    rows: list[list[Cell]] = [
        [name, counts["heterozygous"], counts["homozygous"], counts["reference"], counts["missing"]]
        for name, counts in cohort["genotypes"].items()
    ]
    told = (
        f"{cohort['records']:,} sites: {cohort['snvs']:,} SNVs and {cohort['indels']:,} indels that"
        f" pass, {cohort['filtered']:,} filtered; {cohort['multiallelic']:,} with several alleles."
    )
    heads = ["sample", "heterozygous", "homozygous", "reference", "no reads"]
    return element("p", escape(told)) + table(heads, rows) + _file(cohort["file"])


def _file(name: str) -> str:
    return element("p", element("code", escape(name)), class_="quiet")


def _sample(sample: dict) -> str:
    lanes = [
        [lane[key] or None for key in ("lane", "library", "platform", "unit", "r1", "r2")]
        for lane in sample["lanes"]
    ]
    heads = ["lane", "library", "platform", "unit", "R1", "R2"]
    parts = [
        element("h3", "Input"),
        words(heads, lanes) if lanes else _file(sample["entry"]),
        element("h3", "Alignment"),
        _file(sample["alignment"]),
        table(*group_table(sample["alignment_stats"] or {})),
        element("h3", "Calls"),
        _file(sample["calls"]),
        words([], flat(sample["call_stats"] or {})),
    ]
    return folded(sample["name"], *parts)


def _provenance(numbers: dict, run: dict) -> Iterator[str]:
    reference = numbers["reference"] or dict.fromkeys(("file", "contigs", "bases", "sha256"))
    rows = [
        ["file", reference["file"]],
        ["contigs", reference["contigs"]],
        ["bases", reference["bases"]],
        ["SHA-256 of names, lengths and MD5s", reference["sha256"]],
    ]
    yield element("h3", "Reference") + words([], rows)
    yield element("h3", "Parameters")
    yield words([], flat(numbers["config"]))
    yield element("h3", "Versions") + words([], run["versions"].items())
    yield folded("Commands", element("pre", escape("\n\n".join(run["commands"]))))


def _failed(failures: list[dict]) -> Iterator[str]:
    if failures:
        told = [element("p", escape(sentence(failure, "en"))) for failure in failures]
        yield section(texts("en")["sections"]["failures"], *told, name="failures")


def _times(run: dict) -> Iterator[str]:
    rows = [
        [
            step["rule"],
            step["sample"] or None,
            step["seconds"],
            step["cpu_seconds"],
            step["memory_mb"],
        ]
        for step in run["steps"]
    ]
    yield element(
        "p", "By Snakemake, each step when it last ran. A step under 1 s has no CPU time."
    )
    yield table(["step", "sample", "seconds", "CPU seconds", "memory, MB"], rows)
