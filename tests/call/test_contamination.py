"""Contamination: the likelihood against plain Python, and mixtures of simulated people."""

import json
import math
from pathlib import Path

import numpy as np
import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.call import contamination
from lingqu.call.contamination import Mixture, by_homozygous, by_sites, read_sites
from lingqu.call.driver import call
from lingqu.formats.reference import open_reference

LENGTH, STEP, DEPTH = 120_000, 100, 30


def plain_likelihood(share, sites) -> float:
    """log10; sites: (frequency, [(is ALT, quality)])."""
    total = 0.0
    for alt, bases in sites:
        priors = [(1 - alt) ** 2, 2 * alt * (1 - alt), alt**2]
        chance = 0.0
        for own in range(3):
            for stranger in range(3):
                product = priors[own] * priors[stranger]
                part = (1 - share) * own / 2 + share * stranger / 2
                for is_alt, quality in bases:
                    wrong = 10 ** (-quality / 10)
                    as_alt, as_ref = (1 - wrong, wrong / 3) if is_alt else (wrong / 3, 1 - wrong)
                    product *= part * as_alt + (1 - part) * as_ref
                chance += product
        total += math.log10(chance)
    return total


def test_likelihood_is_that_of_plain_python():
    rng = np.random.default_rng(1)
    sites, frequency, rows = [], [], []
    for n in range(40):
        alt = float(rng.uniform(0.02, 0.98))
        bases = [(bool(rng.random() < alt), int(rng.integers(13, 41))) for _ in range(12)]
        sites.append((alt, bases))
        frequency.append(alt)
        for pair in sorted(set(bases)):
            rows.append((n, pair[0], pair[1], bases.count(pair)))
    mixture = Mixture(np.array(frequency), np.array(rows, np.int32).T)
    for share in (0.0, 0.01, 0.2, 0.5):
        assert mixture(share) == pytest.approx(plain_likelihood(share, sites), rel=1e-9)


def person(rng, frequency):
    """Whether each of two haplotypes has ALT."""
    return rng.random((2, len(frequency))) < frequency


@pytest.fixture(scope="module")
def two_people(tmp_path_factory, simulation):
    """Reads of two people at common SNVs and a VCF of these, with AC and AN or AF."""
    folder, rng = tmp_path_factory.mktemp("mixture"), np.random.default_rng(4)
    ref = simulation.random_sequence(rng, LENGTH)
    fasta = simulation.write_fasta(folder / "ref.fa", {"1": ref})
    places = list(range(500, LENGTH - 500, STEP))
    frequency = rng.beta(0.8, 1.2, len(places)).clip(0.02, 0.98).round(4)
    alts = ["ACGT"[("ACGT".index(ref[p]) + int(rng.integers(1, 4))) % 4] for p in places]
    lines = ["##fileformat=VCFv4.2", f"##contig=<ID=1,length={LENGTH}>",
             "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]  # fmt: skip
    for k, (p, alt, f) in enumerate(zip(places, alts, frequency.tolist(), strict=True)):
        info = f"AC={round(f * 10_000)};AN=10000" if k % 2 else f"X=1;AF={f}"
        lines.append(f"1\t{p + 1}\t.\t{ref[p]}\t{alt}\t.\t.\t{info}")
    vcf = folder / "sites.vcf"
    vcf.write_text("\n".join(lines) + "\n")
    pysam.tabix_index(str(vcf), preset="vcf", force=True)
    bams = []
    for name in ("own", "stranger"):
        has = person(rng, frequency)
        edits = [[(p, 1, alt) for p, alt, x in zip(places, alts, own, strict=True) if x]
                 for own in has.tolist()]  # fmt: skip
        bam = simulation.simulate(
            folder / f"{name}.bam", {"1": ref}, {"1": edits}, depth=DEPTH, seed=len(name)
        )
        bams.append(bam)
    return fasta, Path(f"{vcf}.gz"), *bams


def mixed(bams, share, path) -> Path:
    """Reads of two BAMs by template, so many of the second."""
    rng, taken = np.random.default_rng(9), {}
    some = []
    for which, bam in enumerate(bams):
        with pysam.AlignmentFile(str(bam)) as reads:
            header = reads.header
            for read in reads:
                read.query_name = f"{which}:{read.query_name}"
                if read.query_name not in taken:
                    taken[read.query_name] = rng.random() < (share if which else 1 - share)
                if taken[read.query_name]:
                    some.append(read)
    some.sort(key=lambda read: read.reference_start)
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for read in some:
            out.write(read)
    pysam.index(str(path))
    return path


@pytest.mark.parametrize("share", [0.0, 0.02, 0.05, 0.2])
def test_mixtures(two_people, tmp_path, share):
    fasta, sites, *bams = two_people
    bam = mixed(bams, share, tmp_path / "m.bam")
    call(fasta, bam, tmp_path / "m.vcf.gz", qc_sites=sites, threads=1)
    told = json.loads((tmp_path / "m.vcf.gz.qc.json").read_text())["contamination"]
    assert (told["method"], told["sites"]) == ("sites", (LENGTH - 1000) // STEP)
    assert told["share"] == pytest.approx(share, abs=0.004 + 0.06 * share)
    assert told["low"] <= share <= told["high"] or told["share"] == pytest.approx(share, abs=0.003)
    assert told["low"] <= told["share"] <= told["high"]


def test_reads_at_homozygous_calls_tell_that_there_is_something(two_people, tmp_path):
    fasta, _, *bams = two_people
    told = {}
    for share in (0.0, 0.05):
        bam = mixed(bams, share, tmp_path / f"{share}.bam")
        out = tmp_path / f"{share}.vcf.gz"
        call(fasta, bam, out, threads=1)
        told[share] = json.loads(Path(f"{out}.qc.json").read_text())["contamination"]
        assert told[share]["method"] == "homozygous"
        assert told[share]["sites"] > 100
    assert told[0.0]["share"] < 0.002
    assert 2 * told[0.0]["high"] < told[0.05]["low"] <= told[0.05]["share"] <= 0.05


def test_sites_that_are_read(two_people, monkeypatch):
    fasta, sites, *_ = two_people
    codes = open_reference(fasta).contig(0)
    every = read_sites(sites, "1", codes, ((0, LENGTH),), 10**6)
    assert len(every.rows) == (LENGTH - 1000) // STEP
    assert (np.diff(every.rows[:, 0]) > 0).all()
    few = read_sites(sites, "1", codes, ((0, LENGTH),), 50)
    assert len(few.rows) == 50
    kept = np.isin(every.rows[:, 0], few.rows[:, 0])
    far = np.abs(every.frequency - 0.5)
    assert far[kept].max() <= far[~kept].min()
    part = read_sites(sites, "1", codes, ((1000, 1500), (2000, 2001)), 10**6)
    assert part.rows[:, 0].tolist() == [1000, 1100, 1200, 1300, 1400, 2000]
    for contig in ("X", "chrY", "2"):
        assert not len(read_sites(sites, contig, codes, ((0, LENGTH),), 10).rows)
    with pytest.raises(LingquError, match="not the reference's base"):
        read_sites(sites, "1", (codes + 1) % 4, ((0, LENGTH),), 10)


@pytest.mark.parametrize(("info", "expected"), [
    ("AC=5;AN=10;AF=0.1", 0.5), ("DP=3;AF=0.25", 0.25), ("AF=.", -1), ("DP=3", -1),
    ("AC=1;AN=0;AF=0.125", 0.125), ("XAF=0.5", -1), (".", -1), ("AC=2,3;AN=10", -1),
])  # fmt: skip
def test_frequencies(info, expected):
    assert contamination._frequency(info) == expected


def test_nothing_to_tell_from():
    none = {"share": None, "low": None, "high": None, "sites": 0}
    assert by_sites(np.zeros(0), np.zeros((4, 0), np.int32)) == {"method": "sites"} | none
    assert by_homozygous(np.zeros(6, np.int64)) == {"method": "homozygous"} | none


def test_bounds_of_homozygous_calls():
    reads = [(1, 30), (0, 28), (3, 35), (0, 31)]
    ref, both = (np.array(column) for column in zip(*reads, strict=True))
    sums = [len(reads), *(int(x.sum()) for x in (ref, both, ref * ref, ref * both, both * both))]
    told = by_homozygous(np.array(sums))
    share = ref.sum() / both.sum()
    spread = np.sqrt(((ref - share * both) ** 2).sum() * 4 / 3) / both.sum()
    assert told["share"] == pytest.approx(share, abs=1e-5)
    assert told["high"] == pytest.approx(share + 1.96 * spread, abs=1e-4)
    assert told["low"] == 0
    none = by_homozygous(np.array([3, 0, 300, 0, 0, 30_000]))
    assert (none["share"], none["low"], none["high"]) == (0, 0, pytest.approx(3 / 300, rel=0.01))
