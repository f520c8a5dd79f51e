"""Copies by sex: contigs by any usual name, PAR, whole calls."""

import gzip
import subprocess
import sys

import numpy as np
import pytest

from lingqu.base.errors import LingquError
from lingqu.call.ploidy import autosomes, chromosome, ploidies

LENGTHS = {"1": 1000, "X": 900, "Y": 500, "MT": 100}


def test_autosomes():
    names = ["chr1", "chr22", "chrX", "chrM", "chr1_KI270706v1_random", "HLA-A*01:01"]
    assert autosomes(names) == {"chr1", "chr22"}
    refseq = ["NC_000001.11", "NC_000022.11", "NC_000023.11", "NC_060946.1", "NT_187361.1"]
    assert autosomes(refseq) == {"NC_000001.11", "NC_000022.11", "NC_060946.1"}
    assert autosomes(["I", "II", "X", "MT"]) == {"I", "II"}
    assert autosomes(["20", "GL000191.1", "hs37d5", "Y"]) == {"20"}


@pytest.mark.parametrize(
    ("contig", "name"),
    [
        ("X", "X"), ("chrX", "X"), ("NC_000023.10", "X"), ("NC_000023.11", "X"),
        ("Y", "Y"), ("chrY", "Y"), ("NC_000024.10", "Y"), ("MT", "MT"), ("chrM", "MT"),
        ("M", "MT"), ("chrMT", "MT"), ("NC_012920.1", "MT"), ("20", None), ("chr1", None),
        ("chrX_KI270880v1_alt", None), ("chrUn_GL000195v1", None), ("NC_045512.2", None),
    ],
)  # fmt: skip
def test_names(contig, name):
    assert chromosome(contig) == name


@pytest.mark.parametrize(
    ("sex", "copies"),
    [("XX", [2, 2, 0, 1]), ("XY", [2, 1, 1, 1]), ("unknown", [2, 2, 1, 1])],
)
def test_copies(sex, copies):
    found = ploidies(LENGTHS, 2, sex, None)
    assert [found[contig] for contig in LENGTHS] == [
        [(0, length, copies[k])] for k, length in enumerate(LENGTHS.values())
    ]


def test_pseudoautosomal_regions(tmp_path):
    bed = tmp_path / "par.bed"
    bed.write_text("X\t0\t100\nX\t800\t900\nY\t10\t60\n")
    found = ploidies(LENGTHS, 2, "XY", bed)
    assert found["X"] == [(0, 100, 2), (100, 800, 1), (800, 900, 2)]
    assert found["Y"] == [(0, 10, 1), (10, 60, 0), (60, 500, 1)]
    assert ploidies(LENGTHS, 2, "XX", bed)["Y"] == [(0, 10, 0), (10, 60, 0), (60, 500, 0)]


def test_contradictions(tmp_path):
    bed = tmp_path / "par.bed"
    bed.write_text("1\t0\t100\n")
    with pytest.raises(LingquError, match="neither X nor Y"):
        ploidies(LENGTHS, 2, "XY", bed)
    with pytest.raises(LingquError, match="say --sex"):
        ploidies(LENGTHS, 2, None, bed)
    with pytest.raises(LingquError, match="leave --ploidy out"):
        ploidies(LENGTHS, 1, "XY", None)


@pytest.fixture(scope="module")
def genome(tmp_path_factory, simulation):
    """SNVs 500 bases apart on all copies of all contigs, those of X and 1 on one haplotype of two
    in its first 2 kb."""
    folder = tmp_path_factory.mktemp("ploidy")
    rng = np.random.default_rng(41)
    sizes = {"chr1": 4000, "chrX": 6000, "chrY": 4000, "chrM": 3000}
    contigs = {name: simulation.random_sequence(rng, size) for name, size in sizes.items()}
    edits = {}
    for name, ref in contigs.items():
        all_of = [(at, 1, "ACGT"["CGTA".index(ref[at])]) for at in range(600, len(ref) - 400, 500)]
        half = [edit for edit in all_of if name in ("chrY", "chrM") or edit[0] > 2000]
        edits[name] = [all_of, half]
    fasta = simulation.write_fasta(folder / "ref.fa", contigs)
    bam = simulation.simulate(folder / "a.bam", contigs, edits, depth=30)
    (folder / "par.bed").write_text("chrX\t0\t2000\nchrY\t0\t2000\n")
    return fasta, bam, folder / "par.bed"


def genotypes(folder, *words) -> dict[str, list[tuple[int, str]]]:
    out = folder / "out.vcf.gz"
    command = [sys.executable, "-m", "lingqu", "call", *map(str, words), "-o", str(out), "-t", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = {}
    with gzip.open(out, "rt") as lines:
        for line in lines:
            if not line.startswith("#"):
                columns = line.split("\t")
                gt = columns[9].split(":")[0].replace("|", "/")
                found.setdefault(columns[0], []).append((int(columns[1]), gt))
    return found


def test_a_man(genome, tmp_path):
    fasta, bam, par = genome
    found = genotypes(tmp_path, fasta, bam, "--sex", "XY", "--par", par)
    assert {"/".join(sorted(gt.split("/"))) for _, gt in found["chr1"]} == {"0/1", "1/1"}
    x = {pos: "/".join(sorted(gt.split("/"))) for pos, gt in found["chrX"]}
    assert {gt for pos, gt in x.items() if pos <= 2000} == {"0/1"}
    assert {gt for pos, gt in x.items() if pos > 2000} == {"1"}
    assert min(found["chrY"])[0] > 2000
    assert {gt for name in ("chrY", "chrM") for _, gt in found[name]} == {"1"}


def test_a_woman(genome, tmp_path):
    fasta, bam, par = genome
    found = genotypes(tmp_path, fasta, bam, "--sex", "XX", "--par", par)
    assert "chrY" not in found
    assert {len(gt) for _, gt in found["chrX"]} == {3}
    assert {gt for _, gt in found["chrM"]} == {"1"}


def test_given_sites_without_a_copy(genome, tmp_path):
    fasta, bam, _ = genome
    sites = tmp_path / "sites.vcf"
    ref = fasta.read_text().split(">chrY\n")[1].replace("\n", "")[600]
    alt = "ACGT"["CGTA".index(ref)]
    sites.write_text("##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
                     f"chrY\t601\t.\t{ref}\t{alt}\t.\t.\t.\n")  # fmt: skip
    assert genotypes(tmp_path, fasta, bam, "--sex", "XX", "--sites", sites) == {
        "chrY": [(601, ".")]
    }
