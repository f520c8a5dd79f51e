"""Regions and BED files, held against sets of positions."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.base.errors import LingquError
from lingqu.formats import bed

LENGTHS = {"20": 63_025_520, "chrM": 16_569, "HLA-A*01:01:01:01": 3_503, "HLA-A*01:01": 500}

pairs = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12)).map(lambda p: (p[0], p[0] + p[1]))
)


@given(pairs)
def test_merge_keeps_exactly_the_positions(spans):
    merged = bed.merge(spans)
    assert {p for a, b in spans for p in range(a, b)} == {p for a, b in merged for p in range(a, b)}
    assert (merged[1:, 0] > merged[:-1, 1]).all()  # apart, and not even touching


@given(pairs, st.lists(st.tuples(st.integers(0, 80), st.integers(1, 9)), min_size=1))
def test_overlaps_as_sets_do(spans, asked):
    start = np.array([a for a, _ in asked])
    end = start + np.array([n for _, n in asked])
    inside = {p for a, b in spans for p in range(a, b)}
    expected = [bool(inside & set(range(a, b))) for a, b in zip(start, end, strict=True)]
    assert bed.overlaps(bed.merge(spans), start, end).tolist() == expected


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("20", ("20", 0, 63_025_520)),
        ("20:1-100", ("20", 0, 100)),
        ("20:1,000-2,000", ("20", 999, 2000)),
        ("20:100", ("20", 99, 63_025_520)),
        ("20:100-", ("20", 99, 63_025_520)),
        ("20:7-7", ("20", 6, 7)),
        ("chrM:16,000-99,999", ("chrM", 15_999, 16_569)),
        ("HLA-A*01:01:01:01", ("HLA-A*01:01:01:01", 0, 3_503)),
        ("HLA-A*01:01:01:01:5-10", ("HLA-A*01:01:01:01", 4, 10)),
        ("HLA-A*01:01", ("HLA-A*01:01", 0, 500)),
        ("{HLA-A*01:01}:5-10", ("HLA-A*01:01", 4, 10)),
        ("{20}", ("20", 0, 63_025_520)),
    ],
)
def test_region(text, region):
    assert bed.parse_region(text, LENGTHS) == region


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("21", "no contig '21'"),
        ("21:1-5", "no contig '21'"),
        ("20:x-5", "no number"),
        ("20:1-5x", "no number"),
        ("20:", "no number"),
        ("20:0-5", "no bases"),
        ("20:9-5", "no bases"),
        ("chrM:20000-20010", "no bases"),
        ("", "no contig"),
    ],
)
def test_wrong_region(text, word):
    with pytest.raises(LingquError, match=word):
        bed.parse_region(text, LENGTHS)


def test_regions_are_merged():
    found = bed.parse_regions(["20:1-10", "chrM:5-6", "20:8-20"], LENGTHS)
    assert {k: v.tolist() for k, v in found.items()} == {"20": [[0, 20]], "chrM": [[4, 6]]}


@pytest.mark.parametrize("opener", [open, gzip.open])
def test_bed_file(tmp_path, opener):
    path = tmp_path / "a.bed"
    with opener(path, "wb") as out:
        out.write(
            b"track name=x\n# note\nbrowser position 20\n20\t100\t200\tname\t0\t+\r\n\n"
            b"chrM 0 16569\n20\t150\t300\r\n20\t10\t20"
        )
    found = bed.read_bed(path, LENGTHS)
    assert {k: v.tolist() for k, v in found.items()} == {
        "20": [[10, 20], [100, 300]],
        "chrM": [[0, 16_569]],
    }


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("chrM\t100\t16570", "beyond contig 'chrM' of 16569"),
        ("chrX\t1\t2", "no contig 'chrX'"),
        ("20\t5\t5", "start 5 is not before end 5"),
        ("20\t9\t5", "start 9"),
        ("20\t-1\t5", "'-1' is no whole number"),
        ("20\t1.5\t5", "'1.5'"),
        ("20\t1", "2 columns"),
    ],
)
def test_wrong_line_is_named(tmp_path, line, word):
    path = tmp_path / "wrong.bed"
    path.write_text(f"20\t1\t2\n{line}\n")
    with pytest.raises(LingquError, match=r"wrong\.bed: line 2: ") as caught:
        bed.read_bed(path, LENGTHS)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path):
    with pytest.raises(LingquError, match=r"none\.bed: cannot be read"):
        bed.read_bed(tmp_path / "none.bed", LENGTHS)
    cut = tmp_path / "cut.bed.gz"
    cut.write_bytes(gzip.compress(b"20\t1\t2\n" * 1000)[:-12])
    with pytest.raises(LingquError, match="truncated gzip"):
        bed.read_bed(cut, LENGTHS)
    (tmp_path / "empty.bed").write_text("# nothing\n")
    with pytest.raises(LingquError, match="no interval"):
        bed.read_bed(tmp_path / "empty.bed", LENGTHS)
    (tmp_path / "binary.bed").write_bytes(b"20\t\xff\xfe\x00\n")
    with pytest.raises(LingquError, match="no text"):
        bed.read_bed(tmp_path / "binary.bed", LENGTHS)
