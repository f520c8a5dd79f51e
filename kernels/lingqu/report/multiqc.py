"""The files of a report that MultiQC reads: those of tools it knows, and a table of its own."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.report import peer_files
from lingqu.report.measures import MEASURES, Measure
from lingqu.report.words import words

_COLOURS = [{"pass": "#5cb85c"}, {"warn": "#f0ad4e"}, {"fail": "#d9534f"}]


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
    told = [(sample["name"], _by_measure(sample)) for sample in numbers["samples"]]
    used = [m for m in MEASURES if any(one[m.name]["value"] is not None for _, one in told)]
    table = words("en")
    verdict = {
        "title": "Verdict",
        "description": "The worst verdict of the measures",
        "scale": False,
        "cond_formatting_rules": {v: [{"s_eq": v}] for v in ("pass", "warn", "fail")},
        "cond_formatting_colours": _COLOURS,
    }
    verdicts = {sample["name"]: sample["verdict"] for sample in numbers["samples"]}
    return {
        "id": "lingqu",
        "section_name": "Lingqu",
        "description": "Measures of each sample and its verdict; report.html says what they mean.",
        "plot_type": "table",
        "pconfig": {"id": "lingqu_verdicts", "title": "Lingqu: verdicts", "namespace": "Lingqu"},
        "headers": {"verdict": verdict}
        | {
            m.name: _head(
                m,
                table["measures"][m.name],
                [one[m.name] for _, one in told],
                numbers["thresholds"].get(m.name) or {},
            )
            for m in used
        },
        "data": {
            name: {"verdict": verdicts[name] or "none"}
            | {
                m.name: _plain(one[m.name]["value"])
                for m in used
                if one[m.name]["value"] is not None
            }
            for name, one in told
        },
    }


def _by_measure(sample: dict) -> dict[str, dict]:
    return {told["measure"]: told for told in sample["verdicts"]}


def _plain(value):
    """Numbers as they are, what agrees or not in words."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _head(measure: Measure, text: dict, told: list[dict], threshold: dict) -> dict:
    head = {"title": text["label"], "description": text["about"], "scale": False}
    if measure.kind == "share":
        head |= {"format": "{:,.4f}", "min": 0, "max": 1}
    elif measure.kind != "agrees":
        head["format"] = "{:,.2f}" if measure.kind in ("ratio", "depth") else "{:,.0f}"
    if all(one["why"] != "few" for one in told) and (rules := _rules(measure, threshold)):
        head |= {"cond_formatting_rules": rules, "cond_formatting_colours": _COLOURS}
    return head


def _rules(measure: Measure, threshold: dict) -> dict:
    """The thresholds as MultiQC's rules; of several that hold, the last colour counts."""
    levels = {
        level: threshold[level] for level in ("warn", "fail") if threshold.get(level) is not None
    }
    if not levels:
        return {}
    if measure.bad == "differs":
        return {"pass": [{"s_eq": "yes"}]} | {level: [{"s_eq": "no"}] for level in levels}
    found = {"pass": [{"gt": float("-1e300")}]}
    for level, limit in levels.items():
        low, high = limit if measure.bad == "both" else (limit, limit)
        found[level] = [{"lt": low}] if measure.bad != "high" else []
        found[level] += [{"gt": high}] if measure.bad != "low" else []
    return found


def write_multiqc(numbers: dict, folder: Path) -> None:
    """Write the files into `folder`, in place of those of an earlier report."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in multiqc_files(numbers):
        with publish(folder / name, durable=False) as beside:
            beside.write_text(text, encoding="utf-8")
