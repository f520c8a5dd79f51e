"""Quality of a cohort, as it stands in COHORT.vcf.gz.qc.json: identity, kinship, swaps, sexes, PCA.

Its schema is report/schemas/cohort.schema.json.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lingqu.call import kinship
from lingqu.call.coordinates import principal_coordinates
from lingqu.call.genotypes import LEAST_DEPTH, LEAST_QUALITY
from lingqu.call.kernels.kinship import (
    ALTERNATE,
    HETEROZYGOUS,
    IBS0,
    MISSING,
    REFERENCE,
    SHARED,
    SINGLETONS,
    SITES,
    SUMS,
    TALLIES,
)
from lingqu.call.kinship import FOUND, NOT_TOLD, STRETCH, UNRELATED, PairCounts, squared
from lingqu.call.pedigree import Person
from lingqu.call.sexes import sex_of
from lingqu.call.swaps import Evidence, explained
from lingqu.call.told import FITS, FITS_NOT, UNCLEAR, Told, fits, told_by

SCHEMA = 1
MOST_SAMPLES = 100
"""Up to which every pair is told."""
_KINDS = ("autosome", "X", "Y")
_TALLIES = (
    ("heterozygous", HETEROZYGOUS),
    ("homozygous", ALTERNATE),
    ("reference", REFERENCE),
    ("missing", MISSING),
    ("singletons", SINGLETONS),
)


class CohortQuality:
    """Sums up what `Genotypes` kept of the shards, in any order."""

    def __init__(self, samples: Sequence[str], threads: int = 1):
        n = len(samples)
        self.samples, self.sites = list(samples), 0
        self._pairs, self._stretches = PairCounts(n, threads), set()
        self._parts = {
            kind: (np.zeros((n, TALLIES), np.int64), np.zeros((n, SUMS), np.int64))
            for kind in _KINDS
        }
        self._tallies = np.zeros((n, TALLIES), np.int64)

    def add(self, tid: int, start: int, facts: Mapping, arrays: Mapping[str, np.ndarray]) -> None:
        """Take in what `Genotypes` tells of the shard that begins at `start` of a contig."""
        self._tallies += arrays["tallies"]
        if facts["kind"] in self._parts:
            for part, more in zip(
                self._parts[facts["kind"]], (arrays["genotypes"], arrays["sums"]), strict=True
            ):
                part += more
        if facts["kind"] == "autosome" and facts["sites"]:
            self.sites += facts["sites"]
            self._stretches.add((tid, start // STRETCH))
            self._pairs.add(arrays["planes"])

    def told(self, people: Sequence[Person] | None, known: bool) -> dict:
        """All of it; people: of the pedigree; known: whether markers are those of a file."""
        counts, told = self._pairs.count(), told_by(people or [], self.samples)
        found, close = kinship.found(counts, len(self._stretches)), kinship.kinship(counts)
        refuted = kinship.is_refuted(counts)
        n, sexes = len(self.samples), self._sexes(told)
        evidence = Evidence(
            squared(found, n, NOT_TOLD), squared(close, n, 0.5), squared(refuted, n),
            [sexes[name]["found"] for name in self.samples],
        )  # fmt: skip
        return {
            "schema": SCHEMA,
            "samples": self.samples,
            "sites": self.sites,
            "method": _method(known),
            "pairs": list(self._told_pairs(counts, found, close, refuted, told)),
            "genotypes": {
                name: {word: int(row[k]) for word, k in _TALLIES}
                for name, row in zip(self.samples, self._tallies, strict=True)
            },
            "swaps": explained(self.samples, told, evidence),
            "sexes": sexes,
            "pca": self._pca(counts),
        }

    def _sexes(self, told: Told) -> dict[str, dict]:
        sexes = {}
        for k, name in enumerate(self.samples):
            one = sex_of(*((part[0][k], part[1][k]) for part in self._parts.values()))
            one = {key: _short(value) for key, value in one.items()}
            sex, known = told.sexes[k], one["found"] != "unknown"
            agrees = one["found"] == sex if sex and known else None
            sexes[name] = one | {"told": sex, "agrees": agrees}
        return sexes

    def _told_pairs(
        self, counts: np.ndarray, found: np.ndarray, close: np.ndarray, refuted: np.ndarray,
        told: Told,
    ) -> Iterator[dict]:  # fmt: skip
        a, b = kinship.pairs_of(len(self.samples))
        relation = told.relation[a, b]
        fitting = fits(relation, told.kinship[a, b], told.half[a, b], found, close, refuted)
        wanted = np.ones(len(a), bool)
        if len(self.samples) > MOST_SAMPLES:
            near = [relation, found]
            wanted = np.any([(one != NOT_TOLD) & (one != UNRELATED) for one in near], axis=0)
            wanted |= fitting == FITS_NOT
        ibs1, ibs2 = kinship.ibs1(counts), kinship.ibs2(counts)
        related = kinship.relatedness(counts)
        for k in np.flatnonzero(wanted).tolist():
            yield {
                "a": self.samples[a[k]],
                "b": self.samples[b[k]],
                "sites": int(counts[k, SITES]),
                "ibs0": int(counts[k, IBS0]),
                "ibs1": int(ibs1[k]),
                "ibs2": int(ibs2[k]),
                "shared_hets": int(counts[k, SHARED]),
                "relatedness": _short(float(related[k])),
                "kinship": _short(float(close[k])),
                "found": _word(found[k]),
                "told": _word(relation[k]),
                "agrees": None if fitting[k] == UNCLEAR else bool(fitting[k] == FITS),
            }

    def _pca(self, counts: np.ndarray) -> dict | None:
        told = principal_coordinates(counts, len(self.samples))
        if told is None:
            return None
        shares, places = told
        return {
            "explained": [_short(share) for share in shares.tolist()],
            "samples": {
                name: [_short(value) for value in row]
                for name, row in zip(self.samples, places.tolist(), strict=True)
            },
        }


def _word(relation: np.ndarray) -> str | None:
    return None if relation == NOT_TOLD else FOUND[relation]


def _short(value):
    """A number of six significant digits; None for NaN, and all else as it is."""
    if not isinstance(value, float):
        return value
    return None if math.isnan(value) else float(f"{value:.6g}") + 0.0


def _method(known: bool) -> str:
    where = " that the sites VCF holds" if known else ""
    return (
        "Kinship: KING-robust, between families (Manichaikul et al. 2010), which needs no allele"
        " frequencies; relatedness: (shared hets - 2 IBS0) / fewer hets (peddy). Markers:"
        f" autosomal SNVs of one ALT that pass{where}; genotypes of DP {LEAST_DEPTH} and GQ"
        f" {LEAST_QUALITY} or more, before a pedigree refines them. PCA: of ALT copies, by"
        " classical scaling of what pairs share."
    )
