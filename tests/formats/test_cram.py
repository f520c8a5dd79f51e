"""CRAM out: the same records as the BAM, found by our index."""

import gzip
import itertools
import shutil

import pysam
import pytest

from lingqu.formats.cram import write_cram
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import decode


@pytest.fixture(scope="module")
def files(reference, tmp_path_factory):
    """(BAM, CRAM, FASTA) of 25,000 records that cover the window, some unplaced."""
    folder = tmp_path_factory.mktemp("cram")
    opened = open_reference(reference)
    text = decode(opened.contig(0)[9_995_000:10_105_000])
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": "20", "LN": 63_025_520, "M5": opened.md5s[0]}],
    }
    bam = folder / "x.bam"
    with pysam.AlignmentFile(str(bam), "wb", header=header) as out:
        for number in range(25_000):
            record = pysam.AlignedSegment(out.header)
            at = 4 * number
            record.query_name, record.query_sequence = f"r{number}", text[at : at + 50]
            record.query_qualities_str = "".join(chr(33 + (at * i) % 40) for i in range(50))
            if number < 24_990:
                record.reference_id, record.reference_start = 0, 9_995_000 + at
                record.cigartuples, record.mapping_quality = [(0, 50)], 60
            else:
                record.flag = 4
            out.write(record)
    write_cram(bam, folder / "x.cram", opened)
    return bam, folder / "x.cram", htslib_fasta(opened)


def names(path, fasta, *region):
    """Names of the records of a region, or of all."""
    with pysam.AlignmentFile(str(path), reference_filename=str(fasta)) as reader:
        rows = reader.fetch(*region) if region else reader.fetch(until_eof=True)
        return [(record.query_name, record.query_sequence, record.cigarstring) for record in rows]


def test_same_records(files):
    bam, cram, fasta = files
    assert names(cram, fasta) == names(bam, fasta)


def test_same_bytes_in_any_folder(files, reference, tmp_path):
    _, cram, fasta = files
    assert str(fasta).encode() not in cram.read_bytes()
    (tmp_path / "other").mkdir()
    copy = tmp_path / "other" / "genome.fa"
    with gzip.open(reference, "rb") as source, copy.open("wb") as target:
        shutil.copyfileobj(source, target)
    with pysam.AlignmentFile(str(files[0])) as reader:
        header = str(reader.header)
    write_cram(files[0], tmp_path / "other" / "y.cram", open_reference(copy))
    assert (tmp_path / "other" / "y.cram").read_bytes() == cram.read_bytes()
    with pysam.AlignmentFile(str(cram), check_sq=False) as reader:
        assert str(reader.header) == header


def test_regions(files):
    _, cram, fasta = files
    rows = names(cram, fasta)[:24_990]
    for start, end in ((0, 9_995_001), (10_010_000, 10_010_001), (10_090_000, 10_100_000)):
        wanted = [
            row
            for number, row in enumerate(rows)
            if 9_995_000 + 4 * number < end and 9_995_050 + 4 * number > start
        ]
        assert names(cram, fasta, "20", start, end) == wanted


def test_same_index_as_htslib(files, tmp_path):
    _, cram, _ = files
    pysam.index(str(cram), str(tmp_path / "x.crai"))
    ours, theirs = (
        gzip.decompress(path.read_bytes()).decode().splitlines()
        for path in (cram.with_name("x.cram.crai"), tmp_path / "x.crai")
    )
    assert ours == theirs
    assert len(ours) > 2
    starts = [tuple(map(int, line.split("\t")[3:5])) for line in ours]
    assert all(one < two for one, two in itertools.pairwise(starts))
