"""BGZF against gzip and pysam's reader."""

import gzip

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.base.errors import LingquError
from lingqu.formats import bgzf
from lingqu.formats.bgzf_kernels import whole_blocks


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


@pytest.mark.parametrize("function", [whole_blocks, whole_blocks.py_func])
def test_whole_blocks_in_one_go(function):
    data = np.random.default_rng(1).integers(0, 9, 200_000).astype(np.uint8)
    packed = np.frombuffer(bgzf.compress(data) + bgzf.EOF, np.uint8)
    assert function(packed) == (len(packed), len(data), True)
    first = bgzf.block_size(packed, 0)
    for cut in (first, first + 1, first + 17, first + 18, first + 100):
        assert function(packed[:cut]) == (first, bgzf.PAYLOAD, True)
    out = np.empty(len(data), np.uint8)
    bgzf.decompress_into(packed, out)
    assert (out == data).all()
    assert not function(np.append(packed, np.zeros(30, np.uint8)))[2]


@pytest.mark.parametrize("place", [20, 200, -6, -40])
def test_damaged_in_one_go(place):
    data = np.random.default_rng(1).integers(0, 9, 100_000).astype(np.uint8)
    packed = np.frombuffer(bgzf.compress(data), np.uint8).copy()
    packed[place] ^= 1
    with pytest.raises(LingquError, match=r"x\.bam: .*damaged"):
        bgzf.decompress_into(packed, np.empty(len(data), np.uint8), "x.bam")
