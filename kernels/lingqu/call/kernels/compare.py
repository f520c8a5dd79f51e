"""Match two lists of variants by the haplotypes they spell, not by how they spell them.

The search is that of Cleary et al. 2015 (bioRxiv 023754, "Comparing variant call files for
performance benchmarking of next-generation sequencing variant calling pipelines"): walk along the
contig and decide of every variant of both lists, in order of position, whether it takes part, and
on which haplotype each of its alleles lies. The haplotypes of both lists must spell the same
sequence; the walk with the most variants taking part wins.

A *state* is what the future of a walk depends on. Per haplotype: how far either list has used up
the reference, and the letters by which one list is ahead of the other (`pending`). Walks that meet
in the same state are compared at once and only the better one goes on. Walks that disagree in a
letter end. Where the lists agree letter by letter and place by place, the state is *in step*; a
stretch between two such points in which only one list takes part says nothing and is not counted.
As not to take part is always allowed, state 0 is in step with the reference itself, always.

The result is exact as long as no more than KEEP states are alive at once; beyond that only the
best are kept, which can miss a match but never invents one, and is counted. Two limits are not:
no list gets more than 4,096 letters ahead, and changes of a haplotype are made in the order of
their records, so that a record with two alleles far apart shuts out what lies between them.
"""

from typing import NamedTuple

import numpy as np

from lingqu.base.jit import kernel
from lingqu.sequence.codes import ANY

KEEP = 1024
"""States kept where the search grows beyond it."""

TAKEN, BOUNDED = 1, 2
"""Bits of a variant's outcome: it takes part in the match; the search around it hit KEEP."""

_STATES = 4 * KEEP
_NODES = 1 << 20
_PENDING = 4096
_TABLE = 1 << 14
_SLOT_BITS = 16

# Columns of a haplotype's row in a state: the base of the reference that the truth and the calls
# spell next, which of them is ahead, and where its pending letters start and end.
_TRUTH, _CALLS, _AHEAD, _START, _END = range(5)
_DIFFER, _OUT_OF_STEP, _IN_STEP = range(3)


class Variants(NamedTuple):
    """The n variants of both lists on one contig, sorted by `first`.

    side: uint8[n], 0 truth, 1 calls. first, reach: int64[n], first and last start of the changes
    it can make. following: int64[n + 2, 2], for an index and a side the next variant of that side
    from that index on, n where none follows. Variant i may take part by any of the rows
    option_from[i] to option_to[i] (int64[n]) of options (int64[m, ploidy]): for each haplotype an
    allele, or -1 where it changes nothing. Allele a puts
    `letters[letter_start[a]:][:letter_count[a]]` (codes) in place of bases change_from[a] to
    change_to[a] (int64, 0-based half-open) of the contig.
    """

    side: np.ndarray
    first: np.ndarray
    reach: np.ndarray
    following: np.ndarray
    option_from: np.ndarray
    option_to: np.ndarray
    options: np.ndarray
    change_from: np.ndarray
    change_to: np.ndarray
    letter_start: np.ndarray
    letter_count: np.ndarray
    letters: np.ndarray


class Walks(NamedTuple):
    """Scratch of the search: two generations of states, and the variants that each walk took."""

    place: np.ndarray  # int64[2, states, ploidy, 5], see the columns above
    pending: np.ndarray  # uint8[2, states, ploidy, letters]
    active: np.ndarray  # uint8[2, states]: bit s: list s takes part since the last step
    score: np.ndarray  # int32[2, states]: variants that take part
    node: np.ndarray  # int32[2, states]: the last of them, in the two arrays below, or -1
    parent: np.ndarray  # int32[nodes]
    taken: np.ndarray  # int64[nodes]
    table: np.ndarray  # int64[]: hash table of the states of one generation


def make_walks(ploidy: int) -> Walks:
    """Scratch for `match` of haploid (1) or diploid (2) options; few of its pages are touched."""
    return Walks(
        np.empty((2, _STATES, ploidy, 5), np.int64),
        np.empty((2, _STATES, ploidy, _PENDING), np.uint8),
        np.empty((2, _STATES), np.uint8),
        np.empty((2, _STATES), np.int32),
        np.empty((2, _STATES), np.int32),
        np.empty(_NODES, np.int32),
        np.empty(_NODES, np.int64),
        np.full(_TABLE, -1, np.int64),
    )


@kernel
def _spell(row, pending, side, letter):
    """Let `side` spell one letter; False where it differs from what the other side spelt."""
    if row[_START] < row[_END] and row[_AHEAD] != side:
        other = pending[row[_START]]
        row[_START] += 1
        return other == letter and letter != ANY
    if row[_START] == row[_END]:
        row[_START] = row[_END] = 0
        row[_AHEAD] = side
    if row[_END] == len(pending):
        return False
    pending[row[_END]] = letter
    row[_END] += 1
    return True


@kernel
def _change(row, pending, side, allele, sequence, variants):
    """Let `side` spell the reference up to an allele, and the allele; False where it cannot."""
    start = variants.change_from[allele]
    if row[side] > start:
        return False
    for base in range(row[side], start):
        if not _spell(row, pending, side, sequence[base]):
            return False
    letters = variants.letter_start[allele]
    for i in range(letters, letters + variants.letter_count[allele]):
        if not _spell(row, pending, side, variants.letters[i]):
            return False
    row[side] = variants.change_to[allele]
    return True


@kernel
def _limit(variants, side, undecided, here, end):
    """How far `side` spells the reference from `here` whatever is decided from `undecided` on."""
    event = variants.following[undecided, side]
    while event < len(variants.side) and variants.reach[event] < here:
        event = variants.following[event + 1, side]
    return end if event == len(variants.side) else max(here, variants.first[event])


@kernel
def _advance(row, pending, sequence, truth_limit, calls_limit):
    """Let both sides spell the reference up to their limits; say whether they agree."""
    while row[_START] < row[_END] or row[_TRUTH] != row[_CALLS]:
        if row[_START] < row[_END]:
            behind = 1 - row[_AHEAD]
            if row[behind] >= (calls_limit if behind == _CALLS else truth_limit):
                break
            letter = sequence[row[behind]]
            if letter == ANY or letter != pending[row[_START]]:
                return _DIFFER
            row[_START] += 1
            row[behind] += 1
        else:
            if row[_TRUTH] >= truth_limit or row[_CALLS] >= calls_limit:
                break
            letter = sequence[row[_TRUTH]]
            if letter == ANY or letter != sequence[row[_CALLS]]:
                return _DIFFER
            row[_TRUTH] += 1
            row[_CALLS] += 1
    left = row[_END] - row[_START]
    for i in range(left):
        pending[i] = pending[row[_START] + i]
    row[_START], row[_END] = 0, left
    if left:
        return _OUT_OF_STEP
    row[_AHEAD] = 0
    return _IN_STEP if row[_TRUTH] == row[_CALLS] else _OUT_OF_STEP


@kernel
def _order(place, pending, one, other):
    """Negative, 0 or positive as haplotype row `one` sorts before, with or after row `other`."""
    for column in range(5):
        difference = place[one, column] - place[other, column]
        if difference:
            return difference
    for i in range(place[one, _END]):
        difference = np.int64(pending[one, i]) - np.int64(pending[other, i])
        if difference:
            return difference
    return np.int64(0)


@kernel
def _sort_haplotypes(place, pending):
    """Put the two haplotypes of a state in order: swapped, they have the same future."""
    if len(place) == 2 and _order(place, pending, 0, 1) > 0:
        for column in range(5):
            place[0, column], place[1, column] = place[1, column], place[0, column]
        for i in range(max(place[0, _END], place[1, _END])):
            pending[0, i], pending[1, i] = pending[1, i], pending[0, i]


@kernel
def _settle(walks, new, slot, sequence, variants, undecided):
    """Bring a new state to its normal form; False where its walk ends."""
    place, pending = walks.place[new, slot], walks.pending[new, slot]
    end = len(sequence)
    n = len(variants.side)
    horizon = variants.first[undecided] if undecided < n else end
    in_step = True
    for haplotype in range(len(place)):
        row = place[haplotype]
        truth_limit = calls_limit = end
        if row[_START] < row[_END] or row[_TRUTH] != row[_CALLS]:
            truth_limit = _limit(variants, np.int64(_TRUTH), undecided, row[_TRUTH], end)
            calls_limit = _limit(variants, np.int64(_CALLS), undecided, row[_CALLS], end)
        outcome = _advance(row, pending[haplotype], sequence, truth_limit, calls_limit)
        if outcome == _DIFFER:
            return False
        if outcome == _IN_STEP:
            row[_TRUTH] = row[_CALLS] = max(row[_TRUTH], horizon)
        else:
            in_step = False
    if in_step:
        if walks.active[new, slot] in (1, 2):
            return False
        walks.active[new, slot] = 0
    _sort_haplotypes(place, pending)
    return True


@kernel
def _same_state(walks, new, one, other):
    if walks.active[new, one] != walks.active[new, other]:
        return False
    for haplotype in range(walks.place.shape[2]):
        for column in range(5):
            if (
                walks.place[new, one, haplotype, column]
                != walks.place[new, other, haplotype, column]
            ):
                return False
        for i in range(walks.place[new, one, haplotype, _END]):
            if walks.pending[new, one, haplotype, i] != walks.pending[new, other, haplotype, i]:
                return False
    return True


@kernel
def _hash_state(walks, new, slot):
    mixed = np.uint64(walks.active[new, slot])
    for haplotype in range(walks.place.shape[2]):
        for column in range(5):
            mixed = (mixed ^ np.uint64(walks.place[new, slot, haplotype, column])) * np.uint64(
                0x9E3779B97F4A7C15
            )
            mixed ^= mixed >> np.uint64(29)
        for i in range(walks.place[new, slot, haplotype, _END]):
            mixed = (mixed ^ np.uint64(walks.pending[new, slot, haplotype, i])) * np.uint64(
                0x9E3779B97F4A7C15
            )
            mixed ^= mixed >> np.uint64(29)
    return np.int64(mixed & np.uint64(_TABLE - 1))


@kernel
def _offer(walks, new, slot, stamp):
    """The slot that keeps the new state: its own, or that of its equal if worse; -1 if neither."""
    at = _hash_state(walks, new, slot)
    while walks.table[at] >> _SLOT_BITS == stamp:
        equal = walks.table[at] & ((1 << _SLOT_BITS) - 1)
        if _same_state(walks, new, slot, equal):
            if walks.score[new, slot] <= walks.score[new, equal]:
                return -1
            walks.score[new, equal] = walks.score[new, slot]
            walks.node[new, equal] = walks.node[new, slot]
            return equal
        at = (at + 1) & (_TABLE - 1)
    walks.table[at] = (stamp << _SLOT_BITS) | slot
    return slot


@kernel
def _inherit(walks, old, parent, new, slot):
    """Copy a state into the next generation."""
    for haplotype in range(walks.place.shape[2]):
        for column in range(5):
            walks.place[new, slot, haplotype, column] = walks.place[old, parent, haplotype, column]
        for i in range(walks.place[old, parent, haplotype, _END]):
            walks.pending[new, slot, haplotype, i] = walks.pending[old, parent, haplotype, i]
    walks.active[new, slot] = walks.active[old, parent]
    walks.score[new, slot] = walks.score[old, parent]
    walks.node[new, slot] = walks.node[old, parent]


@kernel
def _take(walks, new, slot, sequence, variants, event, option):
    """Let variant `event` take part in a new state; False where it does not fit."""
    side = variants.side[event]
    for haplotype in range(walks.place.shape[2]):
        allele = variants.options[option, haplotype]
        row, pending = walks.place[new, slot, haplotype], walks.pending[new, slot, haplotype]
        if allele >= 0 and not _change(row, pending, side, allele, sequence, variants):
            return False
    walks.active[new, slot] |= np.uint8(1 + side)
    walks.score[new, slot] += 1
    return True


@kernel
def _decide(walks, old, count, nodes, sequence, variants, event):
    """All states after deciding `event`: (their number, nodes in use). State 0 leaves it out."""
    new = 1 - old
    kept = np.int64(0)
    first_option = variants.option_from[event]
    for parent in range(count):
        for option in range(first_option - 1, variants.option_to[event]):
            if kept == _STATES:
                return kept, nodes
            takes = option >= first_option
            _inherit(walks, old, parent, new, kept)
            if takes and not _take(walks, new, kept, sequence, variants, event, option):
                continue
            if not _settle(walks, new, kept, sequence, variants, event + 1):
                continue
            slot = _offer(walks, new, kept, event)
            if slot >= 0 and takes:
                walks.parent[nodes] = walks.node[new, slot]
                walks.taken[nodes] = event
                walks.node[new, slot] = nodes
                nodes += 1
            if slot == kept:
                kept += 1
    return kept, nodes


@kernel
def _keep_best(walks, new, count):
    """Keep state 0 and the best others, KEEP at most; their number."""
    threshold, above = walks.score[new, 0], count
    while above >= KEEP:
        threshold += 1
        above = 0
        for slot in range(1, count):
            above += walks.score[new, slot] >= threshold
    ties = KEEP - 1 - above
    kept = np.int64(1)
    for slot in range(1, count):
        tied = walks.score[new, slot] == threshold - 1 and ties > 0
        if tied or walks.score[new, slot] >= threshold:
            ties -= tied
            _inherit(walks, new, slot, new, kept)
            kept += 1
    return kept


@kernel
def match(sequence, variants, walks, outcome):
    """Find the variants of both lists that take part in the best match.

    sequence: uint8[length], codes of the contig. variants, walks: as above. Writes outcome
    (uint8[n]): TAKEN and BOUNDED bits of each variant. A base that is N matches nothing.
    """
    n = len(variants.side)
    # Typed zeros: a literal would have every callee compiled twice.
    current, nodes, since = np.int64(0), np.int64(0), np.int64(0)
    count, bounded = np.int64(1), False
    walks.place[0, 0] = 0
    walks.place[0, 0, :, _TRUTH] = walks.place[0, 0, :, _CALLS] = variants.first[0] if n else 0
    walks.active[0, 0] = 0
    walks.score[0, 0] = 0
    walks.node[0, 0] = -1
    walks.table[:] = -1
    for event in range(n):
        count, nodes = _decide(walks, current, count, nodes, sequence, variants, event)
        current = 1 - current
        if count > KEEP:
            bounded = True
            count = _keep_best(walks, current, count)
        if nodes + 2 * _STATES > _NODES:
            bounded = True
            count = np.int64(1)
        if count > 1 and event < n - 1:
            continue
        outcome[since : event + 1] = BOUNDED if bounded else 0
        node = walks.node[current, 0]
        while node >= 0:
            outcome[walks.taken[node]] |= TAKEN
            node = walks.parent[node]
        walks.score[current, 0] = 0
        walks.node[current, 0] = -1
        count, nodes, since, bounded = np.int64(1), np.int64(0), event + 1, False
