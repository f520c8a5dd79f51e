"""The scores of an alignment; those of bwa mem, whose AS and MAPQ users know.

A gap of n bases costs GAP_OPEN + n * GAP_EXTEND. END_BONUS is what an alignment earns at each end
of the read that it reaches, so that an end is clipped only where clipping is well ahead.
"""

MATCH = 1
MISMATCH = -4
UNKNOWN = -1
"""Score of a read's N against anything."""
GAP_OPEN = 6
GAP_EXTEND = 1
END_BONUS = 5
MIN_SCORE = 30
"""An alignment below this score is none."""

UNPAIRED = 17
"""Price, in score units, of a pair whose mates do not face each other."""

SURE = 10
"""Score units by which a place must be ahead of all those not looked at: two mismatches."""

READ_N = 5
"""Code of a read's N inside the aligner: unlike a reference's N (4), so that they never match."""
