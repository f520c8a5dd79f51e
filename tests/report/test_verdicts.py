"""Thresholds and verdicts."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lingqu.base.errors import LingquError
from lingqu.report.measures import MEASURES, Measure
from lingqu.report.numbers import gather, relatives
from lingqu.report.verdicts import ORDER, packaged, sentence, thresholds, verdict, worst
from lingqu.report.words import LANGUAGES

NAMES = [measure.name for measure in MEASURES]


def of(bad: str, value, threshold: dict, counted: int | None = None) -> dict:
    measure = next(m for m in MEASURES if m.bad == bad)
    return verdict(measure, value, counted, threshold)


def test_packaged_thresholds_are_of_all_measures_in_their_order_with_a_source_each():
    assert list(yaml.safe_load(packaged().read_text())) == NAMES
    assert list(thresholds()) == NAMES
    for line in packaged().read_text().splitlines():
        if re.match(r"\w+: \{.*\d", line) and "needs" not in line:
            assert "#" in line, line


@pytest.mark.parametrize(
    ("bad", "value", "threshold", "level", "side", "limit"),
    [
        ("low", 0.95, {"warn": 0.95, "fail": 0.8}, "pass", None, None),
        ("low", 0.94, {"warn": 0.95, "fail": 0.8}, "warn", "below", 0.95),
        ("low", 0.79, {"warn": 0.95, "fail": 0.8}, "fail", "below", 0.8),
        ("low", 0.79, {"fail": 0.8}, "fail", "below", 0.8),
        ("high", 0.05, {"warn": 0.05, "fail": 0.1}, "pass", None, None),
        ("high", 0.11, {"warn": 0.05, "fail": 0.1}, "fail", "above", 0.1),
        ("both", 0.3, {"warn": [0.38, 0.44], "fail": [0.35, 0.5]}, "fail", "below", 0.35),
        ("both", 0.45, {"warn": [0.38, 0.44], "fail": [0.35, 0.5]}, "warn", "above", 0.44),
        ("both", 0.4, {"warn": [0.38, 0.44], "fail": [0.35, 0.5]}, "pass", None, None),
        ("differs", True, {"fail": False}, "pass", None, None),
        ("differs", False, {"fail": False}, "fail", "differs", False),
        ("differs", False, {"warn": False}, "warn", "differs", False),
    ],
)
def test_verdicts(bad, value, threshold, level, side, limit):
    found = of(bad, value, threshold)
    assert (found["verdict"], found["side"], found["limit"]) == (level, side, limit)
    assert found["why"] is None


@pytest.mark.parametrize(
    ("value", "threshold", "counted", "why"),
    [
        (None, {"warn": 1, "fail": 0}, 5, "missing"),
        (3, {}, 5, "unset"),
        (3, {"warn": None, "fail": None}, 5, "unset"),
        (0, {"warn": 2, "fail": 1, "needs": 6}, 5, "few"),
        (0, {"warn": 2, "fail": 1, "needs": 6}, None, "few"),
    ],
)
def test_no_verdict_says_why(value, threshold, counted, why):
    found = of("low", value, threshold, counted)
    assert (found["verdict"], found["why"]) == (None, why)
    for language in LANGUAGES:
        assert sentence(found, language)


@given(
    st.sampled_from(["low", "high", "both"]),
    st.floats(-10, 10),
    st.lists(st.floats(-10, 10), min_size=4, max_size=4),
)
def test_a_worse_value_has_no_better_verdict(bad, value, limits):
    low_fail, low, high, high_fail = sorted(limits)
    warn = {"low": low, "high": high, "both": [low, high]}[bad]
    fail = {"low": low_fail, "high": high_fail, "both": [low_fail, high_fail]}[bad]
    threshold = {"warn": warn, "fail": fail}

    def level(x: float) -> int:
        return ORDER.index(of(bad, x, threshold)["verdict"])

    if bad == "low" or (bad == "both" and value < low):
        assert level(value - 1) >= level(value)
    elif bad == "high" or value > high:
        assert level(value + 1) >= level(value)
    else:
        assert level(value) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("maped: {warn: 1}", "no such measure"),
        ("mapped: 0.9", "must be {warn"),
        ("mapped: {wrn: 0.9}", "must be {warn"),
        ("mapped: {warn: [0.1, 0.2]}", "one number"),
        ("mapped: {warn: high}", "one number"),
        ("mapped: {warn: 0.8, fail: 0.9}", "must lie beyond"),
        ("duplicates: {warn: 0.3, fail: 0.2}", "must lie beyond"),
        ("gc: {warn: 0.4}", "[from, to]"),
        ("gc: {warn: [0.3, 0.5], fail: [0.4, 0.6]}", "must lie beyond"),
        ("sex: {fail: 0.5}", "can only be false"),
        ("ts_tv: {warn: 1.9, needs: many}", "'needs' must be a whole number"),
        ("- mapped", "must be measures"),
        ("mapped: {", "no YAML"),
    ],
)
def test_faults_of_thresholds_are_told(tmp_path, text, told):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(LingquError, match=re.escape(told)) as fault:
        thresholds(path)
    assert str(path) in str(fault.value)


def test_own_thresholds_replace_those_they_name(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("mapped: {warn: 0.5}\nq30:\n")
    found = thresholds(path)
    assert found["mapped"] == {"warn": 0.5}
    assert found["q30"] == {}
    assert found["gc"] == thresholds()["gc"]


def test_worst():
    assert worst([{"verdict": x} for x in ("pass", None, "warn", "pass")]) == "warn"
    assert worst([{"verdict": None}]) is None


def test_verdicts_of_samples(finished):
    one, _, third = gather(finished / "project.json")["samples"]
    marked = {told["measure"]: told["verdict"] for told in one["verdicts"] if told["side"]}
    assert marked == {"genes_covered": "fail", "relatives": "fail"}
    silent = {told["measure"]: told["why"] for told in one["verdicts"] if told["why"]}
    unset = {"reads", "snvs", "indels"}
    assert {name for name, why in silent.items() if why == "unset"} == unset
    missing = {"on_target", "ref_at_homozygous", "snv_f1", "indel_f1"}
    assert {name for name, why in silent.items() if why == "missing"} == missing
    swapped = {told["measure"] for told in third["verdicts"] if told["side"] == "differs"}
    assert swapped == {"identity", "relatives"}
    assert one["verdict"] == "fail"


def test_a_sentence_tells_value_limit_meaning_and_what_to_do(finished):
    one, *_ = gather(finished / "project.json")["samples"]
    (told,) = [v for v in one["verdicts"] if v["measure"] == "genes_covered"]
    english, chinese = (sentence(told, language) for language in LANGUAGES)
    assert english.startswith("Genes covered: 50.00 %, where 80.00 % is the least. Some genes")
    assert chinese.startswith("覆盖达标基因比例：50.00%，低于下限 80.00%。此样本中有些基因")


def test_measures_of_known_numbers(finished):
    one, *_ = gather(finished / "project.json")["samples"]
    values = {told["measure"]: told["value"] for told in one["verdicts"]}
    expected = {
        "reads": 200_000,
        "q30": 0.91,
        "read_quality": 35,
        "n_content": 0.001,
        "adapters": 0.0198,
        "overrepresented": 0.0005,
        "mapped": 0.995,
        "properly_paired": 0.98,
        "error_rate": 0.003,
        "insert_size": 350,
        "mean_depth": 31.2,
        "covered_15x": 0.97,
        "at_dropout": 0.0,
        "genes_covered": 0.5,
        "ts_tv": 2.08,
        "het_hom": 1.6087,
        "sex": True,
        "call_rate": round(2980 / 3000, 6),
        "contamination": 0.002,
    }
    found = {name: values[name] for name in expected}
    assert found == pytest.approx(expected, abs=1e-5)
    assert values["allele_balance"] == pytest.approx(0.5, abs=0.01)
    assert values["duplicates"] == pytest.approx(14_000 / 199_000, rel=1e-5)


def test_a_sample_that_could_not_be_compared_is_not_called_itself():
    pair = {"a": "A", "b": "B", "found": None, "agrees": None}
    qc = {"samples": ["A", "B"], "pairs": [pair], "swaps": [], "genotypes": {}, "sexes": {}}
    assert relatives(qc)["A"]["itself"] is None
    assert relatives(qc | {"pairs": [pair | {"found": "unrelated"}]})["A"]["itself"] is True
    swap = {"kind": "same", "samples": ["A", "B"], "why": "one person"}
    assert relatives(qc | {"swaps": [swap]})["B"]["itself"] is False


def test_dropout_is_the_reads_that_poor_windows_lack():
    at = next(measure for measure in MEASURES if measure.name == "at_dropout")
    windows, depth = [0] * 101, [None] * 101
    windows[30], windows[60] = 500, 500
    depth[30], depth[60] = 0.5, 1.5
    sample = {"qc": {"calls": {"coverage": {"gc_bias": {"windows": windows, "depth": depth}}}}}
    assert at.of(sample) == pytest.approx(0.25)


def test_what_stands_for_contamination_is_not_called_so():
    told = {"method": "homozygous", "share": 0.03, "sites": 5000}
    sample = {"qc": {"calls": {"contamination": told}}}
    values = {m.name: (m.of(sample), m.counted(sample)) for m in MEASURES}
    assert values["contamination"] == (None, None)
    assert values["ref_at_homozygous"] == (0.03, 5000)


@pytest.mark.parametrize("measure", MEASURES, ids=NAMES)
def test_a_sample_without_numbers_has_no_measures(measure: Measure):
    empty = {"qc": {"alignment": None, "calls": None}, "variants": None, "kin": None}
    for sample in ({}, empty):
        assert measure.of(sample) is None
        assert not measure.counted(sample)


def test_unmarked_duplicates_are_not_measured():
    duplicates = next(measure for measure in MEASURES if measure.name == "duplicates")
    counts = {"mapped": 10, "duplicates": 0}
    assert duplicates.of({"alignment_stats": counts}) == 0
    assert duplicates.of({"alignment_stats": counts, "duplicates_marked": False}) is None


def test_the_packaged_file_is_where_users_find_it():
    assert packaged().parent == Path(__file__).parents[2] / "config"
