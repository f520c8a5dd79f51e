"""A reference genome as one flat, memory-mapped array beside its FASTA.

`REF.fa` gets a folder `REF.fa.lingqu/` with `sequence.u8` (one code a base, contigs separated by
`PAD` codes of N) and `reference.json`. All processes of a node map the same pages.
"""

import contextlib
import hashlib
import json
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from isal import igzip, isal_zlib

from lingqu.base import lock
from lingqu.base.atomic import publish, remove
from lingqu.base.checkpoint import digest
from lingqu.base.errors import LingquError
from lingqu.base.progress import say
from lingqu.base.staging import staged
from lingqu.sequence.codes import ANY, CODE_OF_ASCII

PAD = 4096
"""Codes of N before the first, between, and after the last contig: no window leaves the array."""

VERSION = 3
_BLOCK = 1 << 24
_CODES = CODE_OF_ASCII.tobytes()
_WRONG = b"\xff"
_BLANK = b" \t\r\n"
_UPPER = bytes(range(256)).upper()


@dataclass(frozen=True)
class Reference:
    """An opened reference.

    codes: uint8[total] memory map; base `pos` (0-based) of contig `tid` is
    `codes[offsets[tid] + pos]`. names: n strings. lengths, offsets: int64[n]. md5s: n strings,
    as in the M5 field of @SQ (SAM specification 1.3.2: of the letters, in upper case).
    """

    path: Path
    names: tuple[str, ...]
    lengths: np.ndarray
    offsets: np.ndarray
    md5s: tuple[str, ...]
    codes: np.ndarray

    def tid(self, name: str) -> int:
        """Index of contig `name`; LingquError where the reference has none of that name."""
        try:
            return self.names.index(name)
        except ValueError:
            raise LingquError(
                f"{self.path}: no contig {name!r}; it has {', '.join(self.names[:5])}"
                + (" ..." if len(self.names) > 5 else "")
            ) from None

    def contig(self, tid: int) -> np.ndarray:
        """Codes (uint8[length]) of contig `tid`, a view."""
        start = int(self.offsets[tid])
        return self.codes[start : start + int(self.lengths[tid])]


def store_folder(fasta: str | Path) -> Path:
    """The folder that holds what is derived from `fasta`: sequence and seeds."""
    return Path(f"{fasta}.lingqu")


def fingerprint(fasta: Path) -> dict:
    """What tells one state of a FASTA file from another without reading it."""
    try:
        state = fasta.stat()
    except OSError as error:
        raise LingquError(f"{fasta}: {error.strerror}; name an existing FASTA file") from None
    return {"size": state.st_size, "mtime_ns": state.st_mtime_ns}


def state_of(fasta: Path) -> tuple:
    """The values of `fingerprint`."""
    return tuple(fingerprint(fasta).values())


def _sweep(folder: Path, name: str, but: str) -> None:
    """Remove the work of builders of `name`, unless the state in its name is `but`."""
    for path in folder.glob(f".build.{name}.*"):
        if path.name.split(".")[3] != but:
            with contextlib.suppress(FileNotFoundError):
                remove(path, folder / f".gone.{secrets.token_hex(4)}")
    for path in folder.glob(".gone.*"):
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def building(fasta: Path, name: str, state: tuple) -> Iterator[Path]:
    """Be the one builder of `name` for a FASTA file in a state; the others wait and find it built.

    Yields the folder out of which to publish it (see `publish`). It is gone for builders that lag:
    for another state of the file as soon as one begins, for the same as soon as one has finished.
    What these still do comes to nothing, without an error. So builders need not see each other's
    locks: those of one state leave the same bytes. LingquError where the folder cannot be written.
    """
    folder, key = store_folder(fasta), digest({"state": state})
    work = folder / f".build.{name}.{key}.{secrets.token_hex(4)}"
    try:
        handle = lock.wait(folder / ".lock", str(folder))
    except OSError as error:
        raise LingquError(
            f"{folder}: cannot write the index ({error.strerror}); copy the reference to a folder"
            " you may write, or run `lingqu index` as its owner"
        ) from None
    try:
        _sweep(folder, name, key)
        work.mkdir()
        yield work
        _sweep(folder, name, "")
    except OSError:
        if work.exists():
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
        lock.release(handle)


def _lines(fasta: Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines in large blocks: (number of the first line, text of many lines)."""
    number, rest = 1, b""
    try:
        with fasta.open("rb") as probe:
            compressed = probe.read(2) == b"\x1f\x8b"
        with igzip.open(fasta) if compressed else fasta.open("rb") as stream:
            while block := stream.read(_BLOCK):
                block = rest + block
                cut = block.rfind(b"\n") + 1
                if cut:
                    yield number, block[:cut]
                    number += block.count(b"\n", 0, cut)
                rest = block[cut:]
    except EOFError:
        raise LingquError(f"{fasta}: truncated gzip file; copy or download it again") from None
    except (igzip.BadGzipFile, isal_zlib.error):
        raise LingquError(f"{fasta}: damaged gzip file; copy or download it again") from None
    except OSError as error:
        raise LingquError(f"{fasta}: cannot be read ({error.strerror or error})") from None
    if rest:
        yield number, rest


def _pieces(fasta: Path) -> Iterator[tuple[int, bytes, bool]]:
    """(line number, text, whether it is a header line) with bodies in large pieces."""
    for number, block in _lines(fasta):
        start = 0
        while start < len(block):
            if block[start : start + 1] == b">":
                end = block.find(b"\n", start)
                end = len(block) if end < 0 else end + 1
                yield number, block[start + 1 : end].strip(), True
            else:
                end = block.find(b"\n>", start)
                end = len(block) if end < 0 else end + 1
                yield number, block[start:end], False
            number += block.count(b"\n", start, end)
            start = end


def _codes(fasta: Path, line: int, letters: bytes, text: bytes) -> bytes:
    """Codes of the letters of `text`; LingquError, with the line, on what is no IUPAC letter."""
    codes = letters.translate(_CODES)
    if _WRONG in codes:
        for number, row in enumerate(text.splitlines(), line):
            found = row.translate(None, _BLANK)
            if (at := found.translate(_CODES).find(_WRONG)) >= 0:
                raise LingquError(
                    f"{fasta}: line {number}: {chr(found[at])!r} is no IUPAC base; mend the FASTA"
                )
    return codes


class _Store:
    """What is written of a FASTA file: codes to `out`, names, lengths and MD5s in memory."""

    def __init__(self, fasta: Path, out: BinaryIO):
        self._fasta, self._out = fasta, out
        self._pad = np.full(PAD, ANY, np.uint8)
        self.lengths: dict[str, int] = {}
        self.md5s: list = []
        self._name: str | None = None

    def begin(self, line: int, header: bytes) -> None:
        """Begin the contig of a header line (without its '>')."""
        self._end()
        where = f"{self._fasta}: line {line}"
        name = (header.split() or [b""])[0].decode("ascii", "replace")
        if not name:
            raise LingquError(f"{where}: a header without a name; name it")
        if name in self.lengths:
            raise LingquError(f"{where}: contig {name!r} twice; rename one")
        self._name = name
        self.lengths[name] = 0
        self.md5s.append(hashlib.md5(usedforsecurity=False))
        self._out.write(self._pad)

    def add(self, line: int, text: bytes) -> None:
        """Add lines of the open contig."""
        if not text.strip():
            return
        if self._name is None:
            raise LingquError(f"{self._fasta}: line {line}: no FASTA file (no '>' at its start)")
        letters = text.translate(_UPPER, _BLANK)
        self._out.write(_codes(self._fasta, line, letters, text))
        self.lengths[self._name] += len(letters)
        self.md5s[-1].update(letters)

    def _end(self) -> None:
        if self._name and not self.lengths[self._name]:
            raise LingquError(f"{self._fasta}: contig {self._name!r} is empty; remove it")

    def finish(self) -> dict:
        """End the last contig; names, lengths and MD5s for `reference.json`."""
        self._end()
        if not self.lengths:
            raise LingquError(f"{self._fasta}: no sequence in it; name a FASTA file")
        self._out.write(self._pad)
        return {
            "names": list(self.lengths),
            "lengths": list(self.lengths.values()),
            "md5s": [digest.hexdigest() for digest in self.md5s],
        }


def file_crc(path: Path) -> int:
    """CRC32 of a file."""
    crc = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            crc = isal_zlib.crc32(block, crc)
    return crc


def _write_store(fasta: Path, work: Path) -> None:
    folder, state = store_folder(fasta), fingerprint(fasta)
    told = folder / "reference.json"
    with publish(folder / "sequence.u8", work, [told]) as beside:
        with beside.open("wb") as out:
            store = _Store(fasta, out)
            for line, text, is_header in _pieces(fasta):
                (store.begin if is_header else store.add)(line, text)
            facts = {"version": VERSION, "fasta": state, **store.finish()}
        facts["crc32"] = {"sequence.u8": file_crc(beside)}
        if fingerprint(fasta) != state:
            raise LingquError(f"{fasta}: changed while it was read; run this again")
    with publish(told, work) as beside:
        beside.write_text(json.dumps(facts) + "\n")


def _read_facts(fasta: Path) -> dict | None:
    """The facts of the store; None where they are missing, damaged or of another FASTA file."""
    folder = store_folder(fasta)
    try:
        facts = json.loads((folder / "reference.json").read_text())
        size = (folder / "sequence.u8").stat().st_size
    except (OSError, ValueError):
        return None
    fresh = facts.get("version") == VERSION and facts.get("fasta") == fingerprint(fasta)
    whole = fresh and size == sum(facts["lengths"]) + PAD * (len(facts["lengths"]) + 1)
    return facts if whole else None


def forget_damaged(fasta: Path, name: str) -> None:
    """Take away the facts `name` of a store where a file's CRC32 is another than they tell.

    What they describe is then built again; said in a line.
    """
    folder = store_folder(fasta)
    try:
        told = json.loads((folder / name).read_text()).get("crc32", {})
        wrong = [own for own, crc in told.items() if file_crc(folder / own) != crc]
    except (OSError, ValueError):
        return
    if wrong:
        say(f"{folder / wrong[0]}: damaged on the disk; built again")
        (folder / name).unlink(missing_ok=True)


@lru_cache(maxsize=4)
def _open(fasta: Path, state: tuple) -> Reference:
    while (facts := _read_facts(fasta)) is None:
        with building(fasta, "sequence", state) as work:
            if _read_facts(fasta) is None:
                _write_store(fasta, work)
    lengths = np.array(facts["lengths"], np.int64)
    offsets = PAD + np.concatenate(([0], np.cumsum(lengths[:-1] + PAD))).astype(np.int64)
    codes = np.memmap(staged(store_folder(fasta) / "sequence.u8"), np.uint8, "r")
    return Reference(
        fasta, tuple(facts["names"]), lengths, offsets, tuple(facts["md5s"]), codes.view(np.ndarray)
    )


def open_reference(fasta: str | Path) -> Reference:
    """Open the reference of a FASTA file (plain or gzip), building its store where it is missing.

    Lower case is read as upper case, IUPAC letters other than ACGT as N. LingquError on a file
    that cannot be read, duplicate or empty contigs, and characters that are no bases.
    """
    fasta = Path(fasta)
    return _open(fasta, state_of(fasta))
