"""The germline workflow as a whole, by the launcher and by plain Snakemake."""

import gzip
import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pysam

from lingqu.workflow.lease import end_leftovers
from lingqu.workflow.status import look


def column(folder: Path, sample: str) -> list[str]:
    """Genotypes of a sample in the cohort VCF."""
    with pysam.VariantFile(str(folder / "results" / "cohort" / "cohort.vcf.gz")) as vcf:
        return [
            f"{record.pos}:{record.ref}:{record.alts}:{record.samples[sample]['GT']}"
            for record in vcf
        ]


def test_two_samples_of_two_lanes(finished):
    results = finished / "results"
    for sample in ("S1", "S2"):
        with pysam.AlignmentFile(str(results / "align" / f"{sample}.bam")) as bam:
            groups = {group["ID"]: group for group in bam.header.to_dict()["RG"]}
            assert set(groups) == {f"{sample}.L1", f"{sample}.L2"}
            assert {group["LB"] for group in groups.values()} == {f"lib{sample[1]}"}
            assert bam.count("20", 10_040_000, 10_050_000) > 1000
        with pysam.VariantFile(str(results / "calls" / f"{sample}.vcf.gz")) as vcf:
            assert list(vcf.header.samples) == [sample]
    with pysam.VariantFile(str(results / "cohort" / "cohort.vcf.gz")) as vcf:
        assert list(vcf.header.samples) == ["S1", "S2"]
        assert len(list(vcf)) > 5


def test_no_index_is_older_than_its_file(finished):
    indices = [
        path
        for path in (finished / "results").rglob("*")
        if path.suffix in (".bai", ".csi", ".crai", ".tbi")
    ]
    assert len(indices) >= 5
    for path in indices:
        assert path.stat().st_mtime >= path.with_suffix("").stat().st_mtime


def test_calls_of_one_person_are_the_truth_and_agree(finished):
    score = json.loads((finished / "results" / "compare" / "S1.json").read_text())
    assert score["rows"]["SNV"]["recall"] > 0.9
    one, two = column(finished, "S1"), column(finished, "S2")
    assert sum(a == b for a, b in zip(one, two, strict=True)) > 0.8 * len(one)


def test_report_tells_every_sample(finished):
    page = (finished / "results" / "report.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "http" not in page.replace("https://", "http").split("<body>")[0]
    numbers = json.loads((finished / "results" / "report.json").read_text())
    assert [sample["name"] for sample in numbers["samples"]] == ["S1", "S2"]
    for sample in numbers["samples"]:
        assert sample["name"] in page
        assert f"{sample['alignment_stats']['reads']:,}" in page
        assert sample["call_stats"]["mean_depth"] > 15
        look = json.loads((finished / "results" / "look" / f"{sample['name']}.json").read_text())
        assert look["records"] == len(look["rows"]) == sample["variants"]["records"]
        assert len(look["piles"]) == min(24, look["records"])
    assert numbers["reference"]["bases"] == 63_025_520
    assert "lingqu align" in page


def test_inputs_and_outputs_have_digests(finished):
    results = finished / "results"
    for part in ("shared", "samples/S1", "samples/S2"):
        words = ("sha256sum", "--check", "--quiet", f"results/digests/{part}.sha256")
        assert subprocess.run(words, cwd=finished).returncode == 0
    numbers = json.loads((results / "report.json").read_text())
    assert "results/cohort/cohort.vcf.gz" in numbers["digests"]
    sample = numbers["samples"][0]["digests"]
    assert {"reads/S1_L1_R1.fastq", "results/align/S1.bam", "results/calls/S1.vcf.gz"} <= set(
        sample
    )


def test_snakemakes_own_report_has_the_key_figures(finished, commands, tmp_path):
    ran = commands.plain(finished, "--report", str(tmp_path / "key.html"))
    assert ran.returncode == 0, ran.stdout
    page = (tmp_path / "key.html").read_text()
    for told in ("Key figures of all samples", "The whole report", "Germline variants by Lingqu"):
        assert told in page, told


def test_plain_snakemake_gives_the_same_bytes(finished, project, commands, outputs):
    ran = commands.plain(project)
    assert ran.returncode == 0, ran.stdout
    assert outputs(project) == outputs(finished)


def test_a_run_works_from_a_copy_of_its_code(finished):
    first, *_ = sorted((finished / ".snakemake" / "log").glob("*.log"))
    assert str(finished / ".lingqu" / "code" / "workflows" / "germline") in first.read_text()


def test_workflow_is_well_written(project, commands):
    ran = commands.plain(project, "--lint")
    assert ran.returncode == 0, ran.stdout


def test_nothing_is_done_twice_also_by_another_profile(finished, commands, outputs):
    before = {path: path.stat().st_mtime_ns for path in (finished / "results").rglob("*")}
    narrow = finished / "config" / "profiles" / "narrow"
    narrow.mkdir(parents=True)
    (narrow / "config.yaml").write_text("cores: 1\nset-threads:\n  align: 1\n  call: 1\n")
    ran = commands.germline(finished, "--profile", "narrow")
    assert ran.returncode == 0, ran.stdout
    assert "Nothing to be done" in ran.stdout
    assert before == {path: path.stat().st_mtime_ns for path in (finished / "results").rglob("*")}


def test_a_new_sample_leaves_the_alignments_of_the_others(finished, commands):
    sheet = finished / "config" / "samples.tsv"
    text = sheet.read_text()
    try:
        sheet.write_text(text + "S3\tL1\tconfig/germline.yaml\t\t\n")
        ran = commands.germline(finished, "-n")
    finally:
        sheet.write_text(text)
    assert ran.returncode == 0, ran.stdout
    counts = dict(line.split()[:2] for line in ran.stdout.splitlines() if len(line.split()) == 2)
    assert (counts["align"], counts["call"], counts["joint"]) == ("1", "1", "1")


def test_the_sex_of_a_sample_reaches_the_caller(project, commands):
    sheet, config = project / "config" / "samples.tsv", project / "config" / "germline.yaml"
    head, *rows = sheet.read_text().splitlines()
    rows = [f"{row}\tXY" if row.startswith("S1") else row for row in rows]
    sheet.write_text("\n".join([f"{head}\tsex", *rows]) + "\n")
    (project / "par.bed").write_text("X\t0\t1\n")
    config.write_text(config.read_text() + "par: par.bed\n")
    ran = commands.germline(project, "-n", "--", "--printshellcmds")
    assert ran.returncode == 0, ran.stdout
    told = [line for line in ran.stdout.splitlines() if "lingqu call" in line]
    assert sum("--sample S1 --sex XY --par par.bed " in line for line in told) == 1
    assert sum("--sample S2 --ploidy 2 " in line for line in told) == 1
    (told,) = [line for line in ran.stdout.splitlines() if "lingqu joint" in line]
    assert " --pedigree=results/cohort/families.ped " in told


def test_known_variants_and_mnvs_reach_the_caller(project, commands):
    (project / "known.vcf.gz").write_bytes(gzip.compress(b"##fileformat=VCFv4.3\n"))
    config = project / "config" / "germline.yaml"
    config.write_text(config.read_text() + "known: known.vcf.gz\nmnv: true\n")
    ran = commands.germline(project, "-n", "--", "--printshellcmds")
    assert ran.returncode == 0, ran.stdout
    told = [line for line in ran.stdout.splitlines() if "lingqu call" in line]
    assert [" --known known.vcf.gz --mnv " in line for line in told] == [True, True]
    (told,) = [line for line in ran.stdout.splitlines() if "lingqu joint" in line]
    assert " --known known.vcf.gz " in told


def test_files_of_quality_control_reach_caller_and_cohort(project, commands):
    (project / "sites.vcf.gz").write_bytes(gzip.compress(b"##fileformat=VCFv4.3\n"))
    (project / "genes.bed").write_text("20\t0\t1\tGENE\n")
    config = project / "config" / "germline.yaml"
    config.write_text(config.read_text() + "qc: {sites: sites.vcf.gz, genes: genes.bed}\n")
    ran = commands.germline(project, "-n", "--", "--printshellcmds")
    assert ran.returncode == 0, ran.stdout
    lines = ran.stdout.splitlines()
    told = [line for line in lines if "lingqu call" in line]
    assert [" --qc-sites sites.vcf.gz --qc-genes genes.bed " in line for line in told] == [True] * 2
    (told,) = [line for line in lines if "lingqu joint" in line]
    assert " --qc-sites sites.vcf.gz " in told


def test_parents_reach_the_joint_calling(project, commands):
    sheet = project / "config" / "samples.tsv"
    head, *rows = sheet.read_text().splitlines()
    rows = [f"{row}\tS2" if row.startswith("S1") else row for row in rows]
    sheet.write_text("\n".join([f"{head}\tmother", *rows]) + "\n")
    ran = commands.germline(project, "-n", "--", "--printshellcmds")
    assert ran.returncode == 0, ran.stdout
    (told,) = [line for line in ran.stdout.splitlines() if "lingqu joint" in line]
    assert " --pedigree=results/cohort/families.ped " in told
    (told,) = [line for line in ran.stdout.splitlines() if "printf" in line and ".ped" in line]
    assert re.search(r"S1\s+S1\s+0\s+S2\s+0", told.replace("\\t", " ")), told


def test_dry_run_makes_nothing(project, commands):
    ran = commands.germline(project, "-n")
    assert ran.returncode == 0, ran.stdout
    assert not (project / "results").exists()


def test_faults_stop_both_ways_before_anything_runs(project, commands):
    (project / "config" / "samples.tsv").write_text(
        "sample\tlane\tr1\tr2\nS 1\tL1\treads/no.fastq\t\nS2\tL1\ttruth.vcf.gz\ttruth.vcf.gz\n"
    )
    told = [
        "3 faults; nothing was run",
        "config/samples.tsv:2:1: 'sample' must be a name",
        "config/samples.tsv:2:8: reads/no.fastq: no such file",
        "config/samples.tsv:3:20: truth.vcf.gz: R1 and R2 are the same file",
    ]
    for ran in (commands.germline(project), commands.plain(project)):
        assert ran.returncode == 1
        assert [line for line in told if line not in ran.stdout] == [], ran.stdout
        assert not (project / "results").exists()


def test_unknown_names_are_told_in_one_line(project, commands):
    for words, told in (
        (("germlin",), "no workflow 'germlin'; did you mean 'germline'?"),
        (("germline", "--profile", "locl"), "did you mean 'local'?"),
        (("germline", "--config", "no.yaml"), "no.yaml: no such file; make a project: lingqu init"),
    ):
        ran = commands.run(project, *commands.lingqu, "run", *words)
        assert ran.returncode == 1
        assert ran.stdout.startswith("lingqu: error: ")
        assert told in ran.stdout
        assert ran.stdout.count("\n") == 1


def wait_for(path: Path, process: subprocess.Popen) -> None:
    """Until a file is there, while the process lives."""
    deadline = time.monotonic() + 300  # kernels may have to be compiled
    while not path.exists():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def child_of(process: subprocess.Popen) -> int:
    """The process that a launcher runs, once it does: the log may be of the run before."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := children.read_text().split()):
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.02)
    return int(found[0])


def test_a_stopped_and_a_killed_run_go_on_and_end_with_the_same_bytes(
    finished, project, commands, outputs
):
    words = (*commands.lingqu, "run", "germline", "--cores", "1")
    with commands.start(project, *words) as process:
        wait_for(project / "results" / "logs" / "align" / "S1.log", process)
        second = commands.germline(project)
        assert second.returncode == 1
        assert second.stdout.count("\n") == 1
        assert f"a run works here already (process {process.pid} " in second.stdout
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert look(project).state == "stopped"
    with commands.start(project, *words) as process:
        wait_for(project / "results" / "logs" / "call" / "S1.log", process)
        assert look(project).state == "running"
        process.kill()
        process.wait()
        assert look(project).state == "killed"
        process.stdout.close()
    with commands.start(project, *words) as process:
        wait_for(project / "results" / "logs" / "joint.log", process)
        os.kill(child_of(process), signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGKILL
    assert end_leftovers(project) == 0
    ran = commands.germline(project, "--cores", "1")
    assert ran.returncode == 0, ran.stdout
    assert outputs(project) == outputs(finished)
    status = look(project)
    assert status.state == "finished"
    assert status.record.samples == ["S1", "S2"]
    assert {name for name, _ in status.targets()} == {
        "results/report.html",
        "results/cohort/cohort.vcf.gz",
    }


def test_entry_from_bam_and_cram(finished, project, commands, reference):
    bams = finished / "results" / "align"
    with (
        pysam.AlignmentFile(str(bams / "S2.bam")) as bam,
        pysam.AlignmentFile(
            str(project / "S2.cram"), "wc", template=bam, format_options=["no_ref=1"]
        ) as cram,
    ):
        for read in bam:
            cram.write(read)
    (project / "config" / "samples.tsv").write_text(
        f"sample\talignment\nS1\t{bams / 'S1.bam'}\nS2\tS2.cram\n"
    )
    ran = commands.plain(project)
    assert ran.returncode == 0, ran.stdout
    for name in ("calls/S1.vcf.gz", "calls/S2.vcf.gz", "cohort/cohort.vcf.gz", "compare/S1.json"):
        there = (finished / "results" / name).read_bytes()
        assert (project / "results" / name).read_bytes() == there, name


def test_a_fault_of_a_step_is_told_in_one_line_at_the_end(project, commands, demo):
    reads = (demo / "NA12878_L001_R1.fastq.gz").read_bytes()
    (project / "reads" / "cut.fastq.gz").write_bytes(reads[:100_000])
    (project / "config" / "samples.tsv").write_text(
        "sample\tlane\tr1\nS1\tL1\treads/cut.fastq.gz\n"
    )
    ran = commands.germline(project)
    assert ran.returncode == 1
    told, last = ran.stdout.splitlines()[-2:]
    assert told.startswith("align/S1: lingqu: error: reads/cut.fastq.gz: truncated gzip file")
    assert "the same command goes on from here" in last
    assert [step.title for step in look(project).failed] == ["align S1"]
    assert not (project / "results" / "align" / "S1.bam").exists()
    assert "results/unfinished/report.html tells what is there" in ran.stdout
    run = json.loads((project / "results" / "unfinished" / "run.json").read_text())
    states = {step["rule"]: step["state"] for step in run["failures"]}
    waiting = dict.fromkeys(("call", "joint", "compare", "look"), "waiting")
    assert states == {"align": "failed"} | waiting
    assert run["failures"][0]["reason"].startswith("reads/cut.fastq.gz: truncated gzip file")


def test_results_that_cannot_be_written(project, commands):
    with (project / "config" / "germline.yaml").open("a") as config:
        config.write("results: truth.vcf.gz/here\n")
    ran = commands.germline(project)
    assert ran.returncode == 1
    assert ran.stdout.count("\n") == 1
    assert "truth.vcf.gz/here: cannot be written (Not a directory)" in ran.stdout
