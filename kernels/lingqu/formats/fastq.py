"""FASTQ in: plain, gzip, multi-member gzip and BGZF, streamed and cut into chunks of records."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

import numpy as np
from isal import igzip, isal_zlib

from lingqu.base.bits import LANES
from lingqu.base.errors import LingquError
from lingqu.base.scratch import empty
from lingqu.formats import fastq_kernels as kernels
from lingqu.sequence.codes import CODE_OF_ASCII

CHUNK = 16384
"""Templates of a chunk; part of what decides the output's bytes."""

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Chunk:
    """Consecutive records of a read group, not parsed yet.

    texts: one uint8 array of FASTQ text a mate (one of single-end reads). files: what to call
    their sources in a message. first: number of the first record (from 0) in each file.
    records: how many there are. umi: where the templates' UMIs are: behind the last such letter of
    their names, in these records, or in lines of tags (RX:Z:, QX:Z:; uint8 text, one a template).
    """

    group: int
    files: tuple[str, ...]
    first: int
    records: int
    texts: tuple[np.ndarray, ...]
    umi: "str | Chunk | np.ndarray | None" = None


def _open(path: Path):
    try:
        with path.open("rb") as probe:
            packed = probe.read(2) == b"\x1f\x8b"
        return igzip.open(path, "rb") if packed else path.open("rb")
    except OSError as error:
        raise LingquError(f"{path}: {error.strerror}; name an existing FASTQ file") from None


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """The file's text as a stream; LingquError where it cannot be read."""
    try:
        with _open(path) as stream:
            yield stream
    except EOFError:
        raise LingquError(f"{path}: truncated gzip file; copy or download it again") from None
    except (igzip.BadGzipFile, isal_zlib.error) as error:
        raise LingquError(f"{path}: damaged gzip file ({error}); copy it again") from None
    except OSError as error:
        raise LingquError(f"{path}: cannot be read ({error.strerror or error})") from None


def _with_room(text: np.ndarray, used: int) -> np.ndarray:
    """`text`, or twice as much with the same first `used` bytes where no block fits behind."""
    if used + _BLOCK <= len(text):
        return text
    more = np.empty(max(2 * len(text), used + _BLOCK), np.uint8)
    more[:used] = text[:used]
    return more


def _texts(path: Path, records: int) -> Iterator[np.ndarray]:
    """The file's text, cut after every `records` records; blank lines at its end left out."""
    lines, seen, at, used = 4 * records, 0, 0, 0
    text = np.empty(2 * _BLOCK, np.uint8)
    with _reading(path) as stream:
        while True:
            end, found = kernels.nth_newline(text[:used], at, lines - seen)
            if end >= 0:
                yield text[:end]
                rest = text[end:used]
                text = np.empty(max(end + end // 8, len(rest)) + 2 * _BLOCK, np.uint8)
                text[: len(rest)] = rest
                seen, at, used = 0, 0, len(rest)
                continue
            seen, at = seen + found, used
            text = _with_room(text, used)
            size = stream.readinto(memoryview(text)[used : used + _BLOCK])
            if not size:
                break
            used += size
    if _text_end(text[:used]):
        yield text[:used]


def _text_end(text: np.ndarray) -> int:
    """Length of `text` without the line ends at its end."""
    end = len(text)
    while end and text[end - 1] in b"\r\n":
        end -= 1
    return end


def _count(text: np.ndarray) -> int:
    """Records in `text`, if it is FASTQ."""
    _, lines = kernels.nth_newline(text[: _text_end(text)], 0, len(text) + 1)
    return (lines + 4) // 4


def read_chunks(group: int, paths: tuple[Path, ...], records: int = CHUNK) -> Iterator[Chunk]:
    """Chunks of one file (single-end) or of R1 and R2 in step, for read group number `group`.

    LingquError on a file that is missing, unreadable, damaged, truncated or empty, and where one
    mate's file ends before the other's.
    """
    files, first = tuple(str(path) for path in paths), 0
    for texts in zip_longest(*(_texts(Path(path), records) for path in paths)):
        if any(text is None for text in texts):
            short = files[next(i for i, text in enumerate(texts) if text is None)]
            raise LingquError(
                f"{short}: ends after record {first:,} but its mate's file goes on;"
                " R1 and R2 must hold the same reads in the same order"
            )
        yield Chunk(group, files, first, _count(texts[0]), texts)
        first += records
    if not first:
        raise LingquError(f"{files[0]}: no reads in it; name a FASTQ file with reads")


def _fault(record: bytes) -> str:
    """What is wrong with the FASTQ record at the start of `record`."""
    lines = [line.rstrip(b"\r") for line in record.split(b"\n", 4)[:4]]
    if not lines[0].startswith(b"@"):
        return "does not begin with '@'"
    name = re.split(rb"[ \t]", lines[0][1:], maxsplit=1)[0]
    if wrong := re.search(rb"[^!-?A-~]", name):
        letter = wrong[0].decode("latin-1")
        return f"{letter!a} in the read's name, where SAM has '!' to '~' without '@'"
    if not 1 <= len(name) <= 254:
        return "a read needs a name of 1 to 254 characters"
    if len(lines) < 3 or (len(lines) == 3 and lines[1]):
        return "truncated: a record has four lines"
    if not lines[2].startswith(b"+"):
        return "no '+' line after the sequence (sequences must stand on one line)"
    codes = CODE_OF_ASCII[np.frombuffer(lines[1], np.uint8)]
    if (codes == 255).any():
        return f"{chr(lines[1][int(np.argmax(codes == 255))])!r} is no IUPAC base"
    quality = lines[3] if len(lines) == 4 else b""
    if len(quality) != len(lines[1]):
        which = "shorter" if len(quality) < len(lines[1]) else "longer"
        return f"quality ({len(quality)}) {which} than sequence ({len(lines[1])})"
    return "qualities outside Phred+33 ('!' to '~')"


def _raise_fault(chunk: Chunk, mate: int, record: int, at: int) -> None:
    why = _fault(chunk.texts[mate][at : at + 100_000].tobytes())
    number = chunk.first + record + 1
    raise LingquError(f"{chunk.files[mate]}: record {number:,}: {why}; mend or replace the file")


def _read(chunk: Chunk) -> dict[str, np.ndarray]:
    """The columns of `parse`; that mates have one name is still to be checked."""
    mates, rows = len(chunk.texts), chunk.records * len(chunk.texts)
    ends = [_text_end(text) for text in chunk.texts]
    most = sum(end // 2 + 1 for end in ends) + LANES  # for kernels that take so many codes at once
    text, codes = empty(most + sum(ends)), empty(most)
    columns = {
        "name_start": empty(rows, np.int64),
        "name_len": empty(rows, np.int32),
        "start": empty(rows, np.int64),
        "length": empty(rows, np.int32),
    }
    at, bounds = np.zeros(2, np.int64), np.array([*ends, 0][:2], np.int64)
    low, high = np.full(2, 255, np.uint8), np.zeros(2, np.uint8)
    first, last = chunk.texts[0], chunk.texts[-1]
    found, mate, bases = kernels.read_records(
        first, last, mates, at, bounds, low, high, most, *columns.values(), codes, text
    )
    if mate >= 0:
        _raise_fault(chunk, mate, found // mates, at[mate])
    longer = at < bounds
    if longer.any():
        raise LingquError(
            f"{chunk.files[int(longer.argmin())]}: ends after record"
            f" {chunk.first + found // mates:,} but its mate's file goes on;"
            " R1 and R2 must hold the same reads in the same order"
        )
    if not found:  # nothing but blank lines
        _raise_fault(chunk, 0, 0, 0)
    for file, lowest, highest in zip(chunk.files, low, high, strict=False):
        if lowest >= 59 and highest > 100:
            raise LingquError(
                f"{file}: qualities are Phred+64 (old Illumina); convert them to"
                " Phred+33 (seqtk seq -Q64 -V)"
            )
    return columns | {"text": text, "codes": codes[:bases], "qual_start": columns["start"]}


def _check_names(chunk: Chunk, text: np.ndarray, start: np.ndarray, size: np.ndarray) -> None:
    pair = kernels.first_other_name(text, start, size)
    if pair >= 0:
        names = [text[start[row] :][: size[row]] for row in (2 * pair, 2 * pair + 1)]
        shown = " and ".join(repr(name.tobytes().decode("ascii", "replace")) for name in names)
        raise LingquError(
            f"{chunk.files[1]}: record {chunk.first + pair + 1:,}: names of R1 and R2 differ"
            f" ({shown}); R1 and R2 must hold the same reads in the same order"
        )


def parse(chunk: Chunk) -> dict[str, np.ndarray]:
    """The columns of a batch of reads, mates in turn: text, name_start, name_len, qual_start,
    codes, start, length (see `lingqu.align.batch.ReadBatch`).

    LingquError, with file and record, on a record that is not well formed, on letters outside
    IUPAC, qualities outside Phred+33, and mates of different names or number.
    """
    # read-only text (of another process) would have every kernel compiled once more
    chunk = replace(chunk, texts=tuple(np.require(text, None, "W") for text in chunk.texts))
    columns, mates = _read(chunk), len(chunk.texts)
    if mates == 2:
        _check_names(chunk, columns["text"], columns["name_start"], columns["name_len"])
    return columns
