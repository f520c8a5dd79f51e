"""Regions of BAM and CRAM, held against pysam."""

import gzip
import hashlib
import shutil

import numpy as np
import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.base.scratch import scratch
from lingqu.formats import bam
from lingqu.formats.bam import UNUSED, compressed_size, open_alignments, read_alignments
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import decode

LENGTHS = {"a": 90_000, "b:1": 40_000, "empty": 500}
READS = 3000


def _cigar(rng, length: int) -> list[tuple[int, int]]:
    kind = rng.integers(0, 5)
    if kind == 0:
        return [(4, 7), (0, length - 7)]
    if kind == 1:
        return [(0, 30), (2, 12), (0, length - 30)]
    if kind == 2:
        return [(5, 3), (0, 20), (1, 4), (7, 6), (8, 1), (0, length - 36), (4, 5)]
    if kind == 3:
        return [(0, 20), (3, 20_000), (0, length - 20)]
    return [(0, length)]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """(folder, reference, BAM with BAI): flags and tags of all types, some without qualities."""
    folder = tmp_path_factory.mktemp("bam")
    rng = np.random.default_rng(2)
    contigs = {
        name: "".join(np.array(list("ACGT"))[rng.integers(0, 4, n)]) for name, n in LENGTHS.items()
    }
    fasta = folder / "ref.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    md5 = {name: hashlib.md5(bases.encode()).hexdigest() for name, bases in contigs.items()}
    lines = [{"SN": name, "LN": n, "M5": md5[name]} for name, n in LENGTHS.items()]
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": lines,
              "RG": [{"ID": "1", "SM": "S"}]}  # fmt: skip
    rows = []
    for number in range(READS):
        length = int(rng.integers(50, 152))
        tid = int(rng.integers(0, 2))
        cigar = _cigar(rng, length)
        pos = int(rng.integers(0, list(LENGTHS.values())[tid] - 20_300))
        rows.append((tid, pos, number, length, cigar))
    rows.sort(key=lambda row: row[:2])
    path = folder / "reads.bam"
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for tid, pos, number, length, cigar in rows:
            read = pysam.AlignedSegment(out.header)
            read.query_name = f"read{number // 2}"
            read.query_sequence = "".join(np.array(list("ACGTN"))[rng.integers(0, 5, length)])
            read.flag = int(rng.choice([0, 16, 99, 147, 0x400, 0x100, 0x800, 0x200]))
            read.reference_id, read.reference_start = tid, pos
            read.cigartuples, read.mapping_quality = cigar, int(rng.integers(0, 61))
            if number % 50:
                read.query_qualities = rng.integers(2, 42, length).tolist()
            read.set_tag("XA", "text;with,signs")
            read.set_tag("XB", [1, 2, 300])
            read.set_tag("XF", 0.5)
            if number % 3 == 0:
                read.set_tag("XT", int(rng.integers(1, length + 1)), "i")
            out.write(read)
        unplaced = pysam.AlignedSegment(out.header)
        unplaced.query_name, unplaced.flag, unplaced.query_sequence = "u", 4, "ACGT"
        out.write(unplaced)
    pysam.index(str(path))
    return folder, open_reference(fasta), path


def expected(path, name, start, end, fasta=None):
    with pysam.AlignmentFile(str(path), reference_filename=fasta) as records:
        return [
            read
            for read in records.fetch(name, start, end)
            if not read.flag & UNUSED and read.query_qualities is not None
        ]


def check(got, reads):
    assert got.pos.tolist() == [read.reference_start for read in reads]
    assert got.end.tolist() == [read.reference_end for read in reads]
    assert got.flag.tolist() == [read.flag for read in reads]
    assert got.mapq.tolist() == [read.mapping_quality for read in reads]
    for k, read in enumerate(reads):
        span = slice(got.base_start[k], got.base_start[k + 1])
        assert decode(got.codes[span]) == read.query_sequence
        assert got.quals[span].tolist() == list(read.query_qualities)
        words = got.cigar[got.cigar_start[k] : got.cigar_start[k + 1]]
        assert [(int(w & 15), int(w >> 4)) for w in words] == read.cigartuples
        length = len(read.query_sequence)
        keep = read.get_tag("XT") - 1 if read.has_tag("XT") else length
        wanted = (length - keep, length) if read.is_reverse else (0, keep)
        assert (got.low[k], got.high[k]) == wanted
    names = [read.query_name for read in reads]
    same = {}
    for name, code in zip(names, got.name_hash.tolist(), strict=True):
        assert same.setdefault(name, code) == code
    assert len(set(same.values())) == len(same)


REGIONS = [("a", 0, 90_000), ("a", 20_000, 20_001), ("a", 33_000, 50_000), ("b:1", 16_384, 16_500),
           ("a", 89_990, 90_000), ("empty", 0, 500), ("b:1", 5, 5)]  # fmt: skip


@pytest.mark.parametrize(("name", "start", "end"), REGIONS)
def test_bam_with_bai(files, name, start, end):
    _, reference, path = files
    file = open_alignments(path, reference)
    reads = expected(path, name, start, end) if start < end else []
    check(read_alignments(file, reference, reference.tid(name), start, end), reads)


@pytest.mark.parametrize("most", [1000, 70_000])
def test_bam_in_pieces(files, monkeypatch, most):
    """Blocks and records that a piece cuts are put together."""
    _, reference, path = files
    monkeypatch.setattr(bam, "_LEAST", most)
    monkeypatch.setattr(bam, "_MOST", most)
    file = open_alignments(path, reference)
    reads = expected(path, "a", 20_000, 60_000)
    with scratch():
        check(read_alignments(file, reference, 0, 20_000, 60_000), reads)


@pytest.mark.parametrize(("name", "start", "end"), REGIONS[:4])
def test_bam_with_csi(files, tmp_path, name, start, end):
    _, reference, path = files
    copy = tmp_path / "reads.bam"
    shutil.copy(path, copy)
    pysam.index("-c", str(copy))
    file = open_alignments(copy, reference)
    assert file.index.suffix == ".csi"
    reads = expected(path, name, start, end)
    check(read_alignments(file, reference, reference.tid(name), start, end), reads)


def as_cram(path, reference, folder):
    """The BAM's records as an indexed CRAM file."""
    cram = folder / "reads.cram"
    with (
        pysam.AlignmentFile(str(path)) as records,
        pysam.AlignmentFile(
            str(cram), "wc", template=records, reference_filename=str(reference.path)
        ) as out,
    ):
        for read in records:
            out.write(read)
    pysam.index(str(cram))
    return cram


def test_cram(files, tmp_path):
    _, reference, path = files
    cram = as_cram(path, reference, tmp_path)
    file = open_alignments(cram, reference)
    assert file.samples == ("S",)
    reads = expected(cram, "a", 20_000, 41_000, str(reference.path))
    assert len(reads) > 100
    check(read_alignments(file, reference, 0, 20_000, 41_000), reads)


def test_cram_of_a_plain_gzip_reference(files, tmp_path):
    _, reference, path = files
    zipped = tmp_path / "ref.fa.gz"
    zipped.write_bytes(gzip.compress(reference.path.read_bytes()))
    cram = tmp_path / "reads.cram"
    fasta = str(reference.path)
    with (
        pysam.AlignmentFile(str(path)) as records,
        pysam.AlignmentFile(str(cram), "wc", template=records, reference_filename=fasta) as out,
    ):
        for read in records:
            out.write(read)
    pysam.index(str(cram))
    own = open_reference(zipped)
    check(
        read_alignments(open_alignments(cram, own), own, 0, 20_000, 41_000),
        expected(cram, "a", 20_000, 41_000, fasta),
    )
    assert sorted(p.name for p in tmp_path.glob("*.fai")) == []


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_compressed_size(files, tmp_path, kind):
    _, reference, path = files
    if kind == "cram":
        path = as_cram(path, reference, tmp_path)
    file = open_alignments(path, reference)
    total = compressed_size(file, 0, 0, 90_000)
    assert path.stat().st_size / 10 < total <= path.stat().st_size
    assert compressed_size(file, 2, 0, 500) == 0
    assert compressed_size(file, 0, 20_000, 50_000) <= total


def test_compressed_size_is_that_of_the_interval(tmp_path):
    """Beside a hole in the reads, as between the genes of a panel."""
    fasta = tmp_path / "ref.fa"
    fasta.write_text(">one\n" + "ACGT" * 100_000 + "\n")
    path = tmp_path / "panel.bam"
    header = {"HD": {"SO": "coordinate"}, "SQ": [{"SN": "one", "LN": 400_000}]}
    rng = np.random.default_rng(3)
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for pos in [*range(0, 33_000, 4), *range(390_000, 399_000, 4)]:
            read = pysam.AlignedSegment(out.header)
            read.query_name, read.flag, read.mapping_quality = f"{pos}", 0, 60
            read.query_sequence = decode(rng.integers(0, 4, 200).astype(np.uint8))
            read.query_qualities = rng.integers(2, 42, 200).tolist()
            read.reference_id, read.reference_start, read.cigarstring = 0, pos, "200M"
            out.write(read)
    pysam.index(str(path))
    file = open_alignments(path, open_reference(fasta))
    total = path.stat().st_size
    half, first, last = (
        compressed_size(file, 0, *span) for span in ((0, 16_500), (0, 40_000), (380_000, 400_000))
    )
    assert 0.3 * total < half < 0.5 * total
    assert 0.7 * total < first < 0.85 * total
    assert 0.05 * total < last < 0.3 * total
    assert compressed_size(file, 0, 100_000, 300_000) <= 1


def refused(path, reference, *words):
    with pytest.raises(LingquError) as fault:
        open_alignments(path, reference)
    line = str(fault.value)
    assert "\n" not in line
    assert all(word in line for word in (str(path.name), *words))


def test_missing_file(files):
    folder, reference, _ = files
    refused(folder / "none.bam", reference, "No such file")


def test_no_index(files, tmp_path):
    _, reference, path = files
    shutil.copy(path, tmp_path / "alone.bam")
    refused(tmp_path / "alone.bam", reference, "no index", "samtools index")


def test_truncated(files, tmp_path):
    _, reference, path = files
    cut = tmp_path / "cut.bam"
    cut.write_bytes(path.read_bytes()[:-1000])
    shutil.copy(f"{path}.bai", f"{cut}.bai")
    refused(cut, reference, "truncated")


def test_damaged_inside(files, tmp_path):
    _, reference, path = files
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 200] = bytes(200)
    (tmp_path / "bad.bam").write_bytes(raw)
    shutil.copy(f"{path}.bai", tmp_path / "bad.bam.bai")
    file = open_alignments(tmp_path / "bad.bam", reference)
    with pytest.raises(LingquError, match=r"bad\.bam.*damaged"):
        read_alignments(file, reference, 0, 0, 90_000)


def test_no_bam(files, tmp_path):
    _, reference, _ = files
    (tmp_path / "text.bam").write_text("no alignments here\n")
    refused(tmp_path / "text.bam", reference, "no BAM or CRAM")


@pytest.mark.parametrize(
    ("contigs", "word"),
    [
        ({"chrA": "ACGT" * 100}, "not in"),
        ({"a": "ACGT" * 100, "b:1": "A" * 40_000, "empty": "C" * 500}, "bases"),
        ({"a": "A" * 90_000, "b:1": "A" * 40_000, "empty": "C" * 500}, "M5"),
    ],
)
def test_another_reference(files, tmp_path, contigs, word):
    _, _, path = files
    fasta = tmp_path / "other.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    refused(path, open_reference(fasta), word, "other.fa")


def test_unsorted(files, tmp_path):
    _, reference, path = files
    with pysam.AlignmentFile(str(path)) as records:
        header = records.header.to_dict()
        header["HD"]["SO"] = "queryname"
        with pysam.AlignmentFile(str(tmp_path / "u.bam"), "wb", header=header):
            pass
    refused(tmp_path / "u.bam", reference, "sort")
