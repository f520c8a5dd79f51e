"""Clipped ends of reads over a planted indel tell the haplotype that they were taken from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call.kernels.clips import split_clips
from lingqu.formats.bam import Alignments
from lingqu.sequence.codes import decode, encode

LENGTH, PLACE, READ = 1000, 500, 100


def clipped_read(hap: str, start: int, pos: int, aligned: int, clip_first: bool) -> Alignments:
    """One read of hap[start:start + READ] with `aligned` bases at `pos`, the others clipped."""
    words = [(aligned, 0), (READ - aligned, 4)]
    words = words[::-1] if clip_first else words
    return Alignments(
        *(np.array([value], np.int32) for value in (pos, pos + aligned)),
        np.zeros(1, np.uint16),
        np.full(1, 60, np.uint8),
        np.array([0, READ]),
        np.array([0, 2]),
        np.zeros(1, np.int32),
        np.full(1, READ, np.int32),
        np.zeros(1, np.uint64),
        encode(hap[start : start + READ]),
        np.full(READ, 30, np.uint8),
        np.array([size << 4 | op for size, op in words], np.uint32),
    )


def told(run, reads: Alignments, ref: str) -> list[str]:
    """The haplotypes that the listed indels make of the reference."""
    indels, inserted = np.empty((4, 4), np.int32), np.empty(2000, np.uint8)
    marked = np.ones(LENGTH, np.bool_)
    found, _ = run(reads, encode(ref), 0, marked, 10, 300, indels, inserted)
    return [
        ref[:start] + decode(inserted[at : at + put]) + ref[start + removed :]
        for start, removed, put, at in indels[:found].tolist()
    ]


@given(st.integers(0, 50), st.integers(4, 250), st.integers(20, 80), st.booleans(), st.booleans())
def test_an_indel_is_told(seed, size, before, deletion, clip_first):
    ref = decode(np.random.default_rng(seed).integers(0, 4, LENGTH).astype(np.uint8))
    behind = PLACE + size if deletion else PLACE - size
    hap = ref[:PLACE] + ref[behind:]
    aligned = READ - before if clip_first else before
    pos = behind if clip_first else PLACE - before
    reads = clipped_read(hap, PLACE - before, pos, aligned, clip_first)
    assert told(split_clips, reads, ref) == [hap]


@pytest.mark.parametrize("run", [split_clips, split_clips.py_func])
def test_bases_from_elsewhere_tell_nothing(run):
    rng = np.random.default_rng(1)
    ref, alien = (decode(rng.integers(0, 4, LENGTH).astype(np.uint8)) for _ in range(2))
    reads = clipped_read(ref[:PLACE] + alien, PLACE - 60, PLACE - 60, 60, False)
    assert told(run, reads, ref) == []
    two = ref[:600] + ref[520:600] + ref[680:]  # the clipped bases lie at two places
    reads = clipped_read(two[:PLACE] + two[520:], PLACE - 60, PLACE - 60, 60, False)
    assert told(run, reads, two) == []


def test_short_clips_and_the_contigs_ends():
    ref = decode(np.random.default_rng(2).integers(0, 4, LENGTH).astype(np.uint8))
    hap = ref[:PLACE] + ref[PLACE + 50 :]
    assert told(split_clips, clipped_read(hap, PLACE - 92, PLACE - 92, 92, False), ref) == []
    hap = "ACGT" * 10 + ref
    assert told(split_clips, clipped_read(hap, 0, 0, 60, True), ref) == []
