"""Whole files, record by record, beside pysam."""

import re

import numpy as np
import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.formats import bam, bam_whole
from lingqu.formats.bam import open_alignments
from lingqu.formats.bam_whole import read_records
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import encode


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "ref.fa"
    random = np.random.default_rng(7)
    contigs = [random.choice(list("ACGT"), size) for size in (3000, 2000)]
    contigs[0][500:600] = "N"
    path.write_text("".join(f">c{n}\n{''.join(c)}\n" for n, c in enumerate(contigs)))
    return path


def _tags(random, record, size):
    """Some of the tags that are looked at, among others of all kinds."""
    tags = [
        ("XA", "x,+1,5M,0;", "Z"),
        ("ZB", np.array([1, 2, 3], np.int16), None),
        ("XT", "U", "A"),
    ]
    tags += [("ZC", -3, "c"), ("ZS", 40_000, "S"), ("ZF", 1.5, "f"), ("ZH", "1AE3", "H")]
    if random.random() < 0.5:
        tags += [("MC", "5S20M3I10M2D7M4H", "Z")]
    if random.random() < 0.5:
        tags += [("DT", random.choice(["SQ", "LB"]), "Z")]
    if size > 10 and random.random() < 0.5:
        tags = [tag for tag in tags if tag[0] != "XT"]
        tags += [("XT", int(random.integers(1, size)), "i")]
    random.shuffle(tags)
    for name, value, kind in tags:
        if kind is None:
            record.set_tag(name, value.tolist())
        else:
            record.set_tag(name, value, value_type=kind)


@pytest.fixture(scope="module")
def path(fasta, tmp_path_factory):
    """500 odd records, sorted, the contigs in another order than the reference's."""
    random = np.random.default_rng(1)
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "RG": [{"ID": "a", "SM": "S"}]}
    header["SQ"] = [{"SN": "c1", "LN": 2000}, {"SN": "c0", "LN": 3000}]
    out = tmp_path_factory.mktemp("whole") / "x.bam"
    places = sorted((int(t), int(p)) for t, p in random.integers((0, 0), (2, 1900), (450, 2)))
    with pysam.AlignmentFile(str(out), "wb", header=header) as writer:
        for number, (tid, pos) in enumerate([*places, *[(-1, -1)] * 50]):
            record = pysam.AlignedSegment(writer.header)
            record.query_name, record.reference_id = f"r{number}", tid
            record.reference_start = pos
            record.flag = int(random.choice([65, 129, 81, 163, 0, 16, 2113, 1089, 1153, 321]))
            size = int(random.integers(0, 60))
            record.query_sequence = "".join(random.choice(list("ACGTN"), size)) or None
            if size and random.random() < 0.8:
                record.query_qualities = random.integers(0, 60, size).astype("B").tolist()
            if tid < 0:
                record.flag |= 4
            else:
                record.mapping_quality = int(random.integers(0, 61))
                record.cigartuples = [(5, 3), (0, size)] if size else [(0, 30)]
                record.next_reference_id = int(random.integers(-1, 2))
                record.next_reference_start = int(random.integers(0, 1900))
                record.template_length = int(random.integers(-500, 500))
            _tags(random, record, size)
            writer.write(record)
    pysam.index(str(out))
    return out


def covered(cigar: str) -> int:
    return sum(int(size) for size, op in re.findall(r"(\d+)([MIDNSH=X])", cigar) if op in "MDN=X")


def check(found, wanted, names):
    """The columns of one batch of records beside pysam's."""
    for r, record in enumerate(wanted):
        size = record.query_length
        own = slice(found.base_start[r], found.base_start[r + 1])
        assert found.tid[r] == (-1 if record.reference_id < 0 else names[record.reference_name])
        assert (found.pos[r], found.flag[r]) == (record.reference_start, record.flag)
        assert found.mapq[r] == record.mapping_quality
        assert found.tlen[r] == record.template_length
        assert found.mate_pos[r] == record.next_reference_start
        mate = record.next_reference_name
        assert found.mate_tid[r] == (names[mate] if mate else -1)
        forward = record.get_forward_sequence() or ""
        assert found.codes[own].tolist() == encode(forward).tolist()
        scores = record.query_qualities
        assert (found.qual_start[r] >= 0) == (scores is not None and size > 0)
        if scores is not None and size:
            assert found.quals[own].tolist() == list(scores)[:: -1 if record.is_reverse else 1]
        words = found.cigar[found.cigar_start[r] : found.cigar_start[r + 1]]
        assert [(w & 15, w >> 4) for w in words.tolist()] == (record.cigartuples or [])
        if record.has_tag("MC"):
            assert found.mate_end[r] == record.next_reference_start + covered(record.get_tag("MC"))
        else:
            assert found.mate_end[r] == record.reference_start + record.template_length
        kinds = {"SQ": 2, "LB": 1, "": 3}
        told = kinds[record.get_tag("DT") if record.has_tag("DT") else ""]
        assert found.kind[r] == (told if record.is_duplicate else 0)
        trimmed = record.get_tag("XT") if record.has_tag("XT") else "U"
        if trimmed != "U":
            assert found.high[r] - found.low[r] == trimmed - 1


@pytest.mark.parametrize("least", [1 << 12, 1 << 16])
def test_records_beside_pysam(fasta, path, monkeypatch, least):
    monkeypatch.setattr(bam, "_LEAST", least)
    monkeypatch.setattr(bam, "_MOST", least)
    reference = open_reference(fasta)
    batches = list(read_records(open_alignments(path, reference), reference))
    with pysam.AlignmentFile(str(path)) as reader:
        records = list(reader.fetch(until_eof=True))
    at = 0
    for found in batches:
        check(found, records[at : at + len(found.pos)], {"c0": 0, "c1": 1})
        at += len(found.pos)
    assert at == len(records) == 500


def test_cram_gives_the_same(fasta, path, tmp_path, monkeypatch):
    monkeypatch.setattr(bam_whole, "_RECORDS", 77)
    reference, cram = open_reference(fasta), tmp_path / "x.cram"
    options = {"reference_filename": str(htslib_fasta(reference))}
    with pysam.AlignmentFile(str(path)) as reader:
        records = [record for record in reader.fetch(until_eof=True) if record.query_length]
        with pysam.AlignmentFile(str(cram), "wc", template=reader, **options) as out:
            for record in records:
                out.write(record)
    pysam.index(str(cram))
    at = 0
    with pysam.AlignmentFile(str(cram), **options) as reader:
        wanted = list(reader.fetch(until_eof=True))
    for found in read_records(open_alignments(cram, reference), reference):
        check(found, wanted[at : at + len(found.pos)], {"c0": 0, "c1": 1})
        at += len(found.pos)
    assert at == len(records) > 400


def test_a_damaged_file_is_told(fasta, path, tmp_path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    broken = tmp_path / "x.bam"
    broken.write_bytes(raw)
    (tmp_path / "x.bam.bai").write_bytes(path.with_name("x.bam.bai").read_bytes())
    reference = open_reference(fasta)
    with pytest.raises(LingquError, match="damaged|truncated|no BGZF"):
        list(read_records(open_alignments(broken, reference), reference))
