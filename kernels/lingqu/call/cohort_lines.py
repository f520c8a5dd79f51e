"""Sites of a cohort -> lines of its VCF: genotypes, the alleles they hold, and the columns."""

from typing import NamedTuple

import numpy as np

from lingqu.call import fields, records
from lingqu.call.genotypes import Genotypes
from lingqu.call.kernels import columns, frequency
from lingqu.call.kernels.pedigree import UNCHECKED
from lingqu.call.kernels.sites import carry_phases
from lingqu.call.refinement import WORDS, Families, Refined
from lingqu.call.sites import Site

COPIES = 10.0
"""Copies of the reference that are taken as seen before any sample is."""
CHANCES = {"snv": 1e-3, "other": 1e-4}
"""And of an ALT allele, by copy of the reference: the chance that two chromosomes differ."""
META = fields.lines((*fields.FILTERS, *fields.COHORT))
FAMILY_META = fields.lines(fields.FAMILY)
_WORDS = np.zeros((len(WORDS), max(map(len, WORDS))), np.uint8)
for _row, _word in zip(_WORDS, WORDS, strict=True):
    _row[: len(_word)] = np.frombuffer(_word.encode(), np.uint8)


def pseudo_counts(alleles: list[str]) -> np.ndarray:
    """float64[alleles]: copies of each that are taken as seen."""
    chances = (
        CHANCES["snv" if len(alt) == len(alleles[0]) and alt != "*" else "other"]
        for alt in alleles[1:]
    )
    return np.array([COPIES, *(COPIES * chance for chance in chances)])


class Kin(NamedTuple):
    """What the refinement of a batch of sites says of site number `k`."""

    families: Families
    told: Refined
    k: int

    def info(self) -> str:
        """INFO/MERR with the sign before it, where a child was looked at."""
        checked = (self.told.check[self.k] != UNCHECKED).any()
        return f";MERR={int(self.told.merr[self.k])}" if checked else ""

    def values(self) -> tuple[np.ndarray, ...]:
        """related, pp, dq and word as `write_columns` takes them."""
        told, k = self.told, self.k
        return self.families.related, told.pp[k], told.dq[k], _WORDS[told.dn[k]]


_NO_KIN = (
    np.empty(0, np.bool_), np.empty((0, 0), np.int32), np.empty(0, np.float32),
    np.empty((0, 0), np.uint8),
)  # fmt: skip


def site_line(
    site: Site, contig: str, kin: Kin | None = None, genotypes: Genotypes | None = None
) -> bytes | None:
    """The line of a site; None where no sample has an allele to tell, or QUAL is below 5.

    Which sites and alleles are told does not depend on `kin`; GT and GQ of relatives do. What is
    written is told to `genotypes`.
    """
    n, alleles = len(site.ploidy), site.alleles
    silent = np.array([a == 0 or alt == "*" for a, alt in enumerate(alleles)])
    gt, gq = np.empty((n, 2), np.int16), np.zeros(n, np.int64)
    log_none = frequency.judge_site(
        site.pl, site.ploidy, pseudo_counts(alleles), silent, frequency.chances(), gt, gq
    )
    seen, qual = _copies(gt, len(alleles)) > 0, max(-10 * log_none, 0.0) + 0.0
    if not (seen & ~silent).any() or qual < fields.LEAST_QUAL:
        return None
    filters = _filters(site, gt, qual)
    if genotypes:
        alts = [a for a, is_seen in enumerate(seen.tolist()) if is_seen and a]
        genotypes.judge(site, gt, gq, alts, filters)
    if kin:
        related = kin.families.related
        gt[related], gq[related] = kin.told.gt[kin.k, related], kin.told.gq[kin.k, related]
        filters = _filters(site, gt, qual)
    copies = _copies(gt, len(alleles))
    if genotypes:
        genotypes.tally(gt, site.ploidy, (copies == 1) & ~silent, filters)
    kept = np.array([a for a in range(len(alleles)) if a == 0 or seen[a] or copies[a]])
    ref, alts = records.shorten(alleles[0], [alleles[a] for a in kept[1:]])
    told, phase = site.told, np.empty((n, 3), np.int32)
    here = slice(told.here)
    phased = carry_phases(
        site.records.ints, told.at[here], told.sample[here], told.row[here], told.masks, gt, phase
    )
    form = ":".join(
        (fields.FORMAT, *([fields.FAMILY_FORMAT] if kin else []),
         *([fields.PHASE_FORMAT] if phased else []))
    )  # fmt: skip
    head = (
        contig, str(site.pos + 1), ".", ref, ",".join(alts), f"{qual:.1f}",
        filters, _info(site, gt, copies[kept].tolist(), kin), form,
    )  # fmt: skip
    place = np.zeros(len(alleles), np.int64)
    place[kept] = np.arange(len(kept))
    out = np.empty(columns.room(n, len(kept)), np.uint8)
    size = columns.write_columns(
        kept, place, site.ploidy, gt, gq, site.depth, site.ad, site.pl, phase, kin is not None,
        *(kin.values() if kin else _NO_KIN), out,
    )  # fmt: skip
    return "\t".join(head).encode("utf-8", "surrogateescape") + out[:size].tobytes()


def _copies(gt: np.ndarray, alleles: int) -> np.ndarray:
    """int64[alleles]: copies of each in the genotypes."""
    return np.bincount(gt[gt >= 0], minlength=alleles)


def _info(site: Site, gt: np.ndarray, copies: list[int], kin: Kin | None) -> str:
    """INFO; copies: of the alleles that are told."""
    known = int((gt >= 0).sum())
    shares = (f"{count / max(known, 1):.4g}" for count in copies[1:])
    return (
        f"AC={','.join(map(str, copies[1:]))};AN={known};AF={','.join(shares)};"
        f"NS={int((gt[:, 0] >= 0).sum())};DP={int(site.depth.sum())}{kin.info() if kin else ''}"
    )


def _filters(site: Site, gt: np.ndarray, qual: float) -> str:
    """LowQual by the cohort's QUAL; others where all samples' records with an ALT have them."""
    here = slice(site.told.here)
    carries = (gt[site.told.sample[here]] > 0).any(1)
    failed = site.records.filters(site.told.which[here][carries])
    return ";".join([*(["LowQual"] if qual < fields.PASS_QUAL else []), *failed]) or "PASS"
