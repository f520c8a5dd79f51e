"""Reads whose places are known: dwgsim's, renamed, with their true places in arrays beside them.

dwgsim cannot be told how long its indels become at most, so the long ones are planted here into
the reference that it reads, and its places are lifted back.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pysam
from isal import igzip
from measure import run_once

FOREIGN = -1
"""The contig of a read that comes from somewhere else."""

LONGEST_INDEL = 50

_BASES = np.frombuffer(b"ACGT", np.uint8)
_RANDOM_GENOME = 5_000_000

DWGSIM = (
    "dwgsim -1 {length} -2 {length} -d {distance} -s {spread} -N {pairs} {mutations}"
    " -e 0.001-0.01 -E 0.002-0.015 -y 0 -z {seed} -o 1 {fasta} {out}"
)


def has_dwgsim() -> bool:
    """Whether reads can be simulated here."""
    return shutil.which("dwgsim") is not None


@dataclass(frozen=True)
class Scenario:
    """What the reads of a simulation are like; lengths and distances in bases."""

    length: int = 150
    distance: int = 400
    spread: int = 80
    mutations: str = "-r 0.001 -R 0.15 -X 0.3"
    indel_every: int = 0
    """Mean distance of planted indels of 1 to `LONGEST_INDEL` bases; 0: none."""
    foreign_every: int = 0
    """Each so manieth pair is foreign, by turns random and of another genome; 0: none."""
    either_end: bool = False
    """Whether a read with one end in its place is right: clipping a long indel moves the other."""


SCENARIOS = {
    "2x150": Scenario(),
    "1pct": Scenario(mutations="-r 0.01 -R 0.15 -X 0.3 -H"),
    "2pct": Scenario(mutations="-r 0.02 -R 0.15 -X 0.3 -H"),
    "indels": Scenario(indel_every=500, either_end=True),
    "2x75": Scenario(length=75),
    "2x101": Scenario(length=101),
    "foreign": Scenario(foreign_every=10),
    "2x250": Scenario(length=250, distance=600, spread=100),
}


@dataclass(frozen=True)
class Reads:
    """A pair of FASTQ files and where their reads come from; read 2i is the first of pair i."""

    r1: Path
    r2: Path
    contigs: list[str]
    length: int
    contig: np.ndarray  # int32[2 * pairs], FOREIGN where from elsewhere
    start: np.ndarray  # int32[2 * pairs], 0-based
    end: np.ndarray  # int32[2 * pairs], exclusive


@dataclass(frozen=True)
class Lift:
    """Places of a planted contig in the one it was made of, by segments."""

    planted: np.ndarray  # int64[segments], starts
    original: np.ndarray  # int64[segments], starts
    moves: np.ndarray  # bool[segments], False within an insertion

    def __call__(self, places: np.ndarray) -> np.ndarray:
        """0-based places of the planted contig in the original."""
        at = np.searchsorted(self.planted, places, "right") - 1
        return self.original[at] + np.where(self.moves[at], places - self.planted[at], 0)


def plant_indels(codes: np.ndarray, every: int, rng) -> tuple[np.ndarray, Lift]:
    """A contig (uint8 letters) with insertions and deletions of 1 to LONGEST_INDEL bases in it.

    They are every / 2 to 3 every / 2 bases apart, which must be more than the longest.
    """
    spacing = rng.integers(every // 2, every + every // 2, len(codes) // every + 1)
    sites = np.cumsum(spacing)
    sites = sites[sites < len(codes) - every]
    pieces, planted, original, moves = [], [], [], []
    at = length = 0

    def add(piece: np.ndarray, moving: bool) -> None:
        nonlocal length
        pieces.append(piece)
        planted.append(length)
        original.append(at)
        moves.append(moving)
        length += len(piece)

    for site, size, is_insertion in zip(
        sites.tolist(),
        rng.integers(1, LONGEST_INDEL + 1, len(sites)).tolist(),
        rng.integers(0, 2, len(sites)).tolist(),
        strict=True,
    ):
        add(codes[at:site], True)
        at = site
        if is_insertion:
            add(_BASES[rng.integers(0, 4, size)], False)
        else:
            at += size
    add(codes[at:], True)
    return np.concatenate(pieces), Lift(*map(np.array, (planted, original, moves)))


def _write_fasta(path: Path, contigs: Iterator[tuple[str, np.ndarray]]) -> Path:
    with path.open("wb") as out:
        for name, letters in contigs:
            out.write(b">%s\n%s\n" % (name.encode(), letters.tobytes()))
    return path


def _letters(fasta: Path) -> Iterator[tuple[str, np.ndarray]]:
    with pysam.FastxFile(str(fasta), persist=False) as records:
        for record in records:
            yield record.name, np.frombuffer(record.sequence.encode(), np.uint8)


def _plant(fasta: Path, every: int, seed: int, out: Path) -> tuple[Path, dict[str, Lift]]:
    rng, lifts = np.random.default_rng(seed), {}

    def planted():
        for name, letters in _letters(fasta):
            letters, lifts[name] = plant_indels(letters, every, rng)
            yield name, letters

    return _write_fasta(out, planted()), lifts


def _dwgsim(fasta: Path, scenario: Scenario, pairs: int, seed: int, out: Path) -> Iterator[tuple]:
    """(contig, starts of both mates, (bases, qualities) of the first, of the second) of pairs."""
    run_once(DWGSIM.format(**vars(scenario), pairs=pairs, seed=seed, fasta=fasta, out=out))
    files = [Path(f"{out}.bwa.read{mate}.fastq.gz") for mate in (1, 2)]
    with igzip.open(files[0], "rt") as first, igzip.open(files[1], "rt") as second:
        for lines in zip(*[first] * 4, *[second] * 4, strict=True):
            name, start1, start2, _ = lines[0][1:].rsplit("_", 9)[:4]
            yield name, (int(start1) - 1, int(start2) - 1), lines[1::2][:2], lines[5::2]


def _elsewhere(foreign: Path, scenario: Scenario, pairs: int, seed: int, tmp: Path) -> Iterator:
    """Pairs by turns of a random sequence and of another genome."""
    rng = np.random.default_rng(seed)
    letters = _BASES[rng.integers(0, 4, _RANDOM_GENOME)]
    random = _write_fasta(tmp / "random.fa", [("random", letters)])
    other = _write_fasta(tmp / "foreign.fa", _letters(foreign))
    each = [
        _dwgsim(fasta, scenario, pairs // 2 + 100, seed, tmp / fasta.stem)
        for fasta in (random, other)
    ]
    for both in zip(*each, strict=False):
        for _, *rest in both:
            yield None, *rest


def _mixed(home: Iterator, foreign: Iterator | None, every: int) -> Iterator:
    """Pairs of home, each `every`th replaced by a foreign one."""
    for number, pair in enumerate(home):
        yield next(foreign) if foreign and number % every == 0 else pair


def _pairs(ref: Path, foreign: Path | None, scenario: Scenario, pairs: int, seed: int, tmp: Path):
    """Pairs as of _dwgsim (contig None: foreign), and the lifts of contigs that were planted."""
    fasta, lifts = ref, {}
    if scenario.indel_every:
        fasta, lifts = _plant(ref, scenario.indel_every, seed, tmp / "planted.fa")
    home = _dwgsim(fasta, scenario, pairs, seed, tmp / "home")
    elsewhere, every = None, scenario.foreign_every
    if every:
        elsewhere = _elsewhere(foreign, scenario, pairs // every + 1, seed, tmp)
    return _mixed(home, elsewhere, every), lifts


def _place(contig: np.ndarray, start: np.ndarray, length: int, contigs: list[str], lifts: dict):
    """Starts and ends in the reference of reads of `length`."""
    end = start + length - 1
    for name, lift in lifts.items():
        mine = contig == contigs.index(name)
        start[mine], end[mine] = lift(start[mine]), lift(end[mine])
    return start, end + 1


def _write(pairs: Iterator, files: list[Path], contigs: list[str]) -> tuple:
    """Write both FASTQ files; contigs and starts of all reads."""
    number_of = {name: number for number, name in enumerate(contigs)} | {None: FOREIGN}
    contig, starts = [], []
    with igzip.open(files[0], "wt", 1) as out1, igzip.open(files[1], "wt", 1) as out2:
        for number, (name, both, read1, read2) in enumerate(pairs):
            contig += [number_of[name]] * 2
            starts += both
            label = f"@{number}_{name or 'foreign'}_{both[0] + 1}_{both[1] + 1}\n"
            out1.write(f"{label}{read1[0]}+\n{read1[1]}")
            out2.write(f"{label}{read2[0]}+\n{read2[1]}")
    return np.array(contig, np.int32), np.array(starts)


def simulate(ref: Path, foreign: Path | None, key: str, pairs: int, seed: int, work: Path) -> Reads:
    """The reads of a scenario, in a folder of `work`; made once.

    Names are number, contig and starts (1-based; before long indels were planted).
    """
    scenario, folder = SCENARIOS[key], work / f"{key}.{pairs}.{seed}"
    truth = folder / "truth.npz"
    files = [folder / f"r{mate}.fq.gz" for mate in (1, 2)]
    if not truth.exists():
        folder.mkdir(parents=True, exist_ok=True)
        contigs = [name for name, _ in _letters(ref)]
        with TemporaryDirectory(dir=folder) as tmp:
            made, lifts = _pairs(ref, foreign, scenario, pairs, seed, Path(tmp))
            contig, start = _write(made, files, contigs)
        start, end = _place(contig, start, scenario.length, contigs, lifts)
        np.savez(truth, contigs=contigs, contig=contig, start=start, end=end)
    with np.load(truth) as held:
        columns = {name: held[name].astype(np.int32) for name in ("contig", "start", "end")}
        return Reads(*files, held["contigs"].tolist(), scenario.length, **columns)
