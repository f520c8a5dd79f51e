"""How things are said."""

import pytest

from lingqu.workflow.phrase import duration, last_lines, left, pace, plural, size

FACTS = {"command": "align", "what": "sort", "unit": "shards", "done": 5, "share": 0.25}
FACTS |= {"since": 100.0, "now": 110.0}


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 s"), (99.4, "99 s"), (600, "10 min"), (7200, "2.0 h"), (260_000, "3.0 days")],
)
def test_duration(seconds, told):
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("count", "told"),
    [(1, "1 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2e8, "200 MB"), (5e12, "5,000 GB")],
)
def test_size(count, told):
    assert size(count) == told


def test_counts():
    assert [plural(k, "step") for k in (0, 1, 1000)] == ["0 steps", "1 step", "1,000 steps"]


def test_pace():
    assert pace(FACTS) == "sort, 5 shards, 25 %, 30 s left"
    fast = {"what": "align", "unit": "reads", "done": 123_456, "share": None}
    assert pace(FACTS | fast) == "123,456 reads, 12,346/s"
    assert pace(FACTS | {"done": 0, "share": 0.0}) == "sort, 0 shards, 0 %"
    assert left(FACTS | {"share": 1.0}) == 0.0


def test_last_lines_of_a_log(tmp_path):
    log = tmp_path / "log"
    assert last_lines(log, 3) == []
    log.write_bytes(b"one\n\n two\x1b[31m\tthree\r\n0 %\r50 %\r100 %\nfo\xffur  \n\n")
    assert last_lines(log, 3) == [" two[31m three", "100 %", "fo\N{REPLACEMENT CHARACTER}ur"]
    log.write_text("x" * 100_000 + "\nend")
    assert last_lines(log, 1) == ["end"]
    assert len(last_lines(log, 2)) == 2
