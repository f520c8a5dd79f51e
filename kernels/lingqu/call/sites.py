"""Sites of a cohort: what all samples tell of one place -> one line with a column for each.

At a place where any sample has a record, the alleles of all records there become those of the
site, written with the longest REF, sorted, `*` last. A sample without a record there speaks by a
deletion that covers the place, else by its reference block, else not at all. What it says of an
allele that it has not seen is what it says of <NON_REF>.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from lingqu.call import fields, records
from lingqu.call.kernels.frequency import genotype_samples
from lingqu.call.kernels.pedigree import UNCHECKED
from lingqu.call.refinement import WORDS, Families, Refined

COPIES = 10.0
"""Copies of the reference that are taken as seen before any sample is."""
CHANCES = {"snv": 1e-3, "other": 1e-4}
"""And of an ALT allele, by copy of the reference: the chance that two chromosomes differ."""
META = fields.lines((*fields.FILTERS, *fields.COHORT))
FAMILY_META = fields.lines(fields.FAMILY)


@cache
def pairs(alleles: int, ploidy: int) -> tuple[tuple[int, int], ...]:
    """The genotypes of so many alleles as VCF orders them; of one copy as (a, a)."""
    if ploidy == 1:
        return tuple((a, a) for a in range(alleles))
    return tuple((a, b) for b in range(alleles) for a in range(b + 1))


@dataclass(frozen=True)
class Seen:
    """A record of a sample's gVCF; pos is 0-based; alts without <NON_REF>, which is the last.

    PL and AD are of all alleles, <NON_REF> too.
    """

    pos: int
    ref: str
    alts: tuple[str, ...]
    failed: frozenset[str]
    ploidy: int
    depth: int
    ad: tuple[int, ...]
    pl: tuple[int, ...]

    @property
    def end(self) -> int:
        """The place behind the last of REF."""
        return self.pos + len(self.ref)

    def cost(self, one: tuple[int, ...], two: tuple[int, ...]) -> int:
        """Least PL of a genotype with an allele of `one` and one of `two`."""
        if self.ploidy == 1:
            return min(self.pl[a] for a in one if a in two)
        both = ((min(a, b), max(a, b)) for a in one for b in two)
        return min(self.pl[b * (b + 1) // 2 + a] for a, b in both)

    def classes(self, alleles: list[str], longest: str) -> list[tuple[int, ...]]:
        """Own alleles that each allele of the site is; of one not seen, <NON_REF>."""
        other = (len(self.alts) + 1,)
        rest = longest[len(self.ref) :]
        own = {alt if alt == "*" else alt + rest: (a,) for a, alt in enumerate(self.alts, 1)}
        return [(0,), *(own.get(alt, other) for alt in alleles[1:])]

    def gone(self, pos: int) -> tuple[int, ...]:
        """Own alleles without the base at `pos`, which REF covers and does not begin with."""
        found = []
        for a, alt in enumerate(self.alts, 1):
            if alt != "*":
                shift, removed, put = records.trimmed(self.ref, alt)
                start = self.pos + shift
                if start + len(put) <= pos < start + len(removed):
                    found.append(a)
        return tuple(found)

    def classes_below(self, alleles: list[str], pos: int) -> list[tuple[int, ...]]:
        """As `classes`, for a site at a place that REF covers and does not begin with."""
        gone, other = self.gone(pos), (len(self.alts) + 1,)
        left = tuple(a for a in range(len(self.alts) + 1) if a not in gone)
        return [left, *((gone or other) if alt == "*" else other for alt in alleles[1:])]


def read_record(line: str) -> Seen:
    """A record of a gVCF, which was checked when it was read; no PL: all genotypes alike."""
    columns = line.split("\t")
    values = dict(zip(columns[8].split(":"), columns[9].split(":"), strict=False))
    alts = tuple(columns[4].split(",")[:-1])
    ploidy = min(len(values.get("GT", "./.").replace("|", "/").split("/")), 2)
    alleles = len(alts) + 2
    numbers = {}
    for key, count in (("AD", alleles), ("PL", len(pairs(alleles, ploidy)))):
        told = values.get(key, ".").split(",")
        whole = len(told) == count and all(map(str.isdecimal, told))
        numbers[key] = tuple(map(int, told)) if whole else (0,) * count
    depth = values.get("DP", ".")
    failed = frozenset(columns[6].split(";")) - {"PASS", ".", "LowQual"}
    return Seen(
        int(columns[1]) - 1, columns[3].upper(), alts, failed, ploidy,
        int(depth) if depth.isdecimal() else 0, numbers["AD"], numbers["PL"],
    )  # fmt: skip


@dataclass
class Site:
    """What n samples tell of one place; alleles: those of the records, REF first, `*` last.

    ploidy, depth: int64[n]. ad: int64[n, alleles]. pl: int32[n, genotypes of two copies]; of one
    copy the first `alleles` of a row are meant. failed: filters of the sample's record, by sample
    with one.
    """

    pos: int
    alleles: list[str]
    ploidy: np.ndarray
    depth: np.ndarray
    ad: np.ndarray
    pl: np.ndarray
    failed: dict[int, frozenset[str]]


def alleles_of(here: dict[int, Seen], over: dict[int, Seen], pos: int) -> list[str] | None:
    """The alleles of a site: records that begin there and that cover it, by sample; or None."""
    longest = max((seen.ref for seen in here.values()), key=len)
    alts = {
        alt + longest[len(seen.ref) :]
        for seen in here.values()
        for alt in seen.alts
        if alt.isalpha()
    }
    if not alts:
        return None
    star = any("*" in seen.alts for seen in here.values())
    star = star or any(seen.gone(pos) for s, seen in over.items() if s not in here)
    return [longest, *sorted(alts, key=lambda alt: (len(alt), alt)), *(["*"] if star else [])]


def gather(
    pos: int, here: dict[int, Seen], over: dict[int, Seen], blocks: np.ndarray
) -> Site | None:
    """The site of a place, None where no record has an allele that is spelled out.

    here, over: by number of the sample, see `alleles_of`. blocks: int32[n, 4], ploidy, depth and
    the PLs of 0/x and x/x of each sample's reference block, zeros (but for the ploidy) without one.
    """
    alleles = alleles_of(here, over, pos)
    if not alleles:
        return None
    own = {**over, **here}
    two, one = pairs(len(alleles), 2), pairs(len(alleles), 1)
    ploidy, depth = blocks[:, 0].astype(np.int64), blocks[:, 1].astype(np.int64)
    cost = np.column_stack((np.zeros(len(blocks), np.int32), blocks[:, 2:4]))
    pl = cost[:, [int(b > 0) + int(a > 0) for a, b in two]].astype(np.int32)
    pl[ploidy == 1, : len(alleles)] = cost[ploidy == 1][:, [2 * int(a > 0) for a, _ in one]]
    ad = np.zeros((len(blocks), len(alleles)), np.int64)
    ad[:, 0] = depth
    for s, seen in own.items():
        classes = seen.classes(alleles, alleles[0]) if s in here else (
            seen.classes_below(alleles, pos)
        )  # fmt: skip
        ploidy[s], depth[s] = seen.ploidy, seen.depth
        ad[s] = [sum(seen.ad[a] for a in group) for group in classes]
        told = [seen.cost(classes[a], classes[b]) for a, b in pairs(len(alleles), seen.ploidy)]
        pl[s, : len(told)] = told
    failed = {s: seen.failed for s, seen in here.items()}
    return Site(pos, alleles, ploidy, depth, ad, pl, failed)


def pseudo_counts(alleles: list[str]) -> np.ndarray:
    """float64[alleles]: copies of each that are taken as seen."""
    chances = (
        CHANCES["snv" if len(alt) == len(alleles[0]) and alt != "*" else "other"]
        for alt in alleles[1:]
    )
    return np.array([COPIES, *(COPIES * chance for chance in chances)])


@dataclass
class Kin:
    """What the refinement of a batch of sites says of site number `k`."""

    families: Families
    told: Refined
    k: int

    def genotype(self, s: int) -> tuple[int, ...]:
        """The alleles of sample s; empty if it has no genotype."""
        return tuple(int(a) for a in self.told.gt[self.k, s] if a >= 0)

    def words(self, s: int, chosen: list[int]) -> tuple[str, str, str]:
        """PP of the genotypes with these numbers, DQ and DN of sample s."""
        if not self.families.related[s]:
            return ".", ".", "."
        pp = self.told.pp[self.k, s, chosen]
        dq, dn = self.told.dq[self.k, s], WORDS[self.told.dn[self.k, s]]
        spelled = ",".join(map(str, (pp - pp.min()).tolist()))
        return spelled, "." if np.isnan(dq) else f"{dq:.1f}", dn

    def info(self) -> str:
        """INFO/MERR with the sign before it, where a child was looked at."""
        checked = (self.told.check[self.k] != UNCHECKED).any()
        return f";MERR={int(self.told.merr[self.k])}" if checked else ""


def _judge(site: Site) -> tuple[list[tuple[int, ...]], list[int], float]:
    """Genotype and GQ of each sample given the cohort, and log10 that none has a told ALT."""
    n, alleles = len(site.ploidy), site.alleles
    used = np.where(site.ploidy == 1, len(alleles), site.pl.shape[1])
    inside = np.arange(site.pl.shape[1]) < used[:, None]
    told = (inside & (site.pl != site.pl[:, :1])).any(1)
    frequency, chosen, quality = np.empty(len(alleles)), np.zeros(n, np.int64), np.zeros(n)
    log_none = genotype_samples(
        site.pl, site.ploidy, told, pseudo_counts(alleles), _silent(alleles), frequency, chosen,
        quality,
    )  # fmt: skip
    genotypes = [
        pairs(len(alleles), p)[g][: int(p)] if known else ()
        for p, g, known in zip(site.ploidy.tolist(), chosen.tolist(), told.tolist(), strict=True)
    ]
    return genotypes, [int(min(max(-10 * q, 0.0), 99)) for q in quality.tolist()], log_none


def _silent(alleles: list[str]) -> np.ndarray:
    """Whether each allele is none that a record is written for: REF and `*`."""
    return np.array([a == 0 or alt == "*" for a, alt in enumerate(alleles)])


def site_line(site: Site, contig: str, kin: Kin | None = None) -> str | None:
    """The line of a site; None where no sample has an allele to tell, or QUAL is below 5.

    Which sites and alleles are told does not depend on `kin`; GT and GQ of relatives do.
    """
    n, alleles = len(site.ploidy), site.alleles
    genotypes, gq, log_none = _judge(site)
    seen = set().union(*genotypes)
    qual, silent = max(-10 * log_none, 0.0) + 0.0, _silent(alleles)
    if all(silent[a] for a in seen) or qual < fields.LEAST_QUAL:
        return None
    for s in np.flatnonzero(kin.families.related).tolist() if kin else ():
        genotypes[s], gq[s] = kin.genotype(s), int(kin.told.gq[kin.k, s])
    counts = [sum(genotype.count(a) for genotype in genotypes) for a in range(len(alleles))]
    kept = [a for a in range(len(alleles)) if a == 0 or a in seen or counts[a]]
    ref, alts = records.shorten(alleles[0], [alleles[a] for a in kept[1:]])
    known, depth = sum(counts), int(site.depth.sum())
    shares = (f"{counts[a] / max(known, 1):.4g}" for a in kept[1:])
    info = (
        f"AC={','.join(str(counts[a]) for a in kept[1:])};AN={known};AF={','.join(shares)};"
        f"NS={sum(map(bool, genotypes))};DP={depth}{kin.info() if kin else ''}"
    )
    columns = [_column(site, s, kept, genotypes[s], gq[s], kin) for s in range(n)]
    told_columns = (
        contig, str(site.pos + 1), ".", ref, ",".join(alts), f"{qual:.1f}",
        _filters(site, genotypes, qual), info,
        f"{fields.FORMAT}:{fields.FAMILY_FORMAT}" if kin else fields.FORMAT, *columns,
    )  # fmt: skip
    return "\t".join(told_columns)


def _filters(site: Site, genotypes: list[tuple[int, ...]], qual: float) -> str:
    """LowQual by the cohort's QUAL; others where all samples' records with an ALT have them."""
    carriers = [site.failed[s] for s in sorted(site.failed) if any(genotypes[s])]
    failed = sorted(frozenset.intersection(*carriers)) if carriers else []
    return ";".join([*(["LowQual"] if qual < fields.PASS_QUAL else []), *failed]) or "PASS"


def _column(
    site: Site, s: int, kept: list[int], genotype: tuple[int, ...], gq: int, kin: Kin | None
) -> str:
    """The column of sample s for the alleles `kept`."""
    ploidy = int(site.ploidy[s])
    number = {pair: g for g, pair in enumerate(pairs(len(site.alleles), ploidy))}
    chosen = [number[kept[a], kept[b]] for a, b in pairs(len(kept), ploidy)]
    if genotype:
        pls = site.pl[s, chosen]
        values = (
            "/".join(str(kept.index(a)) for a in genotype),
            str(gq),
            str(int(site.depth[s])),
            ",".join(str(int(site.ad[s, a])) for a in kept),
            ",".join(map(str, (pls - pls.min()).tolist())),
        )
    else:
        values = ("/".join("." * ploidy), ".", str(int(site.depth[s])), ".", ".")
    return ":".join((*values, *(kin.words(s, chosen) if kin else ())))
