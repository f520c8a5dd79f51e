"""The seed index of a reference: built once, beside its sequence, and memory-mapped by all."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lingqu.align.kernels.build import LEAST_PART_BITS, count_parts, fill_parts, sort_part
from lingqu.align.kernels.seed import PLACE_BITS
from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.base.staging import staged
from lingqu.formats.reference import (
    PAD,
    Reference,
    building,
    file_crc,
    forget_damaged,
    open_reference,
    state_of,
    store_folder,
)
from lingqu.sequence.kmers import K, S

VERSION = 3
_WINDOW = 1 << 20

_PART_BITS = 11
"""Parts of a large genome's seeds: as many as the TLB has entries."""

_HELD = 1 << 28
"""Entries that a builder holds in memory: 2 GiB."""


@dataclass(frozen=True)
class SeedIndex:
    """An opened index: `entries` and `buckets` as align.kernels.seed describes them."""

    reference: Reference
    shift: np.uint64
    buckets: np.ndarray
    entries: np.ndarray


def _windows(reference: Reference) -> Iterator[tuple[int, np.ndarray]]:
    """Stretches of contigs (start, codes) whose syncmers, together, are those of the reference.

    The codes are good until the next: a copy, as kernels are compiled anew for read-only arrays.
    """
    room = np.empty(_WINDOW + K - 1, np.uint8)
    for tid in range(len(reference.names)):
        begin = int(reference.offsets[tid])
        end = begin + int(reference.lengths[tid])
        for start in range(begin, end, _WINDOW):
            codes = room[: min(_WINDOW + K - 1, end - start)]
            codes[:] = reference.codes[start : start + len(codes)]
            yield start, codes


def _bucket_bits(bases: int) -> int:
    """About three buckets for four seeds; the rest of the hash must fit beside a place."""
    return min(max(int(bases // 4).bit_length(), LEAST_PART_BITS), 28)


def _identity(reference: Reference) -> dict:
    """What the seeds of one reference have that those of no other have."""
    sequence = hashlib.sha256("".join(reference.md5s).encode()).hexdigest()
    return {"version": VERSION, "k": K, "s": S, "pad": PAD, "sequence": sequence}


class _Builder:
    """Builds the table in memory, a group of parts at a time, and writes each as it is done."""

    def __init__(self, reference: Reference, bits: int):
        self._reference = reference
        part_bits = min(bits, _PART_BITS)
        self._shift, self._part_shift = np.uint64(2 * K - bits), np.uint64(2 * K - part_bits)
        self._hashes = np.empty(_WINDOW + K, np.uint64)
        self._places = np.empty(_WINDOW + K, np.int64)
        self.buckets = np.zeros((1 << bits) + 1, np.uint32)
        self._counts = np.zeros(1 << part_bits, np.int64)
        for _, codes in _windows(reference):
            count_parts(codes, self._part_shift, self._counts, self._hashes, self._places)
        self.total = self.buckets[-1] = int(self._counts.sum())

    def _groups(self) -> Iterator[tuple[int, int]]:
        """Ranges of parts whose entries, together, are held in memory."""
        first = held = 0
        for part, count in enumerate(self._counts):
            if held and held + count > _HELD:
                yield first, part
                first, held = part, 0
            held += count
        yield first, len(self._counts)

    def write(self, out: BinaryIO) -> None:
        """Write all entries, and fill the buckets."""
        groups = list(self._groups())
        room = max(self._counts[first:last].sum() for first, last in groups)
        entries, scratch = np.empty(room, np.uint64), np.empty(self._counts.max(), np.uint64)
        before = 0
        for first, last in groups:
            held = self._fill(first, last, entries)
            end = 0
            for part in range(first, last):
                begin, end = end, end + int(self._counts[part])
                sort_part(
                    held[begin:end], scratch[: end - begin], part, before + begin,
                    self._part_shift, self._shift, self.buckets,
                )  # fmt: skip
            out.write(held)
            before += end
        if not before:
            out.write(bytes(8))  # an empty file cannot be mapped

    def _fill(self, first: int, last: int, entries: np.ndarray) -> np.ndarray:
        """The entries of the parts [first, last)."""
        counts = np.zeros_like(self._counts)
        counts[first:last] = self._counts[first:last]
        stop = np.cumsum(counts)
        fill = stop - counts
        for offset, codes in _windows(self._reference):
            fill_parts(
                codes, offset, self._part_shift, fill, stop, entries, self._hashes, self._places
            )
        return entries[: stop[-1]]


def _build(reference: Reference, work: Path) -> None:
    if len(reference.codes) >> (PLACE_BITS - 1) or int(reference.lengths.max()) >> 31:
        raise LingquError(
            f"{reference.path}: over 4.29 billion bases, or a contig of over 2.14 billion; split it"
        )
    folder = store_folder(reference.path)
    told = folder / "seeds.json"
    bits = _bucket_bits(int(reference.lengths.sum()))
    builder = _Builder(reference, bits)
    facts = _identity(reference) | {"bits": bits, "seeds": builder.total, "crc32": {}}
    with publish(folder / "seeds.u64", work, [told]) as beside:
        with beside.open("wb") as out:
            builder.write(out)
        facts["crc32"]["seeds.u64"] = file_crc(beside)
    with publish(folder / "buckets.u32", work, [told]) as beside:
        builder.buckets.tofile(beside)
        facts["crc32"]["buckets.u32"] = file_crc(beside)
    with publish(told, work) as beside:
        beside.write_text(json.dumps(facts) + "\n")


def _read_facts(reference: Reference) -> dict | None:
    """The facts of the index; None where they are missing, damaged or of another sequence."""
    folder = store_folder(reference.path)
    try:
        facts = json.loads((folder / "seeds.json").read_text())
        sizes = [(folder / name).stat().st_size for name in ("seeds.u64", "buckets.u32")]
    except (OSError, ValueError):
        return None
    if not _identity(reference).items() <= facts.items():
        return None
    whole = [8 * max(facts["seeds"], 1), 4 * ((1 << facts["bits"]) + 1)]
    return facts if sizes == whole else None


@lru_cache(maxsize=2)
def _open(reference_path: Path, state: tuple) -> SeedIndex:
    reference = open_reference(reference_path)
    while (facts := _read_facts(reference)) is None:
        if state_of(reference_path) != state:
            raise LingquError(f"{reference_path}: changed while it was read; run this again")
        with building(reference_path, "seeds", state) as work:
            if _read_facts(reference) is None:
                _build(reference, work)
    folder = store_folder(reference.path)
    return SeedIndex(
        reference,
        np.uint64(2 * K - facts["bits"]),
        np.memmap(staged(folder / "buckets.u32"), np.uint32, "r").view(np.ndarray),
        np.memmap(staged(folder / "seeds.u64"), np.uint64, "r").view(np.ndarray),
    )


def open_index(fasta: str | Path, verify: bool = False) -> SeedIndex:
    """Open the index of a FASTA file, building it where it is missing: one builder at a time.

    verify: hold its files against their checksums, and build anew what is damaged.
    LingquError on whatever is wrong with the FASTA file or its folder.
    """
    fasta = Path(fasta)
    if verify:
        for name in ("reference.json", "seeds.json"):
            forget_damaged(fasta, name)
    return _open(fasta, state_of(fasta))
