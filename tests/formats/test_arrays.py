"""Files of arrays come back whole, or are known not to be."""

import numpy as np
import pytest

from lingqu.formats.arrays import array_starts, open_arrays, whole_facts, write_arrays

ARRAYS = {
    "a": np.arange(7, dtype=np.int32),
    "empty": np.empty(0, np.float64),
    "b": np.arange(6, dtype=np.uint64).reshape(2, 3),
}


def test_round_trip(tmp_path):
    path = tmp_path / "x"
    write_arrays(path, {"n": [1, "two"]}, ARRAYS)
    facts, arrays = open_arrays(path)
    assert facts == {"n": [1, "two"]} == whole_facts(path)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert np.array_equal(arrays[name], array)
    start = array_starts(path)["b"]
    assert path.read_bytes()[start:][: ARRAYS["b"].nbytes] == ARRAYS["b"].tobytes()


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "other", "empty"])
def test_what_is_not_whole(damage, tmp_path):
    path = tmp_path / "x"
    write_arrays(path, {}, ARRAYS)
    raw = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(raw[:-64])
    elif damage == "flipped":
        raw[array_starts(path)["b"]] ^= 1
        path.write_bytes(raw)
    else:
        path.write_bytes(b"something else" if damage == "other" else b"")
    assert whole_facts(path) is None
