"""Syncmers against their definition, and the hash against its promise."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.base.jit import kernel
from lingqu.oracles.seeds import syncmers_by_definition
from lingqu.sequence.codes import encode, reverse_complement
from lingqu.sequence.kmers import K_MASK, K, hash_kmer, syncmers


@kernel
def _hash_all(words, out):
    for i in range(words.size):
        out[i] = hash_kmer(words[i])


def _find(codes):
    hashes = np.empty(len(codes) + 1, np.uint64)
    places = np.empty(len(codes) + 1, np.int64)
    n = syncmers(codes, 0, len(codes), hashes, places)
    return hashes[:n], places[:n]


sequences = st.text("ACGTN", min_size=0, max_size=120) | st.text("AC", min_size=30, max_size=90)


def test_long_sequences_are_taken_in_blocks_without_a_seam(demo_window):
    codes = demo_window[:3000].copy()
    codes[[1015, 2047, 2048]] = 4
    assert _find(codes)[1].tolist() == syncmers_by_definition(codes)[1]


@settings(max_examples=150)
@given(sequences)
def test_syncmers_are_those_of_the_definition(text):
    codes = encode(text)
    hashes, places = _find(codes)
    assert (hashes.tolist(), places.tolist()) == syncmers_by_definition(codes)


@settings(max_examples=100)
@given(st.text("ACGT", min_size=K, max_size=200))
def test_both_strands_have_the_same_syncmers(text):
    codes = encode(text)
    hashes, places = _find(codes)
    mirrored_hashes, mirrored = _find(reverse_complement(codes))
    here = sorted(zip(hashes.tolist(), (places >> 1).tolist(), (places & 1).tolist(), strict=True))
    there = [
        (h, len(text) - K - (p >> 1), 1 - (p & 1))
        for h, p in zip(mirrored_hashes.tolist(), mirrored.tolist(), strict=True)
    ]
    assert here == sorted(there)


def test_hash_is_invertible_on_a_sample():
    words = np.unique(np.random.default_rng(1).integers(0, int(K_MASK), 200_000, dtype=np.uint64))
    out = np.empty_like(words)
    _hash_all(words, out)
    assert len(np.unique(out)) == len(words)
    assert out.max() <= K_MASK


def test_about_one_position_in_five_is_a_seed(demo_window):
    assert 0.17 < len(_find(demo_window)[1]) / len(demo_window) < 0.23
