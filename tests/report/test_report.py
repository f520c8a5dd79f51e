"""The report of a results folder, written by hand so that every number is known."""

import json
from pathlib import Path

import pytest

from lingqu.base.errors import LingquError
from lingqu.report.driver import report
from lingqu.report.rows import flat
from lingqu.report.sites import count_sites

VCF = """\
##fileformat=VCFv4.3
##contig=<ID=1,length=1000>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	S<1>
1	10	.	A	G	50	PASS	.	GT	0/1
1	20	.	A	C,T	50	PASS	.	GT	1/2
1	30	.	AT	A	50	.	.	GT	1/1
1	40	.	C	T	5	LowQual	.	GT	0/1
1	50	.	C	CT,T	50	PASS	.	GT	1|1
1	60	.	AC	GT	50	PASS	.	GT	./.
1	70	.	G	T	50	PASS	.	GT	0
"""


@pytest.fixture
def vcf(tmp_path) -> Path:
    path = tmp_path / "calls.vcf"
    path.write_text(VCF)
    return path


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    """A finished run in `tmp_path`, its working folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results"
    config = {"reference": "ref.fa", "results": "results", "regions": [], "truth": {"S<1>": {}}}
    lane = {
        "lane": "L1",
        "library": "lib",
        "platform": "ILLUMINA",
        "unit": "u",
        "r1": "a",
        "r2": "",
    }
    sample = {"name": "S<1>", "alignment": "results/align/S<1>.bam", "entry": "", "lanes": [lane]}
    counts = {"reads": 2000, "mapped": 1990, "properly_paired": 1980, "duplicates": 20}
    row = {
        "tp_truth": 9,
        "fn": 1,
        "tp_calls": 9,
        "fp": 0,
        "precision": 1.0,
        "recall": 0.9,
        "f1": None,
    }
    project = {"workflow": "germline", "config": config, "samples": [sample]}
    project["sections"] = [
        "summary",
        "overview",
        "alignment",
        "truth",
        "cohort",
        "time",
        "provenance",
    ]
    for name, told in {
        "project.json": project,
        "reference.json": {"names": ["1"], "lengths": [1000], "md5s": ["0" * 32]},
        "align/S<1>.bam.stats.json": counts | {"read_groups": {"S.L1": counts}},
        "calls/S<1>.vcf.gz.stats.json": {"mean_depth": 31.25},
        "compare/S<1>.json": {"rows": {"SNV": row}},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(told))
    (folder / "cohort").mkdir()
    for name in ("calls/S<1>.vcf.gz", "cohort/cohort.vcf.gz"):
        (folder / name).write_text(VCF)
    (folder / "benchmarks" / "align").mkdir(parents=True)
    (folder / "benchmarks" / "align" / "S<1>.tsv").write_text(
        "s\th:m:s\tmax_rss\tcpu_time\n12.5\t0:00:12\t300.1\t-\n"
    )
    notes = tmp_path / ".snakemake" / "metadata"
    notes.mkdir(parents=True)
    for number, log in enumerate(("results/logs/align.log", "elsewhere/align.log")):
        note = {"log": [log], "shellcmd": f"lingqu align {number}", "starttime": number}
        (notes / str(number)).write_text(json.dumps(note))
    (notes / "broken").write_text("{")
    return folder


def test_count_sites(vcf):
    found = count_sites(vcf)
    genotypes = found.pop("genotypes")
    assert found == {
        "records": 7,
        "filtered": 1,
        "snvs": 4,
        "indels": 2,
        "multiallelic": 2,
        "transitions": 2,
        "transversions": 3,
    }
    assert genotypes == {"S<1>": {"reference": 1, "heterozygous": 2, "homozygous": 2, "missing": 1}}


def test_page_json_and_run_facts(results):
    report(results / "project.json", results / "report.html")
    numbers = json.loads((results / "report.json").read_text())
    (sample,) = numbers["samples"]
    assert sample["alignment_stats"]["reads"] == 2000
    assert sample["variants"]["snvs"] == 4
    assert numbers["cohort"]["records"] == 7
    page = (results / "report.html").read_text()
    shown = page[page.index("<noscript>") : page.index("</noscript>")]
    for told in ("S&lt;1&gt;", "99.50 %", "1.01 %", "31.2×", "lingqu align 0", "0.9000"):
        assert told in shown, told
    assert "S<1>" not in page
    assert "lingqu align 1" not in page
    run = json.loads((results / "run.json").read_text())
    assert run["steps"] == [
        {
            "rule": "align",
            "sample": "S<1>",
            "seconds": 12.5,
            "cpu_seconds": None,
            "memory_mb": 300.1,
        }
    ]
    assert run["commands"] == ["lingqu align 0"]


def test_numbers_do_not_tell_the_day_or_the_folder(results):
    report(results / "project.json", results / "report.html")
    first = (results / "report.json").read_bytes()
    (results / "benchmarks" / "align" / "S<1>.tsv").unlink()
    report(results / "project.json", results / "report.html")
    assert (results / "report.json").read_bytes() == first
    assert str(results).encode() not in first


@pytest.mark.parametrize("name", ["project.json", "reference.json", "compare/S<1>.json"])
def test_damaged_files_are_named(results, name):
    (results / name).write_text("{")
    with pytest.raises(LingquError, match=name):
        report(results / "project.json", results / "report.html")
    assert not (results / "report.html").exists()


def test_without_a_project_there_is_nothing_to_tell(results):
    (results / "project.json").unlink()
    with pytest.raises(LingquError, match="project.json: No such file"):
        report(results / "project.json", results / "report.html")
    assert not (results / "report.html").exists()


def test_flat_names_leaves():
    told = {"a_b": 1, "c": {"d": 2}, "e": [], "f": [1, 2], "g": [{"h": 3}]}
    assert list(flat(told)) == [("a b", 1), ("c: d", 2), ("e", None), ("f", "1, 2"), ("g 1: h", 3)]
