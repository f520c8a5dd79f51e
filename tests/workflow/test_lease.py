"""A folder has one live run; a dead one does not hold it, and its processes are ended."""

import os
import signal
import subprocess
import sys
import time

import pytest

from lingqu.base.errors import LingquError
from lingqu.workflow.lease import RUN_VARIABLE, end_leftovers, hold

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
