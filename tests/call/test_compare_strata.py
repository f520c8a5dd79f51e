"""Strata: repeats against all substrings, counts against the records that were written."""

import gzip
import json
from collections import Counter

import numpy as np
import pysam
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call.compare import compare
from lingqu.call.compare_strata import STRATA, UNKNOWN, nearest_depth
from lingqu.call.kernels.compare_strata import find_repeats
from lingqu.cli.compare import command
from lingqu.formats.vcf import COLUMNS
from lingqu.sequence.codes import encode


def has_period(text: str, period: int) -> bool:
    """Whether a text is a repeat of its first `period` letters, the last one perhaps in part."""
    return "N" not in text and all(a == b for a, b in zip(text, text[period:], strict=False))


def by_all_substrings(text: str, first: int, last: int) -> tuple[int, int, int]:
    """What `find_repeats` tells of a change, from every substring beside it."""
    left, right = max(first - 1, 0), min(last + 1, len(text))
    spans = [
        text[a:b]
        for a in range(right)
        for b in range(max(a, left) + 1, len(text) + 1)
        if a < right and b > left
    ]
    homopolymer = max(len(span) if has_period(span, 1) else 1 for span in spans)
    best = 0, 0
    for unit in range(2, 7):
        for span in spans:
            if len(span) >= 3 * unit and len(span) > best[1] and has_period(span, unit):
                if not any(has_period(span, k) for k in range(1, unit) if unit % k == 0):
                    best = unit, len(span)
    return homopolymer, *best


@given(st.text("AAACGN", min_size=1, max_size=30), st.integers(0, 30), st.integers(0, 4))
def test_repeats_of_random_texts(text, first, size):
    first = min(first, len(text))
    last = min(first + size, len(text))
    found = [np.zeros(1, np.int64) for _ in range(3)]
    find_repeats(encode(text), np.array([first]), np.array([last]), *found)
    assert tuple(int(array[0]) for array in found) == by_all_substrings(text, first, last)


@pytest.mark.parametrize(
    ("text", "first", "last", "expected"),
    [
        ("GTC" + "A" * 12 + "CTG", 3, 3, (12, 0, 0)),
        ("GTCT" + "CA" * 10 + "GGT", 24, 24, (2, 2, 20)),
        ("GTC" + "AGAT" * 5 + "CGT", 3, 7, (1, 4, 20)),
        ("GTC" + "AAATTT" * 3 + "CGT", 3, 9, (3, 6, 18)),
    ],
)
def test_repeats(text, first, last, expected):
    found = [np.zeros(1, np.int64) for _ in range(3)]
    arrays = encode(text), np.array([first]), np.array([last])
    find_repeats.py_func(*arrays, *found)
    assert (
        tuple(int(array[0]) for array in found) == expected == by_all_substrings(text, first, last)
    )


@given(st.lists(st.integers(0, 3000), max_size=6), st.integers(0, 3000))
def test_nearest_depth(calls, place):
    depth = np.arange(len(calls)) + 10
    (found,) = nearest_depth(np.array([place]), np.array(calls, np.int64), depth).tolist()
    near = min((abs(place - call) for call in calls), default=501)
    if near > 500:
        assert found == UNKNOWN
    else:
        assert abs(calls[found - 10] - place) == near


def of_class(name: str, value: int) -> str:
    """The class of a stratification that a number of bases or reads is in."""
    for word in STRATA[name]:
        low, _, high = word.partition("-")
        if word.endswith("+") and value >= int(word[:-1]):
            return word
        if low.isdecimal() and int(low) <= value <= int(high or low):
            return word
    raise AssertionError(value)


@pytest.fixture(scope="module")
def compared(demo, reference, tmp_path_factory):
    """The demo's truth against a part of it, with some genotypes changed, and what was written."""
    folder = tmp_path_factory.mktemp("strata")
    with (
        pysam.VariantFile(str(demo / "truth.vcf.gz")) as truth,
        open(folder / "calls.vcf", "w") as out,
    ):
        out.write("##fileformat=VCFv4.3\n##contig=<ID=20>\n")
        out.write("\t".join([*COLUMNS, "FORMAT", "S"]) + "\n")
        for number, record in enumerate(truth):
            words = str(record).split("\t")
            if number % 7 == 0:
                continue
            genotype = "0/1" if number % 11 == 0 else words[9].split(":")[0]
            depth = str(number % 130) if number % 5 else "."
            fields = *words[:7], "DP=7" * (number % 10 == 0) or ".", "GT:DP", f"{genotype}:{depth}"
            out.write("\t".join(fields) + "\n")
    paths = demo / "truth.vcf.gz", folder / "calls.vcf"
    return compare(*paths, reference, strata=True, out=folder / "out"), folder / "out", paths


def test_strata_sum_to_the_totals(compared):
    result = compared[0]
    assert result.rows["ALL"].fn > 20
    assert result.rows["ALL"].genotype_fp > 5
    for name, rows in result.strata.items():
        total = Counter()
        for row in rows.values():
            total.update(vars(row))
        assert total == Counter(vars(result.rows["ALL"])), name
    snvs = [result.strata["length"][name].tp_truth for name in ("SNV", "MNV")]
    assert sum(snvs) == result.rows["SNV"].tp_truth


def test_strata_against_the_written_records(compared, reference):
    result, folder, _ = compared
    with gzip.open(reference, "rt") as lines:
        next(lines)
        sequence = "".join(line.strip() for line in lines)
    counted = Counter()
    for column in ("tp-baseline", "fn", "tp", "fp"):
        with pysam.VariantFile(str(folder / f"{column}.vcf.gz")) as found:
            for record in found:
                counted.update((column, *word) for word in words_of(record, sequence))
    names = {"tp-baseline": "tp_truth", "fn": "fn", "tp": "tp_calls", "fp": "fp"}
    for (column, name, word), amount in counted.items():
        assert getattr(result.strata[name][word], names[column]) == amount
    assert sum(counted.values()) > 1000


def trimmed(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """An allele without what it shares with REF, at the right end first."""
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    while ref and alt and ref[0] == alt[0]:
        ref, alt, start = ref[1:], alt[1:], start + 1
    return start, ref, alt


def words_of(record, sequence: str):
    """(stratification, class) of a record, by length and homopolymer."""
    called = record.samples[0].alleles  # the first of two that change as much comes first in GT
    changes = [trimmed(record.start, record.ref, alt) for alt in called if alt != record.ref]
    grown = max((len(alt) - len(ref) for _, ref, alt in changes), key=abs)
    if grown:
        sizes = ((50, "50+"), (16, "16-49"), (6, "6-15"), (2, "2-5"), (1, "1"))
        word = next(word for least, word in sizes if abs(grown) >= least)
        yield "length", f"{'deletion' if grown < 0 else 'insertion'} {word}"
    else:
        yield "length", "MNV" if max(len(alt) for _, _, alt in changes) > 1 else "SNV"
    first = min(start for start, _, _ in changes)
    last = max(start + len(ref) for start, ref, _ in changes)
    around = max(first - 60, 0)
    text = sequence[around : last + 60]
    runs, at = [], 0
    while at < len(text):
        end = at
        while end < len(text) and text[end] == text[at]:
            end += 1
        if at < last + 1 - around and end > first - 1 - around:
            runs.append(end - at)
        at = end
    yield "homopolymer", of_class("homopolymer", max(runs))


def test_depth_is_that_of_the_calls(compared):
    result, folder, _ = compared
    counted = Counter()
    for column, name in (("tp", "tp_calls"), ("fp", "fp")):
        with pysam.VariantFile(str(folder / f"{column}.vcf.gz")) as found:
            for record in found:
                fields = str(record).split("\t")
                depth = fields[9].strip().split(":")[1]
                depth = "7" if depth == "." and fields[7].startswith("DP=7") else depth
                word = "unknown" if depth == "." else of_class("depth", int(depth))
                counted[word, name] += 1
    for (word, name), amount in counted.items():
        assert getattr(result.strata["depth"][word], name) == amount
    assert len(counted) > 10


def test_command_tells_strata_where_asked(compared, reference, tmp_path):
    paths = list(map(str, compared[2]))
    arguments = [*paths, "--reference", str(reference), "--json", str(tmp_path / "s.json")]
    short = CliRunner().invoke(command, arguments, catch_exceptions=False).stdout
    assert "strata" not in json.loads((tmp_path / "s.json").read_text())
    long = CliRunner().invoke(command, [*arguments, "--strata"], catch_exceptions=False).stdout
    assert long.startswith(short)
    heads = [line.split()[0] for line in long.splitlines() if "recall" in line]
    assert heads == ["type", *STRATA]
    told = json.loads((tmp_path / "s.json").read_text())["strata"]
    assert told["length"]["SNV"]["tp_truth"] == compared[0].strata["length"]["SNV"].tp_truth
    assert {name: list(rows) for name, rows in told.items()} == STRATA
