"""What one run was: its steps with time and memory, what it cost, versions, commands, failures."""

import csv
import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from lingqu import __version__
from lingqu.base.journal import CLUSTER, journal_folder
from lingqu.report.failures import failures
from lingqu.report.numbers import SCHEMA, read_json

PACKAGES = ("snakemake", "numba", "numpy", "dask", "pysam", "isal", "deflate")
"""Packages whose versions a report names, besides Lingqu and Python."""

_HOUR = 3600.0


def run_facts(project_file: Path, folder: Path) -> dict:
    """What is known of the run whose working folder is `folder`; LingquError without a project.

    rules: jobs, hours (wall clock), core_hours (CPU time used), memory_mb (most of one job) of each
    rule; summary: sums, and the cost where config names a price.
    """
    project, results = read_json(project_file), project_file.parent
    config = project["config"]
    steps = list(_steps(results / "benchmarks"))
    workers = _workers(folder)
    rules = _rules(steps, workers)
    return {
        "schema": SCHEMA,
        "versions": {"lingqu": __version__, "Python": platform.python_version(), **_versions()},
        "summary": _summary(rules, workers, (config.get("qc") or {}).get("price")),
        "rules": rules,
        "steps": steps,
        "workers": workers,
        "failures": list(failures(project, results)),
        "commands": _commands(folder / ".snakemake" / "metadata", config["results"]),
    }


def _rules(steps: list[dict], workers: dict | None) -> dict[str, dict]:
    """Sums of the steps by rule; the CPU time of rules that nodes did is what the nodes told."""
    rules: dict[str, dict] = {}
    for step in steps:
        sums = rules.setdefault(
            step["rule"], {"jobs": 0, "hours": 0.0, "core_hours": 0.0, "memory_mb": 0.0}
        )
        sums["jobs"] += 1
        sums["hours"] += (step["seconds"] or 0) / _HOUR
        sums["core_hours"] += (step["cpu_seconds"] or 0) / _HOUR
        sums["memory_mb"] = max(sums["memory_mb"], step["memory_mb"] or 0)
    for rule, cost in (workers or {}).get("costs", {}).items():
        if rule in rules:
            rules[rule]["core_hours"] = (cost["cpu"] + cost["driver"]) / _HOUR
            rules[rule]["memory_mb"] = cost["peak"] / 1e6
    return {name: {key: _rounded(x) for key, x in sums.items()} for name, sums in rules.items()}


def _summary(rules: dict[str, dict], workers: dict | None, price: dict | None) -> dict:
    """Jobs and core-hours of all rules; core-hours that worker jobs held; the cost.

    What worker jobs held is paid for; without them, what was used.
    """
    told = {
        "jobs": sum(rule["jobs"] for rule in rules.values()),
        "job_hours": _rounded(sum(rule["hours"] for rule in rules.values())),
        "core_hours": _rounded(sum(rule["core_hours"] for rule in rules.values())),
    }
    if workers:
        told["worker_jobs"] = workers["jobs"]
        told["held_core_hours"] = _rounded(workers["held"] / _HOUR)
    if price:
        hours = told.get("held_core_hours", told["core_hours"])
        told |= {"cost": _rounded(hours * price["core_hour"]), "currency": price["currency"]}
    return told


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else float(f"{value:.6g}")


def _workers(folder: Path) -> dict | None:
    """What the owner of the run's cluster last noted of its cost; None without a cluster."""
    try:
        told = json.loads((journal_folder(folder) / f"{CLUSTER}.json").read_text())
        return {"jobs": told["jobs"], "held": told["held"], "costs": told["costs"]}
    except (OSError, ValueError, KeyError):
        return None


def _commands(notes: Path, results: str) -> list[str]:
    """The shell commands whose logs are below `results`, in the order in which they ran."""
    ran = {}
    for path in notes.rglob("*"):
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            if str(note["log"][0]).startswith(f"{results}/"):
                ran[note["shellcmd"]] = note["starttime"]
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            continue  # a folder, or a note of another version of Snakemake
    return sorted(ran, key=lambda command: (ran[command], command))


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _steps(folder: Path) -> Iterator[dict]:
    for path in sorted(folder.rglob("*.tsv")):
        step = path.relative_to(folder).with_suffix("").as_posix()
        rule, _, sample = step.partition("/")
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                numbers = {
                    "seconds": _number(row.get("s")),
                    "cpu_seconds": _number(row.get("cpu_time")),
                    "memory_mb": _number(row.get("max_rss")),
                }
                yield {"rule": rule, "sample": sample, **numbers}


def _number(word: str | None) -> float | None:
    try:
        return float(word or "")
    except ValueError:
        return None
