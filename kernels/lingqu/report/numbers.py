"""Gather what the steps of a run wrote into one structure: the report's numbers.

The numbers depend on inputs and parameters only; what depends on the machine and the day (times,
memory, versions of other packages) is kept apart, in the run's facts.
"""

import csv
import hashlib
import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from lingqu import __version__
from lingqu.base.errors import LingquError
from lingqu.report.sites import count_sites

PACKAGES = ("snakemake", "numba", "numpy", "dask", "pysam", "isal", "deflate")
"""Packages whose versions a report names, besides Lingqu and Python."""


def read_json(path: Path) -> dict:
    """A JSON object; LingquError where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LingquError(f"{path}: {error.strerror}; run the workflow again") from None
    except ValueError as error:
        raise LingquError(f"{path}: no JSON ({error}); remove it and run the workflow") from None
    if not isinstance(found, dict):
        raise LingquError(f"{path}: no JSON object; remove it and run the workflow")
    return found


def reference_facts(fasta: str, facts: dict) -> dict:
    """Name, size and digest of a reference.

    The digest is the SHA-256 of the lines "name length md5" of its contigs, tab-separated, so
    that it tells sequences and names and not how the FASTA is wrapped or compressed.
    """
    lines = zip(facts["names"], facts["lengths"], facts["md5s"], strict=True)
    text = "".join(f"{name}\t{length}\t{md5}\n" for name, length, md5 in lines)
    return {
        "file": fasta,
        "contigs": len(facts["names"]),
        "bases": sum(facts["lengths"]),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def gather(project_file: Path) -> dict:
    """The report's numbers for the `project.json` of a results folder.

    Raises LingquError where a step's file is missing or damaged.
    """
    project, results = read_json(project_file), project_file.parent
    config = project["config"]
    return {
        "lingqu": __version__,
        "workflow": project["workflow"],
        "config": config,
        "reference": reference_facts(config["reference"], read_json(results / "reference.json")),
        "samples": [_sample(told, config, results) for told in project["samples"]],
        "cohort": {
            "file": f"{config['results']}/cohort/cohort.vcf.gz",
            **count_sites(results / "cohort" / "cohort.vcf.gz"),
        },
    }


def _sample(told: dict, config: dict, results: Path) -> dict:
    name = told["name"]
    calls = results / "calls" / f"{name}.vcf.gz"
    alignment = results / "align" / Path(told["alignment"]).name
    found = {
        **told,
        "calls": f"{config['results']}/calls/{name}.vcf.gz",
        "alignment_stats": read_json(Path(f"{alignment}.stats.json")),
        "call_stats": read_json(Path(f"{calls}.stats.json")),
        "variants": count_sites(calls),
    }
    if name in (config["truth"] or {}):
        found["compare"] = read_json(results / "compare" / f"{name}.json")
    return found


def run_facts(project_file: Path, folder: Path) -> dict:
    """Versions, time and memory of each step, and the commands, by what Snakemake noted.

    folder: the working folder of the run, in which Snakemake keeps its notes.
    """
    results = read_json(project_file)["config"]["results"]
    return {
        "versions": {"lingqu": __version__, "Python": platform.python_version(), **_versions()},
        "steps": list(_steps(project_file.parent / "benchmarks")),
        "commands": _commands(folder / ".snakemake" / "metadata", results),
    }


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
