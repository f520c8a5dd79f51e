"""Runs that are stopped and woken late, and disks that are full."""

import os
import signal
import subprocess

import pytest

from lingqu.base.errors import LingquError
from lingqu.formats import fastq

SMALL = "from lingqu.formats import fastq\nfastq.read_chunks.__defaults__ = (100,)"


def states_of(paths):
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("x.bam", "chunk-000001"),
        ("x.bam", "shard-000000"),
        ("x.bam", "x.bam"),
        ("x.bam", "x.bam.qc.json"),
        ("x.bam", "x.bam.stats.json"),
        ("x.cram", "x.cram.crai"),
    ],
)
def test_woken_after_another_has_finished(
    name, before, reference, few_reads, lane_of, run_align, stopped, tmp_path, monkeypatch
):
    monkeypatch.setattr(fastq.read_chunks, "__defaults__", (100,))
    out, told = tmp_path / name, tmp_path / "told"
    words = ["align", reference, *few_reads, "--sample", "NA12878", "-t", 2, "-o", out]
    with told.open("w") as stream:
        late = stopped(before, *words, before=SMALL, stderr=stream, stdout=stream)
    run_align(reference, [lane_of(*few_reads)], out)
    files = {path: path.read_bytes() for path in tmp_path.glob(f"{name}*")}
    assert len(files) == 4
    states = states_of(files)
    os.killpg(late.pid, signal.SIGCONT)
    assert late.wait(60) == 1
    assert states_of(path for path in tmp_path.iterdir() if path != told) == states
    assert {path: path.read_bytes() for path in files} == files
    errors = [line for line in told.read_text().splitlines() if line.startswith("lingqu:")]
    assert errors == [
        f"lingqu: error: {out}: another run took it over; this run ends and leaves it alone"
    ]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(path)]
    if os.geteuid() or subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here: not root, or not allowed")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_is_told_and_work_goes_on(
    small_disk, reference, few_reads, lane_of, run_align, tmp_path, monkeypatch
):
    monkeypatch.setattr(fastq.read_chunks, "__defaults__", (50,))
    lanes, whole = [lane_of(*few_reads)], tmp_path / "x.bam"
    run_align(reference, lanes, whole)
    out, filler, told = small_disk / "x.bam", small_disk / "filler", []
    filler.write_bytes(bytes((1 << 20) - 8192))
    for free in range(8192, 1 << 20, 16384):
        os.truncate(filler, (1 << 20) - free)
        try:
            run_align(reference, lanes, out)
            break
        except (OSError, LingquError) as error:
            told.append(str(error))
        for path in small_disk.glob("x.*"):  # none is there that is not whole
            assert path.read_bytes() == (tmp_path / path.name).read_bytes()
    assert len(told) > 3
    assert all("No space left on device" in line for line in told)
    for path in tmp_path.glob("x.*"):
        assert (small_disk / path.name).read_bytes() == path.read_bytes()
    assert {path.name for path in small_disk.iterdir()} == {
        "filler", "x.bam", "x.bam.bai", "x.bam.qc.json", "x.bam.stats.json",
    }  # fmt: skip
