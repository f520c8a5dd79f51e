"""A run is stopped or killed at each of its steps on the disk: nothing is lost, mixed or doubled.

What is tried is a run as drivers are: chunks, an output, then
its index, out of a checkpoint's folder.
"""

import errno
import fcntl
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from lingqu.base.atomic import publish
from lingqu.base.checkpoint import checkpoint
from lingqu.base.errors import LingquError
from lingqu.formats.arrays import finished, open_arrays, write_arrays


def chunk(path, text):
    write_arrays(path, {"size": len(text)}, {"text": np.frombuffer(text.encode(), np.uint8)})
    return {"size": len(text)}


def run(out, told):
    """Write `told` to the output, by chunks, and the number of its letters to the index."""
    with checkpoint(out, {"told": told}) as folder:
        paths = [folder / f"chunk-{n}" for n in range(2)]
        for n, path in enumerate(paths):
            finished(path, lambda path=path, n=n: chunk(path, told[n::2]))
        index = Path(f"{out}.index")
        with publish(out, folder, [index]) as beside:
            texts = [open_arrays(path)[1]["text"].tobytes().decode() for path in paths]
            beside.write_text("".join(texts))
        with publish(index, folder) as beside:
            beside.write_text(str(len(told)))


def check(out, told):
    assert out.read_text() == told[::2] + told[1::2]
    assert Path(f"{out}.index").read_text() == str(len(told))


def states(out):
    return [(path.stat().st_ino, path.stat().st_mtime_ns) for path in (out, Path(f"{out}.index"))]


@pytest.fixture
def steps_of(in_child):
    """Run in a child that sends itself a signal before step `at`; its process number."""

    def start(out, told, at=-1, number=signal.SIGKILL):
        return in_child(lambda: run(out, told), out.parent, at, number)

    return start


@pytest.fixture
def told(in_child):
    """What the last child printed."""
    return in_child.told


@pytest.fixture
def out(tmp_path):
    """An output's path, with an older one there."""
    folder = tmp_path / "results"
    folder.mkdir()
    run(folder / "out", "old")
    return folder / "out"


@pytest.fixture
def steps(out, steps_of, told):
    """How many steps a run takes."""
    os.waitpid(steps_of(out, "a word"), 0)
    count = int(told())
    assert count > 30
    return count


def test_killed_at_each_step_and_done_again(out, steps, steps_of):
    for at in range(steps):
        _, status = os.waitpid(steps_of(out, f"a word {at}", at), 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        index = Path(f"{out}.index")
        if index.exists():  # of this output, then, or of none yet
            assert int(index.read_text()) == len(out.read_text())
        run(out, f"a word {at}")
        check(out, f"a word {at}")
        assert {path.name for path in out.parent.iterdir()} == {"out", "out.index"}


@pytest.mark.parametrize("same", [True, False])
def test_stopped_at_each_step_and_woken_late(same, out, steps, steps_of, told, capfd):
    ended = 0
    for at in range(steps):
        late = f"a late word {at}"
        newer = late if same else f"newer {at}"
        child = steps_of(out, late, at, signal.SIGSTOP)
        assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
        begun = list(out.parent.glob(".lingqu/*.checkpoint/*"))
        run(out, newer)
        check(out, newer)
        before = states(out)
        os.kill(child, signal.SIGCONT)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if begun:
            assert code == 1
            (line,) = told().splitlines()
            assert line.endswith("took it over; this run ends and leaves it alone")
            ended += 1
        if begun or states(out) == before:
            check(out, newer)
            assert states(out) == before
        else:  # it had not begun, and did all of its work after the other
            assert code == 0
            check(out, late)
        assert {path.name for path in out.parent.iterdir()} == {"out", "out.index"}
    assert ended > 20
    assert f"{out}: taken over from process " in capfd.readouterr().err


def no_locks(*_):
    raise OSError(errno.ENOLCK, "No locks available")


def test_where_locks_are_unknown_the_later_run_wins(out, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(LingquError, match="took it over"), checkpoint(out, {"told": "x"}) as folder:
        run(out, "a word")
        chunk(folder / "chunk-7", "late")
    check(out, "a word")


def test_a_run_takes_over_from_its_own_lost_process(out, monkeypatch):
    monkeypatch.setenv("LINGQU_RUN", str(out.parent))
    with pytest.raises(LingquError, match="took it over"), checkpoint(out, {"told": "x"}):
        run(out, "a word")
    check(out, "a word")


@pytest.mark.parametrize("same", [True, False])
def test_many_at_once_that_see_no_locks(same, out, in_child, monkeypatch):
    monkeypatch.setattr(fcntl, "flock", no_locks)
    words = ["a word" if same else f"word {'x' * n}" for n in range(6)]
    for _ in range(5):
        children = [in_child(lambda word=word: run(out, word), out.parent) for word in words]
        codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        assert set(codes) <= {0, 1}, in_child.told()
        assert 0 in codes
        size = int(Path(f"{out}.index").read_text())
        check(out, next(word for word in words if len(word) == size))
        assert not list(out.parent.glob(".lingqu/*.checkpoint"))


def test_rubbish_in_place_of_an_epoch_is_moved_away(out):
    home = out.parent / ".lingqu" / "out.checkpoint"
    (home / "rubbish").mkdir(parents=True)
    run(out, "a word")
    check(out, "a word")
    assert {path.name for path in out.parent.iterdir()} == {"out", "out.index"}
