import threading

import numba
import numpy as np
from numba import types

from lingqu.base import kernel_cache
from lingqu.base.kernel_cache import KernelCache, read, write


def test_what_is_written_is_read(tmp_path):
    write(tmp_path / "a", b"code")
    assert read(tmp_path / "a") == b"code"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_missing_empty_and_changed_files_are_none(tmp_path):
    assert read(tmp_path / "a") is None
    write(tmp_path / "a", b"code")
    whole = (tmp_path / "a").read_bytes()
    for damaged in (b"", whole[:3], whole[:-1], whole + b"x", whole[:-1] + b"x"):
        (tmp_path / "a").write_bytes(damaged)
        assert read(tmp_path / "a") is None


def test_a_folder_that_is_gone_or_a_disk_that_is_full_is_borne(tmp_path, monkeypatch):
    write(tmp_path / "none" / "a", b"code")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernel_cache.os, "replace", full)
    write(tmp_path / "a", b"code")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_whole_files_while_writers_replace_them(tmp_path):
    bodies = [bytes([value]) * 200_000 for value in range(3)]
    write(tmp_path / "a", bodies[0])
    writers = [
        threading.Thread(target=lambda body=body: [write(tmp_path / "a", body) for _ in range(30)])
        for body in bodies
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert read(tmp_path / "a") in bodies
    assert len(list(tmp_path.iterdir())) == 1


def _double(value):
    return value * 2


def test_each_kind_of_argument_and_of_processor_has_its_own_file(tmp_path):
    """Two that compile at once can therefore not leave one's code under the other's name."""
    kept = KernelCache(_double, {}, lambda: (tmp_path, None))

    class Codegen:
        def __init__(self, processor):
            self.processor = processor

        def magic_tuple(self):
            return ("x86_64", self.processor, "+avx2")

    signatures = [
        (types.int64,),
        (types.uint64,),
        (types.Array(types.int64, 1, "C"),),
        (types.Array(types.int64, 1, "C", readonly=True),),
        (numba.typeof(np.zeros(3, [("a", np.int32), ("b", np.int64)])),),
        (numba.typeof(np.zeros(3, [("a", np.int64), ("b", np.int32)])),),
    ]
    names = {kept._file(sig, Codegen(cpu)) for sig in signatures for cpu in ("znver3", "skylake")}
    assert len(names) == 12
    assert names == {
        kept._file(sig, Codegen(cpu)) for sig in signatures for cpu in ("znver3", "skylake")
    }
