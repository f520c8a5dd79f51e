"""The table of words: whole in each language."""

import re
from collections.abc import Iterator

import pytest
import yaml

from lingqu.report import words as package
from lingqu.report.measures import MEASURES
from lingqu.report.words import LANGUAGES, shown, words

TEXTS = {"low": {"low"}, "high": {"high"}, "both": {"low", "high"}, "differs": {"differs"}}


def leaves(told: dict, above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in told.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def test_languages_have_the_same_keys_and_places():
    tables = [dict(leaves(words(language))) for language in LANGUAGES]
    first = tables[0]
    for other in tables[1:]:
        assert list(other) == list(first)
        for key, text in first.items():
            places = re.findall(r"\{\w*\}", text)
            if key not in ("methods.run", "methods.call"):  # word order differs
                assert sorted(re.findall(r"\{\w*\}", other[key])) == sorted(places), key
            assert set(re.findall(r"\{\w*\}", other[key])) == set(places), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_measure_has_its_words(language):
    table = words(language)
    assert list(table["measures"]) == [measure.name for measure in MEASURES]
    for measure in MEASURES:
        text = table["measures"][measure.name]
        assert set(text) == {"label", "about"} | TEXTS[measure.bad], measure.name
        assert measure.section in table["sections"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_texts(language):
    for key, text in leaves(words(language)):
        assert isinstance(text, str), key
        assert text, key
        assert "  " not in text, key


def test_chinese_has_no_spaces_of_folded_lines_and_its_own_stops():
    wide = "[一-鿿，。；：（）]"
    for key, text in leaves(words("zh")):
        assert not re.search(f"{wide} {wide}", text), key
        assert not re.search(f"{wide}[,;:!?]", text), key


def test_languages_are_those_with_a_file():
    folder = package.__path__[0]
    for language in LANGUAGES:
        with open(f"{folder}/{language}.yaml", encoding="utf-8") as file:
            assert yaml.safe_load(file)["language"]


def test_values_as_people_read_them():
    told = [("share", 0.9954), ("share", 0.0000123), ("share", 0.0), ("depth", 31.24)]
    told += [("bases", 350), ("phred", 36), ("ratio", 2.0812), ("count", 1234567), ("agrees", True)]
    told += [("count", None)]
    english = ["99.54 %", "0.001 %", "0.00 %", "31.2×", "350 bp", "Q36", "2.08", "1,234,567", "yes"]
    assert [shown(kind, value, "en") for kind, value in told] == [*english, "–"]
    chinese = [
        "99.54%",
        "0.001%",
        "0.00%",
        "31.2×",
        "350 bp",
        "Q36",
        "2.08",
        "1,234,567",
        "是",
        "–",
    ]
    assert [shown(kind, value, "zh") for kind, value in told] == chinese
