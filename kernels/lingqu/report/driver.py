"""`report.html`, `report.json` (the numbers) and `run.json` (times, memory, versions)."""

import json
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.report.numbers import gather, run_facts
from lingqu.report.page import page


def report(project_file: str | Path, output: str | Path) -> None:
    """Write the report of the results folder in which `project_file` stands.

    report.json beside OUTPUT.html is the same for the same input, parameters and version; run.json
    tells of one run. LingquError where a step's file is missing.
    """
    project_file, output = Path(project_file), Path(output)
    numbers, run = gather(project_file), run_facts(project_file, Path.cwd())
    for name, told in ((output.with_name("run.json"), run), (output.with_suffix(".json"), numbers)):
        with publish(name) as beside:
            beside.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    with publish(output) as beside:
        beside.write_text(page(numbers, run), encoding="utf-8")
