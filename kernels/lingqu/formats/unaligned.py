"""Reads out of BAM and CRAM, aligned or not, in any order, as chunks of FASTQ text.

Mates are brought together by name. Those that wait for their mate are held in memory up to a
limit, beyond it in files by a hash of the name; the order of what comes out is the input's alone.
"""

import re
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pysam

from lingqu.base.checkpoint import file_facts
from lingqu.base.errors import LingquError
from lingqu.formats.bgzf import is_bgzf
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.fastq import CHUNK, Chunk
from lingqu.formats.reference import Reference

_WAITING = 1_000_000
_PARTS = 64
_MISSING_QUALITY = '"'
_LETTER_OF_SCORE = bytes((score + 33) % 256 for score in range(256))
_PAIRED, _SKIPPED = 0x1, 0x900
_UMI = "\tRX:Z:"
_NUMBERED = re.compile(r"(.+\.\d+)\.([12])")


def is_alignment_file(path: Path) -> bool:
    """Whether the file begins as BAM (in BGZF) or CRAM does."""
    start = _start(path)
    if start[:4] == b"CRAM":
        return True
    if not is_bgzf(start):
        return False
    with pysam.BGZFile(str(path), "rb") as stream:
        return stream.read(4) == b"BAM\1"


def _start(path: Path) -> bytes:
    file_facts(path)  # tells what cannot be read, and what can be read but once
    with path.open("rb") as stream:
        return stream.read(18)


def _open(path: Path, reference: Reference) -> pysam.AlignmentFile:
    """The file's reader; a CRAM of our reference is decoded with it, another finds its own."""
    try:
        reader = pysam.AlignmentFile(str(path), check_sq=False)
        known = {contig.get("M5") for contig in reader.header.to_dict().get("SQ", [])}
        if reader.is_cram and known <= set(reference.md5s):
            reader.close()
            fasta = str(htslib_fasta(reference))
            reader = pysam.AlignmentFile(str(path), check_sq=False, reference_filename=fasta)
        return reader
    except (OSError, ValueError) as error:
        raise LingquError(f"{path}: cannot be read ({error}); name a BAM or CRAM file") from None


def read_groups_of(path: Path, reference: Reference) -> list[dict[str, str]]:
    """Fields of the file's @RG lines, ID first."""
    with _open(path, reference) as reader:
        groups = reader.header.to_dict().get("RG", [])
    return [{"ID": group["ID"]} | group for group in groups]


def _stem(name: str, mate: int) -> str:
    """The name that mates share where an archive has numbered them: RUN.SPOT.1 and RUN.SPOT.2."""
    found = _NUMBERED.fullmatch(name)
    return found[1] if found and int(found[2]) == mate + 1 else name


def _lone(waiting: dict[str, tuple[int, int, str]]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(group, texts) of reads that found no mate of their own name: numbered mates, and singles."""
    for name, (mate, group, text) in waiting.items():
        stem = _stem(name, mate)
        other = waiting.get(f"{stem}.{2 - mate}") if stem != name else None
        if other is None or other[0] == mate:
            yield group, (text,)
        elif mate == 0:
            pair = text.replace(name, stem, 1), other[2].replace(f"{stem}.2", stem, 1)
            yield group, pair


@dataclass
class _Mates:
    """Reads that wait for their mate: name -> (mate, group, FASTQ text)."""

    folder: Path
    waiting: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    spilled: bool = False

    def add(self, name: str, mate: int, group: int, text: str) -> tuple[str, ...] | None:
        """R1 and R2 once both have come; a mate that comes twice goes out by itself."""
        other = self.waiting.pop(name, None)
        if other is not None and other[0] != mate:
            return (other[2], text) if mate else (text, other[2])
        if other is not None:
            self.waiting[name] = other
            return (text,)
        self.waiting[name] = (mate, group, text)
        if len(self.waiting) >= _WAITING:
            self.spill()
        return None

    def spill(self) -> None:
        """Move all that waits to files by a hash of the name."""
        lines: dict[int, list[str]] = {}
        for name, (mate, group, text) in self.waiting.items():
            numbered = _NUMBERED.fullmatch(name)
            part = zlib.crc32((numbered[1] if numbered else name).encode()) % _PARTS
            lines.setdefault(part, []).append(f"{mate}\t{group}\n{text}")
        for part, texts in lines.items():
            with (self.folder / str(part)).open("a") as out:
                out.writelines(texts)
        self.waiting.clear()
        self.spilled = True

    def rest(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """(group, texts): late pairs and reads whose mate never came."""
        if not self.spilled:
            yield from _lone(self.waiting)
            return
        self.spill()
        for part in range(_PARTS):
            yield from self._part(self.folder / str(part))

    def _part(self, path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
        if not path.exists():
            return
        waiting: dict[str, tuple[int, int, str]] = {}
        with path.open() as lines:
            for head, *record in zip(*[lines] * 5, strict=True):
                mate, group = map(int, head.split())
                name = record[0][1:].split()[0]
                other = waiting.get(name)
                text = "".join(record)
                if other is None:
                    waiting[name] = (mate, group, text)
                elif other[0] == mate:
                    yield group, (text,)
                else:
                    del waiting[name]
                    yield group, (other[2], text) if mate else (text, other[2])
        yield from _lone(waiting)


def _fastq(record: pysam.AlignedSegment, name: str) -> str:
    sequence, scores = record.get_forward_sequence() or "", record.query_qualities
    if scores is None:
        letters = _MISSING_QUALITY * len(sequence)
    else:  # not query_qualities_str, which of one base writes into Python's own letters
        letters = scores.tobytes().translate(_LETTER_OF_SCORE).decode("latin-1")
    if record.is_reverse:
        letters = letters[::-1]
    umi = _umi(record) if record.has_tag("RX") else ""
    return f"@{name}{umi}\n{sequence}\n+\n{letters}\n"


def _umi(record: pysam.AlignedSegment) -> str:
    """The tags of the record's UMI, as a comment."""
    quality = f"\tQX:Z:{record.get_tag('QX')}" if record.has_tag("QX") else ""
    return f"{_UMI}{record.get_tag('RX')}{quality}"


def _umis_of(templates: list[tuple[str, ...]]) -> np.ndarray:
    """Lines of the templates' comments (uint8), of R2's where R1 has none."""
    lines = []
    for texts in templates:
        comments = (text[: text.index("\n")].partition("\t")[2] for text in texts)
        lines.append(next(filter(None, comments), ""))
    return np.frombuffer(bytearray("".join(f"{line}\n" for line in lines).encode()), np.uint8)


def _records(path: Path, reference: Reference) -> Iterator[pysam.AlignedSegment]:
    """All records; LingquError where the file, and not what is done with them, is at fault."""
    try:
        with _open(path, reference) as reader:
            yield from reader.fetch(until_eof=True)
    except OSError as error:
        raise LingquError(f"{path}: damaged or truncated ({error}); copy it again") from None


def _templates(
    path: Path, reference: Reference, number_of: dict[str, int], folder: Path
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(group, FASTQ texts: two of a pair, one of a single read)."""
    mates = _Mates(folder)
    for record in _records(path, reference):
        flag = record.flag
        if flag & _SKIPPED:
            continue
        try:
            group = number_of.get(record.get_tag("RG"), 0)
        except KeyError:
            group = 0
        name = record.query_name
        text = _fastq(record, name)
        if not flag & _PAIRED:
            yield group, (text,)
        elif pair := mates.add(name, flag >> 7 & 1, group, text):
            yield group, pair
    yield from mates.rest()


def read_alignment_chunks(
    first_group: int, ids: list[str], path: Path, reference: Reference, records: int = CHUNK
) -> Iterator[Chunk]:
    """Chunks of a BAM or CRAM file: each of one read group, all paired or all single.

    ids: the IDs of the file's read groups, which become groups first_group, first_group + 1, ...;
    reads of any other go to the first. Secondary and supplementary records are left out, reverse
    reads turned back, and reads whose mate is not in the file go out as single reads. UMIs are
    those of the tags RX and QX.
    """
    number_of = {name: i for i, name in enumerate(ids)}
    open_chunks: dict[tuple[int, int], list[tuple[str, ...]]] = {}
    done: dict[tuple[int, int], int] = {}

    def chunk(key: tuple[int, int]) -> Chunk:
        templates = open_chunks.pop(key)
        texts = ["".join(mate) for mate in zip(*templates, strict=True)]
        umis = _umis_of(templates) if any(_UMI in text for text in texts) else None
        first = done.get(key, 0)
        done[key] = first + records
        arrays = tuple(np.frombuffer(bytearray(text.encode()), np.uint8) for text in texts)
        files = (str(path),) * key[1]
        return Chunk(first_group + key[0], files, first, len(templates), arrays, umis)

    with tempfile.TemporaryDirectory(prefix="lingqu-") as folder:
        for group, texts in _templates(path, reference, number_of, Path(folder)):
            key = (group, len(texts))
            open_chunks.setdefault(key, []).append(texts)
            if len(open_chunks[key]) == records:
                yield chunk(key)
        for key in sorted(open_chunks):
            yield chunk(key)
    if not done:
        raise LingquError(f"{path}: no reads in it; name a file with reads")
