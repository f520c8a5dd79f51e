"""Existing alignments: linked, indexed, checked."""

import json
import os
from pathlib import Path

import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.workflow.adopt import adopt


@pytest.fixture
def fasta(tmp_path) -> Path:
    path = tmp_path / "ref.fa"
    path.write_text(">one\n" + "ACGTTGCA" * 50 + "\n>two\n" + "GATTACA" * 40 + "\n")
    return path


def write_bam(path: Path, order="coordinate", samples=("S",), contigs=(("one", 400), ("two", 280))):
    """Three reads: two placed, one not."""
    header = {
        "HD": {"VN": "1.6", "SO": order},
        "SQ": [{"SN": name, "LN": length} for name, length in contigs],
        "RG": [{"ID": name, "SM": name} for name in samples],
    }
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for number, (tid, pos) in enumerate(((0, 10), (0, 50), (-1, -1))):
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.query_sequence = f"r{number}", "ACGTACGTAC"
            read.flag = 0 if tid >= 0 else 4
            read.reference_id, read.reference_start = tid, pos
            read.cigarstring = "10M" if tid >= 0 else None
            out.write(read)
    return path


def test_a_bam_is_linked_and_indexed_and_counted(tmp_path, fasta):
    source = write_bam(tmp_path / "in.bam")
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "S.bam"
    adopt(fasta, source, output)
    assert output.is_symlink()
    assert output.resolve() == source
    assert not os.path.isabs(os.readlink(output))
    assert Path(f"{output}.bai").is_file()
    assert not Path(f"{source}.bai").exists()
    told = json.loads(Path(f"{output}.stats.json").read_text())
    assert (told["reads"], told["mapped"]) == (3, 2)


def test_its_own_index_is_linked_unless_it_is_older(tmp_path, fasta):
    source, output = write_bam(tmp_path / "in.bam"), tmp_path / "S.bam"
    pysam.index(str(source))
    adopt(fasta, source, output)
    assert Path(f"{output}.bai").resolve() == Path(f"{source}.bai")
    os.utime(f"{source}.bai", (0, 0))
    adopt(fasta, source, output)
    assert not Path(f"{output}.bai").is_symlink()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"order": "queryname"}, "not sorted"),
        ({"samples": ("A", "B")}, "reads of several samples"),
        ({"contigs": (("one", 400), ("chr2", 280))}, "'chr2' is not in"),
        ({"contigs": (("one", 401), ("two", 280))}, "'one' has 401 bases"),
    ],
)
def test_what_cannot_be_called_is_refused(tmp_path, fasta, how, told):
    source, output = write_bam(tmp_path / "in.bam", **how), tmp_path / "S.bam"
    with pytest.raises(LingquError, match=told) as caught:
        adopt(fasta, source, output)
    assert str(source) in str(caught.value)
    assert list(tmp_path.glob("S.bam*")) == []


def test_damaged_and_missing_files(tmp_path, fasta):
    source = write_bam(tmp_path / "in.bam")
    source.write_bytes(source.read_bytes()[:-40])
    with pytest.raises(LingquError, match="in.bam"):
        adopt(fasta, source, tmp_path / "S.bam")
    with pytest.raises(LingquError, match="no such file"):
        adopt(fasta, tmp_path / "no.bam", tmp_path / "S.bam")
