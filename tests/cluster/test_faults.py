"""Whatever befalls the nodes of a run on Slurm, its bytes are those of the local profile."""

import pytest
from faults import LOST, Fault, suffer
from slurm_lab import wait_for


def busy(run) -> str:
    """A node that has a driver."""
    return run.node_of(run.drivers()[0])


def kill_workers(run):
    for worker in run.workers():
        worker.kill()


def kill_program(run):
    run.programs(busy(run))[0].kill()


def kill_driver(run):
    run.drivers()[0].kill()


def cancel_one(run):
    node = busy(run)
    run.slurm.ask("scancel", *(job.id for job in run.slurm.jobs() if job.node == node))


def cancel_all(run):
    run.slurm.ask("scancel", "--user=root")


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


def lose_node(run):
    run.slurm.node_down(busy(run))


def end_walltime(run):
    for job in run.slurm.jobs():
        run.slurm.ask("scontrol", "update", f"jobid={job.id}", "endtime=now+40")
    run.wait_for(lambda: "is nearly up" in run.said, "the jobs' time to be up")


def hang_worker(run):
    run.hang(run.workers(busy(run))[:1], until_ended=True)


def hang_driver(run):
    run.hang(run.drivers()[:1], until_ended=True)


def hang_node(run):
    run.hang(run.slurm[busy(run)].processes())


AGAIN = "goes on elsewhere from what is finished\n"
CANCELLED = r"job \d+ ended \(CANCELLED\)"
KILLED = (
    Fault("kill -9 of workers", "align", kill_workers),
    Fault("kill -9 of a node's program", "align", kill_program, rf"{LOST}; .*bam: {AGAIN}"),
    Fault("scancel of a job", "align", cancel_one, CANCELLED),
    Fault("kill -9 of a driver", "call", kill_driver, r"was killed \(signal 9\); goes on"),
    Fault("scancel of all jobs", "joint", cancel_all, CANCELLED),
)
HUNG = (
    Fault("SIGSTOP of a worker", "align", hang_worker),
    Fault("SIGSTOP of a driver", "call", hang_driver, r"n\d was stopped, and is ended; goes on"),
    Fault("SIGSTOP of a node", "joint", hang_node, rf"{LOST}: not heard of for 8 s; .*{AGAIN}"),
)
GONE = (
    Fault("full scratch disks", "align", fill_scratch, CANCELLED),
    Fault("end of walltime", "align", end_walltime, r"the time of n\d is nearly up"),
    Fault("slurmd killed", "call", kill_slurmd, r"job \d+ ended \(NODE_FAIL\)"),
    Fault("a node without power", "joint", lose_node, rf"{LOST}; .*{AGAIN}"),
)


@pytest.mark.parametrize(
    ("faults", "patience"),
    [(KILLED, 60), (HUNG, 8), (GONE, 60)],
    ids=lambda value: ", ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_bytes_are_the_same_after(faults, patience, run, expected, outputs):
    run.profile(patience=patience)
    suffer(run, faults)
    assert outputs(run.folder) == expected
