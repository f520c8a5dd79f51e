"""The folder that outlives a run that was stopped, and no other."""

import pytest

from lingqu.base.checkpoint import checkpoint, digest, file_facts
from lingqu.base.errors import LingquError


def test_kept_on_failure_and_removed_on_success(tmp_path):
    out = tmp_path / "new" / "x.bam"
    with pytest.raises(KeyError), checkpoint(out, {"a": 1}) as folder:
        (folder / "chunk").write_text("done")
        raise KeyError
    with checkpoint(out, {"a": 1}) as again:
        assert again == folder
        assert (again / "chunk").read_text() == "done"
    assert list(out.parent.iterdir()) == []


def test_other_facts_and_outputs_are_apart(tmp_path):
    with (
        checkpoint(tmp_path / "x.bam", {"a": 1}) as one,
        checkpoint(tmp_path / "x.bam", {"a": 2}) as two,
        checkpoint(tmp_path / "y.bam", {"a": 1}) as three,
    ):
        assert len({one, two, three}) == 3


def test_one_run_at_a_time(tmp_path):
    with (
        checkpoint(tmp_path / "x.bam", {}),
        pytest.raises(LingquError, match=r"x\.bam: another run"),
        checkpoint(tmp_path / "x.bam", {}),
    ):
        pass


def test_unwritable(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LingquError, match="cannot write there"),
        checkpoint(tmp_path / "file" / "x.bam", {}),
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
