"""The view of a run: from events and the files that its commands leave to lines."""

import io
import sys

import pytest

from lingqu.base import journal
from lingqu.base.journal import RUN_VARIABLE
from lingqu.base.progress import progress
from lingqu.workflow import view as views
from lingqu.workflow.record import read_record
from lingqu.workflow.view import View, forget


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


PLAN = {"event": "plan", "rules": ["note", "align"], "small": ["note"], "targets": []}
PLAN |= {"steps": [[1, "note", "S1", True], [2, "align", "S1", True], [3, "align", "S2", False]]}
START = {"event": "start", "step": 2, "rule": "align", "sample": "S1", "files": ["out/S1.bam"]}
START |= {"log": [], "reads": ["ref.fa"]}


def begun(folder, stream) -> View:
    view = View(folder, stream)
    view.hear({"event": "begin", "workflow": "w", "samples": ["S1", "S2"]})
    view.hear(PLAN)
    return view


@pytest.fixture
def at_work(tmp_path, monkeypatch):
    """A command that has done half of its work."""
    monkeypatch.setenv(RUN_VARIABLE, str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["lingqu", "align", "ref.fa", "-o", "out/S1.bam"])
    monkeypatch.setattr(journal, "_EVERY", 0.0)
    with progress("sort", "shards", 10) as shown:
        shown.advance(5)
        yield


def test_subject_of_a_command():
    words = ["align", "ref.fa", "--sample", "S1", "-o", "out/S1.bam"]
    assert journal.subject(words) == ("align", "out/S1.bam")
    assert journal.subject(["index", "ref.fa"]) == ("index", "ref.fa")
    assert journal.subject([]) == ("", "")


def test_commands_leave_a_file_while_they_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(RUN_VARIABLE, str(tmp_path))
    folder = journal.journal_folder(tmp_path)
    with progress("sort", "shards", 10):
        (facts,) = journal.read(folder)
        assert (facts["what"], facts["done"], facts["total"]) == ("sort", 0, 10)
    assert journal.read(folder) == []
    with pytest.raises(ValueError, match="x"), progress("sort", "shards", 10):
        raise ValueError("x")
    assert journal.read(folder) == []
    monkeypatch.delenv(RUN_VARIABLE)
    monkeypatch.chdir(tmp_path / ".lingqu")
    with progress("sort", "shards", 10) as shown:
        shown.advance(5)
    assert [path.name for path in (tmp_path / ".lingqu").iterdir()] == ["progress"]
    capsys.readouterr()


def test_steps_that_end_are_lines(tmp_path):
    view = begun(tmp_path, stream := io.StringIO())
    (tmp_path / "a.log").write_text("first\nlingqu: error: r.fq: broken\n")
    view.hear(START | {"step": 1, "rule": "note"})
    view.hear({"event": "done", "step": 1})
    view.hear(START | {"log": ["a.log"]})
    view.hear({"event": "told", "text": "a warning"})
    view.hear({"event": "failed", "step": 2, "log": ["a.log"]})
    view.hear({"event": "failed", "step": 2, "log": ["a.log"]})
    view.hear({"event": "told", "text": "quiet"}, show=False)
    lines = [line.partition(" ")[2] for line in stream.getvalue().splitlines()]
    assert lines == [
        "1 of 2 steps to do, 2 samples",
        "a warning",
        "align S1 failed after 0 s",
        "  to make  out/S1.bam",
        "  its log  a.log",
        "    first",
        "    lingqu: error: r.fq: broken",
    ]
    record = read_record(tmp_path)
    assert [text for _, text in record.told] == ["a warning", "quiet"]
    assert record.counts == {"failed": 1, "present": 1}


def test_off_a_terminal_there_is_a_line_now_and_then(tmp_path, monkeypatch, at_work):
    view = begun(tmp_path, stream := io.StringIO())
    view.hear(START)
    view.look()
    assert "sort" not in stream.getvalue()
    monkeypatch.setattr(views, "_LINE_EVERY", 0.0)
    view.look()
    assert "1 of 2 steps done, 1 of them before; about" in stream.getvalue()
    assert "; align S1: sort, 5 shards, 5/s, 50 %, " in stream.getvalue()


def test_lines_stand_above_the_picture_on_a_terminal(tmp_path, monkeypatch, at_work):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(views, "_DRAW_EVERY", 0.0)
    view = begun(tmp_path, stream := Terminal())
    assert view.draws
    view.hear(START)
    view.look()
    view.line("one \x1b[32mstep\x1b[0m is done")
    view.close()
    before, _, after = stream.getvalue().partition("one ")
    assert "50 %" in before
    assert "50 %" in after
    assert "step" in after
    assert after.rstrip().endswith("\x1b[2K")  # the picture is gone


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert not views.is_terminal(Terminal())


def test_what_earlier_commands_left_is_forgotten(tmp_path):
    folder = journal.journal_folder(tmp_path)
    journal.leave(folder / "cluster.json", {"nodes": 3})
    journal.leave(folder / "n1-7.json", {"since": 0})
    forget(tmp_path)
    assert list(folder.iterdir()) == []
