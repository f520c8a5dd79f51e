"""What the reads of one shard tell of the sample's quality: depths, GC, genes, bases at sites.

Only counts, so that sums over the shards are the same however the genome is cut.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lingqu.base.scratch import empty
from lingqu.call.contamination import Sites, no_sites, read_sites
from lingqu.call.kernels.depth import (
    add_aligned,
    count_depths,
    count_gc,
    count_genes,
    count_known,
    count_starts,
    sum_up,
    take_overlaps,
)
from lingqu.call.kernels.mixture import QUALITIES, pile_up
from lingqu.call.kernels.variants import BINS
from lingqu.call.records import Call
from lingqu.formats.bam import Alignments, Spans

MOST_DEPTH = 65_535
"""Depth from which on places are not told apart."""
_GC = 101


@dataclass(frozen=True)
class Asked:
    """What is to be measured in a shard besides depth.

    before: counted bases of the contig in the shards before it. window: counted bases of a window
    of the profile. par: int64[n, 2], pseudoautosomal places of the contig. genes: int64[m, 3],
    (number of the gene, from, to), within the shard's intervals. sites: a VCF with frequencies;
    most_sites: how many of them at most.
    """

    before: int
    window: int
    par: np.ndarray
    genes: np.ndarray
    sites: Path | None
    most_sites: int


def intersect(pairs: np.ndarray, others: np.ndarray) -> np.ndarray:
    """int64[n, 2]: what is in both of two lists of sorted, disjoint intervals."""
    first = np.searchsorted(others[:, 1], pairs[:, 0], "right")
    last = np.searchsorted(others[:, 0], pairs[:, 1], "left")
    found = [
        (max(start, a), min(end, b))
        for (start, end), i, j in zip(pairs.tolist(), first.tolist(), last.tolist(), strict=True)
        for a, b in others[i:j].tolist()
    ]
    return np.array(found, np.int64).reshape(-1, 2)


class Measured:
    """Counts of a shard, part by part in their order."""

    def __init__(self, asked: Asked, intervals: tuple[tuple[int, int], ...]):
        self._asked, self._done = asked, asked.before
        bases = sum(end - start for start, end in intervals)
        self._intervals = intervals
        self._depth = np.zeros((3, 0), np.int64)  # places by depth: all, N, PAR without N
        self._sums = np.zeros(2, np.int64)
        rows = (asked.before + bases) // asked.window - asked.before // asked.window + 1
        self._windows = np.zeros(rows, np.int64)
        self._gc = np.zeros((2, _GC), np.int64)
        self._gene, self._row = np.unique(asked.genes[:, 0], return_inverse=True)
        self._genes = np.zeros((len(self._gene), 5), np.int64)
        self._genes[:, 2] = np.iinfo(np.int64).max
        self._strand = np.zeros(BINS, np.int64)
        self._sites: Sites | None = None
        self._bases = np.zeros((0, 2, QUALITIES), np.int32)

    def add_reads(
        self, pairs: np.ndarray, reads: Alignments, spans: Spans, template: np.ndarray, place: tuple
    ) -> None:
        """Add a part: its intervals (int64[m, 2]) and all records over them.

        template: int32[reads], see `number_templates`. place: (contig, its codes).
        """
        contig, codes = place
        start, end = int(pairs[0, 0]), int(pairs[-1, 1])
        cover = empty(end - start + 1, np.int32)
        cover[:] = 0
        add_aligned(reads.pos, reads.cigar_start, reads.cigar, start, cover)
        add_aligned(spans.pos, spans.cigar_start, spans.cigar, start, cover)
        templates = empty(int(template.max(initial=0)) + 1, np.int32)
        take_overlaps(reads, template, templates, start, cover)
        self._count(cover, start, pairs, codes)
        gc = empty(end - start, np.int8)
        count_gc(codes, start, pairs, gc, self._gc[0])
        for some in (reads, spans):
            count_starts(some.pos, some.end, some.flag, start, gc, self._gc[1])
        if self._asked.sites:
            self._pile_up(start, end, reads, template, templates, contig, codes)

    def _count(self, cover: np.ndarray, start: int, pairs: np.ndarray, codes: np.ndarray) -> None:
        asked = self._asked
        row = self._done // asked.window - asked.before // asked.window
        deepest = min(int(sum_up(cover)), MOST_DEPTH)
        more = np.zeros((3, max(deepest + 1 - self._depth.shape[1], 0)), np.int64)
        self._depth = np.concatenate((self._depth, more), axis=1)
        count_depths(
            cover, start, codes, pairs, self._done, asked.window, self._depth[0], self._depth[1],
            self._sums, self._windows[row:],
        )  # fmt: skip
        self._done += int((pairs[:, 1] - pairs[:, 0]).sum())
        if len(asked.par):
            count_known(cover, start, codes, intersect(pairs, asked.par), self._depth[2])
        if len(asked.genes):
            end = int(pairs[-1, 1])
            parts = np.column_stack((self._row, asked.genes[:, 1:].clip(start, end)))
            count_genes(cover, start, parts[parts[:, 1] < parts[:, 2]], self._genes)

    def _pile_up(self, start, end, reads, template, seen, contig, codes) -> None:
        if self._sites is None:
            asked = self._asked
            self._sites = read_sites(asked.sites, contig, codes, self._intervals, asked.most_sites)
            self._bases = np.zeros((len(self._sites.rows), 2, QUALITIES), np.int32)
        places = self._sites.rows[:, 0]
        here = slice(*np.searchsorted(places, (start, end)).tolist())
        span = int((reads.end - reads.pos).max(initial=0))
        pile_up(reads, template, seen, span, self._sites.rows[here], self._bases[here])

    def add_calls(self, told: Iterable[tuple[str, Call]]) -> None:
        """Add lines and what they tell of: the strands of the ALT reads of heterozygous SNVs."""
        for line, call in told:
            if call.alleles[0] != call.alleles[1]:
                _, _, _, ref, alt, _, failed, _ = line.split("\t", 7)
                if len(ref) == len(alt) == 1 and alt != "*" and failed == "PASS":
                    a = max(call.alleles)
                    reads = call.forward[a] + call.reverse[a]
                    if reads:
                        self._strand[min(BINS * call.forward[a] // reads, BINS - 1)] += 1

    def arrays(self) -> dict[str, np.ndarray]:
        """All counts, for `Quality.add`."""
        sites = self._sites or no_sites()
        site, allele, quality = np.nonzero(self._bases)
        seen, site = np.unique(site, return_inverse=True)
        every, unknown, par = self._depth
        return {
            "depth": every,
            "known": every - unknown - par,
            "sums": self._sums,
            "windows": self._windows,
            "gc": self._gc,
            "gene": self._gene,
            "genes": self._genes,
            "strand": self._strand,
            "frequency": sites.frequency[seen],
            "bases": np.stack((site, allele, quality, self._bases[self._bases > 0])).astype(
                np.int32
            ),
        }
