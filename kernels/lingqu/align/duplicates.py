"""Duplicate records of a chunk, and the verdict on all records of a stretch of the genome."""

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch
from lingqu.align.kernels import dedup as kernels
from lingqu.align.kernels.dedup import MARK, SINGLE
from lingqu.align.umis import molecules, umis_of_ends
from lingqu.formats.reference import Reference

COLUMNS = {
    "first_key": np.int64,
    "second_key": np.int64,
    "score": np.int32,
    "template": np.int32,
    "strand": np.int8,
    "tile": np.int32,
    "x": np.int32,
    "y": np.int32,
}
"""Columns of duplicate records; see `lingqu.align.kernels.dedup.template_ends`."""

UMI = "umi"
"""One more column, int64[n, 2], where reads have UMIs; see `lingqu.align.umis.umis_of_ends`."""

_PAIR = np.int64(MARK + 1)
_PATTERNED = ("A0", "E0", "K0", "LH0", "VH0", "FS1", "ST-E0", "VL0")
"""How the names of instruments with patterned flow cells begin."""


def optical_distance(batch: ReadBatch) -> int:
    """Pixels within which duplicates are optical: 2500 on patterned flow cells, else 100."""
    name = batch.text[int(batch.name_start[0]) :][:8].tobytes().decode("ascii", "replace")
    return 2500 if name.startswith(_PATTERNED) else 100


def duplicate_records(
    reads: ReadBatch, found: AlignmentBatch, reference: Reference
) -> dict[str, np.ndarray]:
    """The duplicate records of a batch, sorted by their first end: COLUMNS, and UMI if any."""
    most = 2 * (len(found.record_start) - 1)
    columns = {name: np.empty(most, kind) for name, kind in COLUMNS.items()}
    rows = kernels.template_ends(
        reads.text, reads.name_start, reads.name_len, reads.qual_start, reads.length,
        found.record_start, found.read, found.flag, found.tid, found.pos,
        found.cigar_start, found.cigar_len, found.cigar, reference.offsets,
        *columns.values(),
    )  # fmt: skip
    order = np.argsort(columns["first_key"][:rows], kind="stable")
    if reads.umis is not None:
        columns[UMI] = umis_of_ends(reads.umis, {k: c[:rows] for k, c in columns.items()})
    return {name: column[order] for name, column in columns.items()}


def find_duplicates(
    columns: dict[str, np.ndarray],
    ordinal: np.ndarray,
    library: np.ndarray,
    group: np.ndarray,
    distance: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Judge all duplicate records of a stretch of first ends.

    columns: as `duplicate_records`, of any number of chunks in input order. ordinal (int64[n]) of
    the template in the whole input; library, group (int64[n]) number its library and read group;
    distance: int64[n], optical pixels. With UMIs templates are duplicates if these are of one
    cluster, too. Returns (ordinals int64[d], kinds uint8[d]) of duplicates.
    """
    first, second = columns["first_key"] | (library << 48), columns["second_key"]
    rows = None
    if UMI in columns:
        first, second, rows = _molecules(first, second, columns[UMI])
    order = np.lexsort((second, first))
    source = order if rows is None else rows[order]
    kind, sets = np.empty(len(order), np.uint8), np.empty(len(order), np.int64)
    kernels.resolve(first[order], second[order], columns["score"][source], kind, sets)
    _find_optical(columns, source, ordinal, group, distance, kind, sets)
    rows = np.flatnonzero(kind)
    return ordinal[source][rows], kind[rows]


def _molecules(first: np.ndarray, second: np.ndarray, umi: np.ndarray):
    """(first, second, rows) to judge in place of the keys: molecules in place of first ends.

    Pairs are told apart by the UMIs of pairs with both ends the same. Single ends lose to pairs of
    their molecule alone: there the UMIs of all that share the end are joined, and the pairs come a
    second time, as marks.
    """
    pairs = np.flatnonzero(second > MARK)
    shared = np.flatnonzero(np.isin(first, first[second == SINGLE]))
    of_pairs = molecules((second[pairs], first[pairs]), umi[pairs])
    of_ends = molecules((first[shared],), umi[shared]) + len(pairs)
    key = np.concatenate((of_pairs, of_ends))
    kinds = np.concatenate((np.full(len(pairs), _PAIR), np.minimum(second[shared], MARK)))
    return key, kinds, np.concatenate((pairs, shared))


def _find_optical(columns, order, ordinal, group, distance, kind, sets) -> None:
    """Mark the optical ones among rows already judged: order gives the rows of kind and sets."""
    rows = np.flatnonzero((sets >= 0) & (columns["tile"][order] >= 0))
    source = order[rows]
    lane = (columns["tile"][source].astype(np.int64) << 1) | columns["strand"][source]
    x, y = columns["x"][source].astype(np.int64), columns["y"][source].astype(np.int64)
    by = np.lexsort((ordinal[source], x, lane, group[source], sets[rows]))
    labels = np.stack((sets[rows], group[source], lane))[:, by]
    cell = np.cumsum(np.any(np.diff(labels, axis=1, prepend=-1), axis=0)).astype(np.int64)
    verdict = kind[rows][by]
    kernels.optical(
        cell, x[by], y[by], distance[source][by], ordinal[source][by], verdict,
        np.empty(len(by), np.int64),
    )  # fmt: skip
    kind[rows[by]] = verdict
