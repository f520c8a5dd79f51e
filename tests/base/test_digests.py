"""Digests of files."""

import shutil
import subprocess

import pytest

from lingqu.base.digests import digest_lines, read_digests
from lingqu.base.errors import LingquError


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / name for name in ("empty", "two words", "large")]
    for path, size in zip(paths, (0, 5, 3_000_000), strict=True):
        path.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))
    return [str(path) for path in paths]


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")
def test_sha256sum_agrees(files, tmp_path):
    lines = list(digest_lines(files, 2))
    told = subprocess.run(["sha256sum", *files], capture_output=True, text=True, check=True)
    assert lines == told.stdout.splitlines()
    path = tmp_path / "all.sha256"
    path.write_text("\n".join(lines) + "\n")
    assert list(read_digests(path)) == files
    assert set(read_digests(path).values()) == {line.split()[0] for line in lines}


def test_no_file_of_digests_has_none(tmp_path):
    assert read_digests(tmp_path / "none") == {}


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(LingquError, match="gone: cannot be read"):
        list(digest_lines([str(tmp_path / "gone")]))
