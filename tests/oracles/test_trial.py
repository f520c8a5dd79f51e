"""Checking and timing, on kernels whose faults are known."""

import numpy as np
import pytest

from lingqu.oracles.trial import Trial, check, measure, shown, unequal, within


def _make(rng, size):
    return {"values": rng.integers(0, 100, size)}


def _trial(kernel, **more):
    """A kernel of a list of numbers that should be their double."""
    return Trial(
        _make,
        lambda values: lambda: kernel(values),
        lambda values: [2 * value for value in values.tolist()],
        "number",
        lambda values: len(values),
        timed=1000,
        **more,
    )


def test_a_right_kernel_agrees():
    assert check(_trial(lambda values: values * 2)) is None


def test_the_smallest_input_that_fails_is_told():
    """Wrong from 7 numbers on; the check's own steps are 1, 6, 11, ..."""
    found = check(_trial(lambda values: values * 2 if len(values) < 7 else values))
    assert found.size == 7
    assert len(found.inputs["values"]) == 7
    again = check(_trial(lambda values: values), 1, found.seed, found.size)
    assert again.inputs["values"].tolist() == found.inputs["values"].tolist()


def test_a_rare_fault_is_found_and_comes_back_with_its_seed():
    def kernel(values):
        return values * 2 + (values == 42)

    found = check(_trial(kernel))
    assert 42 in found.inputs["values"]
    assert check(_trial(kernel), 1, found.seed, found.size).told == found.told
    assert "wanted" in found.told


def test_a_kernel_that_raises_disagrees():
    found = check(_trial(lambda values: values[99]))
    assert found.size == 1
    assert found.told.startswith("raised IndexError: ")


def test_the_inputs_are_those_of_seed_and_size():
    def kernel(values):
        seen.append(values.tolist())
        return values * 2

    seen = []
    check(_trial(kernel), 5, seed=3)
    first, seen = seen, []
    check(_trial(kernel), 5, seed=3)
    assert seen == first
    assert [len(values) for values in first] == [1, 41, 81, 121, 161]
    seen = []
    check(_trial(kernel), 2, seed=4, size=41)
    assert seen[0] == first[1]
    assert len(seen[1]) == 41


@pytest.mark.parametrize(
    ("ours", "wanted", "told"),
    [
        (np.array([1, 2]), np.array([1, 2]), ""),
        (np.array([1, 2]), np.array([1, 3]), "[1, 2], wanted [1, 3]"),
        ([1, [2, 3]], [1, [2, 3]], ""),
        ([1, [2, 3]], [1, [2, 4]], "[1] [1] 3, wanted 4"),
        ([1], [1, 2], "1 values, wanted 2"),
    ],
)
def test_unequal(ours, wanted, told):
    assert unequal({}, ours, wanted) == told


def test_within_a_tolerance():
    near = within(0.1)
    assert near({}, [1.0, 2.0], [1.05, 1.95]) == ""
    assert near({}, [1.0, 2.0], [1.05, 2.5]).startswith("[1] ")
    assert near({}, [1.0, np.nan], [1.0, 2.0]).startswith("[1] ")
    assert near({}, [1.0], [1.0, 2.0]) == "(1,) values, wanted (2,)"


def test_a_timing_counts_units():
    took = measure(_trial(lambda values: values * 2), seconds=0.001)
    assert took.units == 1000
    assert took.compiled == 0
    assert 0 < took.best <= took.median


def test_long_values_are_cut():
    assert shown(np.arange(3)) == "[0, 1, 2]"
    assert len(shown(np.arange(1000))) == 120
