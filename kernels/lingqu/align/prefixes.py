"""Over-represented sequences, and how many reads are copies, by the first bases of the reads."""

from functools import cache

import numpy as np

from lingqu.align.kernels.prefixes import AT_LIMIT, READS, SLOTS, corrected, track
from lingqu.align.kernels.trim import KITS
from lingqu.align.tally import ONE_IN
from lingqu.sequence.codes import decode, encode, reverse_complement

_BOUNDS = (*range(1, 10), 50, 100, 500, 1000, 5000, 10_000)
"""FastQC's levels of duplication: 1 to 9 times, 10 to 50, 51 to 100, ..., over 10,000 times."""

_LEAST = 20
_KNOWN = {
    **KITS,
    "Illumina flow cell, P5": b"AATGATACGGCGACCACCGAGATCTACAC",
    "Illumina flow cell, P7": b"CAAGCAGAAGACGGCATACGAGAT",
    "Illumina TruSeq, universal": b"ACACTCTTTCCCTACACGACGCTCTTCCGATCT",
    **{f"Poly{base}": base.encode() * 50 for base in "ACGT"},
}


def _alike(one: str, other: str) -> int:
    """Bases of the longest stretch where two sequences side by side differ in one base at most."""
    most = before = run = 0
    for a, b in zip(one, other, strict=False):
        if a == b:
            run += 1
        else:
            before, run = run + 1, 0
        most = max(most, before + run)
    return most


@cache
def _known() -> list[tuple[str, str]]:
    """The known sequences and their names, then all in reverse complement."""
    forward = [(letters.decode(), name) for name, letters in _KNOWN.items()]
    return forward + [(decode(reverse_complement(encode(own))), name) for own, name in forward]


def _words(sequence: str) -> set[str]:
    """All stretches of 8 bases; who shares 20, one of them different, shares one of these."""
    return {sequence[at : at + 8] for at in range(len(sequence) - 7)}


def source_of(sequence: str) -> str | None:
    """The known sequence that shares most with this one: 20 bases or more, one of which may differ.

    Of a sequence of 8 to 19 bases all must be shared.
    """
    best = (min(_LEAST, max(len(sequence), 8)) - 1, None)
    words = _words(sequence)
    for known, name in _known():
        if words.isdisjoint(_words(known)):
            continue
        for offset in range(-len(known) + 1, len(sequence)):
            own, other = sequence[max(offset, 0) :], known[max(-offset, 0) :]
            shared = _alike(own, other) if min(len(own), len(other)) > best[0] else 0
            best = max(best, (shared, name), key=lambda found: found[0])
    return best[1]


class Prefixes:
    """The sequences of the reads of one mate, counted in the input's order as FastQC does."""

    def __init__(self):
        self._slots, self._counts = np.zeros(SLOTS, np.uint64), np.zeros(SLOTS, np.int64)
        self._state, self._often = np.zeros(3, np.int64), {}

    def add(self, words: np.ndarray, often: np.ndarray, sequences: np.ndarray) -> None:
        """Count reads (`lingqu.align.tally.tally_chunk`: prefix of a mate, often, sequence)."""
        track(words, self._slots, self._counts, self._state)
        self._often |= dict(zip(often.tolist(), sequences, strict=True))

    def overrepresented(self) -> list[dict]:
        """Sequences of over 0.1 % of the reads, the most frequent first, and what they may be.

        Those that come once only, as all do in a few reads, are left out.
        """
        reads, found = int(self._state[READS]), []
        for at in np.flatnonzero((self._counts * ONE_IN > reads) & (self._counts > 1)):
            codes = self._often[int(self._slots[at])]
            sequence, count = decode(codes[codes < 255]), int(self._counts[at])
            row = {"sequence": sequence, "count": count, "share": count / reads}
            found.append(row | {"source": source_of(sequence)})
        return sorted(found, key=lambda row: (-row["count"], row["sequence"]))

    def duplication(self) -> dict:
        """Shares of reads by how often their sequence comes (_BOUNDS), and of different ones."""
        told, sequences = np.unique(self._counts[self._counts > 0], return_counts=True)
        levels, different, total = [0.0] * (len(_BOUNDS) + 1), 0.0, 0.0
        for level, number in zip(told.tolist(), sequences.tolist(), strict=True):
            true = corrected(level, number, int(self._state[AT_LIMIT]), int(self._state[READS]))
            different, total = different + true, total + true * level
            levels[sum(level > most for most in _BOUNDS)] += true * level
        if not total:
            return {"levels": levels, "distinct_share": 1.0}
        shares = [level / total for level in levels]
        return {"levels": shares, "distinct_share": different / total}
