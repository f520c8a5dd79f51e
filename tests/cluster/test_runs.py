"""Runs on Slurm: the same bytes as with the local profile, in all the ways there are."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from slurm_lab import wait_for

from lingqu.base.resources import house

LIVE = ("--states=PENDING,RUNNING,COMPLETING",)


@pytest.mark.parametrize("nodes", [1, 3])
def test_few_jobs_and_the_same_bytes(nodes, run, expected, outputs):
    run.profile(nodes=nodes)
    before = run.slurm.jobs("--states=all")
    run.start()
    assert run.end() == 0, run.brief
    assert outputs(run.folder) == expected
    assert f"lingqu: {nodes} worker jobs, " in run.told
    assert len(run.slurm.jobs("--states=all")) - len(before) == nodes


def test_all_of_it_in_one_job(run, expected, outputs):
    script = house("config") / "profiles" / "slurm" / "lingqu-run.sh"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    sizes = ("--nodes=3", "--time=10", "--output=told-0.txt")
    run.process = run.slurm.start(  # its --wait looks ever more rarely
        *("sbatch", *sizes, script), cwd=run.path, env={**run.environment, "PATH": path}
    )
    assert run.end() == 0, run.brief
    wait_for(lambda: not run.slurm.jobs(*LIVE), "the job to end", 240)
    last = max(run.slurm.jobs("--states=all"), key=lambda job: int(job.id))
    assert last.state == "COMPLETED", run.brief
    assert outputs(run.folder) == expected


def test_plain_snakemake(run, expected, outputs):
    workflow = house("workflows") / "germline" / "Snakefile"
    command = (sys.executable, "-m", "snakemake", "-s", workflow, "--profile")
    command = (*command, "config/profiles/slurm", "--configfile", "config/germline.yaml")
    # each look in vain makes the next one 10 seconds later: at 2 and 14 seconds of a step
    command = (*command, "--slurm-init-seconds-before-status-checks", "2")
    command = (*command, "--set-threads", "index=2", "align=2", "--", "results/align/S1.bam")
    run.process = run.slurm.start(*command, cwd=run.path, env=run.environment)
    assert run.end() == 0, run.brief
    found = outputs(run.folder)
    assert found == {name: x for name, x in expected.items() if name.startswith("align/S1")}


def test_a_run_tells_what_it_waits_for(run):
    nodes = ",".join(run.slurm.nodes)
    run.slurm.ask("scontrol", "update", f"nodename={nodes}", "state=drain", "reason=test")
    run.start("--", "results/reference.json")
    run.wait_for(lambda: "waiting for 2 worker jobs: nodes are down" in run.told, "its wait")
    status = (sys.executable, "-m", "lingqu", "status", "--json", run.path)
    for machine in ("login", "n1"):  # processes of the one are not seen from the other

        def look(machine=machine):
            return json.loads(run.slurm[machine].ask(*status))

        run.wait_for(lambda: "nodes are down" in look()["cluster"]["why"], "why it waits")
        told = look()
        assert (told["state"], told["host"]) == ("running", "login")
        (index,) = [step for step in told["work"] if step["rule"] == "index"]
        assert index["waits_for_a_node"]
    run.slurm.ask("scontrol", "update", f"nodename={nodes}", "state=resume")
    assert run.end() == 0, run.brief


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"memory": "999G"}, "node configuration is not available; mend the profile"),
        ({"setup": ["echo no such module; exit 3"]}, "3 worker jobs in a row .* no such module"),
    ],
)
def test_jobs_that_cannot_be(settings, says, run):
    run.profile(**settings)
    run.start("--", "results/reference.json")
    assert run.end() == 1
    assert re.search(says, run.told), run.brief
    wait_for(lambda: not run.slurm.jobs(*LIVE), "the jobs to end")
