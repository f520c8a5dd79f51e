"""The built-in aligner with MAPQ cut off at 30."""

import numpy as np

from lingqu.align import core

version = "1.0"


def align_reads(index, reads, insert, first_template, most_secondary=0):
    """Align a chunk; see `lingqu.align.core.align_reads`."""
    found = core.align_reads(index, reads, insert, first_template, most_secondary)
    np.minimum(found.mapq, 30, out=found.mapq)
    return found
