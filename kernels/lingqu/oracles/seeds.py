"""Seeds by definition, and a dictionary for the seed table."""

import numpy as np

from lingqu.align.kernels.seed import PLACE_BITS, look_up, place_of
from lingqu.oracles.trial import Trial, unequal
from lingqu.sequence.codes import reverse_complement
from lingqu.sequence.kmers import K, S, syncmers

_BITS = 12


def word(codes: np.ndarray) -> int:
    """Bases as one number, two bits each."""
    value = 0
    for code in codes:
        value = value << 2 | int(code)
    return value


def _smer_rank(codes: np.ndarray) -> int:
    return min(word(codes), word(reverse_complement(codes))) * 0x9E3779B1 % 2**32


def _kmer_hash(value: int) -> int:
    value = value * 0x9E3779B97F4A7C15 % 4**K
    value ^= value >> 19
    value = value * 0xD6E8FEB86659FD93 % 4**K
    return value ^ (value >> 16)


def syncmers_by_definition(codes: np.ndarray) -> tuple[list[int], list[int]]:
    """(hashes, 2 * start + strand) of the canonical open syncmers of codes (uint8[])."""
    hashes, places = [], []
    for start in range(len(codes) - K + 1):
        kmer = codes[start : start + K]
        if (kmer > 3).any():
            continue
        forward, backward = word(kmer), word(reverse_complement(kmer))
        ranks = [_smer_rank(kmer[i : i + S]) for i in range(K - S + 1)]
        if forward != backward and ranks[(K - S) // 2] == min(ranks):
            hashes.append(_kmer_hash(min(forward, backward)))
            places.append(2 * start + int(backward < forward))
    return hashes, places


def _sequence(rng, size):
    """Bases of two or four letters, an N here and there."""
    codes = rng.integers(0, rng.choice([2, 4]), size).astype(np.uint8)
    codes[rng.random(size) < rng.choice([0, 0.01])] = 4
    return {"codes": codes}


def _bind_syncmers(codes):
    hashes, places = np.empty(len(codes) + 1, np.uint64), np.empty(len(codes) + 1, np.int64)

    def call():
        n = syncmers(codes, 0, len(codes), hashes, places)
        return hashes[:n], places[:n]

    return call


SYNCMERS = Trial(
    make=_sequence,
    bind=_bind_syncmers,
    oracle=syncmers_by_definition,
    unit="base",
    units=lambda codes: len(codes),
    floor=4.0,
)


def _table(rng, size):
    """Seeds of a reference, many of one hash or of one bucket, and seeds to look up."""
    pool = rng.integers(0, 4**K, max(size // 2, 1), dtype=np.uint64)
    crowded = rng.random(len(pool)) < 0.3
    pool[crowded] = (pool[crowded] & np.uint64(0xFFFFFF)) | (pool[0] & ~np.uint64(0xFFFFFF))
    places = 2 * np.sort(rng.choice(20 * size, size, replace=False)) + rng.integers(0, 2, size)
    strange = rng.integers(0, 4**K, size, dtype=np.uint64)
    known = rng.choice(pool, size)
    asked = np.where(rng.random(size) < 0.7, rng.choice(pool, size), strange)
    return {"hashes": known, "places": places, "asked": asked}


def _bind_look_up(hashes, places, asked):
    shift = np.uint64(2 * K - _BITS)
    order = np.lexsort((places, hashes))
    low = hashes[order] & ((np.uint64(1) << shift) - np.uint64(1))
    entries = (low << np.uint64(PLACE_BITS)) | places[order].astype(np.uint64)
    tops = (hashes[order] >> shift).astype(np.int64)
    buckets = np.searchsorted(tops, np.arange((1 << _BITS) + 1)).astype(np.uint32)
    first, count = np.empty(len(asked), np.int64), np.empty(len(asked), np.int32)
    found = np.empty(len(asked), np.int64)

    def call():
        look_up(asked, len(asked), buckets, entries, shift, first, count, found)
        return first, count, entries

    return call


def places_by_dictionary(hashes, places, asked) -> list[list[int]]:
    """The places (ascending) of each seed asked for."""
    known: dict[int, list[int]] = {}
    for value, place in zip(hashes.tolist(), places.tolist(), strict=True):
        known.setdefault(value, []).append(place)
    return [sorted(known.get(value, [])) for value in asked.tolist()]


def _same_places(inputs, ours, wanted):
    first, count, entries = ours
    found = [
        [int(place_of(entry)) for entry in entries[at : at + n]]
        for at, n in zip(first, count, strict=True)
    ]
    return unequal(inputs, found, wanted)


LOOK_UP = Trial(
    make=_table,
    bind=_bind_look_up,
    oracle=places_by_dictionary,
    differ=_same_places,
    unit="seed",
    units=lambda hashes, places, asked: len(asked),
)
