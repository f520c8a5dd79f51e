"""The files of a report that MultiQC reads: those of tools it knows, and a table of its own."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.report import peer_files
from lingqu.report.measures import MEASURES, Measure
from lingqu.report.verdicts import ORDER
from lingqu.report.words import words

_COLOURS = [{"pass": "#5cb85c"}, {"warn": "#f0ad4e"}, {"fail": "#d9534f"}]
_VERDICT = {
    "title": "Verdict",
    "description": "The worst verdict of the measures",
    "scale": False,
    "cond_formatting_rules": {level: [{"s_eq": level}] for level in ORDER},
    "cond_formatting_colours": _COLOURS,
}


def multiqc_files(numbers: dict) -> Iterator[tuple[str, str]]:
    """(name, text) of each file."""
    for sample in numbers["samples"]:
        for name, text in _of_sample(sample["name"], sample["qc"]):
            if text:
                yield name, text
    cohort = (numbers["cohort"] or {}).get("qc")
    if cohort and (text := peer_files.somalier_pairs(cohort)):
        yield "cohort.pairs.tsv", text
    yield "lingqu_mqc.json", json.dumps(verdict_table(numbers), indent=1) + "\n"


def _of_sample(name: str, qc: dict) -> Iterator[tuple[str, str | None]]:
    if alignment := qc["alignment"]:
        for mate, told in (alignment.get("mates") or {}).items():
            read = f"{name}_R{mate}" if len(alignment["mates"]) > 1 else name
            yield f"{read}.fastqc_data.txt", peer_files.fastqc(read, told)
        yield f"{name}.stats.txt", peer_files.samtools_stats(alignment)
        yield f"{name}.insert_size_metrics.txt", peer_files.insert_sizes(name, alignment)
    if calls := qc["calls"]:
        for ending, text in peer_files.OF_CALLS.items():
            yield f"{name}.{ending}", text(name, calls)
        if coverage := calls.get("coverage"):
            scope = "global" if coverage["regions"] == "genome" else "region"
            yield f"{name}.mosdepth.{scope}.dist.txt", peer_files.depth_distribution(calls)
            yield f"{name}.mosdepth.summary.txt", peer_files.depth_summary(calls)


def verdict_table(numbers: dict) -> dict:
    """MultiQC's "custom content": all measures of all samples, coloured by the thresholds."""
    samples, limits = numbers["samples"], numbers["thresholds"]
    told = {m.name: [sample["verdicts"][at] for sample in samples] for at, m in enumerate(MEASURES)}
    used = [m for m in MEASURES if any(one["value"] is not None for one in told[m.name])]
    heads = {m.name: _head(m, told[m.name], limits.get(m.name) or {}) for m in used}
    return {
        "id": "lingqu",
        "section_name": "Lingqu",
        "description": "Measures of each sample and its verdict; report.html says what they mean.",
        "plot_type": "table",
        "pconfig": {"id": "lingqu_verdicts", "title": "Lingqu: verdicts", "namespace": "Lingqu"},
        "headers": {"verdict": _VERDICT} | heads,
        "data": {sample["name"]: _row(sample) for sample in samples},
    }


def _row(sample: dict) -> dict:
    """The verdict of a sample and what was measured; shares in percent, in words what agrees."""
    row = {"verdict": sample["verdict"] or "none"}
    for measure, told in zip(MEASURES, sample["verdicts"], strict=True):
        value = told["value"]
        if isinstance(value, bool):
            row[measure.name] = "yes" if value else "no"
        elif value is not None:
            row[measure.name] = value * _scale(measure)
    return row


def _scale(measure: Measure) -> int:
    return 100 if measure.kind == "share" else 1


def _head(measure: Measure, told: list[dict], threshold: dict) -> dict:
    text = words("en")["measures"][measure.name]
    head = {"title": text["label"], "description": text["about"], "scale": False}
    if measure.kind == "share":
        head |= {"format": "{:,.2f}", "suffix": " %"}
    elif measure.kind != "agrees":
        head["format"] = "{:,.2f}" if measure.kind in ("ratio", "depth") else "{:,.0f}"
    if all(one["why"] != "few" for one in told) and (rules := _rules(measure, threshold)):
        head |= {"cond_formatting_rules": rules, "cond_formatting_colours": _COLOURS}
    return head


def _rules(measure: Measure, threshold: dict) -> dict:
    """The thresholds as MultiQC's rules; of several that hold, the last colour counts."""
    levels = {level: threshold.get(level) for level in ("warn", "fail")}
    levels = {level: limit for level, limit in levels.items() if limit is not None}
    if not levels:
        return {}
    if measure.bad == "differs":
        return {"pass": [{"s_eq": "yes"}]} | {level: [{"s_eq": "no"}] for level in levels}
    found = {"pass": [{"gt": -1e300}]}
    for level, limit in levels.items():
        low, high = limit if measure.bad == "both" else (limit, limit)
        found[level] = [{"lt": low * _scale(measure)}] if measure.bad != "high" else []
        found[level] += [{"gt": high * _scale(measure)}] if measure.bad != "low" else []
    return found


def write_multiqc(numbers: dict, folder: Path) -> None:
    """Write the files into `folder`, in place of those of an earlier report."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in multiqc_files(numbers):
        with publish(folder / name, durable=False) as beside:
            beside.write_text(text, encoding="utf-8")
