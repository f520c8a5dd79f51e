"""A finished run, written by hand: every key of the real quality files, numbers like theirs."""

import json
import sys
from math import exp
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))  # tests here import modules by bare names

SECTIONS = ["summary", "failures", "overview", "variants", "coverage", "alignment", "reads"]
SECTIONS += ["truth", "cohort", "methods", "time", "provenance"]
CYCLES = 100
READS = 100_000


def bell(count: int, middle: float, spread: float, total: int) -> list[int]:
    """Counts of a normal curve."""
    heights = [exp(-(((at - middle) / spread) ** 2) / 2) for at in range(count)]
    return [round(total * height / sum(heights)) for height in heights]


def mate() -> dict:
    mean = [36 - 4 * cycle / CYCLES for cycle in range(CYCLES)]
    quality = {"mean": mean}
    for name, less in (("p10", 10), ("p25", 4), ("median", 0), ("p75", -1), ("p90", -3)):
        quality[name] = [round(value - less) for value in mean]
    return {
        "reads": READS,
        "bases": READS * CYCLES,
        "length": {"first": CYCLES, "counts": [READS]},
        "cycles": list(range(1, CYCLES + 1)),
        "quality_by_cycle": quality,
        "quality_of_reads": bell(42, 35, 2, READS),
        "q20": 0.97,
        "q30": 0.91,
        "composition": {
            base: [share] * CYCLES
            for base, share in {"A": 0.295, "C": 0.2, "G": 0.205, "T": 0.299, "N": 0.001}.items()
        },
        "gc_of_reads": bell(101, 41, 8, READS),
        "gc": 0.405,
        "adapters": {"Illumina Universal Adapter": [0.0002 * at for at in range(CYCLES)]},
        "overrepresented": [
            {"sequence": "GATTACA" * 7, "count": 50, "share": 0.0005, "source": None}
        ],
        "duplication_by_sequence": {
            "levels": [0.9, 0.08] + [0] * 13 + [0.02],
            "distinct_share": 0.93,
        },
    }


def alignment(sample: str) -> dict:
    reads = 2 * READS
    mapped = reads - 1000
    return {
        "schema": 1,
        "sample": sample,
        "mates": {"1": mate(), "2": mate()},
        "mapping": {
            "reads": reads,
            "mapped": mapped,
            "properly_paired": reads - 4000,
            "singletons": 400,
            "mate_elsewhere": 1200,
            "secondary": 0,
            "supplementary": 500,
            "unmapped": 1000,
            "duplicates": 14_000,
            "optical_duplicates": 900,
            "library_size": 900_000,
            "bases": reads * CYCLES,
            "aligned_bases": mapped * (CYCLES - 1),
            "soft_clipped_bases": mapped,
            "mismatches": 60_000,
            "inserted_bases": 900,
            "deleted_bases": 1100,
            "cigar_bases": mapped * (CYCLES - 1) + 900,
            "edits": 62_000,
            "error_rate": 0.003,
            "mapq": [3000] + [0] * 59 + [mapped - 3000],
        },
        "insert_size": {
            "FR": {
                "pairs": READS - 2000,
                "median": 350,
                "mad": 27,
                "mean": 350.1,
                "sd": 40.2,
                "first": 200,
                "counts": bell(300, 150, 40, READS - 2000),
            },
            "TANDEM": {
                "pairs": 7,
                "median": 211,
                "mad": 1,
                "mean": 210.6,
                "sd": 0.5,
                "first": 210,
                "counts": [3, 4],
            },
            "median": 350,
            "mad": 27,
            "mean": 350.1,
            "sd": 40.2,
        },
        "mismatch_by_cycle": {"1": [0.003] * CYCLES, "2": [0.004] * CYCLES},
    }


def calls(sample: str) -> dict:
    windows = bell(101, 40, 8, 20_000)
    lengths = {str(size): max(0, 200 - 20 * abs(size)) for size in range(-50, 51) if size}
    return {
        "schema": 1,
        "sample": sample,
        "coverage": {
            "target_bases": 1_000_000,
            "regions": "genome",
            "mean": 31.2,
            "median": 31,
            "sd": 6.5,
            "at_least": {"1": 0.99, "5": 0.985, "10": 0.98, "15": 0.97, "20": 0.95, "30": 0.6,
                         "40": 0.1, "50": 0.01, "60": 0.0, "80": 0.0, "100": 0.0},
            "histogram": [10_000, *bell(60, 31, 6, 990_000), *[0] * 940],
            "fold_80": 1.3,
            "evenness": 0.9,
            "contigs": [
                {"name": "20", "length": 63_025_520, "target_bases": 1_000_000, "mean": 31.2,
                 "median": 31, "covered": 0.99}
            ],
            "others": None,
            "profile": {"window": 1000, "contigs": {"20": [31.0] * 1000}},
            "gc_bias": {"windows": windows, "reads": [3 * n for n in windows],
                        "depth": [1.0 if n else None for n in windows]},
            "on_target": None,
            "genes": [
                {"name": name, "contig": "20", "start": 0, "end": 9, "length": 9, "bases": 9,
                 "mean": 30.0, "min": 3, "at_least_20": share, "at_least_30": 0.5}
                for name, share in (("GOOD", 1.0), ("POOR", 0.5))
            ],
        },
        "variants": {
            "records": 3100,
            "passed": 3000,
            "filtered": {"LowQual": 100},
            "snvs": 2600,
            "indels": 390,
            "mnvs": 10,
            "multiallelic": 20,
            "transitions": 1768,
            "transversions": 850,
            "ts_tv": 2.08,
            "heterozygous": 1850,
            "homozygous": 1150,
            "haploid": 0,
            "het_hom": 1.60870,
            "substitutions": {
                f"{ref}>{alt}": 442 if ref + alt in ("AG", "GA", "CT", "TC") else 106
                for ref in "ACGT" for alt in "ACGT" if alt != ref
            },
            "indel_lengths": lengths,
            "allele_balance": bell(50, 24.5, 5, 1500),
            "strand": bell(50, 24.5, 5, 1500),
            "strand_bias": 0.004,
            "quality": bell(101, 60, 20, 3000),
            "depth": bell(501, 31, 6, 3000),
            "known": {"records": 2940, "share": 0.98, "ts_tv_known": 2.1, "ts_tv_novel": 1.6},
        },
        "sex": {"x_ratio": 0.5, "y_ratio": 0.5, "x_het_share": 0.01, "found": "XY", "told": "XY",
                "agrees": True},
        "contamination": {"method": "sites", "share": 0.002, "low": 0.0, "high": 0.005,
                          "sites": 5000},
    }  # fmt: skip


def cohort(samples: list[str]) -> dict:
    """A child and its parent first; who is the third is told wrongly, and is swapped."""
    genotypes = {"heterozygous": 900, "homozygous": 600, "reference": 1480, "missing": 20,
                 "singletons": 90}  # fmt: skip
    counts = {"sites": 3000, "ibs0": 5, "ibs1": 900, "ibs2": 2095, "shared_hets": 500}
    pairs = [
        {"a": one, "b": other, **counts, "relatedness": 0.5, "kinship": 0.25,
         "found": "parent-child", "told": "parent-child" if other == samples[1] else None,
         "agrees": True if other == samples[1] else False if other == samples[2] else None}
        for at, one in enumerate(samples) for other in samples[at + 1 :]
    ]  # fmt: skip
    swaps = (
        [{"kind": "stranger", "samples": [samples[2]], "why": "unlike what is told"}]
        if samples[2:]
        else []
    )
    return {
        "schema": 1,
        "samples": samples,
        "sites": 3000,
        "method": "genotypes of the cohort",
        "pairs": pairs,
        "genotypes": dict.fromkeys(samples, genotypes),
        "swaps": swaps,
        "sexes": {
            name: {
                "x_ratio": 0.5,
                "y_ratio": 0.5,
                "x_het_share": None,
                "found": "XY",
                "told": None,
                "agrees": None,
            }
            for name in samples
        },
        "pca": None,
    }


VCF = """\
##fileformat=VCFv4.2
##contig=<ID=20,length=1000>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	{samples}
20	10	.	A	G	50	PASS	.	GT	{genotypes}
"""


def step(rule: str, sample: str, output: str) -> dict:
    return {"rule": rule, "sample": sample, "output": output,
            "log": f"logs/{rule}/{sample}.log" if sample else f"logs/{rule}.log"}  # fmt: skip


def project(names: list[str], **more) -> dict:
    config = {"reference": "ref.fa", "results": "results", "regions": [], "ploidy": 2,
              "format": "bam", "mark_duplicates": True, "known": None, "truth": {},
              "qc": {"price": {"core_hour": 0.5, "currency": "EUR"}}}  # fmt: skip
    lane = {"lane": "L1", "library": "lib", "platform": "ILLUMINA", "unit": "u", "r1": "a",
            "r2": "b", "umi": ""}  # fmt: skip
    samples = [
        {"name": name, "alignment": f"results/align/{name}.bam", "entry": "", "lanes": [lane],
         "sex": "", "father": "", "mother": ""}
        for name in names
    ]  # fmt: skip
    steps = [step("index", "", "reference.json")]
    for name in names:
        steps += [step("align", name, f"align/{name}.bam")]
        steps += [step("call", name, f"calls/{name}.vcf.gz")]
    steps += [step("joint", "", "cohort/cohort.vcf.gz")]
    told = {"workflow": "germline", "config": config | more, "samples": samples, "steps": steps}
    return told | {"sections": SECTIONS}


@pytest.fixture
def finished(tmp_path, monkeypatch) -> Path:
    """The results of a run of the samples A, B and C in `tmp_path`, its working folder."""
    monkeypatch.chdir(tmp_path)
    names, results = ["A", "B", "C"], tmp_path / "results"
    files = {
        "project.json": project(names),
        "reference.json": {"names": ["20"], "lengths": [1000], "md5s": ["0" * 32]},
        "cohort/cohort.vcf.gz.qc.json": cohort(names),
    }
    for name in names:
        counts = {key: value for key, value in alignment(name)["mapping"].items() if key != "mapq"}
        files[f"align/{name}.bam.stats.json"] = counts | {"read_groups": {}}
        files[f"align/{name}.bam.qc.json"] = alignment(name)
        files[f"calls/{name}.vcf.gz.stats.json"] = {"mean_depth": 31.25}
        files[f"calls/{name}.vcf.gz.qc.json"] = calls(name)
    for name, told in files.items():
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(json.dumps(told))
    for name in names:
        (results / "align" / f"{name}.bam").write_text("")
        (results / "calls" / f"{name}.vcf.gz").write_text(VCF.format(samples=name, genotypes="0/1"))
        (results / "benchmarks" / "align").mkdir(parents=True, exist_ok=True)
        (results / "benchmarks" / "align" / f"{name}.tsv").write_text(
            "s\tmax_rss\tcpu_time\n3600.0\t300.1\t7200.0\n"
        )
    vcf = VCF.format(samples="\t".join(names), genotypes="\t".join(["0/1"] * 3))
    (results / "cohort" / "cohort.vcf.gz").write_text(vcf)
    return results
