"""The folder that outlives a run that was stopped, and no other."""

import os

import pytest

from lingqu.base.checkpoint import checkpoint, digest, file_facts
from lingqu.base.errors import LingquError


def test_kept_on_failure_and_removed_on_success(tmp_path):
    out = tmp_path / "new" / "x.bam"
    with pytest.raises(KeyError), checkpoint(out, {"a": 1}) as folder:
        (folder / "chunk").write_text("done")
        (folder / "parts").mkdir()
        (folder / "parts" / ".begun").write_text("ha")
        raise KeyError
    with checkpoint(out, {"a": 1}) as again:
        assert not list((again / "parts").iterdir())
        assert again.parent == folder.parent
        assert again != folder
        assert (again / "chunk").read_text() == "done"
    assert list(out.parent.iterdir()) == []


def test_outputs_are_apart(tmp_path):
    with (
        checkpoint(tmp_path / "x.bam", {"a": 1}) as one,
        checkpoint(tmp_path / "y.bam", {"a": 1}) as two,
    ):
        assert one != two
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", [1, 2])
def test_one_run_at_a_time(other, tmp_path):
    with (
        checkpoint(tmp_path / "x.bam", {"a": 1}),
        pytest.raises(LingquError, match=r"x\.bam: another run"),
        checkpoint(tmp_path / "x.bam", {"a": other}),
    ):
        pass


def test_a_removed_lock_is_none(tmp_path, monkeypatch):
    out, lock = tmp_path / "x.bam", tmp_path / ".lingqu" / "x.bam.lock"
    original = os.open

    def late(path, *arguments):
        """Between open and flock, the last holder removes the lock."""
        monkeypatch.undo()
        handle = original(path, *arguments)
        lock.unlink()
        return handle

    monkeypatch.setattr(os, "open", late)
    with (
        checkpoint(out, {}),
        pytest.raises(LingquError, match="another run"),
        checkpoint(out, {}),
    ):
        pass


def test_what_killed_runs_left_is_removed(tmp_path):
    out, state = tmp_path / "x.bam", tmp_path / ".lingqu"
    for name in ("x.bam", "y.bam"):
        with pytest.raises(KeyError), checkpoint(tmp_path / name, {"a": 1}) as folder:
            (folder / "chunk").write_text("done")
            raise KeyError
    (state / "x.bam.0123abcd.part").mkdir()
    (state / "x.bam.bai.0123abcd.part").mkdir()
    with checkpoint(out, {"a": 2}) as mine:
        assert {path.name for path in state.iterdir()} == {
            "x.bam.checkpoint", "x.bam.lock", "x.bam.bai.0123abcd.part",
            "y.bam.checkpoint", "y.bam.lock",
        }  # fmt: skip
        assert list(mine.parent.iterdir()) == [mine]
        assert not list(mine.iterdir())


@pytest.mark.parametrize("folder", ["file", "/proc/none"])
def test_unwritable(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LingquError, match="cannot write there"),
        checkpoint(tmp_path / folder / "x.bam", {}),
    ):
        pass


def test_facts(tmp_path):
    path = tmp_path / "x"
    path.write_text("a")
    before = file_facts(path)
    path.write_text("ab")
    assert file_facts(path) != before
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    with pytest.raises(LingquError, match="none: No such file"):
        file_facts(tmp_path / "none")


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "reads")
    with pytest.raises(LingquError, match=r"reads: not a regular file.*write it to a file"):
        file_facts(tmp_path / "reads")
