"""Gather what the steps of a run wrote into one structure: the report's numbers.

They depend on inputs and parameters only; what depends on the machine and the day (times, memory,
failures, versions of other packages) is kept apart, in the run's facts: see run.py. A step that
has left no file leaves gaps (None), so that the rest of an unfinished run can be told.
"""

import hashlib
import json
from pathlib import Path

from lingqu import __version__
from lingqu.base.digests import read_digests
from lingqu.base.errors import LingquError
from lingqu.report.failures import missing
from lingqu.report.sites import count_sites
from lingqu.report.verdicts import Threshold, judge, thresholds, worst

SCHEMA = 1
"""Version of report.json's schema, report/schemas/report.schema.json."""


_ALL_PAIRS = 100
"""Of a larger cohort the quality file tells only the pairs that say something."""

_OF_THE_SAMPLE = ("same", "exchanged", "stranger")
"""Kinds of swaps that speak of the sample itself, and not of a relation or its sex."""


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


def left(path: Path) -> dict | None:
    """The JSON object that a step has left; None where it has not."""
    return read_json(path) if path.exists() else None


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

    The file of thresholds that config names is looked for from the working folder. LingquError
    where project.json, or what config names, is missing, or any file is damaged.
    """
    project, results = read_json(project_file), project_file.parent
    config = project["config"]
    limits = thresholds((config.get("qc") or {}).get("thresholds"))
    indexed = left(results / "reference.json")
    cohort = _cohort(config, results)
    kin = relatives((cohort or {}).get("qc"))
    lacking = missing(project, results)
    return {
        "schema": SCHEMA,
        "lingqu": __version__,
        "workflow": project["workflow"],
        "config": config,
        "reference": reference_facts(config["reference"], indexed) if indexed else None,
        "thresholds": limits,
        "samples": [
            _judged(
                _sample(told, config, results, lacking) | {"kin": kin.get(told["name"])}, limits
            )
            for told in project["samples"]
        ],
        "cohort": cohort,
        "missing": [step["output"] for step in lacking],
        "digests": read_digests(results / "digests" / "shared.sha256"),
    }


def _sample(told: dict, config: dict, results: Path, lacking: list[dict]) -> dict:
    name = told["name"]
    calls = results / "calls" / f"{name}.vcf.gz"
    alignment = results / "align" / Path(told["alignment"]).name
    qc = {
        "alignment": left(Path(f"{alignment}.qc.json")),
        "calls": left(Path(f"{calls}.qc.json")),
    }
    found = {
        **told,
        "calls": f"{config['results']}/calls/{name}.vcf.gz",
        "duplicates_marked": bool(told["entry"] or config.get("mark_duplicates", True)),
        "alignment_stats": left(Path(f"{alignment}.stats.json")),
        "call_stats": left(Path(f"{calls}.stats.json")),
        "qc": qc,
        "variants": _variants(calls, name, qc["calls"]),
        "missing": [step["rule"] for step in lacking if step["sample"] == name],
        "digests": read_digests(results / "digests" / "samples" / f"{name}.sha256"),
    }
    if name in (config.get("truth") or {}):
        found["compare"] = left(results / "compare" / f"{name}.json")
    return found


def _variants(calls: Path, name: str, qc: dict | None) -> dict | None:
    """Counts of the sample's records: of its quality file, else by reading them."""
    if qc and qc.get("variants"):
        return qc["variants"]
    if not calls.exists():
        return None
    counts = count_sites(calls)
    return counts | counts.pop("genotypes").get(name, {})


def _judged(sample: dict, limits: dict[str, Threshold]) -> dict:
    verdicts = list(judge(sample, limits))
    return sample | {"verdict": worst(verdicts), "verdicts": verdicts}


def _cohort(config: dict, results: Path) -> dict | None:
    calls = results / "cohort" / "cohort.vcf.gz"
    if not calls.exists():
        return None
    file = f"{config['results']}/cohort/cohort.vcf.gz"
    return {"file": file, **count_sites(calls), "qc": left(Path(f"{calls}.qc.json"))}


def relatives(qc: dict | None) -> dict[str, dict]:
    """What the cohort's quality file tells of each sample.

    sites, missing: genotypes that could be, and that lack. itself: False where the sample may be
    swapped; relatives, sex_agrees: False where they are not as told. None: nothing can be said.
    """
    if not qc:
        return {}
    others: dict[str, list[bool]] = {name: [] for name in qc["samples"]}
    seen = set()
    for pair in qc["pairs"]:
        ends = (pair["a"], pair["b"])
        seen.update(ends if pair["found"] else ())
        for name in ends if pair["agrees"] is not None else ():
            others[name].append(pair["agrees"])
    swaps = (swap for swap in qc["swaps"] if swap["kind"] in _OF_THE_SAMPLE)
    big = len(others) > _ALL_PAIRS
    swapped = {name for swap in swaps for name in swap["samples"]}
    return {
        name: {
            **_called(qc["genotypes"].get(name) or {}),
            "itself": name not in swapped if name in swapped | seen or big else None,
            "relatives": all(told) if told else None,
            "sex_agrees": (qc["sexes"].get(name) or {}).get("agrees"),
        }
        for name, told in others.items()
    }


def _called(genotypes: dict) -> dict:
    names = ("heterozygous", "homozygous", "reference", "missing")
    if not all(name in genotypes for name in names):
        return {"sites": None, "missing": None}
    return {"sites": sum(genotypes[name] for name in names), "missing": genotypes["missing"]}
