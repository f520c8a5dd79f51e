"""Our indices, read by htslib, against a scan of all records."""

import random
import struct

import numpy as np
import pysam
import pytest

from lingqu.formats import bgzf
from lingqu.formats.bam_index import bins, depth_for, index_bytes, merge, shard_index


def write_bam(path, lengths, rng, count):
    """A sorted BAM with random records; (their bytes, offsets, tid, pos, span)."""
    header = pysam.AlignmentHeader.from_dict(
        {"SQ": [{"SN": f"c{i}", "LN": length} for i, length in enumerate(lengths)]}
    )
    places = sorted((rng.randrange(len(lengths)), rng.random()) for _ in range(count))
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for number, (tid, place) in enumerate(places):
            record = pysam.AlignedSegment(header)
            record.query_name = f"r{number}"
            record.query_sequence = "A" * 20
            record.reference_id = tid
            record.reference_start = int(place * (lengths[tid] - 50_000))
            gap = rng.choice([0, 1, 1000, 40_000])
            record.cigartuples = [(0, 10), (3, gap), (0, 10)] if gap else [(0, 20)]
            record.flag = 4 if rng.random() < 0.1 else 0
            out.write(record)
    return split(bgzf.decompress(path.read_bytes()))


def split(raw):
    """Header bytes and records of an uncompressed BAM."""
    at = 8 + struct.unpack_from("<i", raw, 4)[0]
    contigs = struct.unpack_from("<i", raw, at)[0]
    at += 4
    for _ in range(contigs):
        at += 8 + struct.unpack_from("<i", raw, at)[0]
    header, records = raw[:at], []
    while at < len(raw):
        size = 4 + struct.unpack_from("<i", raw, at)[0]
        records.append(raw[at : at + size])
        at += size
    return header, records


@pytest.mark.parametrize("lengths", [[1000_000, 70_000_000, 300_000], [900_000_000, 500_000]])
def test_regions_and_totals(lengths, tmp_path):
    rng = random.Random(1)
    _, records = header, records = write_bam(tmp_path / "in.bam", lengths, rng, 400)
    segments = list(pysam.AlignmentFile(str(tmp_path / "in.bam"), check_sq=False))
    tid = np.array([segment.reference_id for segment in segments])
    pos = np.array([segment.reference_start for segment in segments])
    span = np.array(
        [0 if segment.is_unmapped else segment.reference_length for segment in segments], np.int32
    )
    out, shards = bytearray(bgzf.compress(header)), []
    for rows in np.array_split(np.arange(len(records)), 3):
        base, begin = len(out), []
        for row in rows:
            begin.append((len(out) - base) << 16)
            out += bgzf.compress(records[row])
        index = shard_index(
            tid[rows], pos[rows], span[rows], np.array(begin, np.uint64), (len(out) - base) << 16,
            depth_for(max(lengths)),
        )  # fmt: skip
        shards.append((base, index))
    path = tmp_path / "out.bam"
    path.write_bytes(bytes(out) + bgzf.EOF)
    suffix, index = index_bytes(merge(shards), np.array(lengths), 7)
    assert suffix == (".csi" if max(lengths) > 1 << 29 else ".bai")
    (tmp_path / f"out.bam{suffix}").write_bytes(index)
    with pysam.AlignmentFile(str(path)) as reader:
        assert reader.nocoordinate == 7
        for number, stats in enumerate(reader.get_index_statistics()):
            unmapped = int(((tid == number) & (span == 0)).sum())
            assert stats.unmapped == unmapped
            assert stats.mapped == int((tid == number).sum()) - unmapped
        for _ in range(100):
            number = rng.randrange(len(lengths))
            start = rng.randrange(lengths[number])
            end = min(start + rng.choice([1, 100, 20_000, 10_000_000]), lengths[number])
            found = [segment.query_name for segment in reader.fetch(f"c{number}", start, end)]
            stop = pos + np.maximum(span, 1)
            wanted = np.flatnonzero((tid == number) & (pos < end) & (stop > start))
            assert found == [f"r{row}" for row in wanted]


def test_bins_as_in_the_specification():
    start = np.array([0, 0, 16383, 16384, (1 << 26) - 1, 5])
    end = np.array([1, 1 << 29, 16385, 16385, (1 << 26) + 1, 1 << 17])
    assert bins(start, end, 5).tolist() == [4681, 0, 585, 4682, 0, 585]


def test_no_records():
    _, index = index_bytes({}, np.array([1000, 2000]), 3)
    assert index == b"BAI\1" + struct.pack("<i", 2) + bytes(16) + struct.pack("<Q", 3)


def test_every_other_of_many_contigs_is_empty():
    count = 2000
    tid = np.arange(1, count, 2)
    place = np.zeros(len(tid), np.int64)
    begin = (np.arange(len(tid)) << 16).astype(np.uint64)
    index = shard_index(tid, place, place + 10, begin, len(tid) << 16, 5)
    _, raw = index_bytes(merge([(0, index)]), np.full(count, 1000), 0)
    # 2 bins: the record's, of one chunk, and the pseudo-bin, of two; then one window
    has = struct.Struct("<iIiQQIiQQQQiQ")
    at = 8
    for number in range(count):
        if number % 2 == 0:
            assert raw[at : at + 8] == bytes(8)
            at += 8
            continue
        row = (number // 2) << 16
        ends = row, row + (1 << 16)
        wanted = (2, 4681, 1, *ends, 37450, 2, *ends, 1, 0, 1, row)
        assert has.unpack_from(raw, at) == wanted
        at += has.size
    assert len(raw) == at + 8
