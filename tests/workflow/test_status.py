"""How a run stands: alive, ended, killed, on another machine, waiting for a cluster."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from lingqu.base import lock
from lingqu.base.journal import RUN_VARIABLE
from lingqu.cluster.desk import Node, Order
from lingqu.cluster.jobs import WAITING, State
from lingqu.workflow import lease
from lingqu.workflow.facts import as_json
from lingqu.workflow.record import Recorder
from lingqu.workflow.sentences import advice, cluster, detail, headline, news
from lingqu.workflow.status import look

PLAN = {"event": "plan", "time": 2.0, "rules": ["align"], "small": [], "targets": ["ref.fa"]}
PLAN |= {"steps": [[1, "align", "S1", True], [2, "align", "S2", True]]}


def start(step: int) -> dict:
    files = {"log": [f"S{step}.log"], "files": [f"out/S{step}.bam"], "reads": []}
    told = {"event": "start", "time": 3.0, "step": step, "rule": "align", "sample": f"S{step}"}
    return told | files


@pytest.fixture
def record(tmp_path):
    """A function: the record of a run in tmp_path, by a process; more events may follow."""

    def write(process: int, host: str = "", events: tuple = ()) -> None:
        recorder = Recorder(tmp_path)
        begin = {"event": "begin", "time": 1.0, "workflow": "w", "command": "lingqu run w"}
        host = host or lock.this_process().host
        recorder.hear(begin | {"process": process, "host": host, "samples": ["S1", "S2"]})
        for event in (PLAN, start(1), *events):
            recorder.hear(event)

    return write


def end(code: int) -> tuple[dict]:
    return ({"event": "end", "time": 61.0, "code": code},)


def test_a_folder_without_a_run(tmp_path):
    status = look(tmp_path)
    assert status.state == "never"
    assert headline(status) == f"nothing was run in {tmp_path} yet"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "state", "told"),
    [
        (0, "finished", "w, finished 1970-01-01"),
        (1, "failed", "w, failed 1970-01-01"),
        (143, "stopped", "after 60 s by SIGTERM"),
        (190, "stopped", "after 60 s by signal 62"),
    ],
)
def test_a_run_that_has_ended(tmp_path, record, code, state, told):
    record(1, events=end(code))
    status = look(tmp_path)
    assert status.state == state
    assert told in headline(status)
    assert ("goes on from what is finished: lingqu run w" in advice(status)) == bool(code)
    assert status.record.counts == {"interrupted": 1, "waiting": 1}
    assert as_json(status)["until"] == 61.0


HOLD = """
import sys, pathlib
from lingqu.workflow.lease import hold
with hold(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds tmp_path."""
    words = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(words, text=True, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_run_that_stands_still_and_one_that_is_gone(tmp_path, record, holder):
    assert look(tmp_path).state == "starting"
    record(1, events=end(0))
    assert look(tmp_path).state == "starting"  # the record is of the run before
    record(holder.pid)
    assert look(tmp_path).state == "running"
    holder.send_signal(signal.SIGSTOP)
    os.waitpid(holder.pid, os.WUNTRACED)
    status = look(tmp_path)
    assert status.state == "paused"
    assert advice(status).startswith(f"kill -CONT {holder.pid} lets it go on")
    holder.kill()
    holder.wait()
    status = look(tmp_path)
    assert status.state == "killed"
    assert f"nobody runs here; process {holder.pid} on " in headline(status)
    assert status.until == pytest.approx(time.time(), abs=60)
    assert status.leftovers == []


def test_what_a_killed_run_left_is_counted(tmp_path, record):
    record(2**22 + 1)
    words = [sys.executable, "-c", "print('', flush=True); import time; time.sleep(60)"]
    environment = {**os.environ, RUN_VARIABLE: str(tmp_path)}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as process:
        process.stdout.read(1)
        assert look(tmp_path).leftovers == [process.pid]
        process.kill()
    assert look(tmp_path).leftovers == []


@pytest.fixture
def elsewhere(tmp_path, monkeypatch, record):
    """The pulse of a run on another machine, whose processes are not seen."""
    monkeypatch.setattr(lease, "_BEAT", 0.05)
    record(os.getpid(), "another")
    pulse = tmp_path / ".lingqu" / "run.0123abcd.pulse"
    own = lock.Holder(os.getpid(), "another", 1, "")
    monkeypatch.setattr(lock, "this_process", lambda: own)
    pulse.write_bytes(lock.signature())
    return pulse


def test_a_run_on_another_machine_is_known_by_its_pulse(tmp_path, elsewhere):
    def beat():
        time.sleep(0.1)
        with elsewhere.open("ab") as pulse:
            pulse.write(b".")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(beat)
        status = look(tmp_path)
    assert status.state == "running"
    assert "process" in headline(status)
    assert headline(status).endswith(" on another")
    status = look(tmp_path)
    assert status.state == "killed"
    assert "on another is gone, last seen" in headline(status)
    assert [x.name for x in elsewhere.parent.iterdir()] == ["progress", elsewhere.name]


def test_a_run_that_waits_for_its_cluster_says_why(tmp_path, record, holder, monkeypatch):
    pytest.importorskip("cryptography")
    from lingqu.cluster.owner import Owner

    record(holder.pid, events=(start(2),))
    monkeypatch.setenv(RUN_VARIABLE, str(tmp_path))
    settings = {"pool": "processes", "nodes": 2, "run": "x", "look": 1, "patience": 10}
    owner = Owner(tmp_path / "scheduler.json", settings)
    owner._dask = SimpleNamespace(workers={})
    owner._desk.asked = True
    numbers = iter("12")

    async def submit() -> str:
        return next(numbers)

    async def states() -> dict:
        return {"1": State(WAITING, "Priority"), "2": State(WAITING, "QOSMaxJobs")}

    owner._pool._jobs = SimpleNamespace(submit=submit, states=states)
    for number in (1, 2):
        words = ["align", "ref.fa", "-o", f"out/S{number}.bam"]
        owner._desk.waiting.append(Order(number, words, "", {}, MagicMock()))

    async def tick() -> None:
        for _ in range(2):
            await owner._pool.tick()
        owner._note()

    asyncio.run(tick())
    status = look(tmp_path)
    assert cluster(status).startswith(
        "0 nodes, 0 cores, 0 chunks at work, 2 commands wait for a node;"
        " waiting for 2 worker jobs: "
    )
    assert "the queue is full (Priority)" in cluster(status)
    assert "a limit of your account or QOS holds them (QOSMaxJobs)" in cluster(status)
    assert all(x["waits_for_a_node"] for x in as_json(status)["work"])
    assert detail(status, 1, status.record.steps[1]) == "waits for a node"

    owner._desk.nodes["n1-7"] = Node(MagicMock(), "n1-7", "n1", "1", 4, 1, 1e12)
    owner._desk.give_out()
    owner._note()
    (tmp_path / "S1.log").write_text("lingqu: compiling\n")
    status = look(tmp_path)
    assert "1 node, 4 cores, 0 chunks at work, 1 command waits for a node" in news(status)
    assert detail(status, 1, status.record.steps[1]).endswith(", on n1, compiling")
    assert as_json(status)["work"][0]["node"] == "n1"
