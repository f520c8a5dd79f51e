"""Regions of a genome: BED files and `chr:from-to`, as sorted, merged intervals per contig."""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from lingqu.base.errors import LingquError

Intervals = dict[str, np.ndarray]
"""Contig name to int64[n, 2]: 0-based half-open intervals, sorted, neither touching nor empty."""


def merge(pairs: Iterable[tuple[int, int]]) -> np.ndarray:
    """Sorted int64[n, 2] of `pairs` (start, end); what overlaps or touches becomes one."""
    merged: list[list[int]] = []
    for start, end in sorted(pairs):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return np.array(merged, np.int64).reshape(-1, 2)


def overlaps(intervals: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """bool[n]: whether [start, end) (int64[n] each, not empty) shares a base with `intervals`."""
    first = np.searchsorted(intervals[:, 1], start, "right")
    begins = np.append(intervals[:, 0], np.iinfo(np.int64).max)
    return begins[first] < end


def parse_region(text: str, lengths: Mapping[str, int]) -> tuple[str, int, int]:
    """(contig, start, end), 0-based half-open, of `20`, `20:100`, `20:100-200` or `20:1,000-2,000`.

    As in samtools, `20:100` reaches to the end of the contig and an end beyond it is cut. A whole
    text that is a contig's name is that contig, colons and all (`HLA-A*01:01:01:01`); braces keep
    the two apart (`{HLA-A*01:01}:5-10`). lengths: bases of each contig. LingquError on an unknown
    contig, on what is no number, and on a region without bases.
    """
    if text in lengths:
        return text, 0, lengths[text]
    name, colon, span = text.rpartition(":")
    name = name.removeprefix("{").removesuffix("}") if colon else text.strip("{}")
    if name not in lengths:
        raise LingquError(
            f"region {text!r}: the reference has no contig {name!r}; it has {_few(lengths)}"
        )
    length = lengths[name]
    first, _, last = (span.replace(",", "") if colon else "1").partition("-")
    if not first.isdecimal() or (last and not last.isdecimal()):
        raise LingquError(f"region {text!r}: no number in {span!r}; write {name}:FROM-TO, from 1")
    start, end = int(first) - 1, int(last) if last else length
    if start < 0 or start >= min(end, length):
        raise LingquError(f"region {text!r}: no bases in it; {name!r} has 1 to {length}")
    return name, start, min(end, length)


def parse_regions(texts: Iterable[str], lengths: Mapping[str, int]) -> Intervals:
    """Merged intervals of several regions, see `parse_region`."""
    return _gather(parse_region(text, lengths) for text in texts)


def read_bed(path: str | Path, lengths: Mapping[str, int]) -> Intervals:
    """Merged intervals of a BED file (plain or gzip); lengths: bases of each contig.

    Takes any number of columns from three on, CRLF, and `track`, `browser` and `#` lines.
    LingquError, with the line, on an unknown contig, a start or an end that is no number or lies
    beyond the contig, an empty interval, and a file that cannot be read or holds no interval.
    """
    intervals = _gather(_bed_rows(Path(path), lengths))
    if not intervals:
        raise LingquError(f"{path}: no interval in it; name a BED file with at least one line")
    return intervals


def _gather(rows: Iterable[tuple[str, int, int]]) -> Intervals:
    pairs: dict[str, list[tuple[int, int]]] = {}
    for contig, start, end in rows:
        pairs.setdefault(contig, []).append((start, end))
    return {contig: merge(found) for contig, found in pairs.items()}


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


def _bed_rows(path: Path, lengths: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    for number, line in _lines(path):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        where = f"{path}: line {number}"
        fields = line.split("\t") if "\t" in line else line.split()
        if len(fields) < 3:
            raise LingquError(f"{where}: {len(fields)} columns; BED needs contig, start and end")
        contig, first, last = fields[0], fields[1].strip(), fields[2].strip()
        if contig not in lengths:
            raise LingquError(
                f"{where}: the reference has no contig {contig!r}; it has {_few(lengths)}"
            )
        for word in (first, last):
            if not (word.isascii() and word.isdecimal()):
                raise LingquError(f"{where}: {word!r} is no whole number; BED counts bases from 0")
        start, end = int(first), int(last)
        if start >= end:
            raise LingquError(f"{where}: start {start} is not before end {end}; mend or remove it")
        if end > lengths[contig]:
            raise LingquError(
                f"{where}: end {end} is beyond contig {contig!r} of {lengths[contig]} bases;"
                " cut it, or use the BED of this reference"
            )
        yield contig, start, end


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open("rb") as probe:
            compressed = probe.read(2) == b"\x1f\x8b"
        with (gzip.open if compressed else open)(path, "rt", encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                yield number, line.rstrip("\r\n")
    except EOFError:
        raise LingquError(f"{path}: truncated gzip file; copy or download it again") from None
    except UnicodeDecodeError:
        raise LingquError(f"{path}: no text; name a BED file") from None
    except OSError as error:
        raise LingquError(f"{path}: cannot be read ({error.strerror or error})") from None
