"""What chunks leave on disk for the stretches of the genome, and how a stretch reads its part.

A stretch wants a few rows of every chunk. Where they begin is found for all stretches by one look
at each chunk, so that a stretch reads its part of a chunk by itself, and nothing else of it.
"""

from pathlib import Path

import numpy as np

from lingqu.align.duplicates import COLUMNS, UMI
from lingqu.align.records import UNPLACED, Records
from lingqu.base.scratch import empty
from lingqu.formats.arrays import array_starts, open_arrays, read_exactly, write_arrays

WINDOW_BITS = 15
"""Bits of a sort key below its window: 2^14 bases and the strand. Stretches are whole windows."""

ROW = np.dtype([("key", np.int64), ("size", np.int32), ("template", np.int32), ("span", np.int32)])
"""A record: sort key, bytes, template (its number within the chunk), reference bases covered."""

END = np.dtype(list(COLUMNS.items()))
"""A duplicate record."""

TWO_WORDS = np.dtype([("words", np.int64, 2)])
"""A UMI."""


def unpacked(rows: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of packed rows."""
    return {name: np.ascontiguousarray(rows[name]) for name in rows.dtype.names}


def chunk_path(folder: Path, number: int) -> Path:
    """Where a chunk's records wait for their shard."""
    return folder / f"chunk-{number:06d}"


def _windows(key: np.ndarray, **weights: np.ndarray) -> dict[str, np.ndarray]:
    """Windows of sorted keys, the rows in each, and the sum of each of the weights."""
    window, first = np.unique(key >> WINDOW_BITS, return_index=True)
    out = {"window": window, "rows": np.diff(first, append=len(key))}
    for name, weight in weights.items():
        out[name] = np.add.reduceat(weight, first) if len(first) else weight[:0]
    return {name: column.astype(np.int64) for name, column in out.items()}


def write_chunk(
    path: Path,
    facts: dict,
    records: Records,
    ends: dict[str, np.ndarray],
    tally: dict[str, np.ndarray],
) -> None:
    """Leave a chunk's sorted records, duplicate records (of COLUMNS, and UMI if any) and tally."""
    size = np.diff(records.offset)
    rows = empty(len(size), ROW)
    rows["key"], rows["size"] = records.key, size
    rows["template"], rows["span"] = records.template, records.span
    columns = empty(len(ends["first_key"]), END)
    for name in COLUMNS:
        columns[name] = ends[name]
    placed = int(np.searchsorted(records.key, UNPLACED))
    facts |= {"unplaced_bytes": int(size[placed:].sum()), "umis": UMI in ends}
    arrays = {"records": rows, "data": records.data, "ends": columns}
    arrays |= {UMI: ends[UMI]} if UMI in ends else {}
    arrays |= {f"tally_{name}": array for name, array in tally.items()}
    of_records = _windows(records.key[:placed], bytes=size[:placed])
    of_ends = _windows(ends["first_key"])
    for prefix, table in (("records_", of_records), ("ends_", of_ends)):
        arrays |= {prefix + name: column for name, column in table.items()}
    write_arrays(path, facts, arrays)


def total_weights(folder: Path, chunks: int, windows: int) -> tuple[np.ndarray, np.ndarray]:
    """(bytes of records, duplicate records) in each window: int64[windows], over all chunks."""
    size, rows = np.zeros(windows, np.int64), np.zeros(windows, np.int64)
    for number in range(chunks):
        _, arrays = open_arrays(chunk_path(folder, number))
        size[arrays["records_window"]] += arrays["records_bytes"]
        rows[arrays["ends_window"]] += arrays["ends_rows"]
    return size, rows


def _before(bounds: np.ndarray, window: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The weight of all windows below each of the bounds."""
    return np.append(0, np.cumsum(weight))[np.searchsorted(window, bounds)]


def write_cuts(folder: Path, chunks: int, of_records: list[int], of_ends: list[int]) -> None:
    """Leave where in each chunk stretches begin: of records and of duplicate records.

    of_records, of_ends: windows at which stretches begin, and one behind the last. Behind the last
    stretch of records comes that of the unplaced ones.
    """
    records, ends = np.array(of_records, np.int64), np.array(of_ends, np.int64)
    cuts = {
        "record": np.zeros((len(records) + 1, chunks), np.int64),
        "byte": np.zeros((len(records) + 1, chunks), np.int64),
        "end": np.zeros((len(ends), chunks), np.int64),
    }
    starts = {name: np.full(chunks, -1, np.int64) for name in ("records", "data", "ends", UMI)}
    for number in range(chunks):
        path = chunk_path(folder, number)
        _, arrays = open_arrays(path)
        for name, start in array_starts(path).items():
            if name in starts:
                starts[name][number] = start
        window = arrays["records_window"]
        cuts["record"][:-1, number] = _before(records, window, arrays["records_rows"])
        cuts["byte"][:-1, number] = _before(records, window, arrays["records_bytes"])
        cuts["record"][-1, number] = len(arrays["records"])
        cuts["byte"][-1, number] = len(arrays["data"])
        cuts["end"][:, number] = _before(ends, arrays["ends_window"], arrays["ends_rows"])
    write_arrays(folder / "cuts", {}, cuts | {f"{name}_start": at for name, at in starts.items()})


class Cuts:
    """Where in the chunks of a folder the stretches begin, as `write_cuts` left it."""

    def __init__(self, folder: Path):
        self._folder = folder
        _, self._arrays = open_arrays(folder / "cuts")

    def rows(self, name: str, stretch: int, chunks: slice) -> np.ndarray:
        """Rows ("record", "end") or bytes ("byte") of a stretch in each of the chunks: int64[n]."""
        begin, end = self._arrays[name][stretch : stretch + 2, chunks]
        return end - begin

    def read(self, array: str, by: str, stretch: int, chunks: slice, dtype: np.dtype) -> np.ndarray:
        """A stretch's part of an array of the chunks, in chunk order; `by` is as in `rows`.

        Of chunks without that array it is zeros.
        """
        size = self.rows(by, stretch, chunks) * dtype.itemsize
        start = self._arrays[f"{array}_start"][chunks]
        places = start + self._arrays[by][stretch, chunks] * dtype.itemsize
        out, at = empty(int(size.sum())), 0
        for i in np.flatnonzero(size):
            part = out[at : at + int(size[i])]
            if start[i] < 0:
                part[:] = 0
            else:
                read_exactly(chunk_path(self._folder, chunks.start + int(i)), int(places[i]), part)
            at += len(part)
        return out.view(dtype)
