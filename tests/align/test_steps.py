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

from lingqu.align import join, spill, steps
from lingqu.align.duplicates import COLUMNS
from lingqu.align.kernels.dedup import MARK
from lingqu.align.records import Records
from lingqu.formats.arrays import write_arrays

folder, count, wide = Path(sys.argv[1]), 100, 1 << spill.WINDOW_BITS
for number in range(count):
    ends = {name: np.zeros(2, kind) for name, kind in COLUMNS.items()}
    ends["first_key"] += [wide + number % 10, 2 * wide]
    ends["second_key"] += [2 * wide, MARK]
    ends["template"] += np.arange(2, dtype=np.int32)
    key, data = np.array([5, wide + 7, 3 * wide]), np.full(6, number, np.uint8)
    records = Records(key, np.zeros(3, np.int32), np.ones(3, np.int32), 2 * np.arange(4), data)
    spill.write_chunk(spill.chunk_path(folder, number), {}, records, ends, {})
    write_arrays(steps.shard_path(folder, number), {}, {"blocks": np.zeros(3, np.uint8)})
spill.write_cuts(folder, count, [0, 1, 4], [0, 1, 3])
table = {name: np.zeros(count, np.int64) for name in ("group", "library", "distance")}
table["first_template"] = 2 * np.arange(count)
write_arrays(folder / "chunks", {"umis": False}, table)
write_arrays(folder / "duplicates", {}, {"kind": np.zeros(2 * count, np.uint8)})
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

task = steps.StretchTask(folder, folder, 0, 1, 0, count, True)
columns, data = steps._gather(task)
assert columns["key"].tolist() == [wide + 7, 3 * wide] * count
assert data.tolist() == [number for number in range(count) for _ in range(4)]
assert columns["begin"].tolist() == list(range(0, 4 * count, 2))
ordinals, kinds = steps.judge_duplicates(task)
assert len(ordinals) == len(kinds) == 90
shards = [{"placed": True, "bytes": 3}] * count
placed, unplaced = join._write_bam(folder / "x", folder, b"", shards)
assert len(placed) == count and not unplaced
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
    join._append(out, path, 300)
"""


def test_a_shard_cut_short_ends_the_run(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", CUT, tmp_path / "x"], capture_output=True, text=True, timeout=60
    )
    assert "damaged since it was written" in ran.stderr


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
