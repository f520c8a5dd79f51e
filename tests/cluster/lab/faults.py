"""Faults that befall a run one after the other; its bytes are those of a run without them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import psutil
from lab_run import LabRun
from slurm_lab import wait_for

LOST = r"\nlingqu: node n\d is lost"
AGAIN = "goes on elsewhere from what is finished\n"
CANCELLED = r"job \d+ ended \(CANCELLED\)"


def busy(run: LabRun) -> str:
    """A node that has a driver."""
    return run.node_of(run.drivers()[0])


def cancel_all(run: LabRun) -> None:
    """Cancel the jobs of all nodes."""
    run.slurm.ask("scancel", "--user=root")


@dataclass(frozen=True)
class Fault:
    """What happens while `during` is in the middle.

    says: a pattern of what the run says itself from then on; code: with which it ends, to be
    started again where that is not 0; stale: it leaves a scheduler file, which the next start
    takes away; mend: what to do before that.
    """

    what: str
    during: str
    happens: Callable[[LabRun], None]
    says: str = ""
    code: int = 0
    stale: bool = False
    mend: Callable[[LabRun], None] = lambda _run: None

    def __str__(self) -> str:
        return f"{self.what} in {self.during}"


def suffer(run: LabRun, faults: tuple[Fault, ...]) -> None:
    """Start a run and have the faults befall it; AssertionError, which names the fault."""
    run.start()
    for fault in faults:
        try:
            _befall(run, fault)
            if fault.code:
                fault.mend(run)
                run.start()
        except (AssertionError, TimeoutError, psutil.Error) as error:
            raise AssertionError(f"after {fault}: {error!r}; {run.brief}") from error
    assert run.end() == 0, run.brief
    run.wake()
    _check_end(run, stale=False)


def _befall(run: LabRun, fault: Fault) -> None:
    with run.middle(fault.during):
        before = len(run.said) - 1  # from the end of a line on
        fault.happens(run)
    if fault.code:
        assert run.end() == fault.code
        _check_end(run, fault.stale)
    wait_for(lambda: re.search(fault.says, run.said[before:]) or run.ended, repr(fault.says))
    wait_for(lambda: not run.to_be_ended, "what hangs to be ended")
    said = run.said[before:]
    assert re.search(fault.says, said), "what it says"
    losses = re.findall(LOST, said)
    assert len(losses) == len(set(losses)), "each loss told once"


def _check_end(run: LabRun, stale: bool) -> None:
    """Nothing is left of a run that has ended, and it told no tracebacks."""
    wait_for(lambda: not run.left, "jobs and processes on nodes to end")
    assert run.scheduler_file.exists() == stale
    assert not run.traces, "\n".join(run.traces)
