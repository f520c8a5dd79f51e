"""Haplotypes as sets of edits of the reference, and where a read lies on one.

An edit replaces `removed` reference bases from `start` on by `put` bases: a substitution, a
deletion (put = 0), an insertion before `start` (removed = 0), or several bases by others. The edits
of a region are sorted by (start, removed); bit e of a haplotype's mask says that it holds edit e.
"""

import numpy as np

from lingqu.base.jit import kernel


@kernel
def conflict(edits, e, mask, first, exclusive):
    """Whether edit `first + e` cannot join the earlier edits of `mask` on one haplotype.

    Edits that overlap conflict; so do two indels without a base between them, whose sum would
    have another normal form, and, where `exclusive`, two alleles of one site.
    """
    start = edits.start[first + e]
    resizes = edits.removed[first + e] != edits.put[first + e]
    for k in range(e):
        if mask >> k & 1:
            end = edits.start[first + k] + edits.removed[first + k]
            if start < end:
                return True
            if resizes and edits.removed[first + k] != edits.put[first + k] and start <= end:
                return True
            if exclusive and edits.site[first + e] == edits.site[first + k]:
                return True
    return False


@kernel
def build(ref, edits, first, count, mask, begin, end, hap):
    """Write the haplotype of `mask` over ref[begin:end] into hap (uint8); returns its length."""
    filled = np.int64(0)
    pos = np.int64(begin)
    for e in range(first, first + count):
        if mask >> (e - first) & 1:
            for i in range(pos, edits.start[e]):
                hap[filled] = ref[i]
                filled += 1
            for k in range(edits.put[e]):
                hap[filled] = edits.bases[edits.at[e] + k]
                filled += 1
            pos = np.int64(edits.start[e] + edits.removed[e])
    for i in range(pos, end):
        hap[filled] = ref[i]
        filled += 1
    return filled


@kernel
def place(edits, first, count, mask, begin, pos):
    """Index on the haplotype (see `build`) of reference place `pos`."""
    shift = np.int64(-begin)
    for e in range(first, first + count):
        if mask >> (e - first) & 1:
            start = np.int64(edits.start[e])
            if start > pos:
                break
            if start + edits.removed[e] > pos:
                return start + shift + min(pos - start, np.int64(edits.put[e]))
            shift += edits.put[e] - edits.removed[e]
    return pos + shift


@kernel
def mismatches(codes, hap, length, start):
    """Bases of a read (uint8) that differ from hap[:length] when laid at `start` without a gap."""
    wrong = np.int64(0)
    for i in range(len(codes)):
        j = start + i
        if j < 0 or j >= length or hap[j] != codes[i]:
            wrong += 1
    return wrong
