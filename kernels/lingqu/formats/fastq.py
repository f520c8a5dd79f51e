"""FASTQ in: plain, gzip, multi-member gzip and BGZF, streamed and cut into chunks of records."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from isal import igzip, isal_zlib

from lingqu.base.errors import LingquError
from lingqu.formats import fastq_kernels as kernels
from lingqu.sequence.codes import CODE_OF_ASCII

CHUNK = 16384
"""Templates of a chunk; part of what decides the output's bytes."""

_BLOCK = 1 << 22


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


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with _open(path) as stream:
            while block := stream.read(_BLOCK):
                yield block
    except EOFError:
        raise LingquError(f"{path}: truncated gzip file; copy or download it again") from None
    except (igzip.BadGzipFile, isal_zlib.error) as error:
        raise LingquError(f"{path}: damaged gzip file ({error}); copy it again") from None
    except OSError as error:
        raise LingquError(f"{path}: cannot be read ({error.strerror or error})") from None


def _texts(path: Path, records: int) -> Iterator[np.ndarray]:
    """The file's text, cut after every `records` records; blank lines at its end left out."""
    lines, held, seen = 4 * records, [], 0
    for block in _blocks(path):
        text, at = np.frombuffer(block, np.uint8), 0
        while at < len(text):
            end, found = kernels.nth_newline(text, at, lines - seen)
            seen += found
            if end < 0:
                held.append(text[at:])
                break
            held.append(text[at:end])
            yield np.concatenate(held)
            held, seen, at = [], 0, end
    rest = np.concatenate(held) if held else np.empty(0, np.uint8)
    if _text_end(rest):
        yield rest


def _text_end(text: np.ndarray) -> int:
    """Length of `text` without the line ends at its end."""
    end = len(text)
    while end and text[end - 1] in b"\r\n":
        end -= 1
    return end


def _count(text: np.ndarray) -> int:
    """Records in `text`, if it is FASTQ."""
    text = text[: _text_end(text)]
    return (int(np.count_nonzero(text == kernels.NEWLINE)) + 4) // 4


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


def _find(chunk: Chunk) -> dict[str, np.ndarray]:
    """Rows of all mates, from 0 in each mate's own text."""
    mates = len(chunk.texts)
    ends = [_text_end(text) for text in chunk.texts]
    most = max(int(np.count_nonzero(text == kernels.NEWLINE)) for text in chunk.texts) // 4 + 1
    starts = {key: np.zeros(most * mates, np.int64) for key in ("name", "base", "qual")}
    sizes = {key: np.zeros(most * mates, np.int32) for key in ("name", "base")}
    counts = []
    for mate, text in enumerate(chunk.texts):
        count, at = kernels.find_records(
            text, ends[mate], mate, mates,
            starts["name"], sizes["name"], starts["base"], sizes["base"], starts["qual"],
        )  # fmt: skip
        if at >= 0:
            _raise_fault(chunk, mate, count, at)
        counts.append(count)
    if min(counts) != max(counts):
        short = int(np.argmin(counts))
        raise LingquError(
            f"{chunk.files[short]}: ends after record {chunk.first + counts[short]:,} but its"
            " mate's file goes on; R1 and R2 must hold the same reads in the same order"
        )
    n = counts[0] * mates
    rows = {f"{key}_start": column[:n] for key, column in starts.items()}
    return rows | {"name_len": sizes["name"][:n], "length": sizes["base"][:n]}


def _check_names(chunk: Chunk, rows: dict[str, np.ndarray]) -> None:
    pair = kernels.first_other_name(*chunk.texts, rows["name_start"], rows["name_len"])
    if pair >= 0:
        names = [
            text[rows["name_start"][2 * pair + mate] :][: rows["name_len"][2 * pair + mate]]
            for mate, text in enumerate(chunk.texts)
        ]
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
    rows, mates = _find(chunk), len(chunk.texts)
    if mates == 2:
        _check_names(chunk, rows)
    start = np.zeros(len(rows["length"]), np.int64)
    np.cumsum(rows["length"][:-1], out=start[1:])
    codes = np.empty(int(rows["length"].sum()), np.uint8)
    for mate, text in enumerate(chunk.texts):
        row, low, high = kernels.encode_bases(
            text, rows["base_start"], rows["qual_start"], rows["length"], start,
            CODE_OF_ASCII, mate, mates, codes,
        )  # fmt: skip
        if row >= 0:
            _raise_fault(chunk, mate, row // mates, int(rows["name_start"][row]) - 1)
        if low >= 59 and high > 100:
            raise LingquError(
                f"{chunk.files[mate]}: qualities are Phred+64 (old Illumina); convert them to"
                " Phred+33 (seqtk seq -Q64 -V)"
            )
    if mates == 2:
        shift = len(chunk.texts[0])
        rows["name_start"][1::2] += shift
        rows["qual_start"][1::2] += shift
    text = np.concatenate(chunk.texts) if mates == 2 else chunk.texts[0]
    del rows["base_start"]
    return rows | {"text": text, "codes": codes, "start": start}
