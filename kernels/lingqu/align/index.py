"""The seed index of a reference: built once, beside its sequence, and memory-mapped by all."""

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lingqu.align.kernels.seed import PLACE_BITS, count_seeds, place_seeds, sort_buckets
from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.formats.reference import (
    PAD,
    Reference,
    builder_lock,
    fingerprint,
    open_reference,
    store_folder,
)
from lingqu.sequence.kmers import K, S

VERSION = 3
_WINDOW = 1 << 22


@dataclass(frozen=True)
class SeedIndex:
    """An opened index: `entries` and `buckets` as align.kernels.seed describes them."""

    reference: Reference
    shift: np.uint64
    buckets: np.ndarray
    entries: np.ndarray


def _windows(reference: Reference):
    """Stretches of contigs whose syncmers, together, are those of the reference."""
    for tid in range(len(reference.names)):
        begin = int(reference.offsets[tid])
        end = begin + int(reference.lengths[tid])
        for start in range(begin, end, _WINDOW):
            yield start, min(start + _WINDOW + K - 1, end)


def _bucket_bits(bases: int) -> int:
    """About three buckets for four seeds; the rest of the hash must fit beside a place."""
    return min(max(int(bases // 4).bit_length(), 2 * K + PLACE_BITS - 64), 28)


def _identity(reference: Reference) -> dict:
    """What the seeds of one reference have that those of no other have."""
    sequence = hashlib.sha256("".join(reference.md5s).encode()).hexdigest()
    return {"version": VERSION, "k": K, "s": S, "pad": PAD, "sequence": sequence}


def _build(reference: Reference, folder: Path) -> None:
    if len(reference.codes) >> (PLACE_BITS - 1) or int(reference.lengths.max()) >> 31:
        raise LingquError(
            f"{reference.path}: over 4.29 billion bases, or a contig of over 2.14 billion; split it"
        )
    (folder / "seeds.json").unlink(missing_ok=True)
    bits = _bucket_bits(int(reference.lengths.sum()))
    shift = np.uint64(2 * K - bits)
    hashes = np.empty(_WINDOW + K, np.uint64)
    places = np.empty(_WINDOW + K, np.int64)
    buckets = np.zeros((1 << bits) + 1, np.uint32)
    total = sum(
        count_seeds(reference.codes, begin, end, shift, buckets, hashes, places)
        for begin, end in _windows(reference)
    )
    np.cumsum(buckets, out=buckets)
    with publish(folder / "seeds.u64") as beside:
        with beside.open("wb") as file:  # a full disk is an error here, and a signal in the map
            os.posix_fallocate(file.fileno(), 0, 8 * max(total, 1))
        entries = np.memmap(beside, np.uint64, "r+")
        fill = buckets[:-1].copy()
        for begin, end in _windows(reference):
            place_seeds(reference.codes, begin, end, shift, fill, entries, hashes, places)
        del fill
        sort_buckets(buckets, entries)
        entries.flush()
    with publish(folder / "buckets.u32") as beside:
        buckets.tofile(beside)
    facts = _identity(reference) | {"bits": bits, "seeds": total}
    with publish(folder / "seeds.json") as beside:
        beside.write_text(json.dumps(facts) + "\n")


def _read_facts(reference: Reference) -> dict | None:
    try:
        facts = json.loads((store_folder(reference.path) / "seeds.json").read_text())
    except (OSError, ValueError):
        return None
    return facts if _identity(reference).items() <= facts.items() else None


@lru_cache(maxsize=2)
def _open(reference_path: Path, _state: tuple) -> SeedIndex:
    reference = open_reference(reference_path)
    facts = _read_facts(reference)
    folder = store_folder(reference.path)
    if facts is None:
        with builder_lock(folder):
            facts = _read_facts(reference)
            if facts is None:
                _build(reference, folder)
                facts = _read_facts(reference)
    return SeedIndex(
        reference,
        np.uint64(2 * K - facts["bits"]),
        np.memmap(folder / "buckets.u32", np.uint32, "r").view(np.ndarray),
        np.memmap(folder / "seeds.u64", np.uint64, "r").view(np.ndarray),
    )


def open_index(fasta: str | Path) -> SeedIndex:
    """Open the index of a FASTA file, building it where it is missing: one builder at a time.

    LingquError on whatever is wrong with the FASTA file or its folder.
    """
    fasta = Path(fasta)
    return _open(fasta, tuple(fingerprint(fasta).values()))
