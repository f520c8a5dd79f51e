"""Blocks of BAM records against zlib's, gzip's and htslib's readers."""

import gzip
import struct
import zlib
from itertools import pairwise

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.formats import bgzf
from lingqu.formats.bam_deflate import RecordCompressor

HEADER = "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:c\tLN:100000\n"
BAM_HEADER = b"BAM\1" + struct.pack("<i", len(HEADER)) + HEADER.encode()
BAM_HEADER += struct.pack("<i", 1) + struct.pack("<i", 2) + b"c\0" + struct.pack("<i", 100000)


def record(name, flag, pos, cigar, bases, qualities, tags):
    """A BAM record: cigar of (length, operation), bases as letters, the others as bytes."""
    codes = ["=ACMGRSVTWYHKDBN".index(base) for base in bases] + [0] * (len(bases) & 1)
    packed = bytes(a << 4 | b for a, b in zip(codes[::2], codes[1::2], strict=True))
    body = struct.pack(
        "<iiBBHHHiiii", 0, pos, len(name) + 1, 60, 4681, len(cigar), flag, len(bases), -1, -1, 0
    )
    body += name + b"\0" + b"".join(struct.pack("<I", n << 4 | op) for n, op in cigar)
    body += packed + qualities + tags
    return struct.pack("<I", len(body)) + body


def compress(records):
    """The records as BGZF blocks, each as full as can be; and where the blocks begin in them."""
    compressor = RecordCompressor(max(map(len, records), default=0))
    held, done, starts, blocks = b"", 0, [0], []
    for one in [*records, None]:
        if held and (one is None or len(held) + len(one) > bgzf.PAYLOAD):
            compressor.data[: len(held)] = np.frombuffer(held, np.uint8)
            blocks.append(compressor.compress(len(held)))
            done, held = done + len(held), b""
            starts.append(done)
        held += one or b""
    return blocks, starts


def check(records):
    """Compress, compare what three readers make of the blocks, and return these."""
    data = b"".join(records)
    blocks, starts = compress(records)
    assert gzip.decompress(b"".join(blocks) + bgzf.EOF) == data
    assert bgzf.decompress(b"".join(blocks)) == data
    for block, (start, stop) in zip(blocks, pairwise(starts), strict=True):
        if stop - start <= bgzf.PAYLOAD:
            assert zlib.decompress(block[18:-8], -15) == data[start:stop]
            assert bgzf.block_size(block, 0) == len(block) <= stop - start + 31
    return blocks


def reads(seed, count, length, scores, spacing=5, indels=0.1):
    """Sorted records of reads from a random contig, with errors, clips and tags."""
    random = np.random.default_rng(seed)
    contig, records, pos = random.integers(0, 4, 100000), [], 0
    for number in range(count):
        pos += int(random.integers(0, 2 * spacing + 1))
        bases = contig[pos : pos + length].copy()
        wrong = random.random(len(bases)) < 0.01
        bases[wrong] = random.integers(0, 4, wrong.sum())
        clip = int(random.integers(1, 20)) if random.random() < 0.1 else 0
        cigar = [(clip, 4)] * (clip > 0) + [(length - clip, 0)]
        if random.random() < indels:
            cigar = [(clip, 4)] * (clip > 0) + [(9, 0), (1, 1), (length - clip - 10, 0)]
        tags = b"NMC" + bytes([int(wrong.sum())]) + b"MDZ%d\0ASC\x90RGZlane-1\0" % length
        letters = "".join("ACGT"[base] for base in bases)
        name = b"machine:1:%d:%d" % (number % 7, random.integers(0, 99999))
        flag = int(random.choice([0, 16, 1024]))
        qualities = scores(random, length).astype(np.uint8).tobytes()
        records.append(record(name, flag, pos + clip, cigar, letters, qualities, tags))
    return records


SCORES = {
    "spread": lambda random, n: random.integers(2, 41, n),
    "binned": lambda random, n: random.choice([2, 12, 23, 37], n, p=[0.01, 0.03, 0.06, 0.9]),
    "same": lambda random, n: np.full(n, 40),
    "absent": lambda random, n: np.full(n, 255),
    "walk": lambda random, n: 38 + np.cumsum(random.choice([-1, 0, 0, 0, 0, 1], n)) % 4,
}


@pytest.mark.parametrize("kind", SCORES)
@pytest.mark.parametrize("length", [101, 250])
def test_reads_of_many_kinds(kind, length, tmp_path):
    records = reads(1, 700, length, SCORES[kind])
    blocks = check(records)
    path = tmp_path / "x.bam"
    path.write_bytes(bgzf.compress(BAM_HEADER) + b"".join(blocks) + bgzf.EOF)
    with pysam.AlignmentFile(str(path)) as reader:
        found = list(reader)
    assert len(found) == len(records)
    assert all(
        one.query_sequence.encode() and one.query_length == length and one.get_tag("RG") == "lane-1"
        for one in found
    )


@pytest.mark.parametrize("kind", SCORES)
def test_not_much_larger_than_zlib(kind):
    records = reads(2, 2000, 150, SCORES[kind])
    ours = sum(map(len, check(records)))
    data, starts = b"".join(records), compress(records)[1]
    pieces = [data[start:stop] for start, stop in pairwise(starts)]
    assert ours <= 1.08 * sum(len(zlib.compress(piece, 6)) + 20 for piece in pieces)


def test_the_same_bytes_again():
    records = reads(3, 500, 150, SCORES["binned"])
    assert check(records) == check(records)


parts = st.tuples(
    st.binary(min_size=1, max_size=60).map(lambda name: name.replace(b"\0", b"x")),
    st.integers(0, 4095),
    st.integers(-1, 2**31 - 2),
    st.lists(st.tuples(st.integers(0, 2**28 - 1), st.integers(0, 8)), max_size=5),
    st.text("=ACGTN", max_size=90),
    st.binary(max_size=60),
    st.integers(0, 255),
)


@settings(max_examples=60)
@given(st.lists(parts, max_size=8), st.integers(1, 60))
def test_any_records(found, times):
    check(
        [
            record(name, flag, pos, cigar, bases, bytes([score]) * len(bases), tags)
            for name, flag, pos, cigar, bases, tags, score in found
        ]
        * times
    )


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 1000, 65000, 65243, 65244, 70000, 150000]))
def test_incompressible_and_huge_records(seed, size):
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, size, np.uint8).tobytes()
    small = record(b"r", 4, -1, [], "ACGT", b"\1\2\3\4", b"")
    check([small, record(b"x", 4, -1, [], "", b"", noise), small, small])


def test_one_record_all_equal():
    blocks = check([record(b"r", 4, -1, [], "", b"", b"\7" * 60000)])
    assert len(blocks) == 1 and len(blocks[0]) < 500


def test_nothing():
    assert compress([]) == ([], [0])
