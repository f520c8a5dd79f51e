import itertools
import os

import pytest
import slow

from lingqu.base.errors import LingquError
from lingqu.cluster import SCHEDULER_VARIABLE, default_workers, open_cluster


@pytest.mark.parametrize("backend", ["processes", "dask"])
def test_results_come_in_item_order_whatever_the_backend(backend):
    with open_cluster(2, backend) as cluster:
        assert cluster.workers == 2
        assert list(cluster.map(slow.square, range(50))) == [value * value for value in range(50)]
        with pytest.raises(LingquError, match="record 3: broken"):
            list(cluster.map(slow.fail_at_three, range(10)))
        assert list(cluster.map(slow.square, [])) == []


def test_items_are_pulled_only_a_few_ahead():
    pulled = []
    endless = (pulled.append(value) or value for value in itertools.count())
    with open_cluster(2) as cluster:
        results = cluster.map(slow.square, endless)
        assert next(results) == 0
        assert len(pulled) <= 2 * 2 + 1
        results.close()


def test_a_scheduler_file_is_found_by_option_and_by_environment(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    options = {"dashboard_address": "127.0.0.1:0", "silence_logs": "ERROR"}
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, **options) as local:
        file = tmp_path / "scheduler.json"
        file.write_text(f'{{"address": "{local.scheduler_address}"}}')
        with open_cluster(scheduler=file) as cluster:
            assert list(cluster.map(slow.square, [7])) == [49]
        monkeypatch.setenv(SCHEDULER_VARIABLE, str(file))
        with open_cluster() as cluster:
            assert list(cluster.map(slow.square, [8])) == [64]


def test_a_missing_scheduler_file_is_told(tmp_path):
    with (
        pytest.raises(LingquError, match="no scheduler file"),
        open_cluster(scheduler=tmp_path / "none.json"),
    ):
        pass


def test_threads_default_to_the_cores_this_process_may_use():
    assert default_workers() == len(os.sched_getaffinity(0))
