"""A run that is stopped, and woken when another has done its work, changes nothing."""

import os
import signal
import subprocess
import sys

import pytest

from lingqu.formats import fastq

STOPPED = """
import os, signal, sys
from lingqu.cli.main import main
from lingqu.formats import fastq
fastq.read_chunks.__defaults__ = (100,)
rename, wanted = os.replace, sys.argv.pop(1)
def replace(source, target):
    if os.path.basename(target) == wanted:
        os.replace = rename
        os.kill(os.getpid(), signal.SIGSTOP)
    rename(source, target)
os.replace = replace
main()
"""


def states_of(paths):
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("x.bam", "chunk-000001"),
        ("x.bam", "shard-000000"),
        ("x.bam", "x.bam"),
        ("x.bam", "x.bam.stats.json"),
        ("x.cram", "x.cram.crai"),
    ],
)
def test_woken_after_another_has_finished(
    name, before, reference, few_reads, lane_of, run_align, tmp_path, monkeypatch
):
    monkeypatch.setattr(fastq.read_chunks, "__defaults__", (100,))
    out, told = tmp_path / name, tmp_path / "told"
    words = [before, "align", reference, *few_reads, "--sample", "NA12878", "-t", 2, "-o", out]
    with told.open("w") as stream:
        late = subprocess.Popen(
            [sys.executable, "-c", STOPPED, *map(str, words)], stderr=stream, stdout=stream
        )
    assert os.WIFSTOPPED(os.waitpid(late.pid, os.WUNTRACED)[1])
    run_align(reference, [lane_of(*few_reads)], out)
    files = {path: path.read_bytes() for path in tmp_path.glob(f"{name}*")}
    assert len(files) == 3
    states = states_of(files)
    late.send_signal(signal.SIGCONT)
    assert late.wait(60) == 1
    assert states_of(path for path in tmp_path.iterdir() if path != told) == states
    assert {path: path.read_bytes() for path in files} == files
    errors = [line for line in told.read_text().splitlines() if line.startswith("lingqu:")]
    assert errors == [
        f"lingqu: error: {out}: another run took it over; this run ends and leaves it alone"
    ]
