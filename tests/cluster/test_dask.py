"""How big tasks are: on a simulated cluster, whose scheduler takes its time for each of them."""

import heapq
import time
from itertools import repeat
from types import SimpleNamespace

import numpy as np
import pytest

from lingqu.cluster import open_cluster
from lingqu.cluster.dask import Dask
from lingqu.cluster.pace import Pace
from lingqu.cluster.parcels import Parcels
from lingqu.cluster.usage import Usage

TASK = 4e-3
"""CPU seconds of the scheduler for a task."""


def simulated(seconds: np.ndarray, cores: int, known: bool) -> tuple[float, float, int]:
    """(time until all is done, CPU of the scheduler as a share of that, tasks) of a map.

    A task starts when the scheduler has dealt with it and a core is free, first come first served.
    """
    pace = Pace(seconds if known else iter(seconds))
    free, flying = [0.0] * cores, []
    now, at, tasks, ahead = 0.0, 0, 0, 2 * cores
    while at < len(seconds):
        size = pace.size(cores, ahead, now)
        own = seconds[at : at + size]
        at += len(own)
        pace.take(len(own))
        now += TASK
        tasks += 1
        end = max(heapq.heappop(free), now) + own.sum()
        heapq.heappush(free, end)
        heapq.heappush(flying, (end, tasks, Usage(len(own), wall=own.sum())))
        while len(flying) >= ahead or (flying and flying[0][0] <= now):
            end, _, cost = heapq.heappop(flying)
            now = max(now, end)
            pace.note(cost)
    whole = max(free)
    return whole, tasks * TASK / whole, tasks


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("each", [0.05, 0.36, 3.0])
@pytest.mark.parametrize("cores", [4, 64, 512])
def test_the_scheduler_keeps_up_and_no_core_waits_long(cores, each, known):
    seconds = np.random.default_rng(1).gamma(4, each / 4, int(200 * cores / each))
    whole, busy, _ = simulated(seconds, cores, known)
    assert busy < 0.6
    assert whole < 1.15 * seconds.sum() / cores


@pytest.mark.parametrize("cores", [4, 64, 1000])
def test_few_long_items_go_one_by_one(cores):
    seconds = np.repeat(30.0, 3 * cores)
    assert simulated(seconds, cores, known=True)[2] == len(seconds)


def test_few_items_are_shared_out():
    whole, _, tasks = simulated(np.repeat(0.5, 4000), 1000, known=True)
    assert tasks > 2000
    assert whole < 1.5 * 4000 * TASK


@pytest.mark.parametrize("items", [[0] * 10**6, repeat(0)])
def test_items_of_no_time_do_not_all_go_into_one_task(items):
    pace = Pace(items)
    assert pace.size(1000, 2000, 0) == 1
    pace.note(Usage(1, wall=1e-7))
    assert pace.size(1000, 2000, 1e6) == 256


def test_a_task_holds_few_big_items():
    driver = SimpleNamespace(parcels=Parcels("127.0.0.1", ""))
    items = iter([np.zeros(11_000_000, np.uint8)] * 5)
    assert [len(Dask.handed_in(driver, items)) for _ in range(3)] == [3, 2, 0]
    assert len(Dask.handed_in(driver, iter(range(100)))) == 100
    driver.parcels.close()


def slowly(value: int) -> int:
    time.sleep(0.1)
    return value


def test_a_line_that_was_cut_is_made_anew():
    with open_cluster(2, "dask") as cluster:
        got = []
        for value in cluster.map(slowly, range(30)):
            got.append(value)
            client = cluster._client
            if value in (5, 15):
                client.loop.add_callback(client.scheduler_comm.comm.abort)
            if value == 20:
                client.close()
        assert got == list(range(30))
        assert not cluster.pending
