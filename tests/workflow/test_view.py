"""The view of a run: from the files that its commands leave to lines."""

import io
import sys
import time

from lingqu.base import journal
from lingqu.base.journal import RUN_VARIABLE
from lingqu.base.progress import progress
from lingqu.workflow.view import View, forget


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        raise OSError


def test_subject_of_a_command():
    words = ["align", "ref.fa", "--sample", "S1", "-o", "out/S1.bam"]
    assert journal.subject(words) == ("align", "out/S1.bam")
    assert journal.subject(["index", "ref.fa"]) == ("index", "ref.fa")
    assert journal.subject([]) == ("", "")


def test_commands_are_seen_while_they_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(RUN_VARIABLE, str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["lingqu", "align", "ref.fa", "-o", "out/S1.bam"])
    view = View(tmp_path)
    with progress("sort", "shards", 10) as shown:
        monkeypatch.setattr(journal, "_EVERY", 0.0)
        shown.advance(5)
        (row,) = view.rows()
        assert row.startswith("align   S1.bam")
        assert "50 %" in row
        assert row.endswith(" left")
    assert view.rows() == []
    journal.leave(
        journal.journal_folder(tmp_path) / "cluster.json",
        {"nodes": 3, "cores": 12, "chunks": 24, "waiting": 2},
    )
    assert view.rows() == ["3 nodes, 12 cores, 24 chunks at work, 2 commands wait for a node"]
    forget(tmp_path)
    assert view.rows() == []
    capsys.readouterr()


def test_without_a_run_nothing_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv(RUN_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with progress("sort", "shards", 10) as shown:
        shown.advance(5)
    assert list(tmp_path.iterdir()) == []
    capsys.readouterr()


def test_a_command_that_went_without_a_word_is_not_shown(tmp_path):
    facts = {"command": "call", "output": "x", "what": "call", "unit": "bases", "total": 9}
    facts |= {"since": 0, "done": 1, "now": time.time() - 1000, "ended": False}
    journal.leave(journal.journal_folder(tmp_path) / "a.json", facts)
    assert View(tmp_path).rows() == []


def test_lines_stand_above_the_table_on_a_terminal(tmp_path):
    facts = {"nodes": 1, "cores": 2, "chunks": 0, "waiting": 0}
    journal.leave(journal.journal_folder(tmp_path) / "cluster.json", facts)
    stream = Terminal()
    view = View(tmp_path, stream)
    view.look()
    view.line("one step is done")
    view.close()
    assert stream.getvalue() == (
        "1 nodes, 2 cores, 0 chunks at work\n\x1b[1A\r\x1b[Jone step is done\n"
    )


def test_off_a_terminal_there_is_a_line_now_and_then(tmp_path, monkeypatch):
    facts = {"nodes": 1, "cores": 2, "chunks": 0, "waiting": 0}
    journal.leave(journal.journal_folder(tmp_path) / "cluster.json", facts)
    stream = io.StringIO()
    view = View(tmp_path, stream)
    view.look()
    assert stream.getvalue() == ""
    monkeypatch.setattr("lingqu.workflow.view._LINE_EVERY", 0.0)
    view.look()
    assert stream.getvalue() == "1 nodes, 2 cores, 0 chunks at work\n"
