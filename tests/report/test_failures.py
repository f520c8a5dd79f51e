"""A run that failed: what is there is told, and why the rest is not."""

import json
import shutil

import pytest

from lingqu.report.driver import report
from lingqu.report.failures import failures, last_lines, sentence
from lingqu.report.numbers import read_json
from lingqu.report.words import LANGUAGES


@pytest.fixture
def broken(finished):
    """The run, had B's alignment failed and C's calling been killed."""
    for name in ("align/B.bam", "align/B.bam.stats.json", "align/B.bam.qc.json"):
        (finished / name).unlink()
    for name in ("B", "C"):
        for ending in ("", ".stats.json", ".qc.json"):
            (finished / f"calls/{name}.vcf.gz{ending}").unlink()
    shutil.rmtree(finished / "cohort")
    for name in ("align", "call"):
        (finished / "logs" / name).mkdir(parents=True)
    (finished / "logs/align/B.log").write_text("begins\nlingqu: error: b.fq: truncated; mend it\n")
    (finished / "logs/call/C.log").write_text("scan: 5 bases\n")
    return finished


def test_what_failed_and_why(broken):
    found = list(failures(read_json(broken / "project.json"), broken))
    assert [(one["rule"], one["sample"], one["state"], one["reason"]) for one in found] == [
        ("align", "B", "failed", "b.fq: truncated; mend it"),
        ("call", "B", "waiting", ""),
        ("call", "C", "killed", ""),
        ("joint", "", "waiting", ""),
    ]
    assert found[0]["lines"] == ["begins", "lingqu: error: b.fq: truncated; mend it"]
    told = sentence(found[0], "en")
    assert told == "align of B failed: b.fq: truncated; mend it"
    assert "B的 align 步骤失败" in sentence(found[0], "zh")
    assert all(sentence(one, language) for one in found for language in LANGUAGES)


def test_a_report_of_what_is_there(broken):
    report(broken / "project.json", broken / "unfinished" / "report.html")
    numbers = json.loads((broken / "unfinished" / "report.json").read_text())
    whole, without_reads, without_calls = numbers["samples"]
    assert whole["missing"] == []
    assert without_reads["missing"] == ["align", "call"]
    assert without_calls["missing"] == ["call"]
    assert numbers["cohort"] is None
    values = {told["measure"]: told["value"] for told in without_calls["verdicts"]}
    assert (values["mapped"], values["ts_tv"]) == (0.995, None)
    assert without_reads["verdict"] is None
    page = (broken / "unfinished" / "report.html").read_text()
    assert "b.fq: truncated" in page


def test_a_whole_run_has_no_failures(finished):
    assert list(failures(read_json(finished / "project.json"), finished)) == []


def test_last_lines(tmp_path):
    assert last_lines(tmp_path / "none.log") == []
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * 100_000 + b"\n\n one \n\xff\n")
    assert last_lines(path)[1:] == [" one", "\ufffd"]


def test_a_traceback_tells_its_error(finished):
    (finished / "calls/A.vcf.gz").unlink()
    (finished / "logs/call").mkdir(parents=True)
    text = "Traceback (most recent call last):\n  File x\nMemoryError: no room\nDuring: calling\n"
    (finished / "logs/call/A.log").write_text(text)
    (one,) = failures(read_json(finished / "project.json"), finished)
    assert (one["state"], one["reason"]) == ("failed", "MemoryError: no room")
