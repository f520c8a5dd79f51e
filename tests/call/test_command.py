"""`lingqu call` as a process: same bytes from any number of threads, faults, kills."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.call import driver
from lingqu.formats.reference import open_reference

LENGTH = 420_000


@pytest.fixture(scope="module")
def data(tmp_path_factory, simulation):
    folder = tmp_path_factory.mktemp("command")
    rng = np.random.default_rng(21)
    contigs = {"one": simulation.random_sequence(rng, LENGTH), "two": "ACGT" * 300}
    edits = [(at, 1, "ACGT"["CGTA".index(contigs["one"][at])]) for at in range(3000, LENGTH, 7001)]
    fasta = simulation.write_fasta(folder / "ref.fa", contigs)
    edits += [(100_001, 3, ""), (200_000, 0, "GATTACA")]
    bam = simulation.simulate(
        folder / "reads.bam", contigs, {"one": [edits, []]}, depth=12, sample="Ada"
    )
    return folder, fasta, bam, edits


def lingqu(*words, check=True, **options):
    done = subprocess.run(
        [sys.executable, "-m", "lingqu", *map(str, words)],
        capture_output=True, text=True, check=False, **options,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def whole(data):
    folder, fasta, bam, _ = data
    out = folder / "whole.vcf.gz"
    lingqu("call", fasta, bam, "-o", out, "-t", 1)
    return out


def test_the_output(data, whole):
    edits = data[3]
    with pysam.VariantFile(str(whole)) as calls:
        assert list(calls.header.samples) == ["Ada"]
        places = {record.pos - 1 for record in calls if "PASS" in record.filter}
    expected = {start if removed and put else start - 1 for start, removed, put in edits}
    assert len(expected & places) >= len(expected) - 4  # depth 12
    assert len(places - expected) <= 1
    assert whole.with_name("whole.vcf.gz.tbi").exists()
    stats = json.loads(whole.with_name("whole.vcf.gz.stats.json").read_text())
    assert stats["sample"] == "Ada"
    assert stats["records"]["pass"] == len(places)
    assert 9 < stats["mean_depth"] < 13
    assert not (whole.parent / ".lingqu").exists()


@pytest.mark.skipif(not shutil.which("bcftools"), reason="bcftools is not installed")
def test_bcftools_finds_nothing_to_mend(data, whole):
    norm = ["bcftools", "norm", "-c", "e", "-f", str(data[1]), str(whole)]
    done = subprocess.run(norm, capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Lines")]
    total, split, *changed = line.split(":")[1].split()[0].split("/")
    assert int(total) > 50
    assert (int(split), [int(word) for word in changed[:1]]) == (0, [0])


@pytest.mark.parametrize("options", [("-t", 2), ("-t", 2, "--backend", "dask")])
def test_same_bytes(data, whole, tmp_path, options):
    _, fasta, bam, _ = data
    lingqu("call", fasta, bam, "-o", tmp_path / "again.vcf.gz", *options)
    assert (tmp_path / "again.vcf.gz").read_bytes() == whole.read_bytes()
    assert (tmp_path / "again.vcf.gz.qc.json").read_bytes() == quality_of(whole)


def quality_of(path) -> bytes:
    return path.with_name(f"{path.name}.qc.json").read_bytes()


def lines_of(path) -> list[str]:
    with pysam.BGZFile(str(path)) as stream:
        return [line.decode() for line in stream if not line.startswith(b"#")]


def test_regions_are_a_part_of_the_whole(data, whole, tmp_path):
    _, fasta, bam, _ = data
    bed = tmp_path / "panel.bed"
    bed.write_text("one\t90000\t100001\none\t150000\t310000\n")
    lingqu("call", fasta, bam, "-o", tmp_path / "bed.vcf.gz", "-R", bed)
    inside = [
        line
        for line in lines_of(whole)
        if 90_000 < int(line.split("\t")[1]) <= 100_001
        or 150_000 < int(line.split("\t")[1]) <= 310_000
    ]
    assert lines_of(tmp_path / "bed.vcf.gz") == inside
    lingqu("call", fasta, bam, "-o", tmp_path / "r.vcf.gz", "-r", "one:90,001-100,001",
           "-r", "one:150001-310000")  # fmt: skip
    assert lines_of(tmp_path / "r.vcf.gz") == inside


def test_a_cohort(data, whole, tmp_path, simulation):
    _, fasta, bam, edits = data
    reference = open_reference(fasta)
    contigs = {
        name: "".join("ACGTN"[code] for code in reference.contig(tid))
        for tid, name in enumerate(reference.names)
    }
    other = simulation.simulate(
        tmp_path / "bob.bam", contigs, {"one": [edits[:10], edits[:10]]}, depth=8, sample="Bob"
    )
    gvcfs = []
    for name, reads in (("bob", other), ("ada", bam)):
        gvcfs.append(tmp_path / f"{name}.g.vcf.gz")
        lingqu("call", fasta, reads, "-o", gvcfs[-1])
    lingqu("joint", fasta, *gvcfs, "-o", tmp_path / "cohort.vcf.gz")
    with pysam.VariantFile(str(tmp_path / "cohort.vcf.gz")) as cohort:
        assert list(cohort.header.samples) == ["Ada", "Bob"]
        genotypes = {
            record.pos - 1: [record.samples[name]["GT"] for name in ("Ada", "Bob")]
            for record in cohort
        }
    known = [genotypes[start] for start, removed, put in edits[:10] if start in genotypes]
    assert len(known) >= 9
    assert sum(pair == [(0, 1), (1, 1)] for pair in known) >= 8
    assert sum(pair == [(0, 1), (0, 0)] for pair in genotypes.values()) >= 40


def refused(*words, code=1):
    done = lingqu("call", *words, check=False)
    assert done.returncode == code
    (line,) = [line for line in done.stderr.splitlines() if "error" in line]
    assert "Traceback" not in done.stderr
    return line


def test_faults(data, tmp_path):
    folder, fasta, bam, _ = data
    out = ("-o", tmp_path / "out.vcf.gz")
    assert "none.bam" in refused(fasta, folder / "none.bam", *out)
    other = tmp_path / "other.fa"
    other.write_text(">one\nACGTACGT\n")
    assert "give the reference" in refused(other, bam, *out)
    (tmp_path / "far.bed").write_text("one\t10\t999999999\n")
    assert "far.bed: line 1" in refused(fasta, bam, "-R", tmp_path / "far.bed", *out)
    assert "chr1" in refused(fasta, bam, "-r", "chr1:1-10", *out)
    alone = tmp_path / "alone.bam"
    shutil.copy(bam, alone)
    assert "samtools index" in refused(fasta, alone, *out)
    alone.write_bytes(bam.read_bytes()[:-500])
    shutil.copy(f"{bam}.bai", f"{alone}.bai")
    assert "truncated" in refused(fasta, alone, *out)
    assert "out.txt" in refused(fasta, bam, "-o", tmp_path / "out.txt")
    assert "no/such" in refused(fasta, bam, "-o", tmp_path / "no/such/out.vcf.gz")
    bad = tmp_path / "sites.vcf"
    bad.write_text("##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
                   "one\t10\t.\tNNN\tA\t.\t.\t.\n")  # fmt: skip
    assert "sites.vcf: line 3" in refused(fasta, bam, "--sites", bad, *out)
    assert not list(tmp_path.glob("out*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(data, tmp_path):
    _, fasta, bam, _ = data
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "closed" in refused(fasta, bam, "-o", closed / "out.vcf.gz")


def test_kill_and_go_on(data, whole, tmp_path):
    _, fasta, bam, _ = data
    out = tmp_path / "killed.vcf.gz"
    words = [sys.executable, "-m", "lingqu", "call", str(fasta), str(bam), "-o", str(out), "-t1"]
    run = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    while run.poll() is None and not list(tmp_path.glob(".lingqu/*.checkpoint/*/shard-*")):
        time.sleep(0.002)
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert not out.exists()
    lingqu("call", fasta, bam, "-o", out)
    assert out.read_bytes() == whole.read_bytes()
    assert not (tmp_path / ".lingqu").exists()


def test_two_runs_do_not_share_an_output(data, tmp_path, monkeypatch):
    _, fasta, bam, _ = data
    out = tmp_path / "twice.vcf.gz"
    real = driver.call_shard

    def meanwhile(shard, measured):
        if shard.start == 0:
            with pytest.raises(LingquError, match="another run"):
                driver.call(fasta, bam, out, threads=1)
        return real(shard, measured)

    monkeypatch.setattr(driver, "call_shard", meanwhile)
    driver.call(fasta, bam, out, threads=1, regions=("one:1-20000",))
    assert lines_of(out)
    assert not (tmp_path / ".lingqu").exists()


def test_workers_get_absolute_paths(data, tmp_path, monkeypatch):
    _, fasta, bam, _ = data
    real = driver.call_shard

    def elsewhere(shard, measured):
        assert all(path.is_absolute() for path in (shard.fasta, shard.bam, shard.out))
        return real(shard, measured)

    monkeypatch.setattr(driver, "call_shard", elsewhere)
    monkeypatch.chdir(tmp_path)
    names = [os.path.relpath(path) for path in (fasta, bam)]
    driver.call(*names, "here.vcf.gz", threads=1, regions=("one:1-20000",))
    assert json.loads((tmp_path / "here.vcf.gz.stats.json").read_text())["alignments"] == names[1]


def test_finished_shards_are_not_called_again(data, whole, tmp_path, monkeypatch):
    _, fasta, bam, _ = data
    out = tmp_path / "again.vcf.gz"
    log = tmp_path / "called"
    real = driver.call_shard

    def counted(shard, measured):
        with log.open("a") as told:
            told.write(f"{shard.start}\n")
        if len(log.read_text().splitlines()) == 3:
            raise OSError(28, "No space left on device")
        return real(shard, measured)

    monkeypatch.setattr(driver, "call_shard", counted)
    with pytest.raises(OSError, match="No space"):
        driver.call(fasta, bam, out, threads=1)
    assert not out.exists()
    kept = sorted(tmp_path.glob(".lingqu/*.checkpoint/*/shard-*"))
    assert len(kept) >= 2
    kept[0].write_bytes(kept[0].read_bytes()[:-80])  # as after a loss of power
    before = len(kept) - 1
    driver.call(fasta, bam, out, threads=1)
    assert len(log.read_text().splitlines()) in (3 + 6 - before, 4 + 6 - before)
    assert out.read_bytes() == whole.read_bytes()
    assert quality_of(out) == quality_of(whole)


def cut(raw):
    return raw[:-80]


def flip(raw):
    return raw[:-90] + bytes([raw[-90] ^ 4]) + raw[-89:]


@pytest.mark.parametrize("damage", [cut, flip])
def test_a_damaged_shard_is_called_again(damage, data, whole, tmp_path, monkeypatch, capsys):
    _, fasta, bam, _ = data
    out = tmp_path / "damaged.vcf.gz"
    with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output"):
        patch.setattr(driver.Quality, "read", full_of_faults)
        driver.call(fasta, bam, out, threads=1)
    shard = max(
        tmp_path.glob(".lingqu/*.checkpoint/*/shard-*"), key=lambda path: path.stat().st_size
    )
    shard.write_bytes(damage(shard.read_bytes()))
    driver.call(fasta, bam, out, threads=1)
    assert f"{shard.name}: left by an earlier run and damaged" in capsys.readouterr().err
    assert out.read_bytes() == whole.read_bytes()


def full_of_faults(*_lines):
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("before", ["gaps", "late.vcf.gz", "late.vcf.gz.tbi", "late.g.vcf.gz"])
def test_woken_after_another_has_finished(before, data, stopped, tmp_path):
    _, fasta, bam, _ = data
    out, also = tmp_path / "late.vcf.gz", tmp_path / "other" / "late.g.vcf.gz"
    also.parent.mkdir()
    words = ["call", fasta, bam, "-o", out, "-o", also, "-r", "one:1-20000", "-t", 1]
    late = stopped(before, *words, stderr=subprocess.PIPE, text=True)
    driver.call(fasta, bam, out, also=also, regions=("one:1-20000",), threads=1)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    states = {path: path.stat().st_ino for path in files}
    assert len(files) == 6
    os.killpg(late.pid, signal.SIGCONT)
    errors = [line for line in late.communicate()[1].splitlines() if line.startswith("lingqu:")]
    assert late.returncode == 1
    assert len(errors) == 1
    assert errors[0].endswith("took it over; this run ends and leaves it alone")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    assert {path: path.stat().st_ino for path in files} == states
