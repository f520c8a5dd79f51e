#!/usr/bin/env python3
"""Make a genome of human size, and of about human repetitiveness, around one real chromosome.

    python tests/benchmarks/make_genome.py 20.fa OUT.fa [--seed 1] [--share 1.0]

24 contigs of GRCh38's lengths (times --share); "20" is the first contig of the given FASTA. The
others are random bases (41 % G and C) with, in shares of the contig: Alu-like repeats (300 bp, 5
to 20 % diverged) 10 %, L1-like repeats (6 kb, mostly cut short, 2 to 20 %) 15 %, segmental
duplications (10 to 50 kb, 1 to 2 %) 4 %, a satellite array 1.5 %, short tandem repeats 1 %, and
2 % of N. Numpy's generator is seeded by contig: the same seed gives the same bytes.
"""

import argparse
from pathlib import Path

import numpy as np
import pyfaidx

LENGTHS = {
    "1": 248_956_422, "2": 242_193_529, "3": 198_295_559, "4": 190_214_555, "5": 181_538_259,
    "6": 170_805_979, "7": 159_345_973, "8": 145_138_636, "9": 138_394_717, "10": 133_797_422,
    "11": 135_086_622, "12": 133_275_309, "13": 114_364_328, "14": 107_043_718, "15": 101_991_189,
    "16": 90_338_345, "17": 83_257_441, "18": 80_373_285, "19": 58_617_616, "20": 64_444_167,
    "21": 46_709_983, "22": 50_818_468, "X": 156_040_895, "Y": 57_227_415,
}  # fmt: skip
"""GRCh38's; the real one's own length stands for that of "20"."""

REAL = "20"
LINE = 60
ALU, L1, MONOMER = 300, 6000, 171
_LETTERS = np.frombuffer(b"ACGT", np.uint8)
_BACKGROUND = np.repeat(np.arange(4, dtype=np.uint8), (76, 52, 52, 76))
_PIECE = 1 << 22


def bases(choose: np.random.Generator, n: int) -> np.ndarray:
    """Random codes (uint8[n])."""
    return _BACKGROUND[np.frombuffer(choose.bytes(n), np.uint8)]


def diverge(choose: np.random.Generator, codes: np.ndarray, rate) -> np.ndarray:
    """Substitute a share of the codes: one rate, or one for each."""
    changed = choose.random(len(codes), np.float32) < rate
    by = np.frombuffer(choose.bytes(len(codes)), np.uint8) % 3 + 1
    return np.where(changed, (codes + by) & 3, codes)


def families(choose: np.random.Generator, n: int, length: int) -> np.ndarray:
    """n consensus sequences (uint8[n, length]) that come from one, each 5 to 15 % away from it."""
    root = bases(choose, length)
    return np.stack([diverge(choose, root, rate) for rate in choose.uniform(0.05, 0.15, n)])


def insert(choose, codes, source, begin, length, divergence) -> None:
    """Copy source[begin:][:length], mutated, over random places of codes, on either strand.

    begin, length: int64[n]; divergence: float32[n], of which a tenth are gaps of a base.
    """
    at = choose.integers(0, len(codes) - length.max(), len(length))
    backward = choose.random(len(length)) < 0.5
    cuts = np.flatnonzero(np.diff(np.cumsum(length) // _PIECE, prepend=-1))
    for first, last in zip(cuts, [*cuts[1:], len(length)], strict=True):
        part = slice(first, last)
        sizes = length[part]
        total = int(sizes.sum())
        start = np.cumsum(sizes) - sizes
        within = np.arange(total) - np.repeat(start, sizes)
        rate = np.repeat(divergence[part], sizes)
        draw = choose.random(total, np.float32)
        drift = np.cumsum((draw < rate / 20).astype(np.int32) - (draw > 1 - rate / 20))
        drift -= np.repeat(drift[start], sizes)
        place = np.clip(within + drift, 0, np.repeat(sizes - 1, sizes))
        copied = diverge(choose, source[np.repeat(begin[part], sizes) + place], rate * 0.9)
        flip = np.repeat(backward[part], sizes)
        target = np.where(flip, np.repeat(sizes - 1, sizes) - within, within)
        codes[np.repeat(at[part], sizes) + target] = np.where(flip, 3 - copied, copied)


def interspersed(choose, codes, consensus, share, length, low, high) -> None:
    """Copies of the ends of a repeat's families, of the given lengths, over a share of codes."""
    size = consensus.shape[1]
    length = length[: np.searchsorted(np.cumsum(length), share * len(codes)) + 1]
    family = choose.integers(0, len(consensus), len(length))
    rate = choose.uniform(low, high, len(length)).astype(np.float32)
    insert(choose, codes, consensus.ravel(), (family + 1) * size - length, length, rate)


def duplicated(choose, codes, other) -> None:
    """Segmental duplications, half of them from another contig."""
    n = int(0.02 * len(codes) / 30_000) + 1
    for source in (codes.copy(), other):
        length = choose.integers(10_000, 50_000, n)
        begin = choose.integers(0, len(source) - 50_000, n)
        insert(
            choose, codes, source, begin, length, choose.uniform(0.01, 0.02, n).astype(np.float32)
        )


def short_tandem(choose, codes) -> None:
    """Repeats of units of 1 to 6 bases, 20 to 120 bases long."""
    n = int(0.01 * len(codes) / 70)
    length = choose.integers(20, 120, n)
    units = bases(choose, 6 * n).reshape(n, 6)
    period = choose.integers(1, 7, n)
    row = np.repeat(np.arange(n), length)
    within = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    source = diverge(choose, units[row, within % period[row]], 0.01)
    insert(choose, codes, source, np.cumsum(length) - length, length, np.zeros(n, np.float32))


def satellite(choose, codes, monomer) -> None:
    """One array of a unit of 12 diverged monomers."""
    unit = np.concatenate([diverge(choose, monomer, 0.25) for _ in range(12)])
    size = int(0.015 * len(codes))
    middle = int(0.4 * len(codes))
    codes[middle : middle + size] = diverge(choose, np.resize(unit, size), 0.01)


def gapped(choose, codes) -> np.ndarray:
    """Letters (uint8[n]) of a contig with stretches of N: its ends, ten in between, a large one."""
    letters, size = _LETTERS[codes], len(codes) // 2000
    for at in choose.integers(0, len(codes) - size, 10):
        letters[at : at + size] = ord("N")
    letters[:size] = letters[-size:] = ord("N")
    letters[len(codes) // 2 :][: 28 * size] = ord("N")
    return letters


class Genome:
    """The repeats that the contigs of a seed share."""

    def __init__(self, seed: int):
        choose = np.random.default_rng([seed, 0])
        self.seed = seed
        self.alu = families(choose, 30, ALU)
        self.l1 = families(choose, 20, L1)
        self.monomer = bases(choose, MONOMER)

    def contig(self, number: int, size: int, other: np.ndarray | None):
        """Codes (uint8[size]) of a contig, its letters; other: codes of the one before it."""
        choose = np.random.default_rng([self.seed, number])
        codes = bases(choose, size)
        cut = np.minimum(choose.geometric(1 / 1200, size // 2000) + 100, L1)
        interspersed(choose, codes, self.l1, 0.15, cut, 0.02, 0.20)
        whole = np.full(size // 1000, ALU)
        interspersed(choose, codes, self.alu, 0.10, whole, 0.05, 0.20)
        duplicated(choose, codes, codes if other is None else other)
        short_tandem(choose, codes)
        satellite(choose, codes, self.monomer)
        return codes, gapped(choose, codes)


def write(out, name: str, letters: np.ndarray) -> None:
    """One FASTA record."""
    out.write(f">{name}\n".encode())
    whole = len(letters) // LINE * LINE
    for at in range(0, whole, LINE << 18):
        rows = letters[at : min(at + (LINE << 18), whole)].reshape(-1, LINE)
        out.write(np.pad(rows, ((0, 0), (0, 1)), constant_values=10))
    if whole < len(letters):
        out.write(letters[whole:].tobytes() + b"\n")


def main() -> None:
    """Parse the command line and write the genome."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("real")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=1.0, help="of the synthetic lengths")
    options = parser.parse_args()
    genome, other = Genome(options.seed), None
    with options.out.open("wb") as out:
        for number, (name, size) in enumerate(LENGTHS.items(), 1):
            if name == REAL:
                contig = pyfaidx.Fasta(options.real)[0][:].seq.upper()
                write(out, name, np.frombuffer(contig.encode(), np.uint8))
            else:
                other, letters = genome.contig(number, int(size * options.share), other)
                write(out, name, letters)


if __name__ == "__main__":
    main()
