"""A cohort on disk: a file for each sample, that holds its gVCF cut by shard.

`DIR/cohort.json` tells format and reference; `DIR/samples/*.cut` are the samples. Nothing in one
depends on another, so that samples may come in any order, and one more leaves the others alone.

A sample's file: MAGIC, the pieces of the shards (deflated), an index (int64[shards, 3]: offset,
size and CRC32 of each piece; size 0: none), facts as JSON, and a tail (offset of the index, offset
of the facts, CRC32 of both). A piece: number of blocks (int64), blocks (int32[n, 6], see BLOCK),
and the lines of the records as text. What reaches beyond a cut is in the pieces of all its shards.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from isal import isal_zlib

from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.base.progress import say
from lingqu.call.gvcf import NON_REF
from lingqu.formats.reference import Reference
from lingqu.formats.vcf import VcfReader, VcfRecord, open_vcf

SIZE = 100_000
"""Bases of a shard; cuts are at multiples of it."""
MAGIC = b"lingqu cohort 1\n"
BLOCK = ("start", "end", "ploidy", "depth", "het", "alt")
"""Columns of the blocks: [start, end) 0-based; MIN_DP; PL of 0/x and of x/x."""
_TAIL = struct.Struct("<QQI16s")
_LEVEL = 1


def first_shards(reference: Reference) -> np.ndarray:
    """int64[contigs + 1]: number of the first shard of each contig, then that of all shards."""
    return np.concatenate(([0], np.cumsum(-(-np.asarray(reference.lengths) // SIZE))))


@dataclass(frozen=True)
class Sample:
    """A sample of a cohort; digest: SHA-256 of its gVCF."""

    path: Path
    name: str
    digest: str
    index_at: int


def _fault(path: Path, what: str) -> LingquError:
    return LingquError(f"{path}: {what}; remove the file and add the sample's gVCF again")


def open_sample(path: Path) -> Sample:
    """The sample of a file; LingquError where it is damaged or of another version."""
    state = path.stat()
    return _open_sample(path, state.st_size, state.st_mtime_ns)


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
    if zlib.crc32(data) != crc:
        raise _fault(path, "damaged (its checksum is wrong)")
    facts = json.loads(data[facts_at - index_at :])
    return Sample(path, facts["sample"], facts["digest"], index_at)


def filled(samples: list[Sample], shards: int) -> np.ndarray:
    """bool[shards]: for which shards any sample has a piece."""
    found = np.zeros(shards, bool)
    for sample in samples:
        with sample.path.open("rb") as stream:
            stream.seek(sample.index_at)
            found |= np.frombuffer(stream.read(24 * shards), np.int64).reshape(-1, 3)[:, 1] > 0
    return found


def read_piece(sample: Sample, shard: int) -> tuple[np.ndarray, list[str]]:
    """(blocks, int32[n, 6]; lines of the records) of a shard; LingquError where it is damaged."""
    with sample.path.open("rb") as stream:
        stream.seek(sample.index_at + 24 * shard)
        offset, size, crc = np.frombuffer(stream.read(24), np.int64).tolist()
        if not size:
            return np.empty((0, len(BLOCK)), np.int32), []
        stream.seek(offset)
        packed = stream.read(size)
    if zlib.crc32(packed) != crc:
        raise _fault(sample.path, "damaged (its checksum is wrong)")
    data = isal_zlib.decompress(packed)
    end = 8 + 4 * len(BLOCK) * int.from_bytes(data[:8], "little")
    blocks = np.frombuffer(data[8:end], np.int32).reshape(len(BLOCK), -1).T
    return blocks, data[end:].decode("utf-8", "surrogateescape").splitlines()


# Adding a sample


def _whole(path: Path, shards: int) -> Sample:
    """The sample of a file, all of which is as it was written; LingquError where it is not."""
    sample = open_sample(path)
    for shard in range(shards):
        read_piece(sample, shard)
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


def _block(record: VcfRecord, path: Path, length: int) -> tuple[int, ...]:
    """The block (see BLOCK) of a record whose only ALT is NON_REF."""
    told = [item for item in record.fields[7].split(";") if item.startswith("END=")]
    end = told[0][4:] if told else str(record.pos + len(record.ref))
    values = dict(zip(record.fields[8].split(":"), record.fields[9].split(":"), strict=False))
    try:
        ploidy = len(values["GT"].replace("|", "/").split("/"))
        depth = values.get("MIN_DP", values.get("DP", "."))
        pls = values.get("PL", ".").split(",")
        numbers = [0, 0, 0] if "." in pls else list(map(int, pls))
        block = int(end), ploidy, 0 if depth == "." else int(depth), numbers[1], numbers[-1]
        if not (record.pos < block[0] <= length and ploidy in (1, 2) and block[2] >= 0):
            raise ValueError
    except (KeyError, ValueError, IndexError):
        raise LingquError(
            f"{path}: line {record.number}: malformed reference block; make the gVCF again"
        ) from None
    return record.pos, *block


def _cut(reader: VcfReader, reference: Reference) -> Iterator[tuple[int, list, list]]:
    """(shard, blocks, lines) in order, from one pass over a gVCF."""
    firsts = first_shards(reference)
    waiting: dict[int, tuple[list, list]] = {}
    contig, tid = None, -1
    for record in reader:
        if record.contig != contig:
            if reference.tid(record.contig) < tid:
                raise LingquError(
                    f"{reader.path}: line {record.number}: contig {record.contig!r} is not in the"
                    " order of the reference; sort the file"
                )
            contig, tid = record.contig, reference.tid(record.contig)
        if not record.alts or record.alts[-1] != NON_REF:
            raise LingquError(
                f"{reader.path}: line {record.number}: no {NON_REF} allele; name a gVCF"
                " (lingqu call -o SAMPLE.g.vcf.gz)"
            )
        block = None
        end = record.pos + len(record.ref)
        if len(record.alts) == 1:
            block = _block(record, reader.path, int(reference.lengths[tid]))
            end = block[1]
        first = int(firsts[tid]) + record.pos // SIZE
        for shard in sorted(shard for shard in waiting if shard < first):
            yield shard, *waiting.pop(shard)
        for shard in range(first, int(firsts[tid]) + (end - 1) // SIZE + 1):
            blocks, lines = waiting.setdefault(shard, ([], []))
            if block:
                blocks.append(block)
            else:
                lines.append("\t".join(record.fields))
    for shard in sorted(waiting):
        yield shard, *waiting[shard]


def _pack(blocks: list, lines: list) -> bytes:
    table = np.array(blocks, np.int32).reshape(-1, len(BLOCK)).T
    text = "\n".join(lines).encode("utf-8", "surrogateescape")
    return isal_zlib.compress(len(blocks).to_bytes(8, "little") + table.tobytes() + text, _LEVEL)


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
    name, digest = sample_of(path), digest_of(path)
    out = folder / "samples" / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.cut"
    index = np.zeros((int(first_shards(reference)[-1]), 3), np.int64)
    with (
        publish(out, over=False) as beside,
        beside.open("wb") as stream,
        open_vcf(path, reference) as reader,
    ):
        _check_header(reader, reference)
        stream.write(MAGIC)
        for shard, blocks, lines in _cut(reader, reference):
            packed = _pack(blocks, lines)
            index[shard] = stream.tell(), len(packed), zlib.crc32(packed)
            stream.write(packed)
        index_at = stream.tell()
        facts = json.dumps({"sample": name, "digest": digest}).encode()
        data = index.tobytes() + facts
        stream.write(data)
        stream.write(_TAIL.pack(index_at, index_at + index.nbytes, zlib.crc32(data), MAGIC))
    sample = open_sample(out)
    if sample.digest != digest:  # another run was faster
        raise other_file(path, sample)
    return sample
