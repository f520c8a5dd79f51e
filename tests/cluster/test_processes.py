"""Forked processes: what they get, and what becomes of them when one of them or all is killed."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from lingqu.base import lock
from lingqu.base.errors import LingquError
from lingqu.cluster import open_cluster

DRIVER = """
import os, sys, time
from pathlib import Path
from lingqu.base import lock
from lingqu.cluster import open_cluster
def tell(item):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(60)
lock.lock(Path(sys.argv[1], "lock"))
with open_cluster(2) as cluster:
    list(cluster.map(tell, range(2)))
"""


def process_of(_item) -> int:
    time.sleep(0.02)
    return os.getpid()


def total_of(item) -> int:
    item["a"][0] += 1  # its own to change
    return int(item["a"].sum()) + item["more"]


def end_itself(item) -> int:
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_one_core_needs_no_other_process():
    with open_cluster(1) as cluster:
        assert set(cluster.map(process_of, range(5))) == {os.getpid()}


def test_several_cores_are_processes_of_their_own():
    with open_cluster(2) as cluster:
        found = set(cluster.map(process_of, range(20)))
        assert len(found) == 2
        assert os.getpid() not in found
    assert not any(map(psutil.pid_exists, found))


def test_big_items_are_seen_as_they_were_and_then_forgotten():
    files = len(os.listdir("/proc/self/fd"))
    items = [{"a": np.full(50_000, value), "more": value} for value in range(20)]
    with open_cluster(2) as cluster:
        told = list(cluster.map(total_of, items))
    assert told == [50_001 * value + 1 for value in range(20)]
    assert all(item["a"][0] == value for value, item in enumerate(items))
    assert len(os.listdir("/proc/self/fd")) == files


def test_a_worker_that_is_killed_is_told():
    with open_cluster(2) as cluster, pytest.raises(LingquError, match="a worker process was kill"):
        list(cluster.map(end_itself, range(10)))


def test_workers_and_locks_go_with_a_driver_that_is_killed(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", DRIVER, str(tmp_path)])
    while len(names := [path.name for path in tmp_path.iterdir() if path.name != "lock"]) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    os.close(lock.lock(tmp_path / "lock"))
    deadline = time.monotonic() + 30
    while any(map(psutil.pid_exists, map(int, names))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
