"""BGZF against gzip and pysam's reader."""

import gzip

import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.base.errors import LingquError
from lingqu.formats import bgzf


@given(st.binary(max_size=200), st.integers(0, 2000))
def test_round_trip(data, times):
    data = data * times
    packed = bgzf.compress(data)
    assert bgzf.decompress(packed + bgzf.EOF) == data
    assert gzip.decompress(packed + bgzf.EOF) == data


def test_real_text_is_read_by_htslib(demo, tmp_path):
    text = gzip.decompress((demo / "NA12878_L001_R1.fastq.gz").read_bytes())
    path = tmp_path / "x.gz"
    path.write_bytes(bgzf.compress(text) + bgzf.EOF)
    with pysam.BGZFile(str(path), "rb") as reader:
        assert reader.read() == text


def test_incompressible_blocks_fit():
    import random

    data = random.Random(1).randbytes(3 * bgzf.PAYLOAD)
    packed, at = bgzf.compress(data), 0
    while at < len(packed):
        at += bgzf.block_size(packed, at)
    assert at == len(packed)


def test_tells_bgzf_from_gzip():
    assert bgzf.is_bgzf(bgzf.EOF)
    assert not bgzf.is_bgzf(gzip.compress(b"x"))


@pytest.mark.parametrize("cut", [1, 10, 27])
def test_truncated(cut):
    packed = bgzf.compress(b"ACGT" * 100)
    with pytest.raises(LingquError, match=r"x\.bam: .*(truncated|no BGZF block)"):
        bgzf.decompress(packed[:-cut], "x.bam")


def test_damaged():
    packed = bytearray(bgzf.compress(b"ACGT" * 100))
    packed[-6] ^= 1
    with pytest.raises(LingquError, match=r"x\.bam: byte 0: damaged"):
        bgzf.decompress(bytes(packed), "x.bam")
