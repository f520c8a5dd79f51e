"""The UMIs of a chunk of reads, and the molecules that they tell apart among duplicates.

UMIs are kept as sequenced in tag RX, in capitals, parts joined by '-', their qualities in QX (SAM
tags specification). Templates with the same ends and library are duplicates if their UMIs are of
one cluster (`lingqu.align.kernels.umi`); N is a letter of its own there, and templates without a
UMI (of BAM and CRAM only) are a cluster by themselves.
"""

import numpy as np

from lingqu.align.batch import ReadBatch, Umis
from lingqu.align.kernels import umi as kernels
from lingqu.align.kernels.dedup import MARK
from lingqu.base.errors import LingquError
from lingqu.formats import fastq

_LETTERS = np.frombuffer(bytearray(b"ACGTN"), np.uint8)
_RULE = f"a UMI is 1 to {kernels.MOST} letters ACGTN, its parts joined by '+' or '-'"


def _spell(must: bool, spans: tuple, qualities: tuple | None = None) -> tuple[Umis, int]:
    """The UMIs at spans (text, begin, size), and the first template without one, or -1."""
    size = spans[2]
    qualities = qualities or (*spans[:2], np.zeros(len(size), np.int32))
    room = len(size) * (kernels.MOST + 8) + int(qualities[2].sum())
    umis = Umis(
        np.empty(room, np.uint8),
        np.empty(len(size) + 1, np.int64),
        np.empty((len(size), 2), np.int64),
    )
    wrong = kernels.spell(*spans, must, *qualities, umis.tags, umis.tag_start, umis.word)
    return umis, wrong


def _shown(text: np.ndarray, begin: np.ndarray, size: np.ndarray, row: int) -> str:
    return repr(text[begin[row] :][: size[row]].tobytes().decode("ascii", "replace"))


def _of_names(chunk: fastq.Chunk, batch: ReadBatch) -> Umis:
    mates = 2 if batch.paired else 1
    begin, size = np.empty(batch.n // mates, np.int64), np.empty(batch.n // mates, np.int32)
    mark = np.uint8(ord(chunk.umi))
    kernels.behind_mark(batch.text, batch.name_start, batch.name_len, mates, mark, begin, size)
    umis, wrong = _spell(True, (batch.text, begin, size))
    if wrong >= 0:
        name = _shown(batch.text, batch.name_start, batch.name_len, wrong * mates)
        raise LingquError(
            f"{chunk.files[0]}: record {chunk.first + wrong + 1:,}: no UMI behind the last"
            f" {chunk.umi!r} of the name {name}; {_RULE}"
        )
    return umis


def _of_records(chunk: fastq.Chunk, batch: ReadBatch) -> Umis:
    mates, own = 2 if batch.paired else 1, chunk.umi
    columns = fastq.parse(own)
    names = columns["text"], columns["name_start"], columns["name_len"]
    n, templates = len(columns["length"]), batch.n // mates
    if n != templates:
        few, more = (own, chunk) if n < templates else (chunk, own)
        raise ends_early(few.files[0], more.files[0], chunk.first + min(n, templates))
    other = kernels.first_other_name(batch.text, batch.name_start, batch.name_len, mates, *names)
    at = f"{own.files[0]}: record {own.first + 1 + max(other, 0):,}"
    if other >= 0:
        read = _shown(batch.text, batch.name_start, batch.name_len, other * mates)
        raise LingquError(
            f"{at}: names of UMI and read differ ({_shown(*names, other)} and {read}); the UMIs"
            " must be those of the reads, in the same order"
        )
    spans = _LETTERS[columns["codes"]], columns["start"], columns["length"]
    umis, wrong = _spell(True, spans, (columns["text"], columns["qual_start"], columns["length"]))
    if wrong >= 0:
        at = f"{own.files[0]}: record {own.first + 1 + wrong:,}"
        raise LingquError(f"{at}: {_shown(*spans, wrong)} is no UMI; {_RULE}")
    return umis


def _of_tags(chunk: fastq.Chunk) -> Umis:
    lines = chunk.umi.tobytes().split(b"\n")[:-1]
    tags = [dict(field.split(b":Z:", 1) for field in line.split(b"\t") if field) for line in lines]
    spans, qualities = (_joined([told.get(name, b"") for told in tags]) for name in (b"RX", b"QX"))
    umis, wrong = _spell(False, spans, qualities)
    if wrong >= 0:
        raise LingquError(f"{chunk.files[0]}: RX {_shown(*spans, wrong)} is no UMI; {_RULE}")
    return umis


def _joined(parts: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Text, begin and size of byte strings; the text has one more byte, so that it is not empty."""
    size = np.array([len(part) for part in parts], np.int32)
    begin = np.cumsum(size, dtype=np.int64) - size
    return np.frombuffer(bytearray(b"".join(parts) + b"\0"), np.uint8), begin, size


def ends_early(few: str, more: str, records: int) -> LingquError:
    """The error of a file of UMIs, or of reads, that ends before the other."""
    return LingquError(
        f"{few}: ends after record {records:,} but {more} goes on; reads and UMIs must be the same"
        " templates in the same order"
    )


def read_umis(chunk: fastq.Chunk, batch: ReadBatch) -> Umis | None:
    """The UMIs of a chunk that was read as `batch`; None where it has none.

    LingquError, with file and record, where a UMI is missing or is none, and where a file of UMIs
    has other names or another number of records than the reads. Records of a BAM or CRAM may go
    without.
    """
    match chunk.umi:
        case None:
            return None
        case str():
            return _of_names(chunk, batch)
        case fastq.Chunk():
            return _of_records(chunk, batch)
        case _:
            return _of_tags(chunk)


def with_tags(
    umis: Umis, data: np.ndarray, offset: np.ndarray, record_start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """BAM records (data uint8, offset int64[m + 1]) with the tags of their templates."""
    more = np.diff(umis.tag_start) * np.diff(record_start)
    out, out_offset = np.empty(len(data) + int(more.sum()), np.uint8), np.empty_like(offset)
    kernels.add_tags(data, offset, record_start, umis.tags, umis.tag_start, out, out_offset)
    return out, out_offset


def umis_of_ends(umis: Umis, ends: dict[str, np.ndarray]) -> np.ndarray:
    """The UMI (int64[m, 2]) of each duplicate record, its own end's part first.

    So the two strands of a molecule, A-B with R1 at its lower end and B-A with R2 there, are one
    molecule, as for duplex UMIs in fgbio and in Picard (which takes those of single ends as they
    are written). A UMI of one part is the same seen from both ends.
    """
    out = np.empty((len(ends["template"]), 2), np.int64)
    own_is_second = (ends["strand"] != 0) ^ (ends["second_key"] == MARK)
    kernels.own_end_first(umis.word, ends["template"], own_is_second, out)
    return out


def molecules(sets: tuple[np.ndarray, ...], umi: np.ndarray) -> np.ndarray:
    """A number (int64[n]) for each row: the same in rows of one set and one cluster of UMIs.

    sets: int64[n] arrays, in which rows of a set are equal. umi: int64[n, 2].
    """
    high, low = umi[:, 0], umi[:, 1]
    order = np.lexsort((low, high, *sets))
    new_set = _changes([column[order] for column in sets])
    new_umi = new_set | _changes([high[order], low[order]])
    first = np.flatnonzero(new_umi)
    source, count = order[first], np.diff(first, append=len(order))
    begin = np.append(np.flatnonzero(new_set[first]), len(first))
    rank = np.lexsort((-count, np.cumsum(new_set)[first]))
    found = np.empty(len(first), np.int64)
    kernels.cluster(begin, high[source], low[source], count, rank, np.empty_like(found), found)
    out = np.empty(len(order), np.int64)
    out[order] = found[np.cumsum(new_umi) - 1]
    return out


def _changes(columns: list[np.ndarray]) -> np.ndarray:
    """Whether each row (bool[n]) differs from the one before; the first does."""
    changes = np.ones(len(columns[0]), np.bool_)
    changes[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    return changes
