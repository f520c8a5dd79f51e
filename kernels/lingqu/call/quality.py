"""Quality control of a sample while it is called: what is asked of the shards, and their sums.

What is told is described in report/schemas/calls.schema.json.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from lingqu.call import contamination, sex
from lingqu.call.genes import Gene, read_genes
from lingqu.call.kernels.variants import AUTOSOME, BINS, ELSEWHERE, X
from lingqu.call.known import check_known
from lingqu.call.measured import Asked, intersect
from lingqu.call.ploidy import chromosome
from lingqu.call.shard import Shard
from lingqu.call.variant_counts import VariantCounts, ratio, significant
from lingqu.formats.reference import Reference

LEVELS = (1, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100)
TOLD_DEPTH = 1000
"""Depth from which on the histogram does not tell places apart."""
WINDOWS = 1000
MOST_CONTIGS = 200
MOST_SITES = 100_000
"""Sites that contamination is told from; they are spread over the genome."""
_NOWHERE = np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class Options:
    """What the user asks for: sites (a VCF with frequencies), genes (BED, GFF3, GTF), and the
    options of calling that matter here.
    """

    sites: Path | None = None
    genes: Path | None = None
    par: Path | None = None
    told_sex: str | None = None
    regions: tuple[str, ...] = ()
    is_panel: bool = False  # regions are a BED file: what was captured
    known: bool = False


def add(total: np.ndarray, more: np.ndarray) -> np.ndarray:
    """The sum of two histograms of any length."""
    long, short = (total, more) if len(total) >= len(more) else (more, total)
    long = long.copy()
    long[: len(short)] += short
    return long


def value_at(histogram: np.ndarray, rank: int) -> int:
    """The value of that rank (from 0) of those that a histogram counts."""
    return int(np.searchsorted(np.cumsum(histogram), rank, "right"))


def median(histogram: np.ndarray) -> float | None:
    """The median of what a histogram counts; the mean of the two in the middle."""
    n = int(histogram.sum())
    if not n:
        return None
    return (value_at(histogram, (n - 1) // 2) + value_at(histogram, n // 2)) / 2


@dataclass
class _Contig:
    """Sums over the shards of a contig."""

    depth: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    known: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    total: int = 0
    windows: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def add(self, arrays: Mapping[str, np.ndarray], first_window: int) -> None:
        """Add what a shard counted."""
        self.depth = add(self.depth, arrays["depth"])
        self.known = add(self.known, arrays["known"])
        self.total += int(arrays["sums"][0])
        end = first_window + len(arrays["windows"])
        self.windows = add(self.windows, np.zeros(end, np.int64))
        self.windows[first_window:end] += arrays["windows"]

    def told(self) -> dict:
        """Target bases, mean, median, share of them covered."""
        bases = int(self.depth.sum())
        return {
            "target_bases": bases,
            "mean": ratio(self.total, bases),
            "median": median(self.depth),
            "covered": ratio(bases - int(self.depth[:1].sum()), bases),
        }


class Quality:
    """Asks shards, and sums up what they and the lines tell."""

    def __init__(self, options: Options, reference: Reference):
        self._options, self._reference = options, reference
        self._lengths = dict(zip(reference.names, map(int, reference.lengths), strict=True))
        self._par = sex.pseudoautosomal(options.par, self._lengths)
        self._genes: list[Gene] = read_genes(options.genes, self._lengths) if options.genes else []
        if options.sites:
            check_known(options.sites, reference)
        on_x = [pairs for contig, pairs in self._par.items() if chromosome(contig) == "X"]
        self.variants = VariantCounts(on_x[0] if on_x else _NOWHERE)
        self._contigs: dict[str, _Contig] = {}
        self._squares = 0
        self._gc = np.zeros((2, 101), np.int64)
        self._strand = np.zeros(BINS, np.int64)
        self._rows: dict[int, np.ndarray] = {}
        self._frequency: list[np.ndarray] = []
        self._bases: list[np.ndarray] = []
        self._sites = 0
        self._window = 1

    def ask(self, shards: Sequence[Shard]) -> list[Shard]:
        """The shards, with what is to be measured in them."""
        bases = [sum(end - start for start, end in shard.intervals) for shard in shards]
        total = sum(bases)
        self._window = _round_up(max(-(-total // WINDOWS), 1))
        exons = self._exons()
        asked, before, tid = [], 0, -1
        for shard, own in zip(shards, bases, strict=True):
            before, tid = (0 if shard.tid != tid else before), shard.tid
            pairs = np.array(shard.intervals, np.int64)
            what = Asked(
                before, self._window, self._par.get(shard.contig, _NOWHERE),
                _within(exons.get(shard.contig, _NO_EXONS), pairs), self._options.sites,
                -(-MOST_SITES * own // max(total, 1)),
            )  # fmt: skip
            asked.append(replace(shard, asked=what))
            before += own
        return asked

    def _exons(self) -> dict[str, np.ndarray]:
        """int64[n, 3] (gene, from, to) of each contig, sorted by place."""
        rows: dict[str, list] = {}
        for number, gene in enumerate(self._genes):
            rows.setdefault(gene.contig, []).extend((number, *exon) for exon in gene.exons.tolist())
        return {
            contig: np.array(sorted(own, key=lambda row: row[1:])) for contig, own in rows.items()
        }

    def add(self, shard: Shard, arrays: Mapping[str, np.ndarray]) -> None:
        """Add what a shard counted, see `Measured.arrays`; shards come in order."""
        contig = self._contigs.setdefault(shard.contig, _Contig())
        contig.add(arrays, shard.asked.before // self._window)
        self._squares += int(arrays["sums"][1])
        self._gc += arrays["gc"]
        self._strand += arrays["strand"]
        for number, row in zip(arrays["gene"].tolist(), arrays["genes"], strict=True):
            own = self._rows.setdefault(number, np.array([0, 0, row[2], 0, 0]))
            own += (row[0], row[1], min(row[2] - own[2], 0), row[3], row[4])
        bases = np.array(arrays["bases"])
        bases[0] += self._sites
        self._sites += len(arrays["frequency"])
        self._frequency.append(np.array(arrays["frequency"]))
        self._bases.append(bases)

    def read(self, lines: list[str], text: bytes) -> None:
        """Count lines as they are written; text: the same as bytes, each with its end."""
        if _contig_of(lines[0]) == _contig_of(lines[-1]):
            self.variants.feed(text, len(lines), self._where(lines[0]))
            return
        for _, some in groupby(lines, key=_contig_of):
            self.read(own := list(some), as_text(own))

    def _where(self, line: str) -> int:
        contig = _contig_of(line)
        return {None: AUTOSOME, "X": X}.get(chromosome(contig), ELSEWHERE)

    def told(self, sample: str, alignments: Path) -> dict:
        """All of it."""
        return {
            "schema": 1,
            "sample": sample,
            "coverage": self._coverage(alignments),
            "variants": self.variants.told(self._strand, self._options.known),
            "sex": self._sex(),
            "contamination": self._contamination(),
        }

    def _coverage(self, alignments: Path) -> dict:
        depth = _sum(one.depth for one in self._contigs.values())
        bases, total = int(depth.sum()), sum(one.total for one in self._contigs.values())
        mean = total / bases if bases else 0.0
        low = value_at(depth, -(-bases // 5) - 1) if bases else 0
        spread = max(self._squares / bases - mean * mean, 0) ** 0.5 if bases else 0.0
        below = sum(count * min(d, mean) for d, count in enumerate(depth.tolist()))
        shown = add(np.zeros(TOLD_DEPTH + 1, np.int64), depth)
        shown[TOLD_DEPTH] = shown[TOLD_DEPTH:].sum()
        return {
            "target_bases": bases,
            "regions": list(self._options.regions) or "genome",
            "mean": significant(mean),
            "median": median(depth),
            "sd": significant(spread),
            "at_least": {str(level): ratio(int(depth[level:].sum()), bases) for level in LEVELS},
            "histogram": shown[: TOLD_DEPTH + 1].tolist(),
            "fold_80": ratio(mean, low),
            "evenness": ratio(below, mean * bases),
            **self._by_contig(),
            "gc_bias": self._gc_bias(),
            "on_target": self._on_target(total, alignments),
            "genes": self._by_gene() if self._options.genes else None,
        }

    def _by_contig(self) -> dict:
        order = sorted(self._contigs, key=lambda name: (-self._lengths[name], name))
        listed, rest = set(order[:MOST_CONTIGS]), order[MOST_CONTIGS:]
        told = [name for name in self._contigs if name in listed]
        others = None
        if rest:
            whole = _Contig()
            for name in rest:
                whole.depth = add(whole.depth, self._contigs[name].depth)
                whole.total += self._contigs[name].total
            length = sum(self._lengths[name] for name in rest)
            others = {"contigs": len(rest), "length": length, **whole.told()}
        return {
            "contigs": [
                {"name": name, "length": self._lengths[name], **self._contigs[name].told()}
                for name in told
            ],
            "others": others,
            "profile": {
                "window": self._window,
                "contigs": {name: self._profile(self._contigs[name]) for name in told},
            },
        }

    def _profile(self, contig: _Contig) -> list[float]:
        whole, rest = divmod(int(contig.depth.sum()), self._window)
        sizes = [self._window] * whole + ([rest] if rest else [])
        totals = contig.windows[: len(sizes)].tolist()
        return [significant(total / size) for total, size in zip(totals, sizes, strict=True)]

    def _gc_bias(self) -> dict:
        windows, starts = self._gc.tolist()
        mean = sum(starts) / max(sum(windows), 1)
        pairs = zip(windows, starts, strict=True)
        depth = [ratio(begun, own * mean) for own, begun in pairs]
        return {"windows": windows, "reads": starts, "depth": depth}

    def _on_target(self, bases: int, alignments: Path) -> dict | None:
        if not self._options.is_panel:
            return None
        beside = Path(f"{alignments}.qc.json")
        aligned = None
        if beside.exists():
            aligned = json.loads(beside.read_text())["mapping"]["aligned_bases"]
        share = ratio(bases, aligned) if aligned else None
        return {"bases": bases, "aligned_bases": aligned, "share": share}

    def _by_gene(self) -> list[dict]:
        told = []
        for number, gene in enumerate(self._genes):
            if number in self._rows:
                bases, total, least, twenty, thirty = self._rows[number].tolist()
                told.append(
                    {
                        "name": gene.name,
                        "contig": gene.contig,
                        "start": int(gene.exons[0, 0]),
                        "end": int(gene.exons[-1, 1]),
                        "length": int((gene.exons[:, 1] - gene.exons[:, 0]).sum()),
                        "bases": bases,
                        "mean": ratio(total, bases),
                        "min": least,
                        "at_least_20": ratio(twenty, bases),
                        "at_least_30": ratio(thirty, bases),
                    }
                )
        return told

    def _sex(self) -> dict:
        kinds: dict[str, list] = {}
        for name, one in self._contigs.items():
            kinds.setdefault(sex.class_of(name), []).append(one.known)
        depth = {kind: _sum(some) for kind, some in kinds.items()}
        middle = {kind: median(own) for kind, own in depth.items()}
        base = middle.get("autosome") or 0.0
        x, y = (
            ratio(middle[kind], base) if middle.get(kind) is not None else None for kind in "XY"
        )
        places = int(_sum(kinds.get("X", [])).sum())
        enough = base >= sex.LEAST_DEPTH and places >= sex.LEAST_BASES
        found = sex.karyotype(x, y) if enough else "unknown"
        told = self._options.told_sex
        hets, homs = map(self.variants.number, ("x_heterozygous", "x_homozygous"))
        return {
            "x_ratio": x,
            "y_ratio": y,
            "x_het_share": ratio(hets, hets + homs),
            "found": found,
            "told": told,
            "agrees": None if not told or found == "unknown" else found == told,
        }

    def _contamination(self) -> dict:
        if not self._options.sites:
            return contamination.by_homozygous(self.variants.counts.pure)
        bases = np.concatenate([np.zeros((4, 0), np.int32), *self._bases], axis=1)
        return contamination.by_sites(np.concatenate([np.zeros(0), *self._frequency]), bases)


_NO_EXONS = np.zeros((0, 3), np.int64)


def _sum(histograms: Iterable[np.ndarray]) -> np.ndarray:
    total = np.zeros(0, np.int64)
    for one in histograms:
        total = add(total, one)
    return total


def _round_up(number: int) -> int:
    """With two digits that are not 0."""
    unit = 10 ** max(len(str(number)) - 2, 0)
    return -(-number // unit) * unit


def _within(exons: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """What of exons (int64[n, 3], sorted by place) is within intervals."""
    near = exons[(exons[:, 1] < pairs[-1, 1]) & (exons[:, 2] > pairs[0, 0])]
    parts = [
        (number, *pair)
        for number, start, end in near.tolist()
        for pair in intersect(np.array([[start, end]]), pairs).tolist()
    ]
    return np.array(parts, np.int64).reshape(-1, 3)


def _contig_of(line: str) -> str:
    return line.split("\t", 1)[0]


def as_text(lines: list[str]) -> bytes:
    """Lines as a file has them."""
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
