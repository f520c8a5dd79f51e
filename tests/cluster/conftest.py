"""A real Slurm of three nodes on this machine, where that can be, and a project that runs on it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lingqu.base.cache_folder import cache_folders
from lingqu.base.resources import house
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import decode

sys.path.append(str(Path(__file__).parent / "lab"))  # tests here import modules by bare names
sys.path.append(str(Path(__file__).parent / "program"))

import slurm_lab
from lab_run import LabRun

GENOME = slice(9_945_000, 10_145_000)
"""The part of the demo's reference that is all of the genome here; the reads are in its middle."""

SAMPLES, LANES = 2, 4
WORKERS = {"nodes": 2, "cores": 2, "memory": "3G", "walltime": "00:10:00"}
WORKERS |= {"margin": 20, "patience": 8, "look": 1}
SNAKEMAKE = """
slurm-status-command: squeue
seconds-between-status-checks: 2
"""


@pytest.fixture(scope="session")
def started():
    """A slurm_lab.Slurm, for all tests of a process; skips where there can be none."""
    if told := slurm_lab.obstacle():
        pytest.skip(told)
    with slurm_lab.slurm() as lab:
        yield lab


@pytest.fixture
def slurm(started):
    """The same, as it was at the start."""
    yield started
    started.calm()


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """That of commands whose kernels are compiled already."""
    return {**os.environ, "NUMBA_CACHE_DIR": str(cache_folders()[0].parent)}


@pytest.fixture(scope="session")
def inputs(tmp_path_factory, deep_reads, reference) -> Path:
    """A project of two samples of four lanes each, before its first run."""
    folder = tmp_path_factory.mktemp("inputs")
    sequence = decode(open_reference(reference).contig(0)[GENOME])
    (folder / "genome.fa").write_text(f">20\n{sequence}\n")
    (folder / "config").mkdir()
    (folder / "reads").mkdir()
    for mate, path in enumerate(deep_reads, 1):
        lines = path.read_text().splitlines(keepends=True)
        records = ["".join(lines[at : at + 4]) for at in range(0, len(lines), 4)]
        for number in range(SAMPLES * LANES):
            text = "".join(records[number :: SAMPLES * LANES])
            (folder / "reads" / f"{number}_R{mate}.fastq").write_text(text)
    rows = [
        f"S{n // LANES + 1}\tL{n % LANES + 1}\treads/{n}_R1.fastq\treads/{n}_R2.fastq"
        for n in range(SAMPLES * LANES)
    ]
    (folder / "config" / "samples.tsv").write_text("\n".join(["sample\tlane\tr1\tr2", *rows, ""]))
    config = "reference: genome.fa\nsamples: config/samples.tsv\n"
    (folder / "config" / "germline.yaml").write_text(config)
    return folder


@pytest.fixture(scope="session")
def expected(inputs, environment, outputs, tmp_path_factory) -> dict[str, bytes]:
    """What a run with the local profile makes of the project."""
    folder = tmp_path_factory.mktemp("expected") / "project"
    shutil.copytree(inputs, folder)
    words = (sys.executable, "-m", "lingqu", "run", "germline")
    subprocess.run(words, cwd=folder, env=environment, check=True)
    return outputs(folder)


class Project(LabRun):
    """A project of its own, with a profile of this Slurm."""

    def profile(self, **settings: object) -> None:
        """Write the profile "slurm" with these settings of the workers, and the usual ones."""
        folder = self.folder / "config" / "profiles" / "slurm"
        folder.mkdir(parents=True, exist_ok=True)
        packaged = (house("config") / "profiles" / "slurm" / "config.yaml").read_text()
        (folder / "config.yaml").write_text(packaged + SNAKEMAKE)
        settings = {**WORKERS, "scratch": f"{self.slurm.folder}/scratch", **settings}
        text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in settings.items())
        (folder / "workers.yaml").write_text(text)


@contextlib.contextmanager
def project(slurm, inputs, environment, folder: Path, log: Path | None = None):
    """A run in `folder` that has not started, and is ended."""
    for name in ("cryptography", "snakemake_executor_plugin_slurm"):
        pytest.importorskip(name)
    shutil.copytree(inputs, slurm.seen(folder))
    run = Project(slurm, folder, environment, log)
    run.profile()
    try:
        yield run
    finally:
        run.wake()
        if run.process and run.process.poll() is None:
            run.launcher.kill()
            run.process.wait()


@pytest.fixture
def run(slurm, inputs, environment, expected, tmp_path):
    """A run that has not started."""
    with project(slurm, inputs, environment, tmp_path / "project") as run:
        yield run


@pytest.fixture
def run_on_disk(slurm, inputs, environment, expected, tmp_path):
    """A run that has not started, in a folder of a small disk that all machines share."""
    with project(slurm, inputs, environment, slurm.shared / "project", tmp_path) as run:
        yield run
    shutil.rmtree(run.folder)
