"""The owner and drivers of a run with more workers than there are cores; they do nothing."""

from pathlib import Path

import pytest

pytest.importorskip("cryptography")

MOST_GROWN = 12 << 20


@pytest.fixture
def scheduler(monkeypatch):
    """The benchmark."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "benchmarks"))
    import scheduler

    return scheduler


def test_every_chunk_runs_once_and_in_order_and_the_owner_does_not_grow(scheduler, tmp_path):
    with scheduler.crew(tmp_path, workers=20, threads=1, processes=1) as made:
        first, ordered = made.map("at_once", 500, drivers=2)
        assert ordered
        last, ordered = made.map("at_once", 5000, drivers=2)
        assert ordered
        rest, ordered = made.map("rest", 200, drivers=2)
        assert ordered
    assert sorted(made.ran()) == list(range(5700))
    assert rest.tasks == 200
    assert last.tasks < 5000 / 4
    assert rest.memory - first.memory < MOST_GROWN
