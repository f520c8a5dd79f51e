"""JSON that people can read and programs do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.base.json_text import json_text, significant

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    PLAIN | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(VALUES)
def test_it_is_json(value):
    assert json.loads(json_text(value)) == value


def test_lists_of_plain_values_stand_on_one_line():
    told = {"a": {"b": [1, 2.5, None]}, "c": [], "d": {}, "e": [{"f": 1}]}
    wanted = '{\n "a": {\n  "b": [1, 2.5, null]\n },\n "c": [],\n "d": {},\n'
    assert json_text(told) == wanted + ' "e": [\n  {\n   "f": 1\n  }\n ]\n}'


def test_what_json_has_not_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"a": float("nan")})


def test_significant_digits():
    assert significant({"a": [1 / 3, 2_000_000], "b": 123456.7}) == {
        "a": [0.333333, 2_000_000],
        "b": 123457.0,
    }
