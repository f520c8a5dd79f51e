"""How far files are read, by whoever reads them."""

import gzip
import os

from isal import igzip

from lingqu.base.reading import Reading


def test_files_in_their_order_some_side_by_side(tmp_path):
    paths = [tmp_path / name for name in ("a1", "a2", "b1", "b2")]
    for path in paths:
        path.write_bytes(bytes(100_000))
    reading = Reading(paths)
    assert reading.share() is None
    with paths[0].open("rb", buffering=0) as one, paths[1].open("rb", buffering=0) as two:
        assert reading.share() == 0.0
        one.read(50_000)
        two.read(30_000)
        assert reading.share() == 0.2
    assert reading.share() == 0.5
    with paths[3].open("rb", buffering=0) as one:
        one.read(10_000)
        assert reading.share() == 0.775
    assert reading.share() == 1.0


def test_compressed_text_is_counted_as_it_lies_on_the_disk(tmp_path):
    path = tmp_path / "reads.gz"
    path.write_bytes(gzip.compress(os.urandom(3_000_000)))
    reading = Reading([path])
    with igzip.open(path, "rb") as stream:
        stream.read(1_500_000)
        assert 0.4 < reading.share() < 0.8
        stream.read()
        assert reading.share() == 1.0


def test_what_has_no_size_tells_nothing(tmp_path):
    assert Reading([]).share() is None
    assert Reading([tmp_path / "none"]).share() is None
    os.mkfifo(tmp_path / "pipe")
    assert Reading([tmp_path / "pipe"]).share() is None
