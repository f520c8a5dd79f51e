"""Simulated reads with known alignments: haplotypes are edits of a random reference."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pysam
import pytest

LETTERS = np.frombuffer(b"ACGT", np.uint8)


def random_sequence(rng: np.random.Generator, length: int) -> str:
    """Random bases."""
    return LETTERS[rng.integers(0, 4, length)].tobytes().decode()


def haplotype(ref: str, edits: list[tuple[int, int, str]]) -> tuple[str, list[int]]:
    """(bases, reference place of each base, -1 for those put in) with (start, removed, put)."""
    pieces, places, at = [], [], 0
    for start, removed, put in sorted(edits):
        pieces += [ref[at:start], put]
        places += [*range(at, start)]
        same = len(put) == removed
        places += [start + k if same else -1 for k in range(len(put))]
        at = start + removed
    return "".join([*pieces, ref[at:]]), [*places, *range(at, len(ref))]


def _cigar(places: list[int]) -> tuple[int, list[tuple[int, int]]]:
    """(reference start, CIGAR): flanks of less than 8 bases beyond an indel are clipped."""
    runs: list[list[int]] = []  # operation, length
    start, last = -1, -1
    first = next(k for k, place in enumerate(places) if place >= 0)
    end = max(k for k, place in enumerate(places) if place >= 0) + 1
    for place in places[first:end]:
        if start < 0:
            start = place
        if place >= 0 and last >= 0 and place > last + 1:
            runs.append([2, place - last - 1])
        op = 0 if place >= 0 else 1
        if runs and runs[-1][0] == op:
            runs[-1][1] += 1
        else:
            runs.append([op, 1])
        last = place if place >= 0 else last
    head, tail = first, len(places) - end
    while runs[0][0] != 0 or (len(runs) > 1 and runs[0][1] < 8):
        op, size = runs.pop(0)
        head += size if op != 2 else 0
        start += size if op != 1 else 0
    while runs[-1][0] != 0 or (len(runs) > 1 and runs[-1][1] < 8):
        op, size = runs.pop()
        tail += size if op != 2 else 0
    clipped = [(4, head)] if head else []
    return start, [*clipped, *map(tuple, runs), *([(4, tail)] if tail else [])]


def write_fasta(path: Path, contigs: dict[str, str]) -> Path:
    """A FASTA of the contigs, 60 bases a line."""
    lines = []
    for name, bases in contigs.items():
        lines += [f">{name}", *(bases[k : k + 60] for k in range(0, len(bases), 60))]
    path.write_text("\n".join(lines) + "\n")
    return path


def simulate(
    path: Path,
    contigs: dict[str, str],
    edits: dict[str, list[list[tuple[int, int, str]]]],
    *,
    depth: float = 30,
    length: int = 100,
    insert: int = 300,
    amplicon: int = 0,
    seed: int = 1,
    sample: str = "S1",
    md5: bool = True,
) -> Path:
    """A sorted, indexed BAM of pairs from the haplotypes (lists of edits) of each contig.

    amplicon: 0 for pairs from anywhere, else they begin at multiples of it.
    """
    rng = np.random.default_rng(seed)
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [
            {"SN": name, "LN": len(bases)}
            | ({"M5": hashlib.md5(bases.encode()).hexdigest()} if md5 else {})
            for name, bases in contigs.items()
        ],
        "RG": [{"ID": "L1", "SM": sample}],
    }
    made = []
    for tid, (name, ref) in enumerate(contigs.items()):
        haplotypes = [haplotype(ref, one) for one in edits.get(name, [[], []])]
        pairs = int(len(ref) * depth / (2 * length))
        for number in range(pairs):
            bases, places = haplotypes[number % len(haplotypes)]
            at = int(rng.integers(0, len(bases) - insert))
            at -= at % amplicon if amplicon else 0
            starts = at, at + insert - length
            for mate, start in enumerate(starts):
                read = _read(rng, bases[start : start + length], places[start : start + length])
                pos, cigar, text, quals = read
                made.append((tid, pos, f"{name}:{number}", mate, cigar, text, quals))
    made.sort(key=lambda row: row[:4])
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for row in made:
            out.write(_record(out.header, *row))
    pysam.index(str(path))
    return path


def _read(rng, bases: str, places: list[int]):
    pos, cigar = _cigar(places)
    quals = np.full(len(bases), 36, np.uint8)
    wrong = rng.random(len(bases)) < 0.003
    letters = np.frombuffer(bases.encode(), np.uint8).copy()
    for k in np.nonzero(wrong)[0]:
        letters[k] = LETTERS[rng.integers(0, 4)]
        quals[k] = 15
    return pos, cigar, letters.tobytes().decode(), quals


def _record(header, tid, pos, name, mate, cigar, text, quals) -> pysam.AlignedSegment:
    read = pysam.AlignedSegment(header)
    read.query_name, read.query_sequence = name, text
    read.flag = 99 if mate == 0 else 147
    read.reference_id = read.next_reference_id = tid
    read.reference_start, read.cigartuples, read.mapping_quality = pos, cigar, 60
    read.query_qualities = quals.tolist()
    read.set_tag("RG", "L1")
    return read


@pytest.fixture(scope="session")
def simulation() -> SimpleNamespace:
    """The functions of this file."""
    return SimpleNamespace(
        random_sequence=random_sequence,
        haplotype=haplotype,
        write_fasta=write_fasta,
        simulate=simulate,
    )


MEGABASES = (249, 242, 198, 190, 182, 171, 159, 145, 138, 134, 135, 133, 114, 107, 102, 90, 83, 80,
             59, 64, 47, 51)  # fmt: skip
"""Of human autosomes."""


class GeneDrop:
    """People with a genome as long as the human one, born by meioses with crossovers.

    A person is bool[2, sites], True for the ALT allele. Alleles of founders are of the neutral
    spectrum of frequencies, from `least` on; with `pool` their haplotypes are pieced together of so
    many, so that neighbours are linked over some 100 kb. Distances: 1.1 cM a Mb, Haldane's map.
    """

    def __init__(self, seed: int, sites: int, pool: int = 0, least: float = 0.02):
        self.rng = np.random.default_rng(seed)
        starts = np.cumsum([0, *MEGABASES]) * 1e6
        at = np.sort(self.rng.uniform(0, starts[-1], sites))
        self._gaps = np.diff(at, prepend=at[0])
        contig = np.searchsorted(starts, at, "right")
        odd = (1 - np.exp(-2.2e-8 * self._gaps)) / 2
        self._odd = np.where(np.diff(contig, prepend=0) != 0, 0.5, odd)
        self.frequency = np.exp(self.rng.uniform(np.log(least), np.log(1 - least), sites))
        self._pool = self.rng.random((pool, sites)) < self.frequency

    def founder(self) -> np.ndarray:
        """Somebody new."""
        if not len(self._pool):
            return self.rng.random((2, len(self._gaps))) < self.frequency
        return np.stack([self._mosaic(), self._mosaic()])

    def _mosaic(self) -> np.ndarray:
        piece = np.cumsum(self.rng.random(len(self._gaps)) < 1 - np.exp(-self._gaps / 1e5))
        source = self.rng.integers(0, len(self._pool), piece[-1] + 1)[piece]
        return self._pool[source, np.arange(len(piece))]

    def gamete(self, parent: np.ndarray) -> np.ndarray:
        """What a parent passes on: bool[sites]."""
        side = np.cumsum(self.rng.random(len(self._odd)) < self._odd) % 2
        return parent[side, np.arange(len(side))]

    def child(self, father: np.ndarray, mother: np.ndarray) -> np.ndarray:
        """A child of two people."""
        return np.stack([self.gamete(father), self.gamete(mother)])

    def family(self) -> dict[str, np.ndarray]:
        """dad, mum, their kid and sis, aunt of dad's parents, dad's half-brother, kid's baby with
        partner, and a copy of sis with errors.
        """
        gran, pa, other = self.founder(), self.founder(), self.founder()
        one = {"mum": self.founder(), "partner": self.founder()}
        one |= {"dad": self.child(pa, gran), "aunt": self.child(pa, gran)}
        one |= {"half": self.child(pa, other)}
        one |= {name: self.child(one["dad"], one["mum"]) for name in ("kid", "sis")}
        one["baby"] = self.child(one["kid"], one["partner"])
        one["copy"] = one["sis"] ^ (self.rng.random(one["sis"].shape) < 1e-3)
        return one


@pytest.fixture(scope="session")
def gene_drop():
    return GeneDrop
