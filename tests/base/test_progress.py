"""Progress: plain lines off a terminal, one bar on it, and silence after a failure."""

import sys

import pytest

from lingqu.base.progress import progress, say


class Terminal:
    """A stand-in for standard error that is a terminal."""

    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text

    def flush(self):
        pass

    def isatty(self):
        return True


def fail_after(amount):
    with progress("align", "reads") as shown:
        shown.advance(amount)
        raise ValueError("reads.fq: record 3: broken")


def test_the_final_count_is_one_plain_line(capsys):
    with progress("align", "reads") as shown:
        shown.advance(1500)
        shown.advance(500)
    line = capsys.readouterr().err
    assert line.startswith("align: 2,000 reads, ")
    assert line.endswith(" reads/s\n")
    assert line.count("\n") == 1


def test_lines_come_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr("lingqu.base.progress._LINE_EVERY", 0.0)
    with progress("align", "reads", 4000) as shown:
        shown.advance(1000)
    first, last = capsys.readouterr().err.splitlines()
    assert ", 25 %, " in first
    assert first.endswith(" s left")
    assert last.startswith("align: 1,000 reads, ")


def test_a_failure_leaves_the_last_word_to_its_error(capsys, monkeypatch):
    with pytest.raises(ValueError, match="broken"):
        fail_after(10)
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with pytest.raises(ValueError, match="broken"):
        fail_after(10)
    assert terminal.text.endswith("\r\x1b[K")  # the bar is gone, nothing stands in its place


def test_nothing_done_in_no_time_is_no_error(capsys):
    with progress("call", "bases", 0):
        pass
    assert capsys.readouterr().err.startswith("call: 0 bases, ")


def test_say_is_a_line_on_standard_error(capsys):
    say("compiling")
    assert capsys.readouterr() == ("", "compiling\n")
