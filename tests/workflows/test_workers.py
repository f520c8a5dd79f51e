"""The germline workflow on nodes that are processes of this machine: the same bytes, few jobs."""

import contextlib
import os
import re
import signal

import psutil
import pytest

pytest.importorskip("cryptography")

PROFILE = {
    "config.yaml": "cores: 4\nshow-failed-logs: true\n",
    "workers.yaml": "pool: processes\nnodes: 2\nthreads: 1\nprocesses: 1\nlook: 1\n",
}


@pytest.fixture
def nodes(project):
    """The project, with a profile `nodes`."""
    folder = project / "config" / "profiles" / "nodes"
    folder.mkdir(parents=True)
    for name, text in PROFILE.items():
        (folder / name).write_text(text)
    return project


def programs(process, name: str) -> list[psutil.Process]:
    """Processes of a run that run a module of lingqu.cluster."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [child] if f"lingqu.cluster.{name}" in child.cmdline() else []
    return found


def test_work_on_nodes_gives_the_same_bytes_and_is_not_done_twice(
    finished, nodes, commands, outputs
):
    words = (*commands.lingqu, "run", "germline", "--profile", "nodes", "--verbose")
    told = []
    with commands.start(nodes, *words) as process:
        for line in process.stdout:
            told.append(line)
            if line.startswith(("localrule call", "rule call")):
                break
        drivers = []
        while not drivers:
            assert process.poll() is None
            drivers = programs(process, "drive")
        drivers[0].send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
    told = "".join(told) + rest
    assert process.returncode == 0, told
    assert outputs(nodes) == outputs(finished)
    assert re.search(r"lingqu: 2 worker jobs, \d.\d+ core-hours, \d+ % of it at work", told)
    assert not (nodes / ".lingqu" / "cluster" / "scheduler.json").exists()
    for profile in ("nodes", "local"):
        ran = commands.germline(nodes, "--profile", profile)
        assert ran.returncode == 0, ran.stdout
        assert "Nothing to be done" in ran.stdout
        assert "worker jobs" not in ran.stdout


def test_a_fault_of_a_step_on_a_node_is_told_in_one_line(nodes, commands, demo):
    reads = (demo / "NA12878_L001_R1.fastq.gz").read_bytes()
    (nodes / "reads" / "cut.fastq.gz").write_bytes(reads[:100_000])
    (nodes / "config" / "samples.tsv").write_text("sample\tlane\tr1\nS1\tL1\treads/cut.fastq.gz\n")
    ran = commands.germline(nodes, "--profile", "nodes")
    assert ran.returncode == 1
    fault = "lingqu: error: align S1.bam: reads/cut.fastq.gz: truncated gzip file"
    assert any(line.startswith(fault) for line in ran.stdout.splitlines()), ran.stdout


def test_what_is_wrong_with_workers_is_told_before_anything_runs(nodes, commands):
    (nodes / "config" / "profiles" / "nodes" / "workers.yaml").write_text("nodes: 0\n")
    ran = commands.germline(nodes, "--profile", "nodes")
    assert ran.returncode == 1
    assert ran.stdout.startswith("lingqu: error: config/profiles/nodes/workers.yaml:1:1: 'nodes'")
    assert ran.stdout.count("\n") == 1
    assert os.listdir(nodes / "results") == []
