"""Numbers of a made-up run, shaped as `lingqu.report.numbers.gather` tells them.

Curves look like those of a 30x human genome; some samples have a fault each: little depth,
adapters, contamination, another sex, a swap.
"""

import numpy as np

CONTIGS = [*map(str, range(1, 23)), "X", "Y"]
CYCLES = 150
FAULTS = {3: "depth", 7: "adapters", 11: "contamination", 17: "sex", 23: "quality"}
ADAPTERS = ("Illumina Universal Adapter", "Nextera Transposase Sequence")


def _six(values) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def _hill(rng, length: int, centre: float, width: float, whole: int) -> list[int]:
    at = np.arange(length)
    shares = np.exp(-0.5 * ((at - centre) / width) ** 2)
    return rng.poisson(whole * shares / shares.sum()).tolist()


def mate(rng, fault: str | None, number: int) -> dict:
    cycles = np.arange(CYCLES)
    fall = 0.02 if fault != "quality" else 0.12
    mean = (
        36.5 - 0.5 * number - fall * cycles - 4 * np.exp(-cycles / 3) + rng.normal(0, 0.1, CYCLES)
    )
    bases = {
        "A": 0.295 + rng.normal(0, 0.002, CYCLES),
        "C": 0.205 + rng.normal(0, 0.002, CYCLES),
        "G": 0.205 + rng.normal(0, 0.002, CYCLES),
    }
    told = {base: _six(shares) for base, shares in bases.items()}
    told["T"] = _six(1 - sum(bases.values()))
    told["N"] = [0.0] * CYCLES
    last = 0.16 if fault == "adapters" else 0.004
    adapters = {
        name: _six(last * (cycles / CYCLES) ** 3 / (n + 1)) for n, name in enumerate(ADAPTERS)
    }
    reads = 310_000_000
    return {
        "reads": reads,
        "bases": reads * CYCLES,
        "length": {"first": CYCLES, "counts": [reads]},
        "cycles": list(range(1, CYCLES + 1)),
        "quality_by_cycle": {
            "mean": _six(mean),
            "p10": np.rint(mean - 9).astype(int).tolist(),
            "p25": np.rint(mean - 2).astype(int).tolist(),
            "median": np.rint(mean + 1).astype(int).tolist(),
            "p75": np.rint(mean + 3).astype(int).tolist(),
            "p90": np.rint(mean + 4).astype(int).tolist(),
        },
        "quality_of_reads": _hill(rng, 42, 35 if fault != "quality" else 26, 2, reads),
        "q20": 0.97,
        "q30": 0.935 if fault != "quality" else 0.74,
        "composition": told,
        "gc_of_reads": _hill(rng, 101, 40.5, 9, reads),
        "gc": 0.409,
        "adapters": adapters,
        "overrepresented": [
            {"sequence": "G" * 50, "count": 120_000, "share": 0.00038, "source": None}
        ],
        "duplication_by_sequence": {"levels": _six([0.88, 0.07, 0.02, 0.01, *[0.001] * 12])},
    }


def alignment_qc(rng, name: str, fault: str | None) -> dict:
    reads = 620_000_000
    cycles = np.arange(CYCLES)
    mapped = int(reads * rng.normal(0.9952, 0.0008))
    return {
        "schema": 1,
        "sample": name,
        "mates": {str(number): mate(rng, fault, number) for number in (1, 2)},
        "mapping": {
            "reads": reads,
            "mapped": mapped,
            "properly_paired": int(mapped * 0.985),
            "singletons": 900_000,
            "mate_elsewhere": 3_000_000,
            "secondary": 0,
            "supplementary": 1_800_000,
            "unmapped": reads - mapped,
            "duplicates": int(mapped * rng.normal(0.085, 0.01)),
            "optical_duplicates": 1_200_000,
            "library_size": 3_400_000_000,
            "bases": reads * CYCLES,
            "soft_clipped_bases": 420_000_000,
            "error_rate": float(f"{rng.normal(0.0042, 0.0003):.6g}"),
            "mapq": [9_000_000, *rng.integers(40_000, 900_000, 59).tolist(), mapped - 40_000_000],
        },
        "insert_size": {
            "FR": {"first": 50, "counts": _hill(rng, 900, 350, 88, 300_000_000)},
            "median": 401,
            "mad": 60,
            "mean": 402.3,
            "sd": 89.1,
        },
        "mismatch_by_cycle": {
            str(number): _six(
                0.002 + 0.004 * number * (cycles / CYCLES) ** 3 + 0.003 * np.exp(-cycles / 2)
            )
            for number in (1, 2)
        },
    }


def calls_qc(rng, name: str, fault: str | None, sex: str) -> dict:
    depth = 11.0 if fault == "depth" else float(rng.normal(33, 2))
    whole = 2_900_000_000
    histogram = _hill(rng, 1001, depth, depth**0.5 * 1.25, whole)
    histogram[0] += 9_000_000
    above = np.cumsum(histogram[::-1])[::-1] / sum(histogram)
    profile = {}
    for contig in CONTIGS:
        level = {"X": 0.5 if sex == "XY" else 1, "Y": 0.5 if sex == "XY" else 0.01}.get(contig, 1)
        count = max(6, 86 - 3 * CONTIGS.index(contig))
        profile[contig] = _six(depth * level * (1 + rng.normal(0, 0.06, count)))
    gc = np.arange(101)
    bins = np.arange(50)
    return {
        "schema": 1,
        "sample": name,
        "coverage": {
            "target_bases": whole,
            "regions": "genome",
            "mean": float(f"{depth:.6g}"),
            "median": round(depth),
            "sd": 7.1,
            "at_least": {
                str(n): float(f"{above[n]:.6g}")
                for n in (1, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100)
            },
            "histogram": histogram,
            "others": {
                "contigs": 3,
                "length": 9,
                "target_bases": 9,
                "mean": 1.5,
                "median": 1,
                "covered": 0.5,
            },
            "fold_80": 1.28,
            "evenness": 0.91,
            "contigs": [
                {
                    "name": c,
                    "length": 10**8,
                    "target_bases": 10**8,
                    "mean": depth,
                    "median": depth,
                    "covered": 0.996,
                }
                for c in CONTIGS
            ],
            "profile": {"window": 2_900_000, "contigs": profile},
            "gc_bias": {
                "windows": _hill(rng, 101, 40, 10, 2_000_000),
                "depth": _six(1.04 - 0.0009 * (gc - 40) ** 2 / 10 + rng.normal(0, 0.01, 101)),
            },
            "on_target": None,
            "genes": [
                {
                    "name": f"GENE{n}",
                    "contig": "1",
                    "start": 10_000 * n,
                    "end": 10_000 * n + 5_000,
                    "bases": 1500,
                    "mean": depth,
                    "min": 4,
                    "at_least_20": 0.955 + 0.001 * n,
                    "at_least_30": 0.8,
                }
                for n in range(40)
            ],
        },
        "variants": {
            "records": 4_912_345,
            "filtered": {"LowQual": 80_123, "StrandBias": 1_201},
            "snvs": int(rng.normal(3_950_000, 40_000)),
            "indels": int(rng.normal(880_000, 9_000)),
            "mnvs": 0,
            "multiallelic": 60_000,
            "transitions": 2_660_000,
            "transversions": 1_290_000,
            "ts_tv": 2.06,
            "heterozygous": 2_950_000,
            "homozygous": 1_880_000,
            "het_hom": float(f"{rng.normal(1.57, 0.05):.6g}"),
            "substitutions": {
                f"{a}>{b}": (660_000 if a + b in ("AG", "GA", "CT", "TC") else 160_000)
                for a in "ACGT"
                for b in "ACGT"
                if a != b
            },
            "indel_lengths": {str(n): int(300_000 * 0.72 ** abs(n)) for n in range(-50, 51) if n},
            "allele_balance": np.rint(9e5 * np.exp(-0.5 * ((bins - 24.5) / 5) ** 2))
            .astype(int)
            .tolist(),
            "strand": np.rint(9e5 * np.exp(-0.5 * ((bins - 24.5) / 7) ** 2)).astype(int).tolist(),
            "strand_bias": 0.002,
            "quality": _hill(rng, 100, 45, 20, 4_900_000),
            "depth": _hill(rng, 501, depth, 7, 4_900_000),
            "known": None,
        },
        "sex": {
            "x_ratio": 0.5 if sex == "XY" else 1.0,
            "y_ratio": 0.5 if sex == "XY" else 0.0,
            "x_het_share": 0.1,
            "found": sex,
            "told": {"XY": "male", "XX": "female"}[sex],
            "agrees": fault != "sex",
        },
        "contamination": {
            "method": "sites",
            "share": 0.041 if fault == "contamination" else 0.0004,
            "low": 0.0,
            "high": 0.05,
            "sites": 98_211,
        },
    }


def loci(rng, count: int, piles: int) -> dict:
    """As lingqu.report.loci and pileup tell them, with all kinds of reads."""
    reasons = ("length", "balance", "quality", "filter")
    rows = []
    for number in range(count):
        place = f"{CONTIGS[number % 22]}:{1_000_000 + 7919 * number}"
        ref, alt = [("A", "G"), ("CTT", "C"), ("G", "GACA"), ("T", "C")][number % 4]
        deep = int(rng.integers(10, 60))
        share = round(float(rng.uniform(0.1, 0.9)), 3)
        verdict = "LowQual" if number % 4 == 3 else "PASS"
        rows.append(
            [place, ref, alt, "0/1", deep, share, 20.5 + number, verdict, reasons[number % 4]]
        )
    return {
        "records": 4_912_345,
        "rows": rows,
        "piles": [pile(rng, rows[n], n) for n in range(piles)],
    }


def pile(rng, row: list, number: int) -> dict:
    from lingqu.report.pileup import DIGITS

    window = "".join(rng.choice(list("ACGT"), 61))
    change = {"A": "G", "CTT": "-2", "G": "^3", "T": "c"}[row[1]]
    place = f"{DIGITS[30]}{change}"
    groups = []
    for has in (True, False):
        reads = []
        for n in range(14):
            first, last = sorted(rng.integers(0, 61, 2).tolist())
            first, last = min(first, 29 - n % 5), max(last, 31 + n % 5)
            clip = "<" if n == 3 else ">" if n == 5 else ""
            text = f"{'+-pm'[n % 4 if n % 7 == 0 else n % 2]}{DIGITS[first]}{DIGITS[last]}{clip}"
            reads.append(text + (place if has else ""))
        groups.append(" ".join(reads))
    contig, _, pos = row[0].partition(":")
    return {
        "row": number,
        "place": f"{contig}:{int(pos):,}",
        "first": int(pos) - 30,
        "ref": window,
        "at": 30,
        "size": len(row[1]),
        "allele": f"{row[1]} → {row[2]}",
        "depth": 44,
        "alt": 21,
        "reads": "|".join(groups),
    }


def sample(number: int) -> dict:
    rng = np.random.default_rng(number)
    fault = FAULTS.get(number % 50)
    name = f"S{number + 1:04d}"
    sex = "XY" if number % 2 else "XX"
    calls = calls_qc(rng, name, fault, sex)
    return {
        "name": name,
        "alignment": f"results/align/{name}.bam",
        "entry": "",
        "lanes": [
            {
                "lane": "L1",
                "library": name,
                "platform": "ILLUMINA",
                "unit": "u",
                "r1": "a_R1.fq.gz",
                "r2": "a_R2.fq.gz",
            }
        ],
        "calls": f"results/calls/{name}.vcf.gz",
        "alignment_stats": {
            "reads": 620_000_000,
            "read_groups": {f"{name}.L1": {"reads": 620_000_000}},
        },
        "call_stats": {"mean_depth": 33.0},
        "qc": {"alignment": alignment_qc(rng, name, fault), "calls": calls},
        "variants": calls["variants"],
        "kin": None,
        "missing": [],
    }


def cohort(names: list[str]) -> dict:
    """Some families among strangers, as `joint` tells them."""
    rng = np.random.default_rng(0)
    kinds = {
        "siblings": (0.5, 0.25, 0.02),
        "parent-child": (0.5, 0.25, 0.0),
        "unrelated": (0.0, 0.0, 0.06),
    }
    pairs = []
    for a, first in enumerate(names[:100]):
        for b, second in enumerate(names[:100][a + 1 :], a + 1):
            kind = "unrelated"
            if b - a == 1 and a % 10 == 0:
                kind = "parent-child"
            if b - a == 2 and a % 10 == 4:
                kind = "siblings"
            related, kinship, ibs0 = kinds[kind]
            pairs.append(
                {
                    "a": first,
                    "b": second,
                    "sites": 20_000,
                    "ibs0": int(20_000 * max(0, ibs0 + rng.normal(0, 0.002))),
                    "ibs1": 7000,
                    "ibs2": 10_000,
                    "shared_hets": 4000,
                    "relatedness": float(f"{related + rng.normal(0, 0.02):.4g}"),
                    "kinship": float(f"{kinship + rng.normal(0, 0.01):.4g}"),
                    "found": kind,
                    "told": kind if kind != "unrelated" else None,
                    "agrees": kind != "unrelated" or None,
                }
            )
    places = {name: _six(rng.normal(0, 1, 3) + (n % 3) * 3) for n, name in enumerate(names)}
    genotypes = {
        name: {
            "heterozygous": 9000,
            "homozygous": 5000,
            "reference": 5900,
            "missing": 100,
            "singletons": 40,
        }
        for name in names
    }
    return {
        "schema": 1,
        "samples": names,
        "sites": 20_000,
        "method": "somalier",
        "pairs": pairs,
        "genotypes": genotypes,
        "swaps": [
            {
                "kind": "exchanged",
                "samples": [names[1], names[2]],
                "why": "each is the child of the other's parent",
            }
        ]
        if len(names) > 20
        else [],
        "sexes": {},
        "pca": {"explained": [0.31, 0.12, 0.05], "samples": places} if len(names) > 2 else None,
    }


def numbers(count: int) -> dict:
    """The numbers of a run of `count` samples, judged."""
    from lingqu.report.verdicts import judge, thresholds, worst

    limits = thresholds()
    samples = [sample(number) for number in range(count)]
    for one in samples:
        one["verdicts"] = list(judge(one, limits))
        one["verdict"] = worst(one["verdicts"])
    for one in samples[50:] if count > 200 else []:  # else it would take long to make
        one["qc"] = {"alignment": None, "calls": {"coverage": {"mean": 33.0, "median": 33}}}
    names = [one["name"] for one in samples]
    row = {
        "tp_truth": 3_900_000,
        "fn": 4_000,
        "fp": 3_000,
        "precision": 0.9992,
        "recall": 0.999,
        "f1": 0.9991,
    }
    samples[0]["compare"] = {"rows": {"SNV": row, "INDEL": row}}
    return {
        "schema": 1,
        "lingqu": "0.1.0",
        "workflow": "germline",
        "config": {"reference": "GRCh38.fa", "ploidy": 2, "truth": {}},
        "reference": {
            "file": "refs/GRCh38.fa",
            "contigs": 24,
            "bases": 3_088_269_832,
            "sha256": "0" * 64,
        },
        "samples": samples,
        "cohort": {
            "file": "results/cohort/cohort.vcf.gz",
            "records": 9_000_000,
            "filtered": 100,
            "snvs": 7_000_000,
            "indels": 2_000_000,
            "multiallelic": 5,
            "qc": cohort(names) if count > 1 else None,
        },
    }


def looks(count: int) -> dict[str, dict]:
    """What `lingqu look` wrote of each sample."""
    found = loci(np.random.default_rng(0), 2000, 24)
    return {f"S{number + 1:04d}": found for number in range(count)}


def run(count: int) -> dict:
    """The facts of that run, as `lingqu.report.run.run_facts` tells them."""
    names = [f"S{number + 1:04d}" for number in range(count)]
    numbers = {"seconds": 4000.0, "cpu_seconds": 60_000.0, "memory_mb": 9000.0}
    steps = [
        {"rule": rule, "sample": name, **numbers} for rule in ("align", "call") for name in names
    ]
    sums = {"jobs": count, "hours": 1.1 * count, "core_hours": 16.0 * count, "memory_mb": 9000.0}
    return {
        "schema": 1,
        "versions": {"lingqu": "0.1.0", "snakemake": "9.27"},
        "summary": {"jobs": 2 * count, "job_hours": 2.2 * count, "core_hours": 32.0 * count},
        "rules": {"align": sums, "call": sums | {"core_hours": 9.0 * count}},
        "steps": steps,
        "workers": None,
        "failures": [],
        "commands": ["lingqu align GRCh38.fa a_R1.fq.gz a_R2.fq.gz --sample S0001"],
        "methods": {"en": "Reads were aligned.", "zh": "读段已比对。"},
    }


SECTIONS = [
    "summary",
    "failures",
    "overview",
    "variants",
    "coverage",
    "alignment",
    "reads",
    "truth",
    "cohort",
    "methods",
    "time",
    "provenance",
]
