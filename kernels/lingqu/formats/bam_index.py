"""BAI and CSI: made a shard at a time from arrays, merged by file offset (SAM specification 5).

Virtual offsets are uint64: (file offset of the block << 16) | offset within it.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lingqu.formats import bgzf

_SHIFT = 14
_BAI_DEPTH = 5
_BAI_LONGEST = 1 << 29


def depth_for(longest: int) -> int:
    """Levels of bins below the root that a contig of `longest` bases needs; 5 is BAI's."""
    depth = _BAI_DEPTH
    while longest > 1 << (_SHIFT + 3 * depth):
        depth += 1
    return depth


def _first_bin(level: int) -> int:
    return ((1 << (3 * level)) - 1) // 7


def bins(start: np.ndarray, end: np.ndarray, depth: int) -> np.ndarray:
    """Bin (int64[n]) of each interval [start, end), end > start."""
    last, found = end - 1, np.zeros(len(start), np.int64)
    for level in range(1, depth + 1):
        shift = _SHIFT + 3 * (depth - level)
        same = start >> shift == last >> shift
        found = np.where(same, _first_bin(level) + (start >> shift), found)
    return found


def _linear(tid, start, end, begin) -> tuple[np.ndarray, np.ndarray]:
    """(tid << 32 | window) touched by records, and the first virtual offset that touches it."""
    first, last = start >> _SHIFT, (end - 1) >> _SHIFT
    windows, offsets = [], []
    for step in range(int((last - first).max(initial=0)) + 1):
        rows = np.flatnonzero(first + step <= last)
        windows.append((tid[rows] << 32) | (first[rows] + step))
        offsets.append(begin[rows])
    window, offset = np.concatenate(windows), np.concatenate(offsets)
    order = np.lexsort((offset, window))
    window, at = np.unique(window[order], return_index=True)
    return window, offset[order][at]


def shard_index(tid, pos, span, begin, stop: int, depth: int) -> dict[str, np.ndarray]:
    """Index of sorted, placed records.

    tid, pos, span: integer[n], span 0 for unmapped records (which take one base). begin:
    uint64[n], their virtual offsets; stop: where the last one ends. Returns chunks (tid, bin,
    begin, end: one a run of records of one bin), linear (window, offset) and totals
    (tid, mapped, unmapped, begin, end), all as arrays.
    """
    tid, pos = tid.astype(np.int64), pos.astype(np.int64)
    end = pos + np.maximum(span, 1)
    ends = np.append(begin[1:], np.uint64(stop))
    key = (tid << 32) | bins(pos, end, depth)
    run = np.flatnonzero(np.diff(key, prepend=-1))
    last = np.append(run[1:], len(key)) - 1
    windows, offsets = _linear(tid, pos, end, begin)
    tids, first, count = np.unique(tid, return_index=True, return_counts=True)
    mapped = np.add.reduceat(span > 0, first) if len(first) else count
    return {
        "chunk_key": key[run],
        "chunk_begin": begin[run],
        "chunk_end": ends[last],
        "window": windows,
        "window_offset": offsets,
        "contig": tids,
        "mapped": mapped.astype(np.int64),
        "unmapped": count - mapped,
        "contig_begin": begin[first],
        "contig_end": ends[first + count - 1],
    }


_OFFSETS = ("chunk_begin", "chunk_end", "window_offset", "contig_begin", "contig_end")


def merge(shards: list[tuple[int, dict[str, np.ndarray]]]) -> dict[str, np.ndarray]:
    """One index of shards given in file order, each with the file offset where it begins."""
    moved = []
    for base, index in shards:
        shift = np.uint64(base << 16)
        moved.append({k: v + shift if k in _OFFSETS else v for k, v in index.items()})
    return {k: np.concatenate([index[k] for index in moved]) for k in moved[0]} if moved else {}


def _by_contig(index: dict[str, np.ndarray], contigs: int) -> Iterator[dict[str, np.ndarray]]:
    """The rows of each contig; those of a sorted file's index are in the contigs' order."""
    bounds, tids = {}, np.arange(contigs + 1)
    for names, tid in (
        (("chunk_key", "chunk_begin", "chunk_end"), index["chunk_key"] >> 32),
        (("window", "window_offset"), index["window"] >> 32),
        (("contig", "mapped", "unmapped", "contig_begin", "contig_end"), index["contig"]),
    ):
        bounds |= dict.fromkeys(names, np.searchsorted(tid, tids))
    for tid in range(contigs):
        yield {name: index[name][at[tid] : at[tid + 1]] for name, at in bounds.items()}


def _contig_chunks(rows: dict) -> dict[int, list[tuple[int, int]]]:
    """Chunks of each bin of a contig, those that meet in one block joined."""
    found: dict[int, list[tuple[int, int]]] = {}
    columns = (rows["chunk_key"] & 0xFFFFFFFF, rows["chunk_begin"], rows["chunk_end"])
    for place, begin, end in zip(*columns, strict=True):
        chunks = found.setdefault(int(place), [])
        if chunks and int(begin) >> 16 <= chunks[-1][1] >> 16:
            chunks[-1] = (chunks[-1][0], int(end))
        else:
            chunks.append((int(begin), int(end)))
    return dict(sorted(found.items()))


def _contig_linear(rows: dict) -> np.ndarray:
    """First offset of each window of a contig (uint64); an empty window has its successor's."""
    window, offset = rows["window"] & 0xFFFFFFFF, rows["window_offset"]
    if not len(window):
        return np.empty(0, np.uint64)
    linear = np.full(int(window.max()) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(linear, window, offset)
    return np.minimum.accumulate(linear[::-1])[::-1]


def _totals(rows: dict) -> list[tuple[int, int]]:
    """The two chunks of the pseudo-bin: offsets of the contig, and its mapped and unmapped."""
    places = int(rows["contig_begin"].min()), int(rows["contig_end"].max())
    return [places, (int(rows["mapped"].sum()), int(rows["unmapped"].sum()))]


def _first_window(place: int, depth: int) -> int:
    """The first window of bin `place`."""
    level = 0
    while place >= _first_bin(level + 1):
        level += 1
    return (place - _first_bin(level)) << (3 * (depth - level))


def _contig(rows: dict, depth: int, csi: bool) -> bytes:
    if not len(rows.get("contig", ())):
        return bytes(4) if csi else bytes(8)
    chunks, linear = _contig_chunks(rows), _contig_linear(rows)
    chunks[_first_bin(depth + 1) + 1] = _totals(rows)
    parts = [struct.pack("<i", len(chunks))]
    pseudo = _first_bin(depth + 1) + 1
    for place, spans in chunks.items():
        parts.append(struct.pack("<I", place))
        if csi:
            window = 0 if place == pseudo else _first_window(place, depth)
            parts.append(struct.pack("<Q", 0 if place == pseudo else int(linear[window])))
        parts.append(struct.pack("<i", len(spans)))
        parts += [struct.pack("<QQ", *span) for span in spans]
    if not csi:
        parts.append(struct.pack("<i", len(linear)) + linear.astype("<u8").tobytes())
    return b"".join(parts)


def indices_of(path: Path) -> list[Path]:
    """Where readers look for the index of the BAM or CRAM file `path`."""
    ends = (".crai",) if path.suffix == ".cram" else (".bai", ".csi")
    return [*(Path(f"{path}{end}") for end in ends), *(path.with_suffix(end) for end in ends)]


def index_bytes(index: dict, lengths: np.ndarray, unplaced: int) -> tuple[str, bytes]:
    """(suffix, contents) of the index file: ".bai", or ".csi" where a contig exceeds 2^29."""
    longest = int(lengths.max())
    csi, depth = longest > _BAI_LONGEST, depth_for(longest)
    parts = _by_contig(index, len(lengths)) if index else [{}] * len(lengths)
    contigs = [_contig(rows, depth, csi) for rows in parts]
    tail = struct.pack("<Q", unplaced)
    if csi:
        head = b"CSI\1" + struct.pack("<iiii", _SHIFT, depth, 0, len(lengths))
        return ".csi", bgzf.compress(head + b"".join(contigs) + tail) + bgzf.EOF
    return ".bai", b"BAI\1" + struct.pack("<i", len(lengths)) + b"".join(contigs) + tail
