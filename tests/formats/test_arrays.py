"""Files of arrays come back whole, or are known not to be."""

import numpy as np
import pytest

from lingqu.formats.arrays import (
    array_starts,
    finished,
    heard,
    open_arrays,
    whole_facts,
    write_arrays,
)

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


def test_every_flipped_bit_and_every_length_is_noticed(tmp_path):
    path = tmp_path / "x"
    write_arrays(path, {"n": 5}, ARRAYS)
    raw, of_use = path.read_bytes(), set(range(array_starts(path)["a"]))
    for name, start in array_starts(path).items():
        of_use |= set(range(start, start + ARRAYS[name].nbytes))
    for at in range(len(raw)):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :])
        assert whole_facts(path) == (None if at in of_use else {"n": 5})
    for size in range(max(of_use) + 1):
        path.write_bytes(raw[:size])
        assert whole_facts(path) is None


def test_what_is_finished_is_not_made_again_and_damage_is_told(tmp_path, capsys):
    path, made = tmp_path / "chunk-7", []

    def make():
        made.append(1)
        write_arrays(path, {"n": 5}, ARRAYS)
        return {"n": 5}

    for _ in range(2):
        assert heard(finished(path, make)) == {"n": 5}
    assert made == [1]
    assert not capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:-70])
    assert heard(finished(path, make)) == {"n": 5} == whole_facts(path)
    assert made == [1, 1]
    assert capsys.readouterr().err == (
        "chunk-7: left by an earlier run and damaged on the disk; done again\n"
    )
