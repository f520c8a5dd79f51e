"""Which sequences come again: FastQC's count of the first 100,000 different ones."""

import numpy as np

from lingqu.base.jit import kernel

TRACKED = 100_000
"""Sequences that are counted; others that come later are not."""

SLOTS = 1 << 18

READS, DIFFERENT, AT_LIMIT = 0, 1, 2


@kernel
def track(words, slots, counts, state):
    """Count reads by their sequence, in the input's order.

    words: uint64[], a number for each read's sequence, never 0. slots (uint64[SLOTS]), counts
    (int64[SLOTS]): hash table of those that are counted, 0 where free. state: int64[3]: reads,
    different sequences counted, and reads when the last of these came.
    """
    mask = np.uint64(len(slots) - 1)
    for word in words:
        state[READS] += 1
        at = (word * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40) & mask
        while slots[at] != 0 and slots[at] != word:
            at = (at + np.uint64(1)) & mask
        is_new, is_full = slots[at] == 0, state[DIFFERENT] == TRACKED
        if is_new and is_full:
            continue
        slots[at] = word
        counts[at] += 1
        state[DIFFERENT] += is_new
        if not is_full:
            state[AT_LIMIT] = state[READS]


@kernel
def corrected(level, sequences, at_limit, reads):
    """How many sequences are `level` times among the reads, of which `sequences` were counted.

    FastQC's estimate: by the chance that one of them comes among the first at_limit reads, and so
    is counted.
    """
    if at_limit == reads or reads - sequences < at_limit:
        return np.float64(sequences)
    unseen, least = 1.0, 1.0 - sequences / (sequences + 0.01)
    for i in range(at_limit):
        unseen *= (reads - i - level) / np.float64(reads - i)
        if unseen < least:
            unseen = 0.0
            break
    return sequences / (1.0 - unseen)
