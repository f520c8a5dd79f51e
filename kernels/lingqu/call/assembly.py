"""Local assembly of the windows where alignments leave off: detours -> edits in normal form."""

import numpy as np

from lingqu.call import model
from lingqu.call.candidates import MAX_SIZE, Edit, reach
from lingqu.call.kernels.assemble import MAX_PATH, SLOTS, assemble
from lingqu.call.kernels.scan import left_shift_deletion, left_shift_insertion
from lingqu.call.kernels.spelling import align
from lingqu.formats.bam import Alignments

K = (19, 31, 41, 51, 61)
"""Sizes of k-mers, one after the other; those behind SURE where the reference repeats itself."""
SURE = 31
AROUND = 150
"""Bases of the window on both sides of what calls for assembly."""
WIDEST = 800
MANY = 3
"""A detour of so many pieces or more is weighed as one: its pieces alone would fit no read."""


class Assembler:
    """Scratch of the assembly, used again for each window."""

    def __init__(self, reads: Alignments, ref: np.ndarray):
        self._reads, self._ref = reads, ref
        self._length = float((reads.high - reads.low).mean()) if len(reads.pos) else 1.0
        self._span = int((reads.end - reads.pos).max()) if len(reads.pos) else 0
        self._words = np.empty(SLOTS, np.uint64)
        self._place, self._count = np.empty(SLOTS, np.int32), np.empty(SLOTS, np.int32)
        self._path, self._tried = np.empty(MAX_PATH + 1, np.uint8), np.empty(MAX_PATH + 1, np.uint8)
        self._slots = np.empty(MAX_PATH + 1, np.int64)
        self._stack = np.empty(MAX_PATH + 2, np.uint64)
        self._found, self._bases = np.empty((256, 4), np.int32), np.empty(1 << 15, np.uint8)
        side = MAX_PATH + MAX_SIZE + 1
        self._table = np.empty((3, side, side), np.int32)
        self._moves = np.empty(2 * side, np.uint8)

    def edits(self, begin: int, end: int, depth: int) -> set[Edit]:
        """Edits that the reads over [begin, end) assemble to; depth: reads over a place there."""
        begin, end = max(begin, 0), min(end, len(self._ref))
        first = int(np.searchsorted(self._reads.pos, np.int32(begin - self._span)))
        n = filled = 0
        twice = False
        for k in K:
            if k > SURE and not twice:
                break
            n, filled, twice = assemble(
                self._reads, first, self._ref, begin, end, model.MIN_MAPQ, k,
                self._words_over(k, depth), self._words, self._place, self._count, self._path,
                self._tried, self._slots, self._stack, self._found, self._bases, n, filled,
            )  # fmt: skip
        edits: set[Edit] = set()
        for start, removed, put, at in self._found[:n].tolist():
            if max(removed, put) <= MAX_SIZE:
                edits.update(self._normal(start, removed, self._bases[at : at + put]))
        return edits

    def _words_over(self, k: int, depth: int) -> int:
        """The k-mers over a place where there are `depth` reads: their last bases begin none."""
        return int(depth * max(self._length - k + 1, 0) / self._length)

    def _normal(self, start: int, removed: int, put: np.ndarray) -> list[Edit]:
        """A detour as edits that are trimmed, split and shifted to the left; none where it runs
        over an N of the reference in any other way than base by base.
        """
        old = self._ref[start : start + removed]
        count = align(old, put, self._table, self._moves)
        pieces: list[tuple[int, int, bytes]] = []
        pos, at, before = start, 0, 0
        for move in self._moves[:count][::-1].tolist():
            bases = put[at : at + 1].tobytes() if move != 1 else b""
            taken = move != 2
            if taken and self._ref[pos] > 3 and move:
                return []
            if move and move == before:
                last = pieces.pop()
                pieces.append((last[0], last[1] + taken, last[2] + bases))
            elif move or (self._ref[pos] != put[at] and self._ref[pos] <= 3):
                pieces.append((pos, int(taken), bases))
            pos, at, before = pos + taken, at + (move != 1), move
        if len(pieces) >= MANY and any(removed != len(bases) for _, removed, bases in pieces):
            begin, end = pieces[0][0], pieces[-1][0] + pieces[-1][1]
            tail = start + removed - end
            if (self._ref[begin:end] > 3).any():
                return []
            whole = put[begin - start : len(put) - tail].tobytes()
            return [Edit(begin, end - begin, whole, begin, end, 2)]
        return [self._shifted(*piece) for piece in pieces]

    def _shifted(self, start: int, removed: int, put: bytes) -> Edit:
        if not put:
            start = int(left_shift_deletion(self._ref, start, removed, 1))
        elif not removed:
            bases = np.frombuffer(put, np.uint8).copy()
            start = int(left_shift_insertion(self._ref, start, bases, len(bases), 1))
            put = bases.tobytes()
        elif removed == len(put) == 1:
            return Edit(start, 1, put, start, start + 1, 2)
        return Edit(start, removed, put, *reach(self._ref, start, removed, put), 2)


def windows(clips: np.ndarray, edits: list[Edit]) -> list[tuple[int, int]]:
    """Windows (begin, end) to assemble: around clipped ends, long indels and crowded edits."""
    marks = [(place, place) for place in clips.tolist()]
    for k, edit in enumerate(edits):
        size = max(edit.removed, len(edit.put))
        crowd = edits[k : k + MANY]
        if size >= 8 or (edit.removed and edit.put and size > 1):
            marks.append((edit.left, edit.right))
        elif len(crowd) == MANY and crowd[-1].start - edit.start <= K[0]:
            marks.append((edit.left, crowd[-1].right))
    merged: list[list[int]] = []
    for left, right in sorted(marks):
        begin, end = left - AROUND, right + AROUND
        if merged and begin <= merged[-1][1] - AROUND and end - merged[-1][0] <= WIDEST:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([begin, end])
    return [(begin, end) for begin, end in merged]
