"""Whatever happens to a run on Slurm, its bytes are those of a run with the local profile."""

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from lab_run import LabRun
from slurm_lab import wait_for


def kill_workers(run):
    for worker in run.workers():
        worker.kill()


def kill_program(run):
    run.programs(busy(run))[0].kill()


def kill_driver(run):
    run.drivers()[0].kill()


def kill_launcher(run):
    run.launcher.kill()


def kill_owner(run):
    run.owner.kill()


def kill_both(run):
    """The scheduler file stays, and is stale."""
    launcher = run.launcher
    run.owner.kill()
    launcher.kill()
    run.process.wait()
    file = run.path / ".lingqu" / "cluster" / "scheduler.json"
    assert run.slurm.seen(file).exists()
    words = (sys.executable, "-m", "lingqu", "index", "genome.fa")
    told = run.slurm.start(
        *words,
        cwd=run.path,
        env={**run.environment, "LINGQU_SCHEDULER": str(file)},
        stderr=subprocess.PIPE,
        text=True,
    )
    _, line = told.communicate()
    assert told.returncode == 1
    assert re.fullmatch(r"lingqu: error: .*scheduler.json: .*stale.*\n", line)


def interrupt(run):
    run.launcher.send_signal(signal.SIGINT)


def terminate(run):
    run.launcher.terminate()


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


def hang_worker(run):
    run.hang(run.workers(busy(run))[:1])


def hang_node(run):
    run.hang(run.slurm[busy(run)].processes())


def hang_driver(run):
    run.hang(run.drivers()[:1])


def end_walltime(run):
    for job in run.slurm.jobs():
        run.slurm.ask("scontrol", "update", f"jobid={job.id}", "endtime=now+40")
    run.wait_for(lambda: "is nearly up" in run.said, "the jobs' time to be up")


def start_another(run):
    other = LabRun(run.slurm, run.path, run.environment)
    other.start(machine="n3")
    assert other.end() == 1
    assert "a run works here already" in other.told


def busy(run) -> str:
    """A node that has a driver."""
    return run.node_of(run.drivers()[0])


@dataclass(frozen=True)
class Fault:
    """What happens while `during` is in the middle.

    says: a pattern of what the run then says itself; code: with which it ends, to be started again
    where that is not 0; still: workers stand still meanwhile, too; patience: with what stands
    still.
    """

    what: str
    happens: Callable[[LabRun], None]
    says: str = ""
    code: int = 0
    during: str = "align"
    still: bool = True
    patience: int = 8


LIVE = ("--states=PENDING,RUNNING",)
ALIGNED = ("results/align/S1.bam",)
LOST = r"\nlingqu: node n\d is lost"
AGAIN = r"align S\d.bam: goes on elsewhere from what is finished\n"
FAULTS = [
    Fault("kill -9 of workers", kill_workers),
    Fault("kill -9 of a node program, the nanny", kill_program, rf"{LOST}; {AGAIN}"),
    Fault("kill -9 of a driver", kill_driver, r"was killed \(signal 9\); goes on", during="call"),
    Fault("kill -9 of the launcher", kill_launcher, code=-9),
    Fault("kill -9 of the cluster's owner", kill_owner, "give `lingqu run` again", code=1),
    Fault("kill -9 of both", kill_both, code=-9),
    Fault("Ctrl-C", interrupt, "the same command goes on from here", code=130),
    Fault("SIGTERM", terminate, "the same command goes on from here", code=143, during="joint"),
    Fault("scancel of a job", cancel_one, r"job \d+ ended \(CANCELLED\)"),
    Fault("scancel of all jobs", cancel_all, r"job \d+ ended \(CANCELLED\)", during="call"),
    Fault("full scratch disks", fill_scratch),
    Fault("slurmd killed", kill_slurmd, r"job \d+ ended \(NODE_FAIL\)", still=False, patience=60),
    Fault("a node without power", lose_node, rf"{LOST}; {AGAIN}"),
    Fault("SIGSTOP of a worker", hang_worker),
    Fault("SIGSTOP of a node", hang_node, rf"{LOST}: not heard of for 8 s; {AGAIN}"),
    Fault("SIGSTOP of a driver", hang_driver, r"n\d was stopped, and is ended; goes on"),
    Fault(
        "end of walltime", end_walltime, r"the time of n\d is nearly up", still=False, patience=60
    ),
    Fault("another run in the folder", start_another, patience=60),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_bytes_are_the_same_after(fault, run, expected, outputs):
    wanted = ("--", *ALIGNED) if fault.during == "align" else ()
    run.profile(patience=fault.patience)
    run.start(*wanted)
    with run.middle(fault.during, fault.still):
        fault.happens(run)
    assert run.end() == fault.code, run.brief
    assert re.search(fault.says, run.said), run.brief
    losses = re.findall(LOST, run.said)
    assert len(losses) == len(set(losses)), run.brief
    traces = run.traces
    if fault.code:
        wait_for(lambda: not run.slurm.jobs(*LIVE), "the jobs to be cancelled")
        run.start(*wanted)
        assert run.end() == 0, run.brief
    run.wake()
    traces += run.traces
    wait_for(lambda: not run.processes(), "all processes on nodes to end")
    wait_for(lambda: not run.slurm.jobs(*LIVE), "the jobs to end")
    part = "align/S1" if wanted else ""
    found = outputs(run.folder)
    assert found == {name: x for name, x in expected.items() if name.startswith(part)}
    assert not traces, "\n".join(traces)


def fill(folder):
    """Write until there is no more room."""
    with pytest.raises(OSError, match="No space left"), (folder / "fill").open("wb", 0) as out:
        while True:
            out.write(bytes(1 << 12))


def test_a_full_shared_disk_is_told_and_the_bytes_are_the_same_when_there_is_room(
    run_on_disk, expected, outputs
):
    run = run_on_disk
    run.start("--", *ALIGNED)
    with run.middle("align"):
        fill(run.folder.parent)
    assert run.end() == 1, run.brief
    assert re.search(
        r"lingqu: error: .*No space left on device; free some space and run the same", run.said
    )
    traces = run.traces
    (run.folder.parent / "fill").unlink()
    run.start("--", *ALIGNED)
    assert run.end() == 0, run.brief
    found = outputs(run.folder)
    assert found == {name: x for name, x in expected.items() if name.startswith("align/S1")}
    assert not traces, "\n".join(traces)
