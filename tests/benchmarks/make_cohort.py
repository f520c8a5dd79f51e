#!/usr/bin/env python3
"""Make the gVCFs of a cohort of N out of that of one sample, for joint.py.

    python tests/benchmarks/make_cohort.py REF.fa SAMPLE.g.vcf.gz N FOLDER

Sites are those of a neutral population of N people (theta 1e-3 a base, one in seven an indel of up
to 20 bases, a few with two ALT alleles); each sample draws its alleles by their frequencies and its
depth. Blocks are those of the given gVCF, shifted by a random distance, cut where records stand, so
that they are as many and as long as real ones.
"""

import sys
from pathlib import Path

import numpy as np

from lingqu.call import gvcf, records
from lingqu.formats.reference import open_reference
from lingqu.formats.vcf import VcfWriter, header_lines, open_vcf

THETA = 1e-3
SHIFT = 3000
DEPTH = 30
BASES = "ACGTN"


def read_blocks(path, reference):
    """(contig, int64[n, 7]: start, end, DP, GQ, MIN_DP and two PLs of the blocks)."""
    rows = []
    with open_vcf(path, reference) as reader:
        for record in reader:
            if len(record.alts) == 1:
                _, dp, gq, low, pl = record.fields[9].split(":")
                end = int(record.fields[7][4:])
                rows.append((record.pos, end, *map(int, (dp, gq, low, *pl.split(",")[1:]))))
        return record.contig, np.array(rows, np.int64)


def draw_sites(rng, ref, start, end, samples):
    """(place, REF, ALTs, their frequencies) of the sites of a population, in order."""
    copies = 2 * samples
    count = rng.poisson(THETA * (end - start) * (1 / np.arange(1, copies)).sum())
    weights = 1 / np.arange(1, copies)
    seen = rng.choice(np.arange(1, copies), count, p=weights / weights.sum())
    places = np.sort(rng.choice(np.arange(start + 10, end - 60), count, replace=False))
    sites, free = [], 0
    for at, n in zip(places.tolist(), seen.tolist(), strict=True):
        length = int(min(rng.geometric(0.35), 20))
        kind = rng.integers(0, 14)
        span = length + 1 if kind == 0 else 1
        text = "".join(BASES[code] for code in ref[at : at + span])
        if at < free or "N" in text:
            continue
        others = [base for base in "ACGT" if base != text[0]]
        alts = [others[rng.integers(0, 3)]]
        if kind == 0:
            alts = [text[0]]
        elif kind == 1:
            alts = [text + "".join(rng.choice(list("ACGT"), length))]
        elif kind == 2:
            alts = sorted(rng.choice(others, 2, replace=False).tolist())
        sites.append((at, text, alts, [n / copies / len(alts)] * len(alts)))
        free = at + span
    return sites


def record_line(rng, contig, site, pair):
    """A record of the alleles that the sample has (pair), with reads that are drawn."""
    at, ref, alts, _ = site
    own = sorted({a for a in pair if a})
    spelled = [alts[a - 1] for a in own]
    one, two = sorted((own.index(a) + 1 if a else 0) for a in pair)
    depth = int(rng.poisson(DEPTH)) + 2
    first = int(rng.binomial(depth, 0.5)) if one != two else depth
    counts = [0] * (len(own) + 2)
    counts[one] += first
    counts[two] += depth - first
    fits = {True: -0.01, False: 3.2}
    pls = []
    for b in range(len(own) + 2):
        for a in range(b + 1):
            cost = 0.0
            for c, n in enumerate(counts):
                cost += n * 10 * (0.301 if a != b and c in (a, b) else fits[c in (a, b)])
            pls.append(round(cost))
    least = min(pls)
    pls = [pl - least for pl in pls]
    gq = min(sorted(pls)[1], 99)
    gt = f"{one}|{two}" if one != two and rng.random() < 0.5 else f"{one}/{two}"
    phase = f":{at - 200}:60" if "|" in gt else ""
    told = f"{gt}:{gq}:{depth}:{','.join(map(str, counts))}:{','.join(map(str, pls))}{phase}"
    form = records.FORMAT + (":PS:PQ" if phase else "")
    failed = "PASS" if rng.random() < 0.98 else "StrandBias"
    return (
        f"{contig}\t{at + 1}\t.\t{ref}\t{','.join([*spelled, gvcf.NON_REF])}\t{pls[0]}.0\t{failed}"
        f"\tDP={depth};MQ=60.0;FS=0.0\t{form}\t{told}"
    )


def block_lines(rng, contig, ref, blocks, spans, start, end):
    """(start, line) of the shifted blocks without what records cover."""
    moved = blocks.copy()
    moved[:, :2] += rng.integers(-SHIFT, SHIFT)
    cuts = np.array(sorted({start, end, *(x for span in spans for x in span)}))
    begins = np.union1d(moved[:, 0], cuts)
    begins = begins[(begins >= start) & (begins < end)]
    ends = np.append(begins[1:], end)
    row = np.clip(np.searchsorted(moved[:, 0], begins, side="right") - 1, 0, len(moved) - 1)
    if spans:
        covered = np.array(spans)
        at = np.searchsorted(covered[:, 0], begins, side="right") - 1
        kept = (at < 0) | (begins >= covered[at, 1])
        begins, ends, row = begins[kept], ends[kept], row[kept]
    letters = [BASES[code] for code in ref[begins]]
    template = gvcf._template(contig, 2)
    values = (moved[row, k].tolist() for k in range(2, 7))
    rows = zip((begins + 1).tolist(), letters, ends.tolist(), *values, strict=True)
    return [(line[0] - 1, template % line) for line in rows]


def main(fasta, path, samples, folder):
    """Write samples gVCFs S0000.g.vcf.gz and so on."""
    rng = np.random.default_rng(7)
    reference = open_reference(Path(fasta))
    contig, blocks = read_blocks(path, reference)
    ref = reference.contig(reference.tid(contig))
    start, end = int(blocks[0, 0]) + SHIFT, int(blocks[-1, 1]) - SHIFT
    sites = draw_sites(rng, ref, start, end, samples)
    Path(folder).mkdir(parents=True, exist_ok=True)
    for n in range(samples):
        name = f"S{n:04}"
        lines, spans = [], []
        for site in sites:
            chances = [1 - sum(site[3]), *site[3]]
            draw = rng.random(2)
            pair = np.searchsorted(np.cumsum(chances)[:-1], draw, side="right").tolist()
            if any(pair):
                lines.append((site[0], record_line(rng, contig, site, pair)))
                spans.append((site[0], site[0] + len(site[1])))
        lines += block_lines(rng, contig, ref, blocks, spans, start, end)
        lines.sort(key=lambda item: item[0])
        head = header_lines(reference, [*records.META, *gvcf.META], [name])
        with VcfWriter(Path(folder) / f"{name}.g.vcf.gz", head) as out:
            out.write("\n".join(line for _, line in lines))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
