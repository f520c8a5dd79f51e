#!/usr/bin/env python3
"""Cost of the pair-HMM kernel by cell and by pair of a read and a haplotype, on one core.

    python tests/benchmarks/pairhmm.py [--pairs pairs.txt]

Reads of 100 to 250 bases meet haplotypes of 250 to 400. The band holds WIDTH cells a base of the
read; a kernel without a band computes all cells of the matrix. --pairs writes the same pairs as
GATK's and Intel's kernels are tested with (haplotype, read, qualities of bases, insertions,
deletions, gap continuation, by spaces), so that a native kernel can be run on them.
"""

import argparse
import resource
import sys
from pathlib import Path

import numpy as np
from measure import table

from lingqu.call import model
from lingqu.call.kernels.pairhmm import (
    LANES,
    WIDTH,
    forward,
    load_haplotype,
    load_read,
    new_workspace,
)
from lingqu.oracles.likelihood import textbook

LENGTHS = (100, 150, 250)
READS, HAPLOTYPES = 64, 8
CHECKED = 6
"""Pairs of each length that are computed in float64, which takes long."""
TIMES = 20_000
HEAD = ["read on haplotype", "Gcells/s computed", "as if without band", "us a pair", "log10 off"]
GAP, CONTINUE = 45, 10
"""Phred, everywhere: what the text form can hold."""


def simulate(rng: np.random.Generator, length: int) -> tuple[np.ndarray, list, list]:
    """(haplotypes, reads with qualities, their starts): the haplotypes differ by SNVs."""
    size = length + 150
    first = rng.integers(0, 4, size).astype(np.uint8)
    haplotypes = np.repeat(first[None], HAPLOTYPES, 0)
    for h in range(1, HAPLOTYPES):
        haplotypes[h, size // 2 + 3 * h] ^= 1
    reads, starts = [], []
    for _ in range(READS):
        start = int(rng.integers(WIDTH, size - length - WIDTH))
        codes = haplotypes[rng.integers(HAPLOTYPES), start : start + length].copy()
        quals = rng.integers(20, 41, length).astype(np.uint8)
        wrong = rng.random(length) < 10.0 ** (quals / -10)
        codes[wrong] ^= 2
        reads.append((codes, quals))
        starts.append(start)
    return haplotypes, reads, starts


def all_pairs(haplotypes, gap, reads, starts, space, result) -> None:
    """Likelihoods of all reads under all haplotypes into result (float32[haplotypes, reads])."""
    right, wrong = model.base_tables()
    rows = np.full(LANES, len(reads[0][0]), np.int64)
    for base in range(0, len(reads), LANES):
        for lane in range(LANES):
            load_read(space, lane, *reads[base + lane], right, wrong)
        for h, hap in enumerate(haplotypes):
            for lane in range(LANES):
                load_haplotype(space, lane, hap, gap, starts[base + lane], len(reads[0][0]))
            forward(space, rows, np.float32(1e30), result[h, base : base + LANES])


def forward_only(space, length: int, times: int) -> float:
    """CPU seconds of `times` runs of the recursion over full lanes."""
    rows, result = np.full(LANES, length, np.int64), np.empty(LANES, np.float32)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for _ in range(times):
        forward(space, rows, np.float32(1e30), result)
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


def written(haplotypes, reads) -> list[str]:
    """Lines of the pairs in the text form."""
    lines = []
    for codes, quals in reads:
        read = "".join("ACGT"[code] for code in codes)
        base = "".join(chr(33 + q) for q in quals)
        gaps = [chr(33 + q) * len(read) for q in (GAP, GAP, CONTINUE)]
        for hap in haplotypes:
            lines.append(" ".join(["".join("ACGT"[code] for code in hap), read, base, *gaps, "0"]))
    return lines


def farthest(haplotypes, gap, reads, starts, result) -> float:
    """Greatest difference in log10 from the recursion of the same band in float64."""
    apart = 0.0
    for r in range(CHECKED):
        first = starts[r] - WIDTH // 2
        exact = textbook(*reads[r], haplotypes[r], gap, first, first + WIDTH - 1)
        apart = max(apart, abs(np.log10(result[r, r]) - 30 - np.log10(exact)))
    return apart


def measured(times: int) -> tuple[str, list[str]]:
    """(the table, the pairs in the text form); each length is run `times` times over full lanes."""
    rng = np.random.default_rng(1)
    space, lines, rows = new_workspace(), [], []
    for length in LENGTHS:
        haplotypes, reads, starts = simulate(rng, length)
        gap = np.full(haplotypes.shape[1], 10.0 ** (-GAP / 10), np.float32)
        result = np.empty((HAPLOTYPES, READS), np.float32)
        all_pairs(haplotypes, gap, reads, starts, space, result)
        lines += written(haplotypes, reads)
        seconds = min(forward_only(space, length, times) for _ in range(3))
        pairs = times * LANES
        rows.append(
            [
                f"{length} on {haplotypes.shape[1]}",
                f"{pairs * length * WIDTH / seconds / 1e9:.2f}",
                f"{pairs * length * haplotypes.shape[1] / seconds / 1e9:.1f}",
                f"{seconds / pairs * 1e6:.2f}",
                f"{farthest(haplotypes, gap, reads, starts, result):.1e}",
            ]
        )
    return table(HEAD, rows), lines


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--times", type=int, default=TIMES)
    options = parser.parse_args()
    told, lines = measured(options.times)
    print(told)
    if options.pairs:
        options.pairs.write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    sys.exit(main())
