"""The methods of a paper, from what really ran: one text a language, its references at the end."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from lingqu.report.measures import dig
from lingqu.report.words import LANGUAGES, closed, words

Sentence = tuple[str, dict]
"""A key of the words' `methods`, and what goes into its places."""

_PLACE = re.compile(r"\{(\w+)_cite\}")


@cache
def references() -> dict[str, str]:
    """What may be cited, by key."""
    path = Path(__file__).with_name("words") / "references.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def methods(numbers: dict, run: dict) -> dict[str, str]:
    """{language: text}: paragraphs, then the numbered references, ready to paste.

    numbers, run: by lingqu.report.numbers.gather and lingqu.report.run.run_facts.
    """
    paragraphs = [
        list(part) for part in (_run(run), _alignment(numbers), _calls(numbers), _quality(numbers))
    ]
    return {language: _text(paragraphs, language, numbers) for language in LANGUAGES}


def _text(paragraphs: list[list[Sentence]], language: str, numbers: dict) -> str:
    table = words(language)["methods"]
    cited: list[str] = []

    def number(match: re.Match) -> str:
        if match[1] not in cited:
            cited.append(match[1])
        return f"[{cited.index(match[1]) + 1}]"

    between = "" if language == "zh" else " "
    parts = []
    for paragraph in paragraphs:
        told = (table[key].format_map(_Places(_worded(values, table))) for key, values in paragraph)
        parts.append(closed(_PLACE.sub(number, between.join(told))))
    listed = [
        f"{place}. {references()[key].replace('{version}', numbers['lingqu'])}"
        for place, key in enumerate(cited, 1)
    ]
    return "\n\n".join([*filter(None, parts), "\n".join([table["references"], *listed])])


class _Places(dict):
    """Leaves a place that nothing is known for, as those of citations, as it is."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _worded(values: dict, table: dict) -> dict:
    """Values for a language: a Sentence is put into words, lists are joined."""
    found = {}
    for name, value in values.items():
        if isinstance(value, tuple):
            value = table[value[0]].format_map(_Places(value[1]))
        elif isinstance(value, list):
            *first, last = value
            value = f"{table['comma'].join(first)}{table['and'] if first else ''}{last}"
        found[name] = f"{value:,}" if isinstance(value, int) else value
    return found


def _run(run: dict) -> Iterator[Sentence]:
    yield "run", run["versions"]
    if run["workers"]:
        yield "spread", {"jobs": run["workers"]["jobs"], "dask": run["versions"].get("dask", "")}


def _alignment(numbers: dict) -> Iterator[Sentence]:
    config, samples, reference = numbers["config"], numbers["samples"], numbers["reference"]
    if reference:
        name = Path(reference["file"]).name
        facts = {"name": name, "digest": reference["sha256"]}
        yield "reference", facts | {key: reference[key] for key in ("contigs", "bases")}
    aligned = [sample for sample in samples if sample["lanes"]]
    lanes = sum(len(sample["lanes"]) for sample in aligned)
    if aligned:
        key = "reads" if len(aligned) > 1 else "reads_one"
        yield key, {"samples": len(aligned), "lanes": lanes}
    if len(aligned) < len(samples):
        yield "adopted", {"count": len(samples) - len(aligned)}
    if aligned:
        yield ("duplicates" if config.get("mark_duplicates", True) else "no_duplicates"), {}
    if any(lane.get("umi") for sample in aligned for lane in sample["lanes"]):
        yield "umis", {}
    if aligned:
        yield "format", {"format": (config.get("format") or "bam").upper()}


def _calls(numbers: dict) -> Iterator[Sentence]:
    config, samples = numbers["config"], numbers["samples"]
    regions = config.get("regions") or []
    regions = [regions] if isinstance(regions, str) else list(regions)
    where = ("in_regions", {"regions": ", ".join(regions)}) if regions else ("everywhere", {})
    yield "call", {"regions": where, "ploidy": config.get("ploidy", 2)}
    if any(sample.get("sex") for sample in samples):
        yield "sex", {"par": ("par", {}) if config.get("par") else ""}
    if config.get("mnv"):
        yield "mnv", {}
    if config.get("known"):
        yield "known", {"file": Path(config["known"]).name}
    if numbers["cohort"] and len(samples) > 1:
        yield "joint", {}
        if any(sample.get("father") or sample.get("mother") for sample in samples):
            yield "families", {}
    compared = [sample["name"] for sample in samples if sample.get("compare")]
    if compared:
        yield "truth", {"samples": compared}


def _quality(numbers: dict) -> Iterator[Sentence]:
    samples, qc = numbers["samples"], numbers["config"].get("qc") or {}
    tools = list(_tools([sample["qc"] for sample in samples]))
    if tools:
        yield "quality", {"tools": [f"{name} {{{key}_cite}}" for name, key in tools]}
    found = {dig(sample, "qc", "calls", "contamination", "method") for sample in samples}
    if "sites" in found:
        yield "contamination_sites", {"file": Path(qc.get("sites") or "").name}
    if "homozygous" in found:
        yield "contamination_homozygous", {}
    if dig(numbers, "cohort", "qc", "pairs"):
        yield "kinship", {}
    own = qc.get("thresholds")
    yield "thresholds", {"file": Path(own).name if own else ("packaged", {})}


def _tools(qc: list[dict]) -> Iterator[tuple[str, str]]:
    """Whose definitions were used, by what was measured."""
    if any((one["alignment"] or {}).get("mates") for one in qc):
        yield "FastQC", "fastqc"
    if any(one["alignment"] for one in qc):
        yield "samtools stats", "samtools"
    if any(one["alignment"] or one["calls"] for one in qc):
        yield "Picard", "picard"
    if any(one["calls"] for one in qc):
        yield "mosdepth", "mosdepth"
