"""What a run was: time, cost, and the files of a report."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

import lingqu.report
from lingqu.base.journal import CLUSTER, journal_folder, leave
from lingqu.report.driver import report
from lingqu.report.run import run_facts

SCHEMAS = Path(lingqu.report.__file__).parent / "schemas"


@pytest.mark.parametrize(
    "name",
    [x for x in ("alignment", "calls", "cohort") if (SCHEMAS / f"{x}.schema.json").exists()],
)
def test_the_hand_written_files_are_like_the_real_ones(finished, name):
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    place = {"alignment": "align/A.bam", "calls": "calls/A.vcf.gz"}
    told = json.loads((finished / f"{place.get(name, 'cohort/cohort.vcf.gz')}.qc.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(told)] == []


def undescribed(schema: dict, above: str = ""):
    for key, told in schema.get("properties", {}).items():
        if "description" not in told and "$ref" not in told:
            yield f"{above}{key}"
        yield from undescribed(told, f"{above}{key}.")
    for name, told in schema.get("$defs", {}).items():
        yield from undescribed(told, f"{name}.")
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            yield from undescribed(schema[inner], above)


@pytest.mark.parametrize("name", ["report", "run"])
def test_files_obey_their_schemas_which_describe_every_key(finished, name):
    report(finished / "project.json", finished / "report.html")
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    told = json.loads((finished / f"{name}.json").read_text())
    assert [error.message for error in Draft202012Validator(schema).iter_errors(told)] == []
    assert list(undescribed(schema)) == []


def test_core_hours_and_their_price(finished, tmp_path):
    run = run_facts(finished / "project.json", tmp_path)
    assert run["rules"] == {
        "align": {"jobs": 3, "hours": 3.0, "core_hours": 6.0, "memory_mb": 300.1}
    }
    told = {"jobs": 3, "job_hours": 3.0, "core_hours": 6.0, "cost": 3.0, "currency": "EUR"}
    assert run["summary"] == told


def test_what_worker_jobs_held_is_paid_for(finished, tmp_path):
    cost = {"chunks": 5, "cpu": 3000.0, "wall": 4000.0, "driver": 600.0, "peak": 5 * 10**8}
    facts = {"jobs": 2, "held": 36_000.0, "costs": {"align": cost}}
    leave(journal_folder(tmp_path) / f"{CLUSTER}.json", facts)
    run = run_facts(finished / "project.json", tmp_path)
    assert run["rules"]["align"] == {
        "jobs": 3, "hours": 3.0, "core_hours": 1.0, "memory_mb": 500.0,
    }  # fmt: skip
    assert run["summary"]["held_core_hours"] == 10.0
    assert run["summary"]["cost"] == 5.0


def test_overview_is_a_row_a_sample(finished):
    report(finished / "project.json", finished / "report.html")
    heads, *rows = [
        line.split("\t") for line in (finished / "overview.tsv").read_text().splitlines()
    ]
    told = [dict(zip(heads, row, strict=True)) for row in rows]
    assert [row["sample"] for row in told] == ["A", "B", "C"]
    assert told[0]["look_at"] == "genes_covered,relatives"
    assert (told[0]["mapped"], told[0]["sex"], told[0]["on_target"]) == ("0.995", "yes", "")


def test_digests_are_told(finished):
    (finished / "digests" / "samples").mkdir(parents=True)
    (finished / "digests" / "shared.sha256").write_text(f"{'0' * 64}  ref.fa\n")
    (finished / "digests" / "samples" / "A.sha256").write_text(f"{'1' * 64}  a  b.fq\n")
    report(finished / "project.json", finished / "report.html")
    numbers = json.loads((finished / "report.json").read_text())
    assert numbers["digests"] == {"ref.fa": "0" * 64}
    assert numbers["samples"][0]["digests"] == {"a  b.fq": "1" * 64}
