"""Counts of VCF lines against plain Python and bcftools stats."""

import shutil
import subprocess
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call.kernels.variants import AUTOSOME, ELSEWHERE, X
from lingqu.call.quality import as_text
from lingqu.call.variant_counts import VariantCounts

NO_PAR = np.zeros((0, 2), np.int64)
FILTERS = ["PASS", "LowQual", "StrandBias", "LowQual;StrandBias"]


def alleles(rng) -> tuple[str, list[str]]:
    """REF and one or two ALT: SNVs, indels, MNVs, and what is none of them."""

    def word(most):
        return "".join("ACGT"[k] for k in rng.integers(0, 4, rng.integers(1, most)))

    ref = word(2) if rng.random() < 0.6 else word(60)
    found = []
    while len(found) < (2 if rng.random() < 0.2 else 1):
        draw = rng.random()
        alt = "*" if draw < 0.03 else ref[0] if draw < 0.2 else word(2) if draw < 0.7 else word(70)
        alt = ref + word(5) if 0.7 < draw < 0.8 else alt
        if alt != ref and alt not in found:
            found.append(alt)
    return ref, found


def line_of(rng, pos: int, contig="1") -> str:
    ref, alts = alleles(rng)
    n = len(alts)
    genotype = str(rng.choice(["0/1", "1/1", "1|0", "0|1", "1"] if n == 1 else ["1/2", "2|1"]))
    depth = int(rng.integers(0, 40))
    counts = rng.integers(0, 30, n + 1).tolist()
    name = "." if rng.random() < 0.4 else f"rs{pos}"
    failed = str(rng.choice(FILTERS, p=[0.7, 0.1, 0.1, 0.1]))
    sample = f"{genotype}:30:{depth}:{','.join(map(str, counts))}:0,1,2"
    keys = "GT:GQ:DP:AD:PL"
    if "|" in genotype:
        keys, sample = keys + ":PS:PQ", sample + ":5:30"
    columns = (contig, str(pos), name, ref, ",".join(alts), f"{rng.random() * 1300:.1f}", failed,
               f"DP={depth};MQ=60.0;FS=1.0", keys, sample)  # fmt: skip
    return "\t".join(columns)


def counted(lines, where=AUTOSOME, par=NO_PAR) -> VariantCounts:
    counts = VariantCounts(par)
    for k in range(0, len(lines), 37):
        some = lines[k : k + 37]
        counts.feed(as_text(some), len(some), where)
    return counts


@pytest.fixture(scope="module")
def lines():
    rng = np.random.default_rng(3)
    return [line_of(rng, 1000 + 100 * k) for k in range(3000)]


def change(ref: str, alt: str) -> tuple[str, str]:
    """An allele without what both share at the end, then at the begin."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        ref, alt = ref[1:], alt[1:]
    return ref, alt


def kind_of(ref: str, alt: str) -> str:
    old, new = change(ref, alt)
    if alt == "*":
        return "other"
    if len(old) == len(new):
        return "snv" if len(old) == 1 else "mnv"
    return "insertion" if len(new) > len(old) else "deletion"


def test_counts_are_those_of_plain_python(lines):
    told = counted(lines).told(np.zeros(50, np.int64), True)
    rows = [line.split("\t") for line in lines]
    passed = [row for row in rows if row[6] == "PASS"]
    assert told["records"] == len(rows)
    assert told["passed"] == len(passed)
    assert told["filtered"] == Counter(
        name for row in rows if row[6] != "PASS" for name in row[6].split(";")
    )
    pairs = [(row, alt) for row in passed for alt in row[4].split(",")]
    substitutions = Counter(
        ">".join(change(row[3], alt)) for row, alt in pairs if kind_of(row[3], alt) == "snv"
    )
    assert +Counter(told["substitutions"]) == substitutions
    ts = sum(substitutions[name] for name in ("A>G", "G>A", "C>T", "T>C"))
    assert (told["transitions"], told["transversions"]) == (ts, substitutions.total() - ts)
    assert told["ts_tv"] == pytest.approx(ts / (substitutions.total() - ts), rel=1e-5)
    sizes = Counter()
    for row, alt in pairs:
        old, new = change(row[3], alt)
        if alt != "*" and (not old or not new):
            sizes[str(max(min(len(new) - len(old), 50), -50))] += 1
    assert +Counter(told["indel_lengths"]) == sizes
    for name, wanted in (("snvs", {"snv"}), ("mnvs", {"mnv"})):
        assert told[name] == sum(
            bool(wanted & {kind_of(row[3], alt) for alt in row[4].split(",")}) for row in passed
        )
    assert told["multiallelic"] == sum("," in row[4] for row in passed)
    genotypes = [row[9].split(":")[0].replace("|", "/").split("/") for row in passed]
    assert told["haploid"] == sum(len(one) == 1 for one in genotypes)
    assert told["homozygous"] == sum(len(one) == 2 and one[0] == one[1] for one in genotypes)
    assert told["heterozygous"] == sum(len(set(one)) == 2 for one in genotypes)
    assert told["quality"] == [
        sum(min(int(float(row[5])) // 10, 100) == k for row in passed) for k in range(101)
    ]
    depths = Counter(int(row[9].split(":")[2]) for row in passed)
    assert told["depth"] == [depths[k] for k in range(501)]
    known = [row for row in passed if row[2] != "."]
    assert told["known"]["records"] == len(known)
    assert told["known"]["share"] == pytest.approx(len(known) / len(passed), rel=1e-5)


def test_balance_and_homozygous_reads(lines):
    counts = counted(lines)
    bins, pure = Counter(), np.zeros(6, np.int64)
    for line in lines:
        row = line.split("\t")
        gt, _, depth, counted_reads = row[9].split(":")[:4]
        if row[6] != "PASS" or "," in row[4] or kind_of(row[3], row[4]) != "snv" or int(depth) < 10:
            continue
        ref, alt = map(int, counted_reads.split(","))
        if gt in ("0/1", "0|1", "1|0") and ref + alt:
            bins[min(50 * alt // (ref + alt), 49)] += 1
        elif gt == "1/1" and ref + alt:
            both = ref + alt
            pure += (1, ref, both, ref * ref, ref * both, both * both)
    assert counts.counts.balance.tolist() == [bins[k] for k in range(50)]
    assert counts.counts.pure.tolist() == pure.tolist()
    assert pure[0] > 50
    assert counted(lines, ELSEWHERE).counts.pure.tolist() == [0] * 6


def test_x(lines):
    par = np.array([[0, 50_000], [200_000, 10**9]])
    counts = counted(lines, X, par)
    expected = Counter()
    for line in lines:
        row = line.split("\t")
        gt = row[9].split(":")[0].replace("|", "/")
        snv = any(kind_of(row[3], alt) == "snv" for alt in row[4].split(","))
        if row[6] == "PASS" and snv and 50_000 <= int(row[1]) - 1 < 200_000 and "/" in gt:
            expected["x_homozygous" if gt == "1/1" else "x_heterozygous"] += 1
    assert expected.total() > 300
    assert {name: counts.number(name) for name in expected} == expected
    assert counted(lines).number("x_heterozygous") == 0


def test_stats_are_counts_of_alleles_that_pass(lines):
    stats = counted(lines).stats()
    passed = [row for row in (line.split("\t") for line in lines) if row[6] == "PASS"]
    kinds = Counter(kind_of(row[3], alt) for row in passed for alt in row[4].split(","))
    assert {name: stats[name] for name in kinds} == kinds
    assert stats["heterozygous"] + stats["homozygous"] == stats["pass"] == len(passed)
    assert list(stats) == sorted(stats)
    assert VariantCounts(NO_PAR).stats() == {}


def test_strand_bias():
    row = ["1", "5", ".", "A", "C", "50.0", "PASS", "DP=9", "GT:GQ:DP:AD:PL", "0/1:9:9:4,5:9,0,9"]

    def told(*filters):
        some = ["\t".join([*row[:6], failed, *row[7:]]) for failed in filters]
        return counted(some).told(np.zeros(50, np.int64), False)["strand_bias"]

    assert told("PASS", "PASS", "StrandBias", "LowQual;StrandBias", "LowQual") == 0.333333
    assert told("LowQual") is None


@given(st.integers(0, 2**32))
def test_whatever_the_batches(seed):
    rng = np.random.default_rng(seed)
    some = [line_of(rng, 10 * k + 5) for k in range(20)]
    whole, cut = VariantCounts(NO_PAR), VariantCounts(NO_PAR)
    whole.feed(as_text(some), len(some), AUTOSOME)
    for line in some:
        cut.feed(as_text([line]), 1, AUTOSOME)
    assert all(np.array_equal(a, b) for a, b in zip(whole.counts, cut.counts, strict=True))
    assert whole.filtered == cut.filtered


HEAD = """##fileformat=VCFv4.2
##contig=<ID=1,length=100000000>
##FILTER=<ID=LowQual,Description="x">
##FILTER=<ID=StrandBias,Description="x">
##INFO=<ID=DP,Number=1,Type=Integer,Description="x">
##INFO=<ID=MQ,Number=1,Type=Float,Description="x">
##INFO=<ID=FS,Number=1,Type=Float,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=PL,Number=.,Type=Integer,Description="x">
##FORMAT=<ID=PS,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=PQ,Number=1,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS
"""


@pytest.mark.skipif(not shutil.which("bcftools"), reason="bcftools is not installed")
def test_bcftools_stats(lines, tmp_path):
    """Of records with one ALT allele; of an SNV it looks at the first base of REF only."""
    some = []
    for line in lines:
        ref, alt = line.split("\t")[3:5]
        if "," not in alt and not (kind_of(ref, alt) == "snv" and ref[0] == alt[0]):
            some.append(line)
    path = tmp_path / "a.vcf"
    path.write_text(HEAD + "".join(f"{line}\n" for line in some))
    command = ["bcftools", "stats", "-f", "PASS", "-s", "-", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("#")]
    told = counted(some).told(np.zeros(50, np.int64), False)
    numbers = {row[2]: int(row[3]) for row in rows if row[0] == "SN"}
    names = {"records": "passed", "SNPs": "snvs", "MNPs": "mnvs", "indels": "indels",
             "multiallelic sites": "multiallelic"}  # fmt: skip
    for theirs, ours in names.items():
        assert numbers[f"number of {theirs}:"] == told[ours]
    (tstv,) = [row for row in rows if row[0] == "TSTV"]
    assert [int(tstv[2]), int(tstv[3])] == [told["transitions"], told["transversions"]]
    changes = {row[2]: int(row[3]) for row in rows if row[0] == "ST"}
    assert changes == told["substitutions"]
    sizes = {row[2]: int(row[3]) for row in rows if row[0] == "IDD"}
    ours = {size: n for size, n in told["indel_lengths"].items() if n and abs(int(size)) < 50}
    assert {size: n for size, n in sizes.items() if abs(int(size)) < 50} == ours
