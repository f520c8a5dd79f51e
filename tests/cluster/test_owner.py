"""A cluster of three nodes that are processes of this machine: work, manners and mishaps."""

import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock

import numpy as np
import psutil
import pytest
import slow

from lingqu.base.errors import LingquError
from lingqu.cluster import (
    SCHEDULER_VARIABLE,
    hire,
    open_cluster,
    owner,
    rendezvous,
    security,
    wire,
)
from lingqu.cluster.desk import Node

pytest.importorskip("cryptography")

PROGRAM = Path(__file__).parent / "program"
SETTINGS = {
    "pool": "processes",
    "nodes": 3,
    "threads": 1,
    "processes": 1,
    "drivers": 2,
    "walltime": 3600,
    "margin": 20,
    "patience": 10,
    "look": 1,
    "driver": "slow",
}


def wait(what: Callable, seconds: float = 60.0):
    """What `what` gives once that is anything."""
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def children(process: int) -> list[int]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [child.pid for child in psutil.Process(process).children()]
    return []


def is_worker(process: int) -> bool:
    with contextlib.suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


@dataclass
class Crew:
    """A hired cluster; `work` is a folder that its drivers note in."""

    file: Path
    work: Path
    environment: dict

    def thin(self, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "lingqu", *words],
            env=self.environment,
            cwd=self.work,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def noted(self, name: str) -> list[list[int]]:
        path = self.work / f"{name}.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [[int(word) for word in line.split()] for line in lines]

    def owner(self) -> int:
        return rendezvous.read(self.file).pid

    def nodes(self) -> list[int]:
        return children(self.owner())


@contextlib.contextmanager
def crew(folder: Path, **changes):
    (folder / "work").mkdir(parents=True)
    path = f"{PROGRAM}:{os.environ.get('PYTHONPATH', '')}"
    environment = {**os.environ, "PYTHONPATH": path}
    with hire.hired(folder / "cluster", SETTINGS | changes, environment) as connected:
        file = Path(connected[SCHEDULER_VARIABLE])
        yield Crew(file, folder / "work", connected)


@contextlib.contextmanager
def busy(hired: Crew):
    """A command in the midst of its chunks, held until the end: (it, its driver, its node)."""
    (hired.work / "hold").touch()
    before = len(hired.noted("drivers"))
    process = hired.thin("align", str(hired.work), "40")
    wait(lambda: len(hired.noted("drivers")) > before)
    (driver,) = hired.noted("drivers")[-1]
    (node,) = [node for node in hired.nodes() if driver in children(node)]
    wait(lambda: any(map(is_worker, children(node))))
    time.sleep(1)  # it has mapped some
    yield process, driver, node
    (hired.work / "hold").unlink()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A cluster for tests that leave it as they find it."""
    with crew(tmp_path_factory.mktemp("shared")) as hired:
        # nodes come with the first command
        hired.thin("adopt", str(hired.work), "0").communicate(timeout=60)
        yield hired


def test_lines_and_exit_code_of_a_command_come_through(shared):
    for code in (0, 3):
        out, err = (process := shared.thin("adopt", str(shared.work), str(code))).communicate()
        assert process.returncode == code
        assert out == f"adopt of {code}\n"
        assert err == "a word on the side\n"


def test_commands_run_at_once_and_their_chunks_on_all_nodes(shared):
    started = [shared.thin("call", str(shared.work), "60") for _ in range(3)]
    for process in started:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out == f"call of 60\nsum {sum(range(60))}\n"
    noted = shared.noted("chunks")
    assert sorted(number for number, _ in noted) == sorted(3 * list(range(60)))
    assert len({process for _, process in noted}) > 1


def test_results_are_those_of_threads(shared):
    with open_cluster(scheduler=shared.file) as cluster:
        assert list(cluster.map(slow.square, range(500))) == [value**2 for value in range(500)]
        assert list(cluster.map(slow.square, [])) == []
        results = cluster.map(slow.fail_at_three, range(10))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(LingquError, match="record 3: broken"):
            next(results)


def test_big_items_do_not_pass_the_scheduler(shared):
    arrays = [np.arange(k, k + 50_000) for k in range(30)]
    with open_cluster(scheduler=shared.file) as cluster:
        totals = list(cluster.map(slow.total, ((k, array) for k, array in enumerate(arrays))))
        assert cluster.parcels.held == 0
    assert totals == [int(k + array.sum()) for k, array in enumerate(arrays)]


def test_a_piece_of_work_that_kills_its_workers_is_told(shared):
    with (
        open_cluster(scheduler=shared.file) as cluster,
        pytest.raises(LingquError, match="deadly: 4 workers died over one and the same piece"),
    ):
        list(cluster.map(slow.deadly, [0]))


def test_the_scheduler_file_and_its_keys_are_private(shared):
    assert shared.file.parent.stat().st_mode & 0o777 == 0o700
    for name in (security.KEY, security.CERTIFICATE):
        assert (shared.file.parent / name).stat().st_mode & 0o777 == 0o600
    assert rendezvous.read(shared.file).address.startswith("tls://")


def test_who_has_other_keys_or_none_is_refused(shared, tmp_path):
    told = rendezvous.read(shared.file)
    security.make_credentials(tmp_path, "other")
    other = replace(told, file=tmp_path / "scheduler.json")
    rendezvous.write(other)
    with pytest.raises(LingquError, match="no scheduler answers"):
        for _ in wire.Call(other):
            pass
        raise other.gone()  # the handshake may end only after the first word
    with (
        pytest.raises(LingquError, match="no scheduler answers"),
        open_cluster(scheduler=other.file),
    ):
        pass
    anyone = ssl.create_default_context()
    anyone.check_hostname, anyone.verify_mode = False, ssl.CERT_NONE
    for place in (told.desk, told.address.partition("://")[2]):
        host, _, port = place.rpartition(":")
        with (
            pytest.raises((ssl.SSLError, OSError)),
            socket.create_connection((host, int(port))) as plain,
            anyone.wrap_socket(plain) as connection,
        ):
            connection.sendall(b"{}\n")
            if not connection.recv(1):
                raise OSError("hung up")


def test_a_command_that_is_ended_ends_its_driver(shared):
    with busy(shared) as (process, driver, _node):
        process.send_signal(signal.SIGTERM)
        process.communicate()
        wait(lambda: not Path(f"/proc/{driver}").exists())


def test_work_goes_on_when_something_is_killed(shared):
    for victim in ("driver", "worker", "node"):
        with busy(shared) as (process, driver, node):
            workers = [child for child in children(node) if is_worker(child)]
            for own in {"driver": [driver], "worker": workers, "node": [node]}[victim]:
                os.kill(own, signal.SIGKILL)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.endswith(f"sum {sum(range(40))}\n")
        assert ("goes on elsewhere" in err) == (victim != "worker")
        assert (shared.noted("drivers")[-1] == [driver]) == (victim == "worker")
    wait(lambda: len(set(shared.nodes()) - {node}) == 3)


def test_a_hung_driver_is_given_up(tmp_path):
    with crew(tmp_path, patience=5, nodes=2) as hired:
        with busy(hired) as (process, driver, _node):
            os.kill(driver, signal.SIGSTOP)
            wait(lambda: not Path(f"/proc/{driver}").exists())
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "was stopped, and is ended; goes on elsewhere" in err
        assert out.endswith(f"sum {sum(range(40))}\n")


def test_a_hung_worker_is_given_up(shared):
    with busy(shared) as (process, _driver, node):
        stopped = [child for child in children(node) if is_worker(child)]
        for worker in stopped:
            os.kill(worker, signal.SIGSTOP)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.endswith(f"sum {sum(range(40))}\n")
    wait(lambda: not any(Path(f"/proc/{worker}").exists() for worker in stopped))


def test_who_is_not_heard_of_is_given_up_but_not_by_an_owner_that_was_away(monkeypatch, tmp_path):
    clock, said = [100.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    own = owner.Owner(tmp_path / "scheduler.json", SETTINGS | {"run": "x", "patience": 15})
    own._dask = SimpleNamespace(workers={}, stream_comms={}, client_comms={})
    own._jobs = SimpleNamespace(end=AsyncMock())
    own._desk._say = said.append
    node = Node(MagicMock(), "n1-7", "n1", "4", 2, 2, 1e12, seen=100.0)
    own._desk.nodes[node.name] = node

    async def look(at: float) -> None:
        clock[0] = at
        await own._check()

    async def looks() -> None:
        await look(200.0)  # after a SIGSTOP, say: what nodes sent since is not yet read
        for at in range(201, 214):
            await look(at)
            assert node.name in own._desk.nodes
        await look(215.0)

    asyncio.run(looks())
    assert own._desk.nodes == {}
    assert said == ["node n1 is lost: not heard of for 15 s; others take its chunks"]
    own._jobs.end.assert_called_once_with("4")


def test_a_node_whose_time_is_nearly_up_gives_back_its_work(tmp_path):
    with crew(tmp_path, walltime=15, margin=6, nodes=1) as hired:
        (hired.work / "hold").touch()
        process = hired.thin("align", str(hired.work), "12")
        wait(lambda: len(hired.noted("drivers")) > 1)
        (hired.work / "hold").unlink()
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert "is up; goes on elsewhere" in err
        assert out.endswith(f"sum {sum(range(12))}\n")


def test_nothing_is_left_when_the_owner_is_killed(tmp_path):
    with crew(tmp_path, nodes=1) as hired:
        (hired.work / "hold").touch()
        process = hired.thin("align", str(hired.work), "5")
        wait(lambda: hired.noted("drivers"))
        ((driver,),) = hired.noted("drivers")
        nodes = hired.nodes()
        os.kill(hired.owner(), signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "the file is stale" in err
        for own in (driver, *nodes):
            wait(lambda own=own: not Path(f"/proc/{own}").exists())
        again = hired.thin("align", str(hired.work), "5")
        _, err = again.communicate(timeout=60)
        assert again.returncode == 1
        assert "no scheduler answers" in err
        assert err.count("\n") == 1


def test_jobs_that_die_at_once_are_given_up(tmp_path):
    with crew(tmp_path, walltime=None, nodes=1) as hired:
        process = hired.thin("align", str(hired.work), "5")
        _, err = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "3 worker jobs in a row ended before they could work" in err
        assert "TypeError" in err


def test_a_dashboard_needs_bokeh(tmp_path, capfd):
    if importlib.util.find_spec("bokeh"):
        with crew(tmp_path, dashboard=True):
            pass
        assert "dashboard: http://127.0.0.1:" in capfd.readouterr().err
    else:
        with pytest.raises(LingquError, match="did not start"), crew(tmp_path, dashboard=True):
            pass
        assert "pip install bokeh" in capfd.readouterr().err


def test_an_interface_that_is_not_there_is_told_at_once(tmp_path, capfd):
    with pytest.raises(LingquError, match="did not start"), crew(tmp_path, interface="none0"):
        pass
    assert capfd.readouterr().err.startswith("lingqu: error: 'none0' is not a valid network")


def test_a_command_of_another_version_is_refused(shared):
    call = wire.Call(rendezvous.read(shared.file))
    call.send(
        {"kind": "command", "version": "0.0.0", "words": [], "folder": "/", "environment": {}}
    )
    (answer,) = call
    assert "use one version everywhere" in answer["fault"]


def test_help_and_light_commands_need_no_cluster(tmp_path):
    environment = {**os.environ, SCHEDULER_VARIABLE: str(tmp_path / "none.json")}
    for words, code in ((("align", "--help"), 0), (("kernels",), 0), (("align",), 1)):
        ran = subprocess.run(
            [sys.executable, "-m", "lingqu", *words],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == code, ran.stderr
    assert "no scheduler file" in ran.stderr


def test_what_is_no_scheduler_file_is_told(tmp_path):
    for text in ("no", "[]", json.dumps({"run": "x"})):
        (tmp_path / "file").write_text(text)
        with pytest.raises(LingquError, match="no scheduler file"):
            rendezvous.read(tmp_path / "file")
