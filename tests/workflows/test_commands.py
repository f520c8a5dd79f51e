"""init, doctor and demo as a user gives them."""

import re

import pytest


@pytest.mark.parametrize("name", ["run", "status", "init", "demo", "doctor", "adopt", "report"])
def test_help_teaches_by_example(commands, tmp_path, name):
    ran = commands.run(tmp_path, *commands.lingqu, name, "--help")
    assert ran.returncode == 0
    assert f"lingqu {name}" in ran.stdout


def test_init_then_run_tells_what_to_edit(commands, tmp_path):
    ran = commands.run(tmp_path, *commands.lingqu, "init", "study")
    assert ran.returncode == 0
    assert "study/config/samples.tsv" in ran.stdout
    ran = commands.germline(tmp_path / "study", "-n")
    assert ran.returncode == 1
    assert "config/germline.yaml:8:1: reference.fa: no such file" in ran.stdout
    assert "config/samples.tsv:20:9: reads/S1_L001_R1.fastq.gz: no such file" in ran.stdout


def test_doctor_finds_this_environment_well(commands, tmp_path):
    ran = commands.run(tmp_path, *commands.lingqu, "doctor")
    assert ran.returncode == 0, ran.stdout
    assert "MISSING" not in ran.stdout


def test_demo_finds_what_must_be_found(commands, tmp_path):
    ran = commands.run(tmp_path, *commands.lingqu, "demo")
    assert ran.returncode == 0, ran.stdout
    rows = re.findall(r"(\d+) of (\d+) found, (\d+) missed, (\d+) extra", ran.stdout)
    (snvs, all_snvs, _, more), (indels, all_indels, _, others) = (map(int, row) for row in rows)
    assert (all_snvs, all_indels) == (187, 34)
    assert snvs >= 184
    assert indels >= 25
    assert more + others <= 40
    assert "reads       51,678" in ran.stdout
    for name in ("align/NA12878.bam", "calls/NA12878.vcf.gz", "report.html"):
        assert (tmp_path / "lingqu-demo" / "results" / name).is_file()
        assert f"lingqu-demo/results/{name}" in ran.stdout


def test_demo_leaves_another_project_alone(commands, tmp_path):
    commands.run(tmp_path, *commands.lingqu, "init", "study")
    ran = commands.run(tmp_path, *commands.lingqu, "demo", "study")
    assert ran.returncode == 1
    assert ran.stdout == "lingqu: error: study: holds another project; name a new folder\n"
