"""The demo's deep reads, aligned once."""

from pathlib import Path

import pytest

from lingqu.align.driver import align
from lingqu.align.lanes import Lane, read_group
from lingqu.cluster import open_cluster


def _run(reference, lanes, out, threads=1, backend="processes"):
    """Align and return the stats."""
    with open_cluster(threads, backend) as cluster:
        return align(reference, lanes, "NA12878", out, cluster)


@pytest.fixture(scope="session")
def run_align():
    """The function that aligns lanes to a file and returns the stats."""
    return _run


@pytest.fixture(scope="session")
def lane_of():
    """A lane of FASTQ files."""

    def make(*files, **fields):
        return Lane(tuple(map(Path, files)), read_group(fields, "NA12878"))

    return make


@pytest.fixture(scope="session")
def aligned(reference, deep_reads, lane_of, run_align, tmp_path_factory) -> Path:
    """A BAM of all pairs of a 10 kb window at full depth."""
    out = tmp_path_factory.mktemp("aligned") / "deep.bam"
    run_align(reference, [lane_of(*deep_reads)], out)
    return out
