"""A cohort on disk: a file for each sample, that holds its gVCF cut by shard.

`DIR/cohort.json` tells format and reference; `DIR/samples/*.cut` are the samples. Nothing in one
depends on another, so that samples may come in any order, and one more leaves the others alone.

A sample's file: MAGIC, records and blocks of each shard (see lingqu.call.pieces), an index
(uint64[shards, 4]: offset, size of the records, size of the blocks behind them, CRC32 of the first
and, 32 bits higher, of the second), facts as JSON, and a tail (offset of the index, offset of the
facts, CRC32 of both). What reaches beyond a cut is told in all its shards. Nothing is deflated: it
takes fewer bytes than the gVCF, and is read in no time.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from isal import isal_zlib

from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.base.progress import say
from lingqu.call.pieces import SIZE, Piece, cut, first_shards, unpack
from lingqu.formats.reference import Reference
from lingqu.formats.vcf import VcfReader, open_vcf

MAGIC = b"lingqu cohort 2\n"
_TAIL = struct.Struct("<QQI16s")
_ENTRY = 32


@dataclass(frozen=True)
class Sample:
    """A sample of a cohort; digest: SHA-256 of its gVCF, state: its size and time (in ns)."""

    path: Path
    name: str
    digest: str
    state: tuple[int, int]
    index_at: int

    def is_of(self, gvcf: Path) -> bool:
        """Whether it was made of this gVCF, which is read where its size or time has changed."""
        return self.state == _state(gvcf) or self.digest == digest_of(gvcf)


def _fault(path: Path, what: str) -> LingquError:
    return LingquError(f"{path}: {what}; remove the file and add the sample's gVCF again")


def _state(path: Path) -> tuple[int, int]:
    state = path.stat()
    return state.st_size, state.st_mtime_ns


def open_sample(path: Path) -> Sample:
    """The sample of a file; LingquError where it is damaged or of another version."""
    return _open_sample(path, *_state(path))


@lru_cache(maxsize=1 << 16)
def _open_sample(path: Path, size: int, _mtime_ns: int) -> Sample:
    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise _fault(path, "not a sample of a cohort of this version")
        if size < len(MAGIC) + _TAIL.size:
            raise _fault(path, "truncated")
        stream.seek(size - _TAIL.size)
        index_at, facts_at, crc, magic = _TAIL.unpack(stream.read())
        if magic != MAGIC or not len(MAGIC) <= index_at <= facts_at <= size - _TAIL.size:
            raise _fault(path, "truncated")
        stream.seek(index_at)
        data = stream.read(size - _TAIL.size - index_at)
    if isal_zlib.crc32(data) != crc:
        raise _fault(path, "damaged (its checksum is wrong)")
    facts = json.loads(data[facts_at - index_at :])
    return Sample(path, facts["sample"], facts["digest"], tuple(facts["state"]), index_at)


def filled(samples: list[Sample], shards: int) -> np.ndarray:
    """bool[shards]: for which shards any sample tells something."""
    found = np.zeros(shards, bool)
    for sample in samples:
        with sample.path.open("rb") as stream:
            stream.seek(sample.index_at)
            index = np.frombuffer(stream.read(_ENTRY * shards), np.uint64).reshape(-1, 4)
            found |= index[:, 1] + index[:, 2] > 0
    return found


def _read(sample: Sample, shard: int, part: int) -> bytes:
    """The bytes of a part (0: records, 1: blocks) of a shard."""
    handle = os.open(sample.path, os.O_RDONLY)
    try:
        entry = os.pread(handle, _ENTRY, sample.index_at + _ENTRY * shard)
        offset, *sizes, checks = np.frombuffer(entry, np.uint64).tolist()
        data = os.pread(handle, sizes[part], offset + (sizes[0] if part else 0))
    finally:
        os.close(handle)
    if isal_zlib.crc32(data) != checks >> 32 * part & 0xFFFFFFFF:
        raise _fault(sample.path, "damaged (its checksum is wrong)")
    return data


def read_records(sample: Sample, shard: int) -> Piece:
    """The records of a sample over a shard; LingquError where they are damaged."""
    return unpack(_read(sample, shard, 0))


def read_blocks(sample: Sample, shard: int) -> np.ndarray:
    """The blocks, uint8, see kernels.cohort_blocks; LingquError where they are damaged."""
    return np.frombuffer(_read(sample, shard, 1), np.uint8)


# Adding a sample


def _whole(path: Path, shards: int) -> Sample:
    """The sample of a file, all of which is as it was written; LingquError where it is not."""
    sample = open_sample(path)
    for shard in range(shards):
        read_records(sample, shard)
        read_blocks(sample, shard)
    return sample


def _trusted(folder: Path, shards: int) -> Iterator[Sample]:
    """The samples that an earlier run has left whole; what is damaged is removed, and said."""
    for path in sorted(folder.glob("*.cut")):
        try:
            yield _whole(path, shards)
        except LingquError:
            path.unlink()
            say(f"{path.name}: left by an earlier run and damaged on the disk; done again")


def open_cohort(folder: Path, reference: Reference, passing: bool = False) -> dict[str, Sample]:
    """The samples of a cohort by name; the folder is made where it is missing.

    passing: the cohort is of one run, which can add each sample again: what is damaged is removed.
    LingquError where the folder holds something else, or is of another reference or version.
    """
    facts = folder / "cohort.json"
    own = {"format": MAGIC.decode().strip(), "shard": SIZE, "reference": list(reference.md5s)}
    if passing or not facts.exists():
        if not passing and any(
            path.is_file() and path.name[0] != "." for path in folder.rglob("*")
        ):
            raise LingquError(f"{folder}: neither a cohort nor empty; name another folder")
        (folder / "samples").mkdir(parents=True, exist_ok=True)
        with publish(facts) as beside:
            beside.write_text(json.dumps(own) + "\n")
    try:
        told = json.loads(facts.read_text())
    except ValueError:
        raise LingquError(f"{facts}: damaged; make the cohort anew") from None
    if told.get("format") != own["format"] or told.get("shard") != SIZE:
        raise LingquError(f"{folder}: a cohort of another version of lingqu; make it anew")
    if told.get("reference") != own["reference"]:
        raise LingquError(
            f"{folder}: a cohort of another reference than {reference.path}; give its own"
        )
    home = folder / "samples"
    if passing:
        found = _trusted(home, int(first_shards(reference)[-1]))
    else:
        found = map(open_sample, sorted(home.glob("*.cut")))
    return {sample.name: sample for sample in found}


def sample_of(path: Path) -> str:
    """The one sample of a gVCF."""
    with open_vcf(path) as reader:
        if len(reader.samples) != 1:
            raise LingquError(f"{path}: {len(reader.samples)} samples; give one a file")
        return reader.samples[0]


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_header(reader: VcfReader, reference: Reference) -> None:
    for line in reader.header:
        if line.startswith("##contig=<"):
            told = dict(
                item.split("=", 1) for item in line[10:].rstrip(">").split(",") if "=" in item
            )
            name = told.get("ID")
            if name in reference.names and "md5" in told:
                if told["md5"] != reference.md5s[reference.tid(name)]:
                    raise LingquError(
                        f"{reader.path}: contig {name!r} is another than in {reference.path};"
                        " give the reference that the file was made with"
                    )


def other_file(path: Path, there: Sample) -> LingquError:
    """The fault of a gVCF of a sample that the cohort has from another file."""
    return LingquError(
        f"{path}: sample {there.name!r} is in the cohort, from another file; rename it, or remove"
        f" {there.path} first"
    )


def add_sample(path: Path, reference: Reference, folder: Path) -> Sample:
    """Cut a gVCF and put it into the cohort of `folder`.

    What is there already stays. LingquError where the gVCF is damaged, malformed, none, of another
    reference, or of a sample that is there from another file.
    """
    name, digest, state = sample_of(path), digest_of(path), _state(path)
    out = folder / "samples" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.cut"
    index = np.zeros((int(first_shards(reference)[-1]), 4), np.uint64)
    with open_vcf(path) as reader:
        _check_header(reader, reference)
    with publish(out, over=False) as beside, beside.open("wb") as stream:
        stream.write(MAGIC)
        for shard, piece, blocks in cut(path, reference):
            packed = piece.pack()
            checks = isal_zlib.crc32(packed) | isal_zlib.crc32(blocks) << 32
            index[shard] = stream.tell(), len(packed), len(blocks), checks
            stream.write(packed)
            stream.write(blocks)
        index_at = stream.tell()
        facts = json.dumps({"sample": name, "digest": digest, "state": state}).encode()
        data = index.tobytes() + facts
        stream.write(data)
        stream.write(_TAIL.pack(index_at, index_at + index.nbytes, isal_zlib.crc32(data), MAGIC))
    sample = open_sample(out)
    if sample.digest != digest:  # another run was faster
        raise other_file(path, sample)
    return sample
