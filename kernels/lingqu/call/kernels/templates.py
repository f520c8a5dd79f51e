"""Reads of one template, told by the hash of its name."""

import numpy as np

from lingqu.base.jit import kernel


@kernel
def number_templates(names, slots, template):
    """Number the templates in the order of their first reads; returns how many they are.

    names: uint64[reads], well mixed. slots: int32[m], scratch; m a power of two above the number of
    reads. template: int32[reads], filled.
    """
    last = len(slots) - 1
    for slot in range(len(slots)):
        slots[slot] = -1
    found = np.int64(0)
    for r in range(len(names)):
        slot = np.int64(names[r] >> np.uint64(20)) & last
        while slots[slot] >= 0 and names[slots[slot]] != names[r]:
            slot = (slot + 1) & last
        if slots[slot] < 0:
            slots[slot] = r
            template[r] = found
            found += 1
        else:
            template[r] = template[slots[slot]]
    return found
