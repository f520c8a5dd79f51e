"""gVCF: how surely each place without a record is as the reference, in blocks; and <NON_REF>.

The fields are those of GATK's HaplotypeCaller, so that tools which read its gVCFs read these. As
there, a place without reads is 0/0 with a GQ of 0 and PLs of 0.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lingqu.base.scratch import empty
from lingqu.call import fields, model, records
from lingqu.call.kernels.blocks import ALTS, HETS, LEAST, TOTAL, find_blocks, write_rows
from lingqu.call.kernels.genotype import IMPOSSIBLE
from lingqu.call.kernels.numbers import log10
from lingqu.call.kernels.reference import repeat_reach, weigh_reference
from lingqu.call.kernels.scan import gap_costs
from lingqu.call.phase import GLUE, Evidence
from lingqu.call.records import MAX_PL
from lingqu.formats.bam import Alignments
from lingqu.sequence.codes import ASCII_OF_CODE, decode

NON_REF = "<NON_REF>"
ENDINGS = (".g.vcf", ".g.vcf.gz", ".g.bcf")
"""How the name of a gVCF ends."""
MAX_GQ = 99
BANDS = (*range(61), 70, 80, 90, 99)
"""Least GQ of each band; the places of a block are of one band."""
FORMAT = "GT:DP:GQ:MIN_DP:PL"
OPEN = "="
"""First letter of the line of a block that may go on beyond the cut of its shard."""

META = [
    *(
        f"##GVCFBlock{low}-{high}=minGQ={low}(inclusive),maxGQ={high}(exclusive)"
        for low, high in zip(BANDS, (*BANDS[1:], MAX_GQ + 1), strict=True)
    ),
    *fields.lines(fields.BLOCKS),
]

_DIGITS = 19
_LAST_QUALITY = 41
_THIRD = 5  # Phred: `lose` is of one of three wrong bases, a gap's chance is of any
_BAND_OF = np.searchsorted(BANDS, np.arange(MAX_GQ + 1), side="right").astype(np.int8) - 1


def is_gvcf(path) -> bool:
    """Whether a file's name says that it is a gVCF."""
    return str(path).endswith(ENDINGS)


def _pieces(contig: str, ploidy: int) -> tuple[str, ...]:
    """What stands before POS, REF, END, DP, GQ, MIN_DP and the PLs but the first in a block."""
    head = f"{contig}\t", "\t.\t", f"\t{NON_REF}\t.\t.\tEND="
    genotype = "0/0" if ploidy == 2 else "0"
    pls = (":0,", ",") if ploidy == 2 else (":0,",)
    return *head, f"\t{FORMAT}\t{genotype}:", ":", ":", *pls


class Block(NamedTuple):
    """Places [start, end) of a contig, 0-based; ref: its first base.

    total: sum of DP. least: MIN_DP. het, alt: PL of 0/x and of x/x (of x twice where ploidy is 1).
    """

    contig: str
    ref: str
    ploidy: int
    start: int
    end: int
    total: int
    least: int
    het: int
    alt: int

    @property
    def gq(self) -> int:
        """GQ."""
        return min(self.het, self.alt, MAX_GQ)

    def line(self) -> str:
        """The record."""
        places = self.end - self.start
        depth = (2 * self.total + places) // (2 * places)
        values = self.start + 1, self.ref, self.end, depth, self.gq, self.least, self.het, self.alt
        told = values if self.ploidy == 2 else (*values[:-2], self.alt)
        pieces = _pieces(self.contig, self.ploidy)
        return "".join(f"{piece}{value}" for piece, value in zip(pieces, told, strict=True))

    def open_line(self) -> str:
        """A line that `join` can make longer."""
        return "\t".join((OPEN, *map(str, self)))

    def goes_on(self, other: "Block") -> bool:
        """Whether `other` is the rest of this block."""
        same = (self.contig, self.ploidy, self.end) == (other.contig, other.ploidy, other.start)
        return same and _BAND_OF[self.gq] == _BAND_OF[other.gq]

    def with_rest(self, rest: "Block") -> "Block":
        """Both as one."""
        return self._replace(
            end=rest.end,
            total=self.total + rest.total,
            least=min(self.least, rest.least),
            het=min(self.het, rest.het),
            alt=min(self.alt, rest.alt),
        )


def is_record(line: str) -> bool:
    """Whether a line is that of a record and not of a block (or several)."""
    return not line.startswith(OPEN) and f"\t{NON_REF}\t" not in line


def _read_open(line: str) -> Block:
    _, contig, ref, *numbers = line.split("\t")
    return Block(contig, ref, *map(int, numbers))


def join(lines: Iterable[str]) -> Iterator[str]:
    """The lines, blocks that were cut in two being one again; some are several, with GLUE."""
    pending = None
    for line in lines:
        block = _read_open(line) if line.startswith(OPEN) else None
        if pending and block and pending.goes_on(block):
            pending = pending.with_rest(block)
            continue
        if pending:
            yield pending.line()
        pending = block
        if not block:
            yield line
    if pending:
        yield pending.line()


@lru_cache(maxsize=1)
def _costs() -> tuple[np.ndarray, np.ndarray]:
    """(lose, half) of `weigh_reference`: int32[qualities of mapping, of bases]."""
    right, wrong = model.base_tables()
    mismap = model.mismap_table()
    shape = (_LAST_QUALITY, _LAST_QUALITY)
    lose, half = np.empty(shape, np.int32), np.empty(shape, np.int32)
    for mapq in range(shape[0]):
        for quality in range(shape[1]):
            chance = max(float(wrong[quality]) / float(right[quality]), float(mismap[mapq]))
            lose[mapq, quality] = max(round(-1000 * log10.py_func(chance)), 0)
            half[mapq, quality] = max(round(-1000 * log10.py_func((1 + chance) / 2)), 0)
    return lose, half


def evidence(
    reads: Alignments, template: np.ndarray, ref: np.ndarray, start: int, end: int, gaps: np.ndarray
) -> np.ndarray:
    """int64[end - start, 7]: what the reads cost the genotypes, see call/kernels/reference.py.

    Whole only where all reads of a place, and the repeats about it, are within [start, end).
    """
    n = end - start
    codes = np.full(n + 1, 4, np.uint8)
    codes[: min(n + 1, len(ref) - start)] = ref[start : end + 1]
    left, right = np.empty(n, np.int32), np.empty(n, np.int32)
    repeat_reach(codes, model.PERIODS, left, right)
    chances = np.empty(n + 1, np.float32)
    gap_costs(codes, 0, n + 1, gaps, chances)
    quality = -10 * np.log10(np.maximum(chances[:-1], chances[1:]).astype(np.float64))
    # Away from a rounding edge that two libraries may see differently.
    quality = np.clip(np.floor(quality + 1e-6) - _THIRD, 0, _LAST_QUALITY - 1).astype(np.uint8)
    sums = empty((7, n), np.int64)
    sums[:] = 0
    shown = np.zeros(int(template.max(initial=0)) + 1, np.int32)
    weigh_reference(
        reads, template, shown, ref, start, model.MIN_MAPQ, quality, left, right, *_costs(), sums
    )
    return sums.T


def _text(blocks: np.ndarray, ref: np.ndarray, shard, start: int) -> tuple[bytes, list[int]]:
    """The lines of blocks (int64[n, 6], see `find_blocks`), each with GLUE behind it, and where
    they end.
    """
    begins, ends = blocks[:, 0] + start, blocks[:, 1] + start
    places = blocks[:, 1] - blocks[:, 0]
    middles = (2 * blocks[:, TOTAL] + places) // (2 * places)
    gq = np.minimum(np.minimum(blocks[:, HETS], blocks[:, ALTS]), MAX_GQ)
    pls = (HETS, ALTS) if shard.ploidy == 2 else (ALTS,)
    columns = begins + 1, ends, middles, gq, blocks[:, LEAST], *(blocks[:, pl] for pl in pls)
    pieces = [piece.encode() for piece in (*_pieces(shard.contig, shard.ploidy), GLUE)]
    starts = np.cumsum([0, *map(len, pieces)])
    text = empty(len(blocks) * (int(starts[-1]) + _DIGITS * len(columns)))
    stops = np.empty(len(blocks), np.int64)
    joined = np.frombuffer(b"".join(pieces), np.uint8)
    write_rows(joined, starts, ASCII_OF_CODE[ref[begins]], np.column_stack(columns), text, stops)
    return text[: stops[-1]].tobytes(), stops.tolist()


def blocks(sums: np.ndarray, free: np.ndarray, ref: np.ndarray, shard, start: int, records=()):
    """(start, lines) of the blocks of the places start + i for which free[i] (bool[n]).

    Lines up to the next of the records, whose places these are in order, come as one, with GLUE
    between them. sums: int64[n, 7]. shard: its contig, ploidy, start and end are asked for; blocks
    that touch its ends are such as `join` takes.
    """
    found = empty((int(free.sum()), 6), np.int64)
    found = found[: find_blocks(sums, free, _BAND_OF, shard.ploidy, MAX_PL, found)]
    if not len(found):
        return []
    text, stops = _text(found, ref, shard, start)
    begins, ends = found[:, 0] + start, found[:, 1] + start
    last = len(found) - 1
    is_open = {k for k in (0, last) if begins[k] == shard.start or ends[k] == shard.end}
    runs = {0, *is_open, *(k + 1 for k in is_open), last + 1}
    runs = sorted(runs.union(np.searchsorted(begins, records).tolist()))
    lines = []
    for a, b in pairwise(runs):
        if a in is_open:
            letter = decode(ref[begins[a] : begins[a] + 1])
            told = (int(begins[a]), int(ends[a]), *found[a, TOTAL:].tolist())
            line = Block(shard.contig, letter, shard.ploidy, *told).open_line()
        else:
            line = text[stops[a - 1] if a else 0 : stops[b - 1] - 1].decode()
        lines.append((int(begins[a]), line))
    return lines


# Records


def _unseen(call: records.Call, a: int | None) -> float:
    """log10 likelihood of (a, any other allele), or of two others where a is None.

    That of an allele which no haplotype holds, or of one that was weighed and is not told.
    """
    if a is not None:
        return call.likelihoods[a, a] + call.unseen[2 * a]
    best = max(range(len(call.fragments)), key=lambda b: call.likelihoods[b, b])
    return call.likelihoods[best, best] + call.unseen[2 * best + 1]


def _dropped(call: records.Call, kept: list[int]) -> list[int]:
    """Alleles that were weighed and are not told; the `*` of a deletion is that one's."""
    return [a for a, alt in enumerate(call.alts, 1) if a not in kept and alt != "*"]


def _with_others(call: records.Call, kept: list[int], ploidy: int) -> list[float]:
    """log10 likelihoods of the genotypes that hold NON_REF, as VCF orders them."""
    dropped = _dropped(call, kept)
    logs = []
    for a in kept if ploidy == 2 else ():
        others = (call.likelihoods[min(a, d), max(a, d)] for d in dropped)
        logs.append(max([_unseen(call, a), *others]))
    pairs = [(d, e) for d in dropped for e in dropped if d <= e and (ploidy == 2 or d == e)]
    return [*logs, max([_unseen(call, None), *(call.likelihoods[pair] for pair in pairs)])]


def with_non_ref(line: str, call: records.Call, ploidy: int) -> str:
    """A line of `call_line` with <NON_REF> as last ALT, its AD and its PLs."""
    columns = line.split("\t")
    columns[4] += f",{NON_REF}"
    values = dict(zip(columns[8].split(":"), columns[9].split(":"), strict=True))
    kept = records.told_alleles(call)
    if values["PL"] != ".":
        values["AD"] += f",{sum(call.fragments[a] for a in _dropped(call, kept))}"
        pairs = [(a, b) for b in kept for a in kept if a <= b and (ploidy == 2 or a == b)]
        top = max(call.likelihoods[pair] for pair in pairs)
        for log in _with_others(call, kept, ploidy):
            cost = MAX_PL if log <= IMPOSSIBLE else 10 * (top - log)
            values["PL"] += f",{round(min(max(cost, 0), MAX_PL))}"
    columns[9] = ":".join(values.values())
    return "\t".join(columns)


def without_non_ref(line: str) -> str:
    """The line that a VCF has of a record of a gVCF."""
    columns = line.split("\t")
    columns[4] = columns[4].removesuffix(f",{NON_REF}")
    values = dict(zip(columns[8].split(":"), columns[9].split(":"), strict=True))
    if values["PL"] != ".":
        alleles = columns[4].count(",") + 2
        haploid = len(values["GT"].replace("|", "/").split("/")) == 1
        told = alleles if haploid else alleles * (alleles + 1) // 2
        values["AD"] = ",".join(values["AD"].split(",")[:alleles])
        values["PL"] = ",".join(values["PL"].split(",")[:told])
    columns[9] = ":".join(values.values())
    return "\t".join(columns)


def lines_with_blocks(
    told: list[tuple[str, Evidence | None, bool]],
    sums: np.ndarray,
    ref: np.ndarray,
    shard,
    origin: int,
) -> list[tuple[str, Evidence | None]]:
    """The records of a shard and the blocks between them, each with its evidence for phasing; the
    blocks up to a record as one line, with GLUE.

    told: line, evidence, whether the record is the shard's. sums: see `evidence`, from place
    `origin` on. No block covers what a record's REF does.
    """
    free = np.zeros(len(sums), bool)
    for start, end in shard.intervals:
        free[start - origin : end - origin] = True
    placed: list[tuple[int, str, Evidence | None]] = []
    for line, evidence, own in told:
        _, pos, _, spelled, _ = line.split("\t", 4)
        first = int(pos) - 1
        free[max(first - origin, 0) : max(first + len(spelled) - origin, 0)] = False
        if own:
            placed.append((first, line, evidence))
    at = [first for first, _, _ in placed]
    placed += [(at, lines, None) for at, lines in blocks(sums, free, ref, shard, origin, at)]
    placed.sort(key=lambda item: item[0])
    return [(line, told) for _, line, told in placed]
