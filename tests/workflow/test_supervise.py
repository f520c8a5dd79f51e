"""What Snakemake tells, on its way to the view."""

import io
import os
import signal
import subprocess
import sys

from lingqu.workflow.follow import EVENTS, FOLLOW_VARIABLE, MARK
from lingqu.workflow.record import read_record
from lingqu.workflow.supervise import supervise, without_logging_errors
from lingqu.workflow.view import View


def told(folder, code: str, **environment) -> tuple[int, list[str]]:
    """(exit code, lines shown) of a child that runs some Python."""
    view = View(folder, stream := io.StringIO())
    if environment:
        view.hear({"event": "begin"})
    words = [sys.executable, "-c", code]
    ended = supervise(words, folder, {**os.environ, **environment}, view)
    return ended, stream.getvalue().splitlines()


PLAN = '{"event": "plan", "rules": [], "small": [], "targets": [], "steps": [], "time": 0}'
SPEAK = f"""
import sys
sys.stderr.write("before\\n")
sys.stderr.write("in the midst{MARK}" + '{PLAN}' + "\\n")
sys.stderr.write("\\nafter\\n")
sys.stderr.write("{MARK}{{broken\\n")
"""


def test_what_is_said_before_the_first_event_is_held_back(tmp_path):
    code, lines = told(tmp_path, SPEAK, **{FOLLOW_VARIABLE: EVENTS})
    assert code == 0
    assert lines[0].endswith(" 0 of 0 steps to do")
    assert lines[1:] == ["in the midst", "", "after", "{broken"]


def test_where_no_event_comes_all_is_shown_and_a_fault_recorded(tmp_path):
    code = "import sys; print('no rule', file=sys.stderr); sys.exit({})"
    for number in (0, 1):
        ended, lines = told(tmp_path, code.format(number), **{FOLLOW_VARIABLE: EVENTS})
        assert (ended, lines) == (number, ["no rule"])
        assert [text for _, text in read_record(tmp_path).told] == ["no rule"] * number


def test_nobody_asks_for_events_in_a_dry_run(tmp_path):
    assert told(tmp_path, "import sys; print('a', file=sys.stderr)") == (0, ["a"])
    assert list(tmp_path.iterdir()) == []


def test_a_child_that_is_killed_is_told_by_its_signal(tmp_path):
    code = "import os; os.kill(os.getpid(), 9)"
    assert told(tmp_path, code) == (128 + signal.SIGKILL, [])


def test_a_child_hears_what_its_parent_was_told_to_ignore(tmp_path):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a script
    try:
        code = "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(5); "
        code += "open('deaf', 'w')"
        ended, lines = told(tmp_path, code)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (ended, lines[-1]) == (130, "KeyboardInterrupt")
    assert not (tmp_path / "deaf").exists()


def test_signals_go_on_to_the_child(tmp_path):
    code = "import os, time; os.kill(os.getppid(), 15); time.sleep(60)"
    assert told(tmp_path, code) == (128 + signal.SIGTERM, [])


def test_log_files_that_take_no_line_are_not_told():
    report = ["--- Logging error ---", "Traceback (most recent call last):", "OSError: 28"]
    report += ["Message: 'done", " and done'", "Arguments: ()"]
    assert list(without_logging_errors(["a", *report, "b", *report])) == ["a", "b"]


def test_a_snakemake_whose_launcher_is_gone_ends_with_its_next_event(tmp_path):
    (tmp_path / "Snakefile").write_text(
        "from lingqu.workflow.follow import follow\n"
        "onstart:\n    follow(workflow)\n"
        'rule all:\n    input: "b"\n'
        'rule a:\n    output: "a"\n    shell: "sleep 1; touch {output}"\n'
        'rule b:\n    input: "a"\n    output: "b"\n    shell: "touch {output}"\n'
    )
    words = [sys.executable, "-m", "snakemake", "--cores", "1"]
    environment = {**os.environ, FOLLOW_VARIABLE: EVENTS}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE) as child:
        while MARK.encode() + b'{"event": "start"' not in child.stderr.readline():
            pass
        child.stderr.close()
        assert child.wait(60) != 0
    assert not (tmp_path / "b").exists()
