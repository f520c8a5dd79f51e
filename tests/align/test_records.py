"""BAM records against htslib's view of them, Python's arithmetic, and foreign tools."""

import shutil
import subprocess

import numpy as np
import pysam
import pytest

from lingqu.align.batch import AlignmentBatch
from lingqu.align.reads import read_batch
from lingqu.align.records import encode_records, place_keys, sorted_records
from lingqu.formats import bgzf
from lingqu.formats.bam_header import bam_header, header_text
from lingqu.formats.fastq import read_chunks
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import decode, encode, reverse_complement


def templates(path) -> list[list[pysam.AlignedSegment]]:
    """Records of a SAM file in input order, by template; R1's primary first, R2's second."""
    groups, last = [], None
    with pysam.AlignmentFile(str(path), check_sq=False) as sam:
        for record in sam:
            if record.query_name != last:
                groups.append([])
                last = record.query_name
            groups[-1].append(record)
    for group in groups:
        group.sort(key=lambda r: (bool(r.flag & 0x900), bool(r.flag & 0x80)))
    return groups


def batch_of(groups) -> AlignmentBatch:
    """The AlignmentBatch of templates as `templates` gives them (whole CIGARs: bwa mem -Y)."""
    records = [record for group in groups for record in group]
    firsts = np.concatenate(([0], np.cumsum([2 if g[0].is_paired else 1 for g in groups])))
    read = [
        int(first) + (1 if record.flag & 0x80 else 0)
        for first, group in zip(firsts[:-1], groups, strict=True)
        for record in group
    ]
    cigars = [[(size << 4) | op for op, size in record.cigartuples or ()] for record in records]
    lengths = [len(cigar) for cigar in cigars]

    def column(values, kind):
        return np.array(list(values), kind)

    def tag(record, name):
        return record.get_tag(name) if record.has_tag(name) else -1

    return AlignmentBatch(
        record_start=np.cumsum([0, *map(len, groups)]).astype(np.int64),
        read=column(read, np.int32),
        flag=column((r.flag & ~0x400 for r in records), np.uint16),
        tid=column((r.reference_id for r in records), np.int32),
        pos=column((r.reference_start for r in records), np.int32),
        mapq=column((r.mapping_quality for r in records), np.uint8),
        cigar_start=np.cumsum([0, *lengths[:-1]]).astype(np.int64),
        cigar_len=column(lengths, np.int32),
        cigar=column((op for cigar in cigars for op in cigar), np.uint32),
        mate_tid=column((r.next_reference_id for r in records), np.int32),
        mate_pos=column((r.next_reference_start for r in records), np.int32),
        tlen=column((r.template_length for r in records), np.int32),
        score=column((tag(r, "AS") for r in records), np.int32),
        sub_score=column((tag(r, "XS") for r in records), np.int32),
    )


@pytest.fixture(scope="module")
def records(aligned):
    """All records of the aligned reads."""
    with pysam.AlignmentFile(str(aligned)) as reader:
        return list(reader.fetch(until_eof=True))


@pytest.fixture(scope="module")
def primaries(records):
    """Primary record by name and mate."""
    return {(r.query_name, r.is_read2): r for r in records if not r.flag & 0x900}


def test_md_and_nm_against_the_reference(records, reference):
    contig = open_reference(reference).contig(0)
    edited = 0
    for record in records:
        if record.is_unmapped:
            assert not record.has_tag("NM") and not record.has_tag("MD")
            continue
        start, stop = record.reference_start, record.reference_end
        assert record.get_reference_sequence().upper() == decode(contig[start:stop])
        pairs = record.get_aligned_pairs(matches_only=True)
        wrong = sum(record.query_sequence[q] != decode(contig[r : r + 1]) for q, r in pairs)
        gaps = sum(size for op, size in record.cigartuples if op in (1, 2))
        assert record.get_tag("NM") == wrong + gaps
        edited += wrong + gaps > 0
    assert edited > 100


def test_mate_tags(records, primaries):
    for record in records:
        mate = primaries[record.query_name, not record.is_read2]
        assert record.has_tag("MC") == record.has_tag("MQ") == (not mate.is_unmapped)
        if not mate.is_unmapped:
            assert record.get_tag("MC") == mate.cigarstring
            assert record.get_tag("MQ") == mate.mapping_quality


def test_supplementary_tags(records):
    by_read = {}
    for record in records:
        by_read.setdefault((record.query_name, record.is_read2), []).append(record)
    for group in by_read.values():
        elements = [
            f"{r.reference_name},{r.reference_start + 1},{'-' if r.is_reverse else '+'},"
            f"{r.cigarstring},{r.mapping_quality},{r.get_tag('NM')}"
            for r in sorted(group, key=lambda r: r.flag & 0x900)
            if not r.is_unmapped
        ]
        if len(group) == 1:
            assert not group[0].has_tag("SA")
        for record in group if len(group) > 1 else ():
            own = f"{record.reference_name},{record.reference_start + 1},"
            listed = record.get_tag("SA").rstrip(";").split(";")
            assert sorted(listed) == sorted(e for e in elements if not e.startswith(own))


def test_reads_come_back_whole(primaries, deep_reads):
    for mate, path in enumerate(deep_reads):
        lines = path.read_text().splitlines()
        for name, bases, _, quality in zip(*[iter(lines)] * 4, strict=True):
            record = primaries[name[1:].split()[0].removesuffix(f"/{mate + 1}"), bool(mate)]
            assert record.get_forward_sequence() == bases
            scores = record.query_qualities_str
            assert (scores[::-1] if record.is_reverse else scores) == quality


def test_order_and_bins(records):
    keys = [
        (record.reference_id % 2**32, record.reference_start, record.is_reverse)
        for record in records
    ]
    assert keys == sorted(keys)
    for record in records:
        end = record.reference_end or record.reference_start + 1
        assert record.bin == pysam_bin(record.reference_start, max(end, record.reference_start + 1))


def pysam_bin(start, end):
    """Section 5.3 of the SAM specification."""
    for shift, first in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> shift == (end - 1) >> shift:
            return first + (start >> shift)
    return 0


def test_adapter_tag(reference, lane_of, run_align, deep_reads, tmp_path):
    contig = open_reference(reference).contig(0)
    insert = contig[10_040_000:10_040_080]
    adapters = encode("AGATCGGAAGAGCACACGTCTGAACTCC"), encode("AGATCGGAAGAGCGTCGTGTAGGGAAAG")
    batch_files = []
    for mate, bases in enumerate((insert, reverse_complement(insert))):
        read = decode(np.concatenate((bases, adapters[mate])))
        path = tmp_path / f"{mate}.fq"
        path.write_text(deep_reads[mate].read_text() + f"@x\n{read}\n+\n{'I' * len(read)}\n")
        batch_files.append(path)
    stats = run_align(reference, [lane_of(*batch_files)], tmp_path / "x.bam")
    assert stats["trimmed"] >= 2
    with pysam.AlignmentFile(str(tmp_path / "x.bam")) as reader:
        found = [record for record in reader if record.query_name == "x"]
    assert [record.get_tag("XT") for record in found] == [81, 81]
    assert {record.cigarstring for record in found} == {"80M28S", "28S80M"}


@pytest.fixture(scope="module")
def foreign(reference, few_reads, tmp_path_factory):
    """bwa's alignments of the few reads: (SAM file, reference)."""
    if not shutil.which("bwa"):
        pytest.skip("bwa is not installed")
    folder = tmp_path_factory.mktemp("bwa")
    opened = open_reference(reference)
    fasta = folder / "window.fa"
    begin, end = 9_990_000, 10_110_000
    fasta.write_text(f">20\n{decode(opened.contig(0)[begin:end])}\n")
    subprocess.run(["bwa", "index", fasta], check=True, capture_output=True)
    sam = folder / "few.sam"
    with sam.open("wb") as out:
        command = ["bwa", "mem", "-Y", fasta, *few_reads]
        subprocess.run(command, check=True, stdout=out, stderr=subprocess.DEVNULL)
    return sam, open_reference(fasta)


def test_same_records_as_bwa(foreign, few_reads, tmp_path):
    sam, reference = foreign
    groups = templates(sam)
    (chunk,) = read_chunks(0, few_reads)
    reads, found = read_batch(chunk), batch_of(groups)
    data, offset, span = encode_records(reads, found, reference, b"")
    header = bam_header(reference, header_text(reference, [], "x"))
    path = tmp_path / "x.bam"
    path.write_bytes(bgzf.compress(header) + bgzf.compress(data) + bgzf.EOF)
    ours = list(pysam.AlignmentFile(str(path)))
    theirs = [record for group in groups for record in group]
    assert len(ours) == len(theirs) == len(span) == len(offset) - 1
    for mine, record in zip(ours, theirs, strict=True):
        one, two = mine.to_string().split("\t"), record.to_string().split("\t")
        assert one[:11] == two[:11]
        known = {"NM", "MD", "MC", "SA"} | ({"AS", "XS"} if not record.is_unmapped else set())
        assert {t for t in one[11:] if t[:2] in known} == {t for t in two[11:] if t[:2] in known}


def test_sorting_keeps_the_order_of_equals(foreign, few_reads):
    sam, reference = foreign
    (chunk,) = read_chunks(0, few_reads)
    reads, found = read_batch(chunk), batch_of(templates(sam))
    records = sorted_records(reads, found, reference, b"g")
    order = np.argsort(place_keys(found, reference), kind="stable")
    template = np.repeat(np.arange(reads.n // 2), np.diff(found.record_start))
    assert records.template.tolist() == template[order].tolist()
    assert (np.diff(records.key) >= 0).all()
    assert records.offset[-1] == len(records.data)
