"""Quality numbers as the files of well-known tools, for programs that read those.

Each function gives a file's text, or None where the numbers are not there. Only what Lingqu
measures by the tool's own definition is written, and where the format allows it, who wrote it.
"""

from collections.abc import Callable, Iterable, Sequence
from math import exp

from lingqu import __version__
from lingqu.report.measures import dig

Rows = Iterable[Sequence[object]]

_LEVELS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"]
_LEVELS += [">10", ">50", ">100", ">500", ">1k", ">5k", ">10k"]
_NOT_MEASURED = ("FREE_RH", "FREE_RA", "CHIPMIX", "CHIP_RH", "CHIP_RA", "DPREF", "RDPHET", "RDPALT")
_EXPECTED = {"same": 1, "parent-child": 0.5, "siblings": 0.49, "second degree": 0.25}


def _lines(rows: Rows) -> str:
    return "".join("\t".join(map(_cell, row)) + "\n" for row in rows)


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _grade(value: float, warn: float, fail: float) -> str:
    """FastQC's word for a value that should be low."""
    return "fail" if value > fail else "warn" if value > warn else "pass"


# --- FastQC's fastqc_data.txt, with its own limits ---


def fastqc(name: str, mate: dict) -> str:
    """One mate's reads, as FastQC tells them (fastqc_data.txt)."""
    bases = list(_bases(mate))
    parts = [f"##Lingqu\t{__version__}, in the format of FastQC\n", *_fastqc_basics(name, mate)]
    if mate["quality_by_cycle"]:
        parts += _module("Per base sequence quality", *_by_cycle(mate, bases))
        parts += _module("Per sequence quality scores", *_scores(mate))
    parts += _module("Per base sequence content", *_content(mate, bases))
    parts += _module("Per sequence GC content", *_gc(mate))
    parts += _module("Per base N content", *_n_content(mate, bases))
    parts += _module("Sequence Length Distribution", *_lengths(mate))
    if levels := dig(mate, "duplication_by_sequence", "levels"):
        kept = 100 * mate["duplication_by_sequence"]["distinct_share"]
        parts += _module("Sequence Duplication Levels", *_duplication(levels, kept))
    if mate["overrepresented"] is not None:
        parts += _module("Overrepresented sequences", *_overrepresented(mate))
    if mate["adapters"]:
        parts += _module("Adapter Content", *_adapters(mate, bases))
    return "".join(parts)


def _module(title: str, grade: str, heads: list[str], rows: Rows) -> list[str]:
    head = "#" + "\t".join(heads) + "\n" if heads else ""
    return [f">>{title}\t{grade}\n", head, _lines(rows), ">>END_MODULE\n"]


def _fastqc_basics(name: str, mate: dict) -> list[str]:
    first, counts = mate["length"]["first"], mate["length"]["counts"]
    last = first + len(counts) - 1
    rows = [
        ("Filename", name),
        ("Encoding", "Sanger / Illumina 1.9"),
        ("Total Sequences", mate["reads"]),
        ("Sequence length", str(first) if first == last else f"{first}-{last}"),
        ("%GC", round(100 * mate["gc"])),
    ]
    return _module("Basic Statistics", "pass", ["Measure", "Value"], rows)


def _bases(mate: dict) -> Iterable[str]:
    """The label of each bin of cycles: "7", or "10-14"."""
    firsts = mate["cycles"]
    last = mate["length"]["first"] + len(mate["length"]["counts"]) - 1
    for first, following in zip(firsts, [*firsts[1:], max(last, firsts[-1]) + 1], strict=True):
        yield str(first) if following == first + 1 else f"{first}-{following - 1}"


def _by_cycle(mate: dict, bases: list[str]) -> tuple:
    by = mate["quality_by_cycle"]
    names = ("mean", "median", "p25", "p75", "p10", "p90")
    heads = ["Base", "Mean", "Median", "Lower Quartile", "Upper Quartile"]
    heads += ["10th Percentile", "90th Percentile"]
    low, middle = min(by["p25"], default=99), min(by["median"], default=99)
    grade = "fail" if low < 5 or middle < 20 else "warn" if low < 10 or middle < 25 else "pass"
    return grade, heads, zip(bases, *(by[name] for name in names), strict=True)


def _scores(mate: dict) -> tuple:
    counts = mate["quality_of_reads"]
    mode = counts.index(max(counts)) if counts else 0
    rows = [(quality, float(count)) for quality, count in enumerate(counts) if count]
    return _grade(-mode, -28, -21), ["Quality", "Count"], rows


def _content(mate: dict, bases: list[str]) -> tuple:
    percent = {base: [100 * x for x in shares] for base, shares in mate["composition"].items()}
    pairs = (
        *zip(percent["A"], percent["T"], strict=True),
        *zip(percent["C"], percent["G"], strict=True),
    )
    apart = max((abs(one - other) for one, other in pairs), default=0)
    rows = zip(bases, *(percent[base] for base in "GATC"), strict=True)
    return _grade(apart, 10, 20), ["Base", "G", "A", "T", "C"], rows


def _gc(mate: dict) -> tuple:
    """Graded by the distance to the normal curve that fits best, as FastQC has it."""
    counts = mate["gc_of_reads"]
    rows = [(percent, float(count)) for percent, count in enumerate(counts)]
    return _grade(_from_normal(counts), 15, 30), ["GC Content", "Count"], rows


def _from_normal(counts: list[int]) -> float:
    total = sum(counts)
    if total < 2:
        return 0.0
    high = [at for at, count in enumerate(counts) if count > 0.9 * max(counts)]
    mode = sum(high) / len(high)
    spread = sum(count * (at - mode) ** 2 for at, count in enumerate(counts)) / (total - 1)
    curve = [exp(-((at - mode) ** 2) / (2 * spread or 1)) for at in range(len(counts))]
    scale = total / sum(curve)
    apart = sum(abs(count - scale * x) for count, x in zip(counts, curve, strict=True))
    return 100 * apart / total


def _n_content(mate: dict, bases: list[str]) -> tuple:
    percent = [100 * share for share in mate["composition"]["N"]]
    rows = zip(bases, map(float, percent), strict=True)
    return _grade(max(percent, default=0), 5, 20), ["Base", "N-Count"], rows


def _lengths(mate: dict) -> tuple:
    counts = enumerate(mate["length"]["counts"], mate["length"]["first"])
    rows = [(length, float(count)) for length, count in counts if count]
    return "pass" if len(rows) < 2 else "warn", ["Length", "Count"], rows


def _duplication(levels: list, kept: float) -> tuple:
    total = sum(levels) or 1
    rows: list = [("#Duplication Level", "Percentage of total")]
    rows += [(name, 100 * x / total) for name, x in zip(_LEVELS, levels, strict=True)]
    return _grade(-kept, -70, -50), ["Total Deduplicated Percentage", f"{kept:.6g}"], rows


def _overrepresented(mate: dict) -> tuple:
    found = mate["overrepresented"]
    rows = [
        (one["sequence"], one["count"], 100 * one["share"], one["source"] or "No Hit")
        for one in found
    ]
    most = max((100 * one["share"] for one in found), default=0)
    heads = ["Sequence", "Count", "Percentage", "Possible Source"] if rows else []
    return _grade(most, 0.1, 1), heads, rows


def _adapters(mate: dict, bases: list[str]) -> tuple:
    shares = mate["adapters"]
    most = max(max(one, default=0) for one in shares.values())
    columns = ([100 * x for x in one] for one in shares.values())
    return _grade(100 * most, 5, 10), ["Position", *shares], zip(bases, *columns, strict=False)


# --- the alignment ---


def _said(tool: str) -> str:
    """The line by which readers know a format, and whose it is here."""
    return (
        f"# Written by Lingqu {__version__}, in the format of files that say:\n"
        f"# This file was produced by {tool}\n"
    )


def samtools_stats(qc: dict) -> str:
    """The summary numbers of samtools stats."""
    counts = qc["mapping"]
    sums = {
        "raw total sequences": counts["reads"],
        "filtered sequences": 0,
        "sequences": counts["reads"],
        "reads mapped": counts["mapped"],
        "reads mapped and paired": _both_mapped(qc),
        "reads unmapped": counts["unmapped"],
        "reads properly paired": counts["properly_paired"],
        "reads duplicated": counts["duplicates"],
        "reads MQ0": counts["mapq"][0],
        "non-primary alignments": counts["secondary"],
        "supplementary alignments": counts["supplementary"],
        "total length": counts["bases"],
        "bases mapped (cigar)": counts["cigar_bases"],
        "mismatches": counts["edits"],
        "error rate": counts["error_rate"],
        "insert size average": dig(qc, "insert_size", "mean") or 0,
        "insert size standard deviation": dig(qc, "insert_size", "sd") or 0,
        "pairs on different chromosomes": counts["mate_elsewhere"] // 2,
    }
    rows = [("SN", f"{name}:", value) for name, value in sums.items()]
    return _said("samtools stats") + _lines(rows)


def _both_mapped(qc: dict) -> int:
    """Reads whose mate is mapped, too; none of single-end reads."""
    counts = qc["mapping"]
    return counts["mapped"] - counts["singletons"] if "2" in qc["mates"] else 0


def _picard(tool: str, sample: str, metrics: str, rows: Rows) -> str:
    return (
        f"# Lingqu {__version__} in the format of {tool} INPUT={sample}\n"
        f"## METRICS CLASS\tpicard.analysis.{metrics}\n{_lines(rows)}\n"
    )


def insert_sizes(sample: str, qc: dict) -> str | None:
    """Picard's CollectInsertSizeMetrics: a row an orientation, and the histogram of all."""
    sizes = qc.get("insert_size") or {}
    found = {name: sizes[name] for name in ("FR", "RF", "TANDEM") if sizes.get(name)}
    if not found:
        return None
    heads = ["MEDIAN_INSERT_SIZE", "MEDIAN_ABSOLUTE_DEVIATION", "MEAN_INSERT_SIZE"]
    heads += ["STANDARD_DEVIATION", "READ_PAIRS", "PAIR_ORIENTATION"]
    keys = ("median", "mad", "mean", "sd", "pairs")
    rows = [[*(one[key] or 0 for key in keys), name] for name, one in found.items()]
    first = min(one["first"] for one in found.values())
    last = max(one["first"] + len(one["counts"]) for one in found.values())
    counts = {name: dict(enumerate(one["counts"], one["first"])) for name, one in found.items()}
    table = [["insert_size", *(f"All_Reads.{name.lower()}_count" for name in found)]]
    for size in range(first, last):
        told = [counts[name].get(size, 0) for name in found]
        table += [[size, *told]] if any(told) else []
    text = _picard("CollectInsertSizeMetrics", sample, "InsertSizeMetrics", [heads, *rows])
    return f"{text}## HISTOGRAM\tjava.lang.Integer\n{_lines(table)}"


# --- the calls ---


def gc_bias(sample: str, qc: dict) -> str | None:
    """Picard's CollectGcBiasMetrics, a row for each percent of GC."""
    bias = dig(qc, "coverage", "gc_bias")
    if not bias:
        return None
    rows: list = [("ACCUMULATION_LEVEL", "GC", "WINDOWS", "NORMALIZED_COVERAGE")]
    for percent, (windows, depth) in enumerate(zip(bias["windows"], bias["depth"], strict=True)):
        rows.append(("All Reads", percent, windows, float(depth or 0)))
    return _picard("CollectGcBiasMetrics", sample, "GcBiasDetailMetrics", rows)


def depth_distribution(qc: dict) -> str:
    """The dist.txt of mosdepth, all targets: share of the bases at each depth or more."""
    histogram = qc["coverage"]["histogram"]
    total, above, rows = sum(histogram) or 1, 0, []
    for depth in range(len(histogram) - 1, -1, -1):
        above += histogram[depth]
        if above:
            rows.append(("total", depth, f"{above / total:.6f}"))
    return _lines(rows)


def depth_summary(qc: dict) -> str:
    """The summary.txt of mosdepth."""
    coverage = qc["coverage"]
    found = [depth for depth, bases in enumerate(coverage["histogram"]) if bases] or [0]
    length, mean = coverage["target_bases"], coverage["mean"]
    name = "total" if coverage["regions"] == "genome" else "total_region"
    rows = [("chrom", "length", "bases", "mean", "min", "max")]
    row = (name, length, round(length * mean), f"{mean:.2f}", found[0], found[-1])
    return _lines([*rows, row])


def bcftools_stats(sample: str, qc: dict) -> str | None:
    """The sections SN, TSTV, ST, IDD and DP of bcftools stats, of records that pass."""
    counts = qc.get("variants")
    if not counts:
        return None
    rows: list = [("ID", 0, sample), ("SN", 0, "number of samples:", 1)]
    named = {"records": "passed", "SNPs": "snvs", "MNPs": "mnvs", "indels": "indels"}
    named["multiallelic sites"] = "multiallelic"
    rows += [("SN", 0, f"number of {name}:", counts.get(key) or 0) for name, key in named.items()]
    change = counts["transitions"], counts["transversions"], f"{counts['ts_tv'] or 0:.2f}"
    rows.append(("TSTV", 0, *change, *change))
    rows += [("ST", 0, name, count) for name, count in counts["substitutions"].items()]
    lengths = sorted((int(length), n) for length, n in counts["indel_lengths"].items())
    rows += [("IDD", 0, length, n) for length, n in lengths if n]
    total = sum(counts["depth"]) or 1
    last = len(counts["depth"]) - 1
    for depth, n in enumerate(counts["depth"]):
        if n:
            name = f">{depth}" if depth == last else depth
            rows.append(("DP", 0, name, 0, 0.0, n, 100 * n / total))
    return _said("bcftools stats") + _lines(rows)


def self_sm(sample: str, qc: dict) -> str | None:
    """VerifyBamID's selfSM, where its likelihood was used."""
    found = qc.get("contamination") or {}
    if found.get("method") != "sites" or found.get("share") is None:
        return None
    told = {"#SEQ_ID": sample, "RG": "ALL", "CHIP_ID": "NA", "#SNPS": found["sites"]}
    told |= {"FREEMIX": float(found["share"])} | dict.fromkeys(_NOT_MEASURED, "NA")
    return _lines([told.keys(), told.values()])


# --- the cohort ---


def somalier_pairs(qc: dict) -> str | None:
    """The pairs.tsv of somalier; what it has and Lingqu has not is nan."""
    if not qc["pairs"]:
        return None
    heads = ["#sample_a", "sample_b", "relatedness", "ibs0", "ibs2", "hom_concordance"]
    rows: list = [[*heads, "shared_hets", "n", "expected_relatedness"]]
    for pair in qc["pairs"]:
        counts = [pair["ibs0"], pair["ibs2"], "nan", pair["shared_hets"], pair["sites"]]
        near = "nan" if pair["relatedness"] is None else float(pair["relatedness"])
        rows.append([pair["a"], pair["b"], near, *counts, _EXPECTED.get(pair.get("told"), -1)])
    return _lines(rows)


OF_CALLS: dict[str, Callable[[str, dict], str | None]] = {
    "gc_bias_metrics.txt": gc_bias,
    "bcftools_stats.txt": bcftools_stats,
    "selfSM": self_sm,
}
"""Ending of a file's name to what writes it, of a sample's name and its calls' quality."""
