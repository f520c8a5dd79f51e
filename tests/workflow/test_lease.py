"""A folder has one live run; a dead one does not hold it, and its processes are ended."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lingqu.base import lock
from lingqu.base.errors import LingquError
from lingqu.base.journal import RUN_VARIABLE
from lingqu.workflow import lease
from lingqu.workflow.lease import end_leftovers, hold

HOLD = """
import sys, time, pathlib
from lingqu.workflow.lease import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds tmp_path."""
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_second_run_is_refused_with_the_process_of_the_first(tmp_path, holder):
    told = f"a run works here already .process {holder.pid} "
    with pytest.raises(LingquError, match=told), hold(tmp_path):
        pass


def test_a_killed_run_holds_nothing(tmp_path, holder):
    holder.kill()
    holder.wait()
    with hold(tmp_path):
        pass


def test_stale_locks_of_snakemake_are_removed(tmp_path):
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").write_text("x")
    with hold(tmp_path):
        assert not locks.exists()


def test_live_plain_snakemake_keeps_its_folder(tmp_path):
    locks = tmp_path / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").write_text("x")
    words = [sys.executable, "-c", "import time; time.sleep(60)", "snakemake"]
    with subprocess.Popen(words, cwd=tmp_path) as process:
        time.sleep(0.1)
        told = f"snakemake .process {process.pid}. works here"
        try:
            with pytest.raises(LingquError, match=told), hold(tmp_path):
                pass
        finally:
            process.kill()
    assert locks.exists()


def test_leftovers_are_ended_and_no_others(tmp_path):
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    marked = {**os.environ, RUN_VARIABLE: str(tmp_path)}
    other = {**os.environ, RUN_VARIABLE: str(tmp_path / "other")}
    with (
        subprocess.Popen(words, env=marked) as left,
        subprocess.Popen(words, env=other) as stays,
    ):
        time.sleep(0.1)
        assert end_leftovers(tmp_path) == 1
        assert left.wait() == -signal.SIGKILL
        assert stays.poll() is None
        stays.kill()


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The pulse of a run on another machine, whose locks are not seen."""
    monkeypatch.setattr(lease, "_BEAT", 0.05)
    state = tmp_path / ".lingqu"
    state.mkdir()
    pulse = state / "run.0123abcd.pulse"
    pulse.write_bytes(lock.signature())
    monkeypatch.setattr(lock.socket, "gethostname", lambda: "another")
    return pulse


def test_a_stopped_run_is_told_apart(tmp_path, holder):
    holder.send_signal(signal.SIGSTOP)
    os.waitpid(holder.pid, os.WUNTRACED)
    with pytest.raises(LingquError, match=f"kill -CONT {holder.pid} lets"), hold(tmp_path):
        pass


def test_a_live_run_on_another_machine_is_left_alone(tmp_path, elsewhere):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: (time.sleep(0.1), elsewhere.write_bytes(lock.signature() + b".")))
        with pytest.raises(LingquError, match="a run works here already"), hold(tmp_path):
            pass
    assert elsewhere.exists()


def test_a_dead_run_on_another_machine_is_taken_over(tmp_path, elsewhere, capsys):
    with hold(tmp_path):
        (pulse,) = elsewhere.parent.glob("run.*.pulse")
        assert pulse != elsewhere
        assert lock.holder(pulse) == lock.this_process()
        assert "watching whether the run of process" in capsys.readouterr().err
    assert not list(elsewhere.parent.glob("run.*.pulse"))


def test_a_run_that_was_taken_over_ends_what_it_does(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(lease, "_BEAT", 0.05)
    words = [sys.executable, "-c", "import time; time.sleep(60)"]
    with hold(tmp_path):
        (pulse,) = (tmp_path / ".lingqu").glob("run.*.pulse")
        newer = pulse.with_name("run.0123abcd.pulse")
        with subprocess.Popen(words, env={**os.environ, RUN_VARIABLE: str(tmp_path)}) as child:
            pulse.rename(newer)
            assert child.wait(20) == -signal.SIGKILL
    assert newer.exists()
    assert "took it over; this run ends" in capsys.readouterr().err
