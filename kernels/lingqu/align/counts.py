"""What is told about a chunk in the end: sums over its reads."""

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch


def count(reads: ReadBatch, found: AlignmentBatch) -> dict[str, int]:
    """Counts of reads (by their primary records), bases, adapters and further records."""
    flag = found.flag
    primary = (flag & 0x900) == 0
    mapped = primary & ((flag & 0x4) == 0)
    numbers = {
        "reads": reads.n,
        "bases": reads.length.sum(),
        "mapped": mapped.sum(),
        "mapped_q20": (mapped & (found.mapq >= 20)).sum(),
        "properly_paired": (primary & ((flag & 0x2) != 0)).sum(),
        "singletons": (mapped & ((flag & 0x9) == 0x9)).sum(),
        "secondary": ((flag & 0x100) != 0).sum(),
        "supplementary": ((flag & 0x800) != 0).sum(),
        "trimmed": (reads.keep < reads.length).sum(),
        "trimmed_bases": (reads.length - reads.keep).sum(),
    }
    return {name: int(np.int64(number)) for name, number in numbers.items()}
