"""`report.html`, and beside it report.json (the numbers), run.json, overview.tsv and multiqc/."""

import json
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.report.methods import methods
from lingqu.report.multiqc import write_multiqc
from lingqu.report.numbers import gather, left, read_json
from lingqu.report.overview import overview
from lingqu.report.page import page
from lingqu.report.run import run_facts


def report(project_file: str | Path, output: str | Path) -> None:
    """Write the report of the results folder in which `project_file` stands.

    report.json beside OUTPUT.html is the same for the same input, parameters and version; run.json
    tells of one run. Of an unfinished run what is there is told, and why the rest is not.
    LingquError where project.json is missing, or any file is damaged.
    """
    project_file, output = Path(project_file), Path(output)
    numbers, run = gather(project_file), run_facts(project_file, Path.cwd())
    run["methods"] = methods(numbers, run)
    sections = read_json(project_file).get("sections")
    if not sections:
        raise LingquError(f"{project_file}: names no sections; run the workflow again")
    looks = {
        sample["name"]: left(project_file.parent / "look" / f"{sample['name']}.json")
        for sample in numbers["samples"]
    }
    texts = {
        "run.json": json.dumps(run, indent=1, ensure_ascii=False) + "\n",
        output.with_suffix(".json").name: _by_sample(numbers),
        "overview.tsv": overview(numbers),
        output.name: page(numbers, run, sections, looks),
    }
    write_multiqc(numbers, output.with_name("multiqc"))
    for name, text in texts.items():
        with publish(output.with_name(name)) as beside:
            beside.write_text(text, encoding="utf-8")


def _by_sample(numbers: dict) -> str:
    """The numbers as JSON, one line a key and a sample: they may be of a thousand."""
    short = {"separators": (",", ":"), "ensure_ascii": False}
    lines = []
    for key, value in numbers.items():
        told = json.dumps(value, **short)
        if key == "samples":
            told = "[\n" + ",\n".join(json.dumps(sample, **short) for sample in value) + "\n]"
        lines.append(f"{json.dumps(key)}:{told}")
    return "{\n" + ",\n".join(lines) + "\n}\n"
