"""Numbers of templates against a dictionary."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call.kernels.templates import number_templates


@given(st.lists(st.integers(0, 40), max_size=60), st.integers(0, 30))
def test_templates_are_numbered_as_they_come(names, shift):
    hashes = np.array([name << shift for name in names], np.uint64)
    seen: dict[int, int] = {}
    expected = [seen.setdefault(name, len(seen)) for name in names]
    for function in (number_templates, number_templates.py_func):
        template = np.empty(len(names), np.int32)
        slots = np.empty(1 << (2 * len(names)).bit_length(), np.int32)
        assert function(hashes, slots, template) == len(seen)
        assert template.tolist() == expected
