"""What is measured of a sample: name, section, unit, the bad side, and where the number stands.

A sample is an item of `samples` in report.json; its numbers come from the files of its steps. A
measure of a number that no step has told is None.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Sample = dict
Value = float | int | bool | None

COVERED_GENE = 0.95
"""Share of a gene's bases that must have 20 reads for the gene to count as covered."""


@dataclass(frozen=True)
class Measure:
    """A number of a sample, a column of the overview.

    kind: how it is shown, see words.shown. bad: the side that thresholds are on, "low", "high",
    "both" or, of what agrees or not, "differs". counted: how many things `of` counts over.
    """

    name: str
    section: str
    kind: str
    bad: str
    of: Callable[[Sample], Value]
    counted: Callable[[Sample], int | None] = lambda sample: None


def dig(told: dict | None, *keys: str):
    """What stands at the keys, one in the other; None where any is missing."""
    for key in keys:
        if not isinstance(told, dict):
            return None
        told = told.get(key)
    return told


def ratio(part: float | None, whole: float | None) -> float | None:
    """The part of the whole to 6 significant digits; None where either lacks, or of nothing."""
    return float(f"{part / whole:.6g}") if part is not None and whole else None


def mapping(sample: Sample) -> dict:
    """Counts of the alignment: those of its quality file, and where it lacks one, of its stats."""
    return (sample.get("alignment_stats") or {}) | (dig(sample, "qc", "alignment", "mapping") or {})


def mates(sample: Sample) -> list[dict]:
    """What is told of first and second reads, or of single ones."""
    return list((dig(sample, "qc", "alignment", "mates") or {}).values())


def _counted(name: str) -> Callable[[Sample], int | None]:
    return lambda sample: mapping(sample).get(name)


def _of_mapped(name: str) -> Callable[[Sample], float | None]:
    return lambda sample: ratio(mapping(sample).get(name), mapping(sample).get("mapped"))


def _paired(sample: Sample) -> float | None:
    counts = mapping(sample)
    if not counts.get("properly_paired") and not counts.get("singletons"):
        return None  # single reads
    return ratio(counts.get("properly_paired"), counts.get("reads"))


def _duplicates(sample: Sample) -> float | None:
    return _of_mapped("duplicates")(sample) if sample.get("duplicates_marked", True) else None


def _by_bases(name: str) -> Callable[[Sample], float | None]:
    """Mean of a share over the mates, by their bases."""

    def of(sample: Sample) -> float | None:
        told = [mate for mate in mates(sample) if mate.get(name) is not None]
        return ratio(sum(mate[name] * mate["bases"] for mate in told), sum_of(told, "bases"))

    return of


def sum_of(told: list[dict], name: str) -> int:
    """Sum of a number over dictionaries."""
    return sum(one[name] for one in told)


def _most_frequent(counts: list[int]) -> int | None:
    return counts.index(max(counts)) if counts and max(counts) else None


def _read_quality(sample: Sample) -> int | None:
    found = [_most_frequent(mate.get("quality_of_reads") or []) for mate in mates(sample)]
    return min((one for one in found if one is not None), default=None)


def _n_content(sample: Sample) -> float | None:
    return max((max(mate["composition"]["N"], default=0) for mate in mates(sample)), default=None)


def _adapters(sample: Sample) -> float | None:
    found = [
        max((shares[-1] for shares in mate["adapters"].values() if shares), default=0)
        for mate in mates(sample)
    ]
    return max(found, default=None)


def _overrepresented(sample: Sample) -> float | None:
    found = [
        max((one["share"] for one in mate["overrepresented"]), default=0)
        for mate in mates(sample)
        if mate["overrepresented"] is not None
    ]
    return max(found, default=None)


def _coverage(*keys: str) -> Callable[[Sample], float | None]:
    return lambda sample: dig(sample, "qc", "calls", "coverage", *keys)


def _mean_depth(sample: Sample) -> float | None:
    found = _coverage("mean")(sample)
    return dig(sample, "call_stats", "mean_depth") if found is None else found


def _dropout(first: int, last: int) -> Callable[[Sample], float | None]:
    """Picard's dropout of windows of `first` to `last` percent of GC, as a share of the reads."""

    def of(sample: Sample) -> float | None:
        bias = _coverage("gc_bias")(sample)
        if not bias or not sum(bias["windows"]):
            return None
        windows = bias["windows"]
        reads = [n * (depth or 0) for n, depth in zip(windows, bias["depth"], strict=True)]
        all_windows, all_reads = sum(windows), sum(reads)
        if not all_reads:
            return None
        lacks = (windows[gc] / all_windows - reads[gc] / all_reads for gc in range(first, last + 1))
        return float(f"{sum(max(lack, 0.0) for lack in lacks):.6g}")

    return of


def _genes_covered(sample: Sample) -> float | None:
    genes = _coverage("genes")(sample)
    if not genes:
        return None
    return ratio(sum(gene["at_least_20"] >= COVERED_GENE for gene in genes), len(genes))


def _variants(name: str) -> Callable[[Sample], float | None]:
    return lambda sample: dig(sample, "variants", name)


def _all_variants(sample: Sample) -> int | None:
    found = [_variants(name)(sample) for name in ("heterozygous", "homozygous")]
    return None if None in found else sum(found)


def _ts_tv(sample: Sample) -> float | None:
    return ratio(_variants("transitions")(sample), _variants("transversions")(sample))


def _het_hom(sample: Sample) -> float | None:
    if not _variants("heterozygous")(sample):
        return None  # called as haploid
    return ratio(_variants("heterozygous")(sample), _variants("homozygous")(sample))


def _allele_balance(sample: Sample) -> float | None:
    """Mean of the histogram, each bin by its middle."""
    bins = _variants("allele_balance")(sample) or []
    middles = ((number + 0.5) / len(bins) for number in range(len(bins)))
    return ratio(sum(n * at for n, at in zip(bins, middles, strict=True)), sum(bins))


def _balanced(sample: Sample) -> int:
    return sum(_variants("allele_balance")(sample) or [])


def _foreign(method: str) -> Callable[[Sample], float | None]:
    """The share of reads of another person, or what stands for it, where the method was used."""

    def of(sample: Sample) -> float | None:
        told = dig(sample, "qc", "calls", "contamination") or {}
        return told.get("share") if told.get("method") == method else None

    return of


def _kin(name: str) -> Callable[[Sample], Value]:
    return lambda sample: dig(sample, "kin", name)


def _call_rate(sample: Sample) -> float | None:
    sites, missing = dig(sample, "kin", "sites"), dig(sample, "kin", "missing")
    return None if missing is None or not sites else ratio(sites - missing, sites)


def _sex(sample: Sample) -> bool | None:
    found = dig(sample, "qc", "calls", "sex", "agrees")
    return dig(sample, "kin", "sex_agrees") if found is None else found


def _truth(kind: str) -> Callable[[Sample], float | None]:
    return lambda sample: dig(sample, "compare", "rows", kind, "f1")


def _true(kind: str) -> Callable[[Sample], int | None]:
    def counted(sample: Sample) -> int | None:
        row = dig(sample, "compare", "rows", kind)
        return None if row is None else row["tp_truth"] + row["fn"]

    return counted


MEASURES = (
    Measure("reads", "reads", "count", "low", _counted("reads")),
    Measure("q30", "reads", "share", "low", _by_bases("q30")),
    Measure("read_quality", "reads", "phred", "low", _read_quality),
    Measure("gc", "reads", "share", "both", _by_bases("gc")),
    Measure("n_content", "reads", "share", "high", _n_content),
    Measure("adapters", "reads", "share", "high", _adapters),
    Measure("overrepresented", "reads", "share", "high", _overrepresented, _counted("reads")),
    Measure(
        "mapped",
        "alignment",
        "share",
        "low",
        lambda sample: ratio(mapping(sample).get("mapped"), mapping(sample).get("reads")),
    ),
    Measure("properly_paired", "alignment", "share", "low", _paired),
    Measure("duplicates", "alignment", "share", "high", _duplicates),
    Measure("chimeric", "alignment", "share", "high", _of_mapped("mate_elsewhere")),
    Measure("error_rate", "alignment", "share", "high", _counted("error_rate")),
    Measure(
        "insert_size",
        "alignment",
        "bases",
        "low",
        lambda sample: dig(sample, "qc", "alignment", "insert_size", "median"),
    ),
    Measure("mean_depth", "coverage", "depth", "low", _mean_depth),
    Measure("covered_15x", "coverage", "share", "low", _coverage("at_least", "15")),
    Measure("fold_80", "coverage", "ratio", "high", _coverage("fold_80")),
    Measure("evenness", "coverage", "share", "low", _coverage("evenness")),
    Measure("at_dropout", "coverage", "share", "high", _dropout(0, 50)),
    Measure("gc_dropout", "coverage", "share", "high", _dropout(51, 100)),
    Measure("on_target", "coverage", "share", "low", _coverage("on_target", "share")),
    Measure("genes_covered", "coverage", "share", "low", _genes_covered),
    Measure("snvs", "variants", "count", "both", _variants("snvs")),
    Measure("indels", "variants", "count", "both", _variants("indels")),
    Measure("ts_tv", "variants", "ratio", "low", _ts_tv, _variants("snvs")),
    Measure("het_hom", "variants", "ratio", "both", _het_hom, _all_variants),
    Measure("allele_balance", "variants", "share", "both", _allele_balance, _balanced),
    Measure(
        "strand_bias", "variants", "share", "high", _variants("strand_bias"), _variants("snvs")
    ),
    Measure(
        "known",
        "variants",
        "share",
        "low",
        lambda sample: dig(sample, "variants", "known", "share"),
        _all_variants,
    ),
    Measure("contamination", "identity", "share", "high", _foreign("sites")),
    Measure(
        "ref_at_homozygous",
        "identity",
        "share",
        "high",
        _foreign("homozygous"),
        lambda sample: dig(sample, "qc", "calls", "contamination", "sites"),
    ),
    Measure("sex", "identity", "agrees", "differs", _sex),
    Measure("identity", "identity", "agrees", "differs", _kin("itself")),
    Measure("relatives", "identity", "agrees", "differs", _kin("relatives")),
    Measure("call_rate", "identity", "share", "low", _call_rate, _kin("sites")),
    Measure("snv_f1", "truth", "share", "low", _truth("SNV"), _true("SNV")),
    Measure("indel_f1", "truth", "share", "low", _truth("INDEL"), _true("INDEL")),
)
"""All measures, in the order of the overview's columns."""


def measured(sample: Sample) -> Iterator[tuple[Measure, Value, int | None]]:
    """(measure, its value, how many it counts over) of all measures of a sample."""
    for measure in MEASURES:
        yield measure, measure.of(sample), measure.counted(sample)
