"""However often a run on Slurm is ended, it goes on, to the bytes of the local profile."""

import re
import signal
import subprocess
import sys

import pytest
from faults import Fault, suffer
from lab_run import LabRun


def start_another(run):
    other = LabRun(run.slurm, run.path, run.environment, run.log)
    other.start(machine="n3", log="another.txt")
    assert other.end() == 1
    assert "a run works here already" in other.said


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
    told = run.slurm.start(
        *(sys.executable, "-m", "lingqu", "index", "genome.fa"),
        cwd=run.path,
        env={**run.environment, "LINGQU_SCHEDULER": str(file)},
        stderr=subprocess.PIPE,
        text=True,
    )
    _, line = told.communicate()
    assert told.returncode == 1
    assert re.fullmatch(r"lingqu: error: .*scheduler.json: .*stale.*\n", line)


def fill_disk(run):
    """Write to the disk that all machines share until there is no more room."""
    file = run.folder.parent / "fill"
    with pytest.raises(OSError, match="No space left"), file.open("wb", 0) as out:
        while True:
            out.write(bytes(1 << 12))


def free_disk(run):
    (run.folder.parent / "fill").unlink()


def interrupt(run):
    run.launcher.send_signal(signal.SIGINT)


def terminate(run):
    run.launcher.terminate()


GOES_ON = "the same command goes on from here"
NO_ROOM = r"lingqu: error: .*No space left on device; free some space and run the same"
ENDED = (
    Fault("another run in the folder", "align", start_another),
    Fault("kill -9 of the launcher", "align", kill_launcher, code=-9),
    Fault("kill -9 of the owner", "align", kill_owner, "give `lingqu run` again", code=1),
    Fault("a full shared disk", "align", fill_disk, NO_ROOM, code=1, mend=free_disk),
    Fault("kill -9 of both", "call", kill_both, code=-9, stale=True),
    Fault("Ctrl-C", "call", interrupt, GOES_ON, code=130),
    Fault("SIGTERM", "joint", terminate, GOES_ON, code=143),
)


@pytest.mark.parametrize("faults", [ENDED], ids=lambda faults: ", ".join(map(str, faults)))
def test_bytes_are_the_same_after(faults, run_on_disk, expected, outputs):
    run = run_on_disk
    run.profile(nodes=1, patience=60)
    suffer(run, faults)
    assert outputs(run.folder) == expected
