"""Whatever befalls the processes of a run on Slurm, its bytes are those of the local profile."""

import pytest
from faults import AGAIN, CANCELLED, LOST, Fault, busy, cancel_all, suffer


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


def hang_worker(run):
    run.hang(run.workers(busy(run))[:1], until_ended=True)


def hang_driver(run):
    run.hang(run.drivers()[:1], until_ended=True)


def hang_node(run):
    run.hang(run.slurm[busy(run)].processes())


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


@pytest.mark.parametrize(
    ("faults", "patience"),
    [(KILLED, 60), (HUNG, 8)],
    ids=lambda value: ", ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_bytes_are_the_same_after(faults, patience, run, expected, outputs):
    run.profile(patience=patience)
    suffer(run, faults)
    assert outputs(run.folder) == expected
