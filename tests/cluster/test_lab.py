"""The Slurm of the tests is a cluster: its machines are apart, can be lost, and end with it."""

import os
import subprocess
import sys

import psutil
import pytest
import slurm_lab
from slurm_lab import wait_for


def test_nodes_have_names_disks_and_processes_of_their_own(slurm, tmp_path):
    scratch = slurm.folder / "scratch"
    job = f"hostname > {scratch}/name; srun --overlap cat {scratch}/name; exec sleep 60"
    for node in slurm.nodes:
        slurm.ask("sbatch", "-w", node, "-o", f"{tmp_path}/{node}", "--wrap", job)
    told = {node: tmp_path / node for node in slurm.nodes}
    wait_for(lambda: all(path.exists() and path.read_text() for path in told.values()), "jobs")
    assert {node: path.read_text().strip() for node, path in told.items()} == {
        node: node for node in slurm.nodes
    }
    assert slurm["n2"].on_scratch("name").read_text() == "n2\n"
    wait_for(lambda: sleeping(slurm["n2"]), "the jobs to sleep")
    assert "sleep" not in slurm.ask("ps", "ax")


def sleeping(machine):
    return [process for process in machine.processes() if process.name() == "sleep"]


def test_a_node_is_lost_and_comes_back(slurm):
    slurm.ask("sbatch", "--no-requeue", "-w", "n1", "-o", "/dev/null", "--wrap", "sleep 600")
    wait_for(lambda: sleeping(slurm["n1"]), "the job")
    (sleep,) = sleeping(slurm["n1"])
    slurm.node_down("n1")
    assert not sleep.is_running()
    slurm.calm()
    assert slurm.jobs() == []


def test_nothing_outlives_the_owner(slurm, tmp_path):
    words = (sys.executable, slurm_lab.__file__, "sh", "-c", "sinfo; exec sleep 600")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    options = {"stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(words, **options) as owner:
        assert owner.stdout.readline().startswith("PARTITION")
        family = psutil.Process(owner.pid).children(recursive=True)
        assert {"slurmctld", "slurmd", "munged"} <= {process.name() for process in family}
        owner.kill()
        _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


def test_accounting(tmp_path):
    if told := slurm_lab.obstacle(accounting=True):
        pytest.skip(told)
    with slurm_lab.slurm(accounting=True) as lab:
        lab.ask("srun", "--job-name=told", "true")
        wait_for(lambda: "told" in lab.ask("sacct", "--format=jobname"), "sacct")


ONE_MORE = """
import asyncio, pathlib
from lingqu.cluster import jobs, slurm
slurm._SBATCH_PATIENCE = 2
try:
    asyncio.run(slurm.SlurmJobs({"margin": 20}, "abc", pathlib.Path("s.json").absolute()).submit())
except jobs.NotNowError as error:
    print(error)
"""


def test_a_slurm_that_takes_no_more_jobs_says_so():
    if told := slurm_lab.obstacle():
        pytest.skip(told)
    with slurm_lab.slurm(nodes=1, jobs=2) as lab:
        lab.ask("sbatch", "--hold", "-o", "/dev/null", "--wrap", "true")
        told = lab.ask(sys.executable, "-c", ONE_MORE)
    assert told.startswith("Slurm takes no job now: Slurm temporarily unable to accept job")
