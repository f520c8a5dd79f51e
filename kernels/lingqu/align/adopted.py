"""Quality control of alignments that are there already: one pass over a BAM or CRAM."""

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch
from lingqu.align.insert_sizes import InsertSizes, library_size, pair_counts
from lingqu.align.kernels.dedup import KEPT, OPTICAL
from lingqu.align.qc import told_of
from lingqu.align.tally import new_tables, tally_reads, tally_records
from lingqu.base.progress import progress
from lingqu.formats.bam import AlignmentFile
from lingqu.formats.bam_whole import Records, read_records
from lingqu.formats.reference import Reference

_OTHER, _LAST = 0x900, 0x80


def _batches(records: Records) -> tuple[ReadBatch, AlignmentBatch]:
    """The records as if each were the only one of its read."""
    n, start = len(records.pos), records.base_start[:-1]
    length = np.diff(records.base_start).astype(np.int32)
    nothing, none = np.zeros(n, np.int64), np.zeros(n, np.int32)
    reads = ReadBatch(
        False, records.quals, nothing, none, records.qual_start, records.codes, start, length,
        records.high - records.low,
    )  # fmt: skip
    found = AlignmentBatch(
        np.arange(n + 1), np.arange(n, dtype=np.int32), records.flag, records.tid, records.pos,
        records.mapq, records.cigar_start[:-1], np.diff(records.cigar_start).astype(np.int32),
        records.cigar, records.mate_tid, records.mate_pos, records.tlen, none, none,
    )  # fmt: skip
    return reads, found


def adopted_qc(file: AlignmentFile, reference: Reference, sample: str, libraries: int) -> dict:
    """What FILE.qc.json tells of all records of a file.

    libraries: how many the file holds; of more than one the number of molecules is not told. Nor is
    what is over-represented: a sorted file has forgotten the sequencer's order.
    """
    tables, sizes, counts = new_tables(), InsertSizes(), np.zeros(3, np.int64)
    opticals = untold = 0
    with progress("look at the reads", "records", None) as shown:
        for records in read_records(file, reference):
            reads, found = _batches(records)
            here = new_tables(np.int32)
            primary = (records.flag & _OTHER) == 0
            last = (records.flag & _LAST) > 0
            rows = np.flatnonzero(primary & ~last), np.flatnonzero(primary & last)
            tally_reads(reads, rows, here, 0)
            end = records.end.astype(np.int64)
            pair = tally_records(reads, found, end, records.mate_end, reference, here)
            tables.cells += here.cells
            sizes.add(pair[records.kind == KEPT])
            counts += pair_counts(pair, records.kind)
            opticals += int((records.kind[primary] == OPTICAL).sum())
            untold += int((records.kind[primary] > OPTICAL).sum())
            shown.advance(len(pair))
    library = library_size(*counts.tolist()) if libraries == 1 and counts[0] else None
    return told_of(
        sample, tables, sizes, opticals if opticals or not untold else None, library, None
    )
