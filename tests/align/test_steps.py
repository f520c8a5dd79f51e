"""Steps on workers take many chunks with few open files."""

import struct
import subprocess
import sys

import numpy as np

from lingqu.align import steps
from lingqu.formats import bgzf

MANY = """
import resource
import sys
from pathlib import Path

import numpy as np

from lingqu.align import join, steps
from lingqu.align.duplicates import COLUMNS
from lingqu.formats.arrays import write_arrays

folder, count = Path(sys.argv[1]), 100
for number in range(count):
    ends = {f"ends_{name}": np.zeros(2, kind) for name, kind in COLUMNS.items()}
    ends["ends_first_key"] += [number % 10, 50]
    ends["ends_second_key"] += number + np.arange(2)
    ends["ends_template"] += np.arange(2, dtype=np.int32)
    records = {
        "key": np.array([5, 7, 70]),
        "span": np.ones(3, np.int32),
        "offset": np.arange(4) * 2,
        "template": np.zeros(3, np.int32),
        "data": np.full(6, number, np.uint8),
    }
    write_arrays(steps.chunk_path(folder, number), {}, ends | records)
    write_arrays(steps.shard_path(folder, number), {}, {"blocks": np.zeros(3, np.uint8)})
table = {name: np.zeros(count, np.int64) for name in ("group", "library", "distance")}
table["first_template"] = 2 * np.arange(count)
write_arrays(folder / "chunks", {"umis": False}, table)
write_arrays(folder / "duplicates", {}, {"kind": np.zeros(2 * count, np.uint8)})
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

task = steps.StretchTask(folder, folder, 0, 0, count, 6, 80)
columns, data = steps._gather(task)
assert columns["key"].tolist() == [7, 70] * count
assert data.tolist() == [number for number in range(count) for _ in range(4)]
assert columns["begin"].tolist() == list(range(0, 4 * count, 2))
ordinals, kinds = steps.judge_duplicates(task)
assert len(ordinals) == len(kinds)
shards = [{"placed": True}] * count
assert len(join._write_bam(folder / "x", folder, b"", shards)) == count
"""


def test_few_open_files(tmp_path):
    ran = subprocess.run([sys.executable, "-c", MANY, tmp_path], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


CUT = """
import sys
from pathlib import Path

import numpy as np

from lingqu.align import join
from lingqu.formats.arrays import write_arrays

path = Path(sys.argv[1])
write_arrays(path, {}, {"blocks": np.zeros(300, np.uint8)})
path.write_bytes(path.read_bytes()[:-100])
with path.with_suffix(".out").open("wb") as out:
    join._append(out, path)
"""


def test_a_shard_cut_short_ends_the_run(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", CUT, tmp_path / "x"], capture_output=True, text=True, timeout=60
    )
    assert "ends too early" in ran.stderr


def test_records_are_where_their_offsets_say():
    """Small records, one larger than a block, and duplicates that gain a flag and a tag."""
    random, records = np.random.default_rng(1), []
    for number, size in enumerate([*random.integers(0, 300, 900), 70_000, 65_243, 3]):
        noise = random.integers(0, 4, size, np.uint8).tobytes()
        head = struct.pack("<iiBBHHHiiii", 0, number, 2, 60, 4681, 0, 99, 0, -1, -1, 0)
        body = head + b"r\0" + noise
        records.append(struct.pack("<I", len(body)) + body)
    sizes = np.array([len(one) for one in records])
    order, kind = random.permutation(len(records)), random.integers(0, 3, len(records), np.uint8)
    kind[-3:] = 0
    columns = {"begin": np.cumsum(sizes) - sizes, "size": sizes, "kind": kind}
    data = np.frombuffer(b"".join(records), np.uint8)
    blocks, begin = steps._compress(columns, order, data)
    joined = b"".join(blocks)
    for at, number in zip(begin.tolist(), order.tolist(), strict=True):
        start = at >> 16
        found = bgzf.decompress(joined[start : start + _whole(joined, start)])[at & 0xFFFF :]
        wanted = records[number]
        size = struct.unpack_from("<I", found)[0] + 4
        assert size == len(wanted) + (6 if kind[number] else 0)
        assert found[4:18] == wanted[4:18] and found[20 : len(wanted)] == wanted[20:]
        assert struct.unpack_from("<H", found, 18)[0] == (99 | 0x400 if kind[number] else 99)


def _whole(joined, at):
    """Bytes of the two blocks from `at` on, or of what is left."""
    one = bgzf.block_size(joined, at)
    return one + (bgzf.block_size(joined, at + one) if at + one < len(joined) else 0)
