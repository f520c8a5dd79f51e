"""A project of two samples with two lanes each: 10 kb of the demo's reads, at 26x a sample."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lingqu.base.resources import house

REGION = "20:10,040,001-10,050,000"


class Commands:
    """Runs commands in folders; a finished one has all it printed in `stdout`."""

    snakemake = (sys.executable, "-m", "snakemake")
    lingqu = (sys.executable, "-m", "lingqu")

    def start(self, folder: Path, *words: str) -> subprocess.Popen:
        """Start a command."""
        return subprocess.Popen(
            words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, folder: Path, *words: str) -> subprocess.CompletedProcess:
        """Run a command to its end."""
        with self.start(folder, *words) as process:
            told, _ = process.communicate()
        return subprocess.CompletedProcess(words, process.returncode, told)

    def germline(self, folder: Path, *words: str) -> subprocess.CompletedProcess:
        """`lingqu run germline` to its end."""
        return self.run(folder, *self.lingqu, "run", "germline", *words)

    def plain(self, folder: Path, *words: str) -> subprocess.CompletedProcess:
        """Plain Snakemake on the same workflow."""
        snakefile = str(house("workflows") / "germline" / "Snakefile")
        config = "config/germline.yaml"
        told = ("-s", snakefile, "--configfile", config, "--cores", "2", *words)
        return self.run(folder, *self.snakemake, *told)


@pytest.fixture(scope="session")
def commands() -> Commands:
    """How the tests run commands."""
    return Commands()


@pytest.fixture(scope="session")
def inputs(tmp_path_factory, deep_reads, demo, reference) -> Path:
    """A project's folder before its first run."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "config").mkdir()
    (folder / "reads").mkdir()
    for mate, path in enumerate(deep_reads, 1):
        lines = path.read_text().splitlines(keepends=True)
        records = ["".join(lines[at : at + 4]) for at in range(0, len(lines), 4)]
        for number in range(4):
            name = f"S{number // 2 + 1}_L{number % 2 + 1}_R{mate}.fastq"
            (folder / "reads" / name).write_text("".join(records[number::4]))
    shutil.copy(demo / "truth.vcf.gz", folder / "truth.vcf.gz")
    rows = [
        f"S{s}\tL{lane}\treads/S{s}_L{lane}_R1.fastq\treads/S{s}_L{lane}_R2.fastq\tlib{s}\n"
        for s in (1, 2)
        for lane in (1, 2)
    ]
    (folder / "config" / "samples.tsv").write_text(
        "sample\tlane\tr1\tr2\tlibrary\n" + "".join(rows)
    )
    (folder / "config" / "germline.yaml").write_text(
        f"reference: {reference}\nsamples: config/samples.tsv\nregions:\n  - {REGION}\n"
        "truth:\n  S1: {vcf: truth.vcf.gz}\n"
    )
    return folder


@pytest.fixture
def project(inputs, tmp_path) -> Path:
    """A fresh copy of the project."""
    shutil.copytree(inputs, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture(scope="session")
def finished(inputs, commands, tmp_path_factory) -> Path:
    """The project after `lingqu run germline`; not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(inputs, folder)
    ran = commands.germline(folder)
    assert ran.returncode == 0, ran.stdout
    return folder
