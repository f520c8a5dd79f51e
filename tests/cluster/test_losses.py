"""Whatever befalls the nodes of a run on Slurm, its bytes are those of the local profile."""

import pytest
from faults import AGAIN, CANCELLED, LOST, Fault, busy, cancel_all, suffer
from slurm_lab import wait_for


def fill_scratch(run):
    """Disks are full in the middle, and when other jobs start."""
    for node in run.slurm.nodes:
        fill = f"cat /dev/zero > {run.slurm.folder}/scratch/fill || true"
        told = run.slurm[node].ask("sh", "-c", f"({fill}) 2>&1")
        assert "No space left" in told
    cancel_all(run)


def kill_slurmd(run):
    node = busy(run)
    run.slurm.daemon(node).kill()
    wait_for(lambda: run.slurm.states()[node] == "down*", "the node to be down")
    run.wait_for(lambda: "(NODE_FAIL)" in run.said, "the owner to see it")  # the run ends soon


def lose_node(run):
    run.slurm.node_down(busy(run))


def end_walltime(run):
    for job in run.slurm.jobs():
        run.slurm.ask("scontrol", "update", f"jobid={job.id}", "endtime=now+40")
    run.wait_for(lambda: "is nearly up" in run.said, "the jobs' time to be up")


GONE = (
    Fault("full scratch disks", "align", fill_scratch, CANCELLED),
    Fault("end of walltime", "align", end_walltime, r"the time of n\d is nearly up"),
    Fault("slurmd killed", "call", kill_slurmd, r"job \d+ ended \(NODE_FAIL\)"),
    Fault("a node without power", "joint", lose_node, rf"{LOST}; .*{AGAIN}"),
)


@pytest.mark.parametrize("faults", [GONE], ids=lambda faults: ", ".join(map(str, faults)))
def test_bytes_are_the_same_after(faults, run, expected, outputs):
    run.profile(patience=60)
    suffer(run, faults)
    assert outputs(run.folder) == expected
