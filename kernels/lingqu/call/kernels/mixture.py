"""Contamination: reads of another person among those of a sample.

The likelihood is VerifyBamID's (Jun et al. 2012, equation 1): at each site the sample and the one
person that contaminates it have genotypes in Hardy-Weinberg proportions, and each base is from the
latter by the share that is sought.
"""

import numpy as np

from lingqu.base.jit import kernel
from lingqu.call.kernels.numbers import log10, pow10

LEAST_MAPQ, LEAST_BASE, MOST_BASE = 10, 13, 40
"""Least MAPQ and Phred quality of a base that is used, and the quality that better ones get."""
QUALITIES = MOST_BASE + 1


@kernel
def _base_at(reads, r, place):
    """Where in the reads' bases lies what read r has aligned to a place; -1 for nothing."""
    at = np.int64(0)
    pos = np.int64(reads.pos[r])
    for k in range(reads.cigar_start[r], reads.cigar_start[r + 1]):
        op = reads.cigar[k] & 15
        size = np.int64(reads.cigar[k] >> 4)
        if op == 0 or op == 7 or op == 8:
            if place < pos + size:
                i = at + place - pos
                inside = place >= pos and reads.low[r] <= i < reads.high[r]
                return reads.base_start[r] + i if inside else np.int64(-1)
            at += size
            pos += size
        elif op == 2 or op == 3:
            pos += size
        elif op == 1 or op == 4:
            at += size
    return np.int64(-1)


@kernel
def pile_up(reads, template, seen, span, sites, counts):
    """Count the bases over sites by quality.

    reads: Alignments. template: int32[reads]. seen: int32[templates], scratch: of a pair only the
    first read over a site counts. span: longest read, in bases of the reference. sites: int64[n,
    3], (place, REF, ALT) as codes, sorted. counts: int32[n, 2, QUALITIES], REF and ALT, added to.
    """
    seen[:] = -1
    first = np.int64(0)
    for n in range(len(sites)):
        place = sites[n, 0]
        while first < len(reads.pos) and reads.pos[first] + span <= place:
            first += 1
        r = first
        while r < len(reads.pos) and reads.pos[r] <= place:
            if reads.end[r] > place and reads.mapq[r] >= LEAST_MAPQ and seen[template[r]] != n:
                i = _base_at(reads, r, place)
                if i >= 0 and reads.quals[i] >= LEAST_BASE:
                    seen[template[r]] = n
                    quality = min(np.int64(reads.quals[i]), MOST_BASE)
                    for allele in range(2):
                        if reads.codes[i] == sites[n, 1 + allele]:
                            counts[n, allele, quality] += 1
            r += 1


@kernel
def _log_tables(share, logs):
    """log10 chance of a base by (genotypes of sample and other, allele, quality) into logs."""
    for own in range(3):
        for other in range(3):
            alt = (1.0 - share) * own / 2.0 + share * other / 2.0
            for quality in range(QUALITIES):
                wrong = pow10(-quality / 10.0)
                right, wrong = 1.0 - wrong, wrong / 3.0
                logs[3 * own + other, 0, quality] = log10((1.0 - alt) * right + alt * wrong)
                logs[3 * own + other, 1, quality] = log10(alt * right + (1.0 - alt) * wrong)


@kernel
def likelihood(share, frequency, site, allele, quality, count, logs, sums):
    """log10 likelihood of a share of bases from another person.

    frequency: float64[sites], of ALT. site, allele, quality, count: int32[m], so many bases that
    are alike, sorted by site. logs: float64[9, 2, QUALITIES], sums: float64[9], scratch.
    """
    _log_tables(share, logs)
    total = 0.0
    k = np.int64(0)
    while k < len(site):
        own = site[k]
        sums[:] = 0.0
        while k < len(site) and site[k] == own:
            for pair in range(9):
                sums[pair] += count[k] * logs[pair, allele[k], quality[k]]
            k += 1
        alt = min(max(frequency[own], 0.001), 0.999)
        best = sums[0]
        for pair in range(1, 9):
            best = max(best, sums[pair])
        chance = 0.0
        for pair in range(9):
            weight = pow10(max(sums[pair] - best, -300.0))
            for g in (pair // 3, pair % 3):
                if g == 0:
                    weight *= (1.0 - alt) * (1.0 - alt)
                elif g == 1:
                    weight *= 2.0 * alt * (1.0 - alt)
                else:
                    weight *= alt * alt
            chance += weight
        total += best + log10(chance)
    return total
