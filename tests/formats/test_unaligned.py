"""Reads out of BAM and CRAM: mates brought together, nothing lost, in any order."""

import errno
import os
import random

import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.formats import unaligned
from lingqu.formats.reference import open_reference

READS = [
    # name, flag, sequence, quality, read group
    ("a", 0x1 | 0x40 | 0x2 | 0x20, "AACCG", "ABCDE", "x"),
    ("a", 0x1 | 0x80 | 0x2 | 0x10, "GGTTA", "ABCDE", "x"),
    ("single", 0x10, "ACCCC", "ABCDE", "y"),
    ("b", 0x1 | 0x40 | 0x4, "ACGTA", "IIIII", "x"),
    ("b", 0x1 | 0x80 | 0x4, "TTTTT", "IIIII", "x"),
    ("a", 0x1 | 0x40 | 0x800, "AACCG", "ABCDE", "x"),
    ("a", 0x1 | 0x80 | 0x100, "AACCG", "ABCDE", "x"),
    ("lone", 0x1 | 0x80, "GATTA", "IIIII", "y"),
    ("twice", 0x1 | 0x40, "AAAAA", "IIIII", "x"),
    ("twice", 0x1 | 0x40, "CCCCC", "IIIII", "x"),
    ("RUN.7.1", 0x1 | 0x40, "GGGGG", "IIIII", "x"),
    ("RUN.7.2", 0x1 | 0x80, "GGGGT", "IIIII", "x"),
    ("RUN.1", 0x1 | 0x40, "GAAAG", "IIIII", "x"),
    ("RUN.2", 0x1 | 0x80, "GAAAT", "IIIII", "x"),
    ("no", 0x4, "GAAAT", None, None),
    ("base", 0x4, "A", "#", "x"),
    ("other", 0x4, "A", "E", "x"),
]

WANTED = {
    (0, "@a\nAACCG\n+\nABCDE\n", "@a\nTAACC\n+\nEDCBA\n"),
    (0, "@b\nACGTA\n+\nIIIII\n", "@b\nTTTTT\n+\nIIIII\n"),
    (0, "@RUN.7\nGGGGG\n+\nIIIII\n", "@RUN.7\nGGGGT\n+\nIIIII\n"),
    (1, "@single\nGGGGT\n+\nEDCBA\n"),
    (1, "@lone\nGATTA\n+\nIIIII\n"),
    (0, "@twice\nAAAAA\n+\nIIIII\n"),
    (0, "@twice\nCCCCC\n+\nIIIII\n"),
    (0, "@RUN.1\nGAAAG\n+\nIIIII\n"),
    (0, "@RUN.2\nGAAAT\n+\nIIIII\n"),
    (0, "@base\nA\n+\n#\n"),
    (0, "@other\nA\n+\nE\n"),
    (0, '@no\nGAAAT\n+\n"""""\n'),
}


def write(path, reads, mode="wb", tags=None, **options):
    """A BAM or CRAM of reads given as READS; tags: those of reads by name."""
    header = pysam.AlignmentHeader.from_dict(
        {
            "SQ": [{"SN": "20", "LN": 63_025_520}],
            "RG": [{"ID": "x", "SM": "S", "LB": "l"}, {"ID": "y", "SM": "S"}],
        }
    )
    with pysam.AlignmentFile(str(path), mode, header=header, **options) as out:
        for name, flag, bases, quality, group in reads:
            record = pysam.AlignedSegment(header)
            record.query_name, record.flag, record.query_sequence = name, flag, bases
            if quality:
                record.query_qualities_str = quality
            if group:
                record.set_tag("RG", group)
            for tag, value in (tags or {}).get(name, {}).items():
                record.set_tag(tag, value)
            if not flag & 4:
                record.reference_id, record.reference_start = 0, 10_050_000
                record.cigartuples = [(0, len(bases))]
            out.write(record)


def chunks_of(path, reference, records=1000):
    """All chunks of a file with read groups x and y."""
    opened = open_reference(reference)
    return list(unaligned.read_alignment_chunks(0, ["x", "y"], path, opened, records))


def records_of(chunks):
    """(group, text of each mate) of every template."""
    found = []
    for chunk in chunks:
        mates = []
        for text in chunk.texts:
            lines = text.tobytes().decode().splitlines(keepends=True)
            mates.append(["".join(lines[i : i + 4]) for i in range(0, len(lines), 4)])
            assert len(mates[-1]) == chunk.records
        found += [(chunk.group, *texts) for texts in zip(*mates, strict=True)]
    return found


@pytest.mark.parametrize("waiting", [1_000_000, 2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_any_order(seed, waiting, reference, tmp_path, monkeypatch):
    monkeypatch.setattr(unaligned, "_WAITING", waiting)
    reads = list(READS)
    random.Random(seed).shuffle(reads)
    write(tmp_path / "x.bam", reads)
    found = records_of(chunks_of(tmp_path / "x.bam", reference, records=2))
    assert len(found) == len(WANTED)
    assert set(found) == WANTED


@pytest.mark.parametrize("waiting", [1_000_000, 2])
def test_umis_stay_with_their_templates(waiting, reference, tmp_path, monkeypatch):
    monkeypatch.setattr(unaligned, "_WAITING", waiting)
    tags = {"a": {"RX": "AC-GT", "QX": "FF ##"}, "RUN.7.2": {"RX": "TTT"}, "lone": {"RX": "G"}}
    write(tmp_path / "x.bam", READS, tags=tags)
    chunks = chunks_of(tmp_path / "x.bam", reference, records=2)
    found = {}
    for chunk in chunks:
        names = chunk.texts[0].tobytes().decode().split("\n")[:-1:4]
        lines = [""] * len(names)
        if chunk.umi is not None:
            lines = chunk.umi.tobytes().decode().split("\n")[:-1]
        found |= {
            name.split("\t")[0]: line for name, line in zip(names, lines, strict=True) if line
        }
    assert found == {"@a": "RX:Z:AC-GT\tQX:Z:FF ##", "@RUN.7": "RX:Z:TTT", "@lone": "RX:Z:G"}


def test_cram_of_the_reference(reference, tmp_path):
    fasta = unaligned.htslib_fasta(open_reference(reference))
    write(tmp_path / "x.cram", READS, "wc", reference_filename=str(fasta))
    found = records_of(chunks_of(tmp_path / "x.cram", reference))
    assert {record for record in found if "@no" not in record[1]} == {
        record for record in WANTED if "@no" not in record[1]
    }


def test_kinds(reference, few_reads, aligned_kind, tmp_path):
    assert unaligned.is_alignment_file(aligned_kind)
    assert not unaligned.is_alignment_file(few_reads[0])
    with pytest.raises(LingquError, match="none"):
        unaligned.is_alignment_file(tmp_path / "none")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LingquError, match="not a regular file"):
        unaligned.is_alignment_file(tmp_path / "pipe")


@pytest.fixture
def aligned_kind(tmp_path):
    """A BAM file."""
    write(tmp_path / "k.bam", READS)
    return tmp_path / "k.bam"


def test_read_groups(aligned_kind, reference):
    groups = unaligned.read_groups_of(aligned_kind, open_reference(reference))
    assert groups == [{"ID": "x", "SM": "S", "LB": "l"}, {"ID": "y", "SM": "S"}]


def test_no_reads(reference, tmp_path):
    write(tmp_path / "x.bam", [])
    with pytest.raises(LingquError, match=r"x\.bam: no reads"):
        chunks_of(tmp_path / "x.bam", reference)


def test_truncated(reference, tmp_path):
    write(tmp_path / "x.bam", READS * 3000)
    whole = (tmp_path / "x.bam").read_bytes()
    (tmp_path / "x.bam").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LingquError, match=r"x\.bam: .*(truncated|cannot be read)"):
        chunks_of(tmp_path / "x.bam", reference)


def test_full_disk_is_not_told_as_damage(aligned_kind, reference, monkeypatch):
    def spill(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(unaligned, "_WAITING", 1)
    monkeypatch.setattr(unaligned._Mates, "spill", spill)
    with pytest.raises(OSError, match="No space left"):
        chunks_of(aligned_kind, reference)
