"""The whole way: same bytes however it ran, whatever stopped it."""

import os
import signal
import subprocess
import sys
import time

import pysam
import pytest

from lingqu.align import driver
from lingqu.align.lanes import Lane, read_group
from lingqu.align.options import Options
from lingqu.base.errors import LingquError
from lingqu.cluster import open_cluster
from lingqu.formats import fastq
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import open_reference


@pytest.fixture
def small_chunks(monkeypatch):
    """Many chunks out of few reads."""
    monkeypatch.setattr(fastq.read_chunks, "__defaults__", (200,))


def files_of(out):
    """Contents of an output, its index and its stats."""
    index = ".crai" if out.suffix == ".cram" else ".bai"
    return [out.read_bytes()] + [
        out.with_name(out.name + s).read_bytes() for s in (index, ".stats.json", ".qc.json")
    ]


def chunks_of(out):
    """The finished chunks of a run on `out`: when each was written."""
    paths = out.parent.glob(".lingqu/*.checkpoint/*/chunk-*")
    return {path.name: path.stat().st_mtime_ns for path in paths}


def test_same_bytes_from_threads_and_processes(
    reference, deep_reads, lane_of, run_align, small_chunks, tmp_path
):
    found = []
    for number, (threads, backend) in enumerate([(1, "processes"), (2, "processes"), (1, "dask")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        run_align(reference, [lane_of(*deep_reads)], folder / "x.bam", threads, backend)
        assert sorted(path.name for path in folder.iterdir()) == [
            "x.bam", "x.bam.bai", "x.bam.qc.json", "x.bam.stats.json",
        ]  # fmt: skip
        found.append(files_of(folder / "x.bam"))
    assert found[0] == found[1] == found[2]


def test_lanes_single_end_and_cram(reference, deep_reads, few_reads, lane_of, run_align, tmp_path):
    lanes = [
        lane_of(*deep_reads, ID="pairs", LB="one"),
        lane_of(few_reads[0], ID="single", LB="two"),
    ]
    bam, cram = tmp_path / "x.bam", tmp_path / "x.cram"
    stats = run_align(reference, lanes, bam)
    assert run_align(reference, lanes, cram) == stats
    pairs, single = stats["read_groups"]["pairs"], stats["read_groups"]["single"]
    assert single["reads"] == 300
    assert single["insert_size"] is None
    assert pairs["insert_size"]["known"]
    assert pairs["reads"] + 300 == stats["reads"]
    fasta = str(htslib_fasta(open_reference(reference)))
    rows = []
    for path in (bam, cram):
        with pysam.AlignmentFile(str(path), reference_filename=fasta) as reader:
            rows.append([[*r.to_dict().values()][:11] + sorted(r.tags, key=str) for r in reader])
            assert reader.count("20", 10_044_000, 10_045_000) > 100
    assert rows[0] == rows[1]
    groups = [dict(row[11:])["RG"] for row in rows[0]]
    assert groups.count("single") >= 300


def test_bam_goes_in_as_reads(reference, aligned, run_align, tmp_path):
    stats = run_align(reference, [Lane((aligned,), {})], tmp_path / "again.bam")
    with (
        pysam.AlignmentFile(str(aligned)) as one,
        pysam.AlignmentFile(str(tmp_path / "again.bam")) as two,
    ):
        first = {(r.query_name, r.flag, r.pos, r.cigarstring, r.query_sequence) for r in one}
        again = {(r.query_name, r.flag, r.pos, r.cigarstring, r.query_sequence) for r in two}
        assert one.header["RG"] == two.header["RG"]
    assert stats["reads"] == len({(name, flag & 0x80) for name, flag, *_ in first})
    assert len(first & again) > 0.99 * len(first)


RUN = """
import sys, time
from pathlib import Path
from lingqu.align import steps, driver
from lingqu.align.lanes import Lane, read_group
from lingqu.cluster import open_cluster
from lingqu.formats import fastq
fastq.read_chunks.__defaults__ = (200,)
slow = driver.{slow}
def slower(task):
    time.sleep(0.3)
    return slow(task)
driver.{slow} = slower
with open_cluster(2) as cluster:
    driver.align(Path(sys.argv[1]), [Lane((Path(sys.argv[2]), Path(sys.argv[3])),
        read_group({{}}, "NA12878"))], "NA12878", Path(sys.argv[4]), cluster)
"""


@pytest.mark.parametrize("slow", ["align_chunk", "write_shard"])
def test_kill_and_go_on(slow, reference, deep_reads, lane_of, run_align, small_chunks, tmp_path):
    out = tmp_path / "killed" / "x.bam"
    out.parent.mkdir()
    command = [sys.executable, "-c", RUN.format(slow=slow), reference, *deep_reads, out]
    child = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL)
    wanted = 4 if slow == "align_chunk" else 12
    end = time.monotonic() + 120
    while len(chunks_of(out)) < wanted and time.monotonic() < end:
        assert child.poll() is None
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not out.exists()
    done = chunks_of(out)
    assert len(done) >= wanted
    kept = {}
    original = driver.join

    def join(*arguments):
        kept.update({name: time for name, time in chunks_of(out).items() if name in done})
        return original(*arguments)

    driver.join = join
    try:
        run_align(reference, [lane_of(*deep_reads)], out)
    finally:
        driver.join = original
    assert kept == done
    other = tmp_path / "whole" / "x.bam"
    other.parent.mkdir()
    run_align(reference, [lane_of(*deep_reads)], other)
    assert files_of(out) == files_of(other)
    assert not (out.parent / ".lingqu").exists()


def test_damaged_chunk_is_done_again(
    reference, deep_reads, lane_of, run_align, small_chunks, tmp_path, monkeypatch
):
    out, lanes = tmp_path / "x.bam", [lane_of(*deep_reads)]
    run_align(reference, lanes, out)
    whole = files_of(out)

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(driver, "join", fail)
        run_align(reference, lanes, out)
    (chunk,) = tmp_path.glob(".lingqu/*.checkpoint/*/chunk-000003")
    raw = bytearray(chunk.read_bytes())
    raw[-1000] ^= 1
    chunk.write_bytes(raw)
    run_align(reference, lanes, out)
    assert files_of(out) == whole


def test_two_runs_do_not_write_one_output(
    reference, few_reads, lane_of, run_align, tmp_path, monkeypatch
):
    out, lanes, original = tmp_path / "x.bam", [lane_of(*few_reads)], driver.join

    def join(*arguments):
        with pytest.raises(LingquError, match="another run is writing it"):
            run_align(reference, lanes, out)
        return original(*arguments)

    monkeypatch.setattr(driver, "join", join)
    run_align(reference, lanes, out)
    assert out.exists()


def test_full_disk(reference, few_reads, tmp_path):
    out = tmp_path / "x.bam"
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
    limit += "from lingqu.cli.main import main\nmain()\n"
    command = [sys.executable, "-c", limit, "align", reference, *few_reads]
    command += ["--sample", "S", "-o", out]
    found = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert found.returncode == 1
    last = found.stderr.splitlines()[-1]
    assert last.startswith("lingqu: error:")
    assert "File too large" in last
    assert "Traceback" not in found.stderr
    assert not list(tmp_path.glob("x.*"))


def test_unwritable_folder(reference, few_reads, run_align, lane_of, tmp_path):
    out = tmp_path / "file" / "x.bam"
    out.parent.write_text("not a folder")
    with pytest.raises(LingquError, match="cannot write there"):
        run_align(reference, [lane_of(*few_reads)], out)


def test_reads_of_another_sample(tmp_path):
    with pytest.raises(LingquError, match="one run aligns one sample"):
        read_group({"SM": "other"}, "NA12878")


def test_duplicates_are_left_unmarked_when_asked(reference, deep_reads, lane_of, tmp_path):
    with open_cluster(1) as cluster:
        stats = driver.align(
            reference,
            [lane_of(*deep_reads)],
            "NA12878",
            tmp_path / "x.bam",
            cluster,
            Options(mark=False),
        )
    assert stats["duplicates"] == 0
    assert stats["command"].endswith("--no-duplicates")
