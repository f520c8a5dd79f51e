"""Copies of files on a disk of the machine."""

import os
import shutil
from collections import namedtuple
from multiprocessing import get_context

import pytest

from lingqu.base import staging
from lingqu.base.staging import STAGE_VARIABLE, staged


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "seeds"
    path.write_bytes(os.urandom(100_000))
    return path


@pytest.fixture
def disk(tmp_path, monkeypatch):
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv(STAGE_VARIABLE, str(folder))
    return folder


def test_without_a_folder_the_file_itself_is_used(file, monkeypatch):
    monkeypatch.delenv(STAGE_VARIABLE, raising=False)
    assert staged(file) == file


def test_the_copy_is_made_once_and_anew_when_the_file_has_changed(file, disk, capsys):
    copy = staged(file)
    assert copy.parent == disk
    assert copy.read_bytes() == file.read_bytes()
    told = copy.stat()
    assert staged(file) == copy
    assert copy.stat().st_ino == told.st_ino
    assert capsys.readouterr().err.count("copied to") == 1
    file.write_bytes(b"changed")
    assert staged(file) != copy
    assert staged(file).read_bytes() == b"changed"


def test_processes_that_ask_at_once_share_one_copy(file, disk):
    with get_context("fork").Pool(4) as pool:
        copies = set(pool.map(staged, [file] * 16))
    assert len(copies) == 1
    assert [path for path in disk.iterdir() if not path.name.endswith(".lock")] == list(copies)


def test_without_room_the_file_itself_is_used_and_that_is_told(file, disk, monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, staging._SPARE))
    assert staged(file) == file
    assert "needs 0.0 GB and some more" in capsys.readouterr().err


def test_a_copy_that_fails_leaves_nothing(file, disk, monkeypatch, capsys):
    def full(_source, target):
        target.write_bytes(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    assert staged(file) == file
    assert "No space left on device" in capsys.readouterr().err
    assert [path for path in disk.iterdir() if not path.name.endswith(".lock")] == []
