"""The files for MultiQC, read by MultiQC itself."""

import importlib.util
import json
import subprocess
import sys

import pytest

from lingqu.report.driver import report
from lingqu.report.multiqc import multiqc_files
from lingqu.report.numbers import gather
from lingqu.report.peer_files import fastqc, insert_sizes, self_sm, somalier_pairs

needs_multiqc = pytest.mark.skipif(
    not importlib.util.find_spec("multiqc"), reason="multiqc is not installed"
)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """A function from a folder to (what MultiQC read there, what it printed)."""

    def run(folder) -> tuple[dict, str]:
        out = tmp_path_factory.mktemp("multiqc")
        words = [sys.executable, "-m", "multiqc", folder, "-o", out, "--no-ansi"]
        words += ["--no-version-check", "--strict", "--data-format", "json"]
        told = subprocess.run(list(map(str, words)), capture_output=True, text=True, cwd=out)
        assert told.returncode == 0, told.stdout + told.stderr
        data = out / "multiqc_data" / "multiqc_data.json"
        return json.loads(data.read_text()), told.stdout + told.stderr

    return run


@needs_multiqc
def test_multiqc_shows_every_number_under_its_sample(finished, read):
    report(finished / "project.json", finished / "report.html")
    data, printed = read(finished / "multiqc")
    for fault in ("Error", "Traceback", "Oops", "not matching total"):
        assert fault not in printed, printed
    raw = data["report_saved_raw_data"]
    names = {"A", "B", "C"}
    stats = raw["multiqc_samtools_stats"]
    assert set(stats) == names
    assert stats["A"]["reads_mapped"] == 199_000
    assert stats["A"]["error_rate"] == 0.003
    reads = raw["multiqc_fastqc"]
    assert set(reads) == {f"{name}_R{mate}" for name in names for mate in "12"}
    assert reads["A_R1"]["Total Sequences"] == 100_000
    variants = raw["multiqc_bcftools_stats"]
    assert set(variants) == names
    assert variants["A"]["tstv"] == 2.08
    assert variants["A"]["number_of_indels"] == 390
    sizes = raw["multiqc_picard_insertSize"]
    assert sizes["A_FR"]["MEDIAN_INSERT_SIZE"] == 350
    assert set(raw["multiqc_somalier"]) == {"A*B", "A*C", "B*C"}
    assert raw["multiqc_verifybamid"]["B"]["FREEMIX"] == 0.002
    shown = json.dumps(data["report_general_stats_data"])
    for told in ("mean_coverage", "31.2", "summed_median"):
        assert told in shown, told
    plots = set(data["report_plot_data"])
    for told in (
        "fastqc_per_base_sequence_quality_plot",
        "fastqc_adapter_content_plot",
        "mosdepth-cumcoverage-dist-id",
        "picard_gcbias_plot",
        "picard_insert_size",
        "bcftools-stats-subtypes",
        "somalier_relatedness_plot",
        "lingqu_verdicts",
    ):
        assert told in plots, (told, sorted(plots))


def test_what_is_not_measured_is_not_written(finished):
    for path in finished.rglob("*.qc.json"):
        path.unlink()
    numbers = gather(finished / "project.json")
    assert [name for name, _ in multiqc_files(numbers)] == ["lingqu_mqc.json"]


def test_an_own_estimate_is_not_called_verifybamids():
    assert (
        self_sm("A", {"contamination": {"method": "homozygous", "share": 0.1, "sites": 5}}) is None
    )
    assert self_sm("A", {}) is None
    assert insert_sizes("A", {"insert_size": {"median": None}}) is None
    assert somalier_pairs({"pairs": []}) is None


def modules(text: str) -> dict[str, str]:
    lines = [line[2:].split("\t") for line in text.splitlines() if line.startswith(">>")]
    return {line[0]: line[1] for line in lines if line[0] != "END_MODULE"}


def test_fastqc_grades_by_its_own_limits(finished):
    mate = gather(finished / "project.json")["samples"][0]["qc"]["alignment"]["mates"]["1"]
    assert set(modules(fastqc("A", mate)).values()) == {"pass"}
    mate["quality_by_cycle"]["median"][-1] = 19
    mate["composition"]["N"][3] = 0.06
    mate["adapters"]["Illumina Universal Adapter"][-1] = 0.11
    mate["overrepresented"][0]["share"] = 0.002
    mate["gc_of_reads"][80] += 60_000
    mate["duplication_by_sequence"]["distinct_share"] = 0.6
    graded = {name: grade for name, grade in modules(fastqc("A", mate)).items() if grade != "pass"}
    assert graded == {
        "Per base sequence quality": "fail",
        "Per sequence GC content": "fail",
        "Per base N content": "warn",
        "Sequence Duplication Levels": "warn",
        "Overrepresented sequences": "warn",
        "Adapter Content": "fail",
    }


def test_bins_of_cycles_are_named_as_fastqc_does(finished):
    mate = gather(finished / "project.json")["samples"][0]["qc"]["alignment"]["mates"]["1"]
    count = len(mate["quality_by_cycle"]["mean"])
    mate["cycles"] = [*range(1, count), count]
    mate["length"] = {"first": 35, "counts": [1] * 117}
    text = fastqc("A", mate)
    assert "Sequence length\t35-151\n" in text
    assert f"\n{count}-151\t" in text
