"""The index on disk: built once, shared, and never of another state of its FASTA."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from lingqu.align import index as index_module
from lingqu.align.index import open_index
from lingqu.align.kernels.seed import look_up
from lingqu.base.errors import LingquError
from lingqu.formats import reference as reference_module
from lingqu.formats.reference import store_folder
from lingqu.sequence.codes import decode
from lingqu.sequence.kmers import syncmers


def _write(path, codes):
    path.write_text(f">one\n{decode(codes)}\n")


def _count(path):
    return len(open_index(path).entries)


def test_entries_are_sorted_within_buckets(tmp_path, demo_window):
    _write(tmp_path / "a.fa", demo_window[:50_000])
    index = open_index(tmp_path / "a.fa")
    assert index.buckets[-1] == len(index.entries)
    inside = np.ones(len(index.entries) - 1, bool)
    starts = index.buckets[(index.buckets > 0) & (index.buckets < len(index.entries))]
    inside[np.unique(starts).astype(int) - 1] = False
    assert (index.entries[1:] >= index.entries[:-1])[inside].all()


def test_a_changed_fasta_is_indexed_anew(tmp_path, demo_window):
    path = tmp_path / "a.fa"
    _write(path, demo_window[:20_000])
    before = _count(path)
    _write(path, demo_window[:40_000])
    assert _count(path) > before


def test_a_seed_crossing_the_builder_s_windows_is_not_lost(tmp_path, demo_window, monkeypatch):
    path, other = tmp_path / "a.fa", tmp_path / "b.fa"
    _write(path, demo_window[:30_000])
    _write(other, demo_window[:30_000])
    whole = open_index(path)
    monkeypatch.setattr("lingqu.align.index._WINDOW", 97)
    pieces = open_index(other)
    assert (whole.entries == pieces.entries).all()


def test_a_table_made_in_groups_is_the_same(tmp_path, demo_window, monkeypatch):
    path, other = tmp_path / "a.fa", tmp_path / "b.fa"
    _write(path, demo_window[:30_000])
    _write(other, demo_window[:30_000])
    whole = open_index(path)
    monkeypatch.setattr("lingqu.align.index._HELD", 500)
    groups = open_index(other)
    assert (whole.entries == groups.entries).all()
    assert (whole.buckets == groups.buckets).all()


def test_builders_at_once_leave_one_whole_index(tmp_path, demo_window):
    path = tmp_path / "a.fa"
    _write(path, demo_window[:100_000])
    code = "import sys, lingqu.align.index as i; print(len(i.open_index(sys.argv[1]).entries))"
    builders = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    counts = {int(builder.communicate()[0]) for builder in builders}
    assert counts == {_count(path)}
    assert json.loads((store_folder(path) / "seeds.json").read_text())["seeds"] in counts
    assert not list(store_folder(path).glob("*.part"))


def test_a_contig_shorter_than_a_seed_is_borne(tmp_path, demo_window):
    path = tmp_path / "a.fa"
    path.write_text(f">tiny\nACGT\n>one\n{decode(demo_window[:5_000])}\n>none\nNNNN\n")
    assert _count(path) > 500


def test_a_reference_without_seeds_is_borne(tmp_path):
    path = tmp_path / "a.fa"
    path.write_text(">tiny\nACGT\n>none\nNNNN\n")
    assert open_index(path).buckets.max() == 0


def test_a_missing_fasta_is_one_line(tmp_path):
    with pytest.raises(LingquError, match=r"none\.fa: No such file"):
        open_index(tmp_path / "none.fa")


def test_a_small_reference_keeps_all_bits_of_its_seeds(tmp_path, demo_window):
    path = tmp_path / "small.fa"
    _write(path, demo_window[:900])
    index = open_index(path)
    hashes, places = np.empty(1_000, np.uint64), np.empty(1_000, np.int64)
    n = syncmers(demo_window, 0, 900, hashes, places)
    first, count, found = np.empty(n, np.int64), np.empty(n, np.int32), np.empty(n, np.int64)
    look_up(hashes, n, index.buckets, index.entries, index.shift, first, count, found)
    assert n > 100
    assert (count > 0).all()


def test_seeds_of_another_sequence_are_not_trusted(tmp_path, demo_window):
    here, there = tmp_path / "here.fa", tmp_path / "there.fa"
    _write(here, demo_window[:9_000])
    _write(there, demo_window[50_000:80_000])
    wanted = open_index(here).entries.copy()
    open_index(there)
    for name in ("seeds.json", "seeds.u64", "buckets.u32"):
        shutil.copy(store_folder(there) / name, store_folder(here) / name)
    os.utime(here, ns=(1, 1))
    assert (open_index(here).entries == wanted).all()


@pytest.mark.parametrize("name", ["sequence.u8", "seeds.u64", "buckets.u32"])
@pytest.mark.parametrize("how", ["flipped", "cut"])
def test_damage_is_found_and_mended(how, name, tmp_path, demo_window, capsys):
    path = tmp_path / "a.fa"
    _write(path, demo_window[:9_000])
    open_index(path)
    file = store_folder(path) / name
    whole = file.read_bytes()
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    file.write_bytes(damaged if how == "flipped" else whole[:-1])
    for cached in (index_module._open, reference_module._open):
        cached.cache_clear()
    open_index(path, verify=True)
    assert file.read_bytes() == whole
    assert capsys.readouterr().err == f"{file}: damaged on the disk; built again\n"
    open_index(path, verify=True)
    assert not capsys.readouterr().err
