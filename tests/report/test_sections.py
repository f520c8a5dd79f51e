"""Sections: what each tells of numbers, of gaps in them, and of other workflows."""

import copy
import json
import sys
import types

import pytest
from made import SECTIONS, looks, numbers, run

from lingqu.base.errors import LingquError
from lingqu.report.blocks import axis, digits, line, plot, positions, steps
from lingqu.report.labels import labels, phrase
from lingqu.report.page import page
from lingqu.report.sections import blocks_of, cohort, section
from lingqu.report.svg import svg
from lingqu.report.words import LANGUAGES


@pytest.fixture(scope="module")
def made():
    return numbers(3) | {"run": run(3)}


def everything(blocks: list[dict]):
    for block in blocks:
        yield block
        yield from everything(block.get("blocks", []))


def of_kind(kind: str, blocks: list[dict]) -> list[dict]:
    return [block for block in everything(blocks) if block["kind"] == kind]


def blocks(name: str, made: dict, sample: int = 0) -> list[dict]:
    each = section(name).EACH
    return blocks_of(name, made["samples"][sample] if each else made)


@pytest.mark.parametrize("name", SECTIONS)
def test_plots_have_a_value_for_every_position(made, name):
    for one in of_kind("plot", blocks(name, made)):
        count = len(positions(one["at"]))
        for series in one["series"]:
            for key in {"values", "low", "high"} & set(series):
                assert len(series[key]) == count, (one["title"], series["label"], key)
    for one in of_kind("table", blocks(name, made)):
        assert {len(row) for row in one["rows"]} <= {len(one["columns"])}


def emptied(told):
    """The same with null, [] or {} wherever the schemas of quality files allow it."""
    told = copy.deepcopy(told)
    for sample in told["samples"]:
        alignment, calls = sample["qc"]["alignment"], sample["qc"]["calls"]
        alignment["insert_size"] = None
        for mate in alignment["mates"].values():
            mate |= {"quality_by_cycle": None, "overrepresented": None, "adapters": {}}
            mate |= {"duplication_by_sequence": None, "gc_of_reads": [0] * 101}
        coverage = calls["coverage"]
        coverage |= {"genes": None, "gc_bias": None, "profile": None, "histogram": [0] * 1001}
        calls |= {"contamination": None, "sex": None}
        calls["variants"] |= {"substitutions": {}, "indel_lengths": {}, "allele_balance": [0] * 50}
    qc = told["cohort"]["qc"]
    qc["pca"] = None
    qc["pairs"] = [pair | {"relatedness": None, "found": None} for pair in qc["pairs"]]
    return told


@pytest.mark.parametrize("gaps", ["", "empty", "files", "cohort"])
def test_pages_of_gaps(made, gaps):
    told = emptied(made) if gaps == "empty" else copy.deepcopy(made)
    if gaps == "files":
        for sample in told["samples"]:
            sample |= {"qc": {"alignment": None, "calls": None}, "variants": None}
            sample |= {"alignment_stats": None, "call_stats": None}
        told["reference"] = None
    if gaps == "cohort":
        told["cohort"] = None
    text = page(told, told["run"], SECTIONS, {} if gaps else looks(3))
    assert text.startswith("<!doctype html>")


def test_top_names_what_fails_before_what_warns():
    told = numbers(25)
    (top,) = blocks_of("summary", told | {"run": {}})
    verdicts = [worry["verdict"] for worry in top["worries"]]
    assert verdicts == sorted(verdicts, key=["fail", "warn"].index)
    found = {worry["measure"]: [n for n, _ in worry["samples"]] for worry in top["worries"]}
    assert found["mean_depth"] == [3]
    assert found["contamination"] == [11]
    assert found["sex"] == [17]
    assert top["parts"] is None


def test_heat_has_a_mark_for_every_value(made):
    (heat,) = blocks_of("overview", made)
    assert heat["measures"][:2] == ["mean_depth", "covered_15x"]
    for row, marks in zip(heat["values"], heat["marks"], strict=True):
        assert len(row) == len(marks) == len(heat["measures"])
    fallen = numbers(4)
    (heat,) = blocks_of("overview", fallen)
    assert heat["marks"][3][heat["measures"].index("mean_depth")] == "f"


def test_another_workflow_names_its_sections(made, monkeypatch):
    own = types.ModuleType("elsewhere.pressure")
    own.EACH, own.gather = False, lambda told: {"count": len(told["samples"])}
    own.build = lambda told: [{"kind": "prose", "text": f"{told['count']} <pipes>", "tone": ""}]
    monkeypatch.setitem(sys.modules, "elsewhere", types.ModuleType("elsewhere"))
    monkeypatch.setitem(sys.modules, "elsewhere.pressure", own)
    text = page(made | {"workflow": "water"}, {}, ["overview", "elsewhere.pressure"])
    told = json.loads(text.split('id="told">', 1)[1].split("</script>", 1)[0])
    assert [part["name"] for part in told["sections"]] == ["overview", "elsewhere.pressure"]
    assert "3 &lt;pipes&gt;" in text
    assert "<pipes>" not in text
    assert "water report" in text
    with pytest.raises(LingquError, match="no_such: no section"):
        page(made, {}, ["no_such"])


def test_phrases():
    table = {"a": {"b": "{x} of {y}"}}
    assert phrase(["@a.b", {"x": 1234, "y": None}], table) == "1,234 of –"
    assert phrase("as it is", table) == "as it is"
    assert phrase("@a.not_there", table) == "not there"


def test_digits_are_short():
    assert json.dumps(digits([0.123456, 2.0, None, 123456.0])) == "[0.1235, 2, null, 123500]"


def test_still_pictures_stay_in_their_frame():
    values = [0, 5, None, 100_000]
    for shape in ("line", "area", "bars", "dots"):
        for log in (False, True):
            told = plot(
                "t", axis("x"), axis("y", log=log), steps(0, 4), [line("l", values)], shape=shape
            )
            text = svg(told, str)
            assert text.count("<svg") == 1
            assert "nan" not in text
            assert "inf" not in text
    flat = plot("t", axis("x"), axis("y"), [3], [line("l", [0])])
    assert "<path" in svg(flat, str)


@pytest.mark.parametrize("kind", ["same", "exchanged", "stranger", "pair", "sex"])
def test_every_kind_of_swap_has_its_words(made, kind):
    swap = {"kind": kind, "samples": ["A", "B"], "why": "they differ"}
    told, *_ = cohort.build(cohort.gather(made) | {"swaps": [swap]})
    for language in LANGUAGES:
        said = phrase(told["text"], labels(language))
        assert "A, B" in said
        assert "they differ" in said
