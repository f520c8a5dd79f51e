"""Genotypes of a cohort over a shard, kept for its quality control while its lines are written.

Of the sites by which samples are told apart (see `is_marker`) the genotypes are those that come
from the sample's own reads and the cohort's frequencies, not those refined by a pedigree: these
follow the pedigree, a wrong one too, and would agree with what is to be checked.
"""

from pathlib import Path

import numpy as np

from lingqu.call.kernels.kinship import PLANES, SUMS, TALLIES, add_site, tally_record
from lingqu.call.known import known_snvs
from lingqu.call.ploidy import autosomes, chromosome
from lingqu.call.sites import Site
from lingqu.formats.reference import Reference

LEAST_DEPTH = 10
"""Templates from which a genotype is trusted. By chance all show one of two alleles in 1 of 512.
Depth is asked for and not quality alone: at a few reads both alleles are sooner sure than one, so
that a bound of quality drops homozygous samples and makes all look related."""
LEAST_QUALITY = 20
"""GQ, too: of ten clean reads it is reached by every genotype, by frequent alleles or none."""
_WORD = 64
_FIRST_WORDS = 8
_BASES = frozenset("ACGT")


class Genotypes:
    """Takes the sites of a shard, one after the other.

    known: a VCF; its SNVs alone are then markers.
    """

    def __init__(
        self,
        samples: int,
        reference: Reference,
        tid: int,
        start: int,
        end: int,
        known: Path | None,
    ):
        contig = reference.names[tid]
        self.kind = "autosome" if contig in autosomes(reference.names) else chromosome(contig)
        self.is_judged = self.kind in ("autosome", "X", "Y")
        self._known = known_snvs(known, contig, start, end) if known and self.is_judged else None
        self._planes = np.zeros((PLANES, samples, _FIRST_WORDS), np.uint64)
        self._sites = 0
        self._genotypes, self._tallies = np.zeros((2, samples, TALLIES), np.int64)
        self._sums = np.zeros((samples, SUMS), np.int64)

    def is_marker(self, site: Site, alts: list[int], filters: str) -> bool:
        """Whether a site tells samples apart: a passing SNV of one ALT, of the file where one is
        given. alts: numbers of the alleles that the genotypes hold.
        """
        if not self.is_judged or filters != "PASS" or len(alts) != 1:
            return False
        ref, alt = site.alleles[0], site.alleles[alts[0]]
        if ref[1:] != alt[1:] or ref[0] not in _BASES or alt[0] not in _BASES:
            return False
        return self._known is None or (site.pos, ref[0], alt[0]) in self._known

    def judge(self, site: Site, gt: np.ndarray, gq: np.ndarray, alts: list[int], filters: str):
        """Take a site with genotypes that no pedigree has touched; gt, gq: see `judge_site`."""
        if not self.is_marker(site, alts, filters):
            return
        words = self._planes.shape[2]
        if self._sites == words * _WORD:
            self._planes = np.concatenate((self._planes, np.zeros_like(self._planes)), axis=2)
        add_site(
            gt, gq, site.ploidy, site.depth, LEAST_QUALITY, LEAST_DEPTH, self._sites,
            self._planes, self._genotypes, self._sums,
        )  # fmt: skip
        self._sites += 1

    def tally(self, gt: np.ndarray, ploidy: np.ndarray, alone: np.ndarray, filters: str) -> None:
        """Count the genotypes of a record as they are written, if it passes; see `tally_record`."""
        if filters == "PASS":
            tally_record(gt, ploidy, alone, self._tallies)

    def facts(self) -> dict:
        """What kind of contig it is, and how many markers there are."""
        return {"kind": self.kind, "sites": self._sites}

    def arrays(self) -> dict[str, np.ndarray]:
        """planes, of autosomes only; genotypes and sums of markers; tallies of all that passes."""
        words = -(-self._sites // _WORD) if self.kind == "autosome" else 0
        return {
            "planes": np.ascontiguousarray(self._planes[:, :, :words]),
            "genotypes": self._genotypes,
            "sums": self._sums,
            "tallies": self._tallies,
        }
