"""`lingqu run` and `lingqu status` on a small workflow: what is told meanwhile, and afterwards."""

import contextlib
import fcntl
import json
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import pytest

from lingqu.base.resources import house
from lingqu.workflow.facts import as_json
from lingqu.workflow.lease import end_leftovers
from lingqu.workflow.status import look

SNAKEFILE = """
import sys
from lingqu.workflow.follow import follow

WORK = f"{sys.executable} work.py"


onstart:
    follow(workflow, small=("note",))


rule all:
    input: "results/all.txt"

rule note:
    output: "results/{sample}.txt"
    shell: "echo {wildcards.sample} > {output}"

rule align:
    input: "results/{sample}.txt"
    output: "results/{sample}.bam"
    log: "results/logs/align/{sample}.log"
    shell: "{WORK} align {input} -o {output} > {log} 2>&1"

rule join:
    input: expand("results/{sample}.bam", sample=["S2", "S1"])
    output: "results/all.txt"
    shell: "cat {input} > {output}; echo a word on the side >&2"
"""

WORK = """
import sys, time
from pathlib import Path
from lingqu.base.progress import progress

out = Path(sys.argv[-1])
print("lingqu: looking at", out.stem, flush=True)
with progress("align", "reads", 1000) as shown:
    shown.advance(400)
    while Path(f"hold-{out.stem}").exists():
        time.sleep(0.05)
        shown.advance(0)
    if Path(f"fail-{out.stem}").exists():
        sys.exit(f"lingqu: error: {out.stem}.fq: record 3: broken; mend it")
    shown.advance(600)
out.write_text(out.stem)
"""

LAUNCH = """
import pathlib, sys
from lingqu.cli.main import main
from lingqu.workflow import launcher
launcher.workflow_folder = lambda name: pathlib.Path(sys.argv[0])
sys.argv[0] = "lingqu"
main()
"""


class Small:
    """A project of two samples and a workflow of three rules."""

    def __init__(self, folder: Path):
        self.folder, self._workflow = folder / "project", folder / "small"
        shutil.copytree(house("workflows") / "germline" / "schemas", self._workflow / "schemas")
        self.write_workflow(SNAKEFILE)
        self.folder.mkdir()
        for name in ("ref.fa", "a.fq", "b.fq"):
            (self.folder / name).write_text(name)
        (self.folder / "work.py").write_text(WORK)
        (self.folder / "samples.tsv").write_text(
            "sample\tlane\tr1\tr2\nS1\tL1\ta.fq\t\nS2\tL1\tb.fq\t\n"
        )
        (self.folder / "c.yaml").write_text("reference: ref.fa\nsamples: samples.tsv\n")

    def write_workflow(self, text: str) -> None:
        (self._workflow / "Snakefile").write_text(text)

    def mark(self, name: str) -> Path:
        """A file by which a step waits or fails."""
        path = self.folder / name
        path.touch()
        return path

    def start(self, *words: str, **options) -> subprocess.Popen:
        """Start `lingqu run small`."""
        code = LAUNCH.replace("sys.argv[0])", f"{str(self._workflow)!r})", 1)
        run = ("run", "small", "--config", "c.yaml", "--cores", "2", *words)
        told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True} | options
        return subprocess.Popen([sys.executable, "-c", code, *run], cwd=self.folder, **told)

    def run(self, *words: str) -> tuple[int, str]:
        """`lingqu run small` to its end: exit code, what it said."""
        with self.start(*words) as process:
            told, _ = process.communicate()
        return process.returncode, told

    def status(self, *words: str) -> tuple[int, str]:
        """`lingqu status`, as another shell has it."""
        command = [sys.executable, "-m", "lingqu", "status", *words]
        ran = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert ran.stderr == ""
        return ran.returncode, ran.stdout

    def until(self, what) -> dict:
        """The status, as JSON says it, once `what` is true of it."""
        deadline = time.monotonic() + 60
        while True:
            told = as_json(look(self.folder))
            with contextlib.suppress(KeyError):
                if what(told):
                    return told
            assert time.monotonic() < deadline, told
            time.sleep(0.1)


def step(told: dict, rule: str, sample: str | None = None) -> dict:
    """What a status tells of a step; KeyError where there is none."""
    found = [x for x in told["work"] if (x["rule"], x["sample"]) == (rule, sample)]
    if not found:
        raise KeyError(rule)
    return found[0]


@pytest.fixture
def small(tmp_path):
    project = Small(tmp_path)
    yield project
    end_leftovers(project.folder)


def test_a_run_is_seen_from_another_shell_to_its_end(small):
    assert small.status()[0] == 1
    hold = small.mark("hold-S2")
    with small.start() as process:
        told = small.until(
            lambda x: (
                step(x, "align", "S2").get("done") == 400
                and step(x, "align", "S1")["state"] == "done"
            )
        )
        assert told["state"] == "running"
        assert told["process"] == process.pid
        assert told["samples"] == ["S1", "S2"]
        assert told["steps"] == {"total": 3, "running": 1, "done": 1, "waiting": 1}
        at_work = step(told, "align", "S2")
        assert (at_work["share"], at_work["unit"], at_work["total"]) == (0.4, "reads", 1000)
        assert at_work["log_lines"] == ["lingqu: looking at S2"]
        assert step(told, "join")["state"] == "waiting"
        assert told["left"] > 0
        assert told["left_without"] == ["join"]
        code, text = small.status()
        assert code == 0
        assert "small, running for " in text
        assert f"process {process.pid} on " in text
        assert "1 of 3 steps done, about " in text
        assert any(line.split()[:3] == ["S2", "40", "%"] for line in text.splitlines()), text
        words = [sys.executable, "-m", "lingqu", "status", "--watch", str(small.folder)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watching:
            line = watching.stdout.readline()
            hold.unlink()
            rest, _ = watching.communicate(timeout=60)
        said, _ = process.communicate()
    assert " 1 of 3 steps done; about " in line
    assert "; align S2: 400 reads, " in line
    assert rest.startswith("small, finished ")
    assert watching.returncode == 0
    assert process.returncode == 0, said
    lines = [line.partition(" ")[2] for line in said.splitlines()]
    assert lines[0] == "3 of 3 steps to do, 2 samples"
    assert [line.split(",")[0] for line in lines if line.startswith("[")] == [
        "[1/3] align S1",
        "[2/3] align S2",
        "[3/3] join",
    ]
    assert "a word on the side" in said.splitlines()
    assert "Building DAG" not in said


def test_what_is_finished_is_told_and_nothing_is_written(small):
    code, said = small.run("--verbose")
    assert code == 0
    assert "Building DAG" in said
    assert "\x1e" not in said
    before = {path: path.stat().st_mtime_ns for path in small.folder.rglob("*")}
    told = json.loads(small.status("--json")[1])
    code, text = small.status(str(small.folder), "--watch")
    assert before == {path: path.stat().st_mtime_ns for path in small.folder.rglob("*")}
    assert code == 0
    assert "small, finished 20" in text
    assert "made     results/all.txt  4 bytes" in text
    assert (told["state"], told["code"]) == ("finished", 0)
    assert told["made"] == [{"file": "results/all.txt", "bytes": 4}]
    (small.folder / "results" / "all.txt").unlink()
    small.run()
    told = as_json(look(small.folder))
    assert told["steps"] == {"total": 3, "present": 2, "done": 1}
    code, said = small.run()
    assert "Nothing to be done" in said
    assert look(small.folder).state == "finished"


def test_why_a_step_failed_is_told(small):
    small.mark("fail-S1")
    code, said = small.run("--", "--keep-going")
    assert code == 1
    assert "Error in rule" not in said
    assert "Exception" not in said
    log = "results/logs/align/S1.log"
    for text in (said, small.status()[1]):
        at = [line for line in text.splitlines() if "align S1 failed" in line]
        assert len(at) == 1, text
        assert f"  its log  {log}" in text
        assert "    lingqu: error: S1.fq: record 3: broken; mend it" in text
    assert said.splitlines()[-2] == "align/S1: lingqu: error: S1.fq: record 3: broken; mend it"
    code, text = small.status()
    assert code == 1
    again = "lingqu run small --config c.yaml --cores 2 -- --keep-going"
    assert text.splitlines()[-1].endswith(f"it goes on from what is finished: {again}")
    told = as_json(look(small.folder))
    assert told["state"] == "failed"
    failed = step(told, "align", "S1")
    assert failed["why"] == "S1.fq: record 3: broken; mend it"
    assert (failed["log"], failed["files"]) == ([log], ["results/S1.bam"])
    assert step(told, "align", "S2")["state"] == "done"


def test_nobody_runs_after_kill_9(small):
    hold = small.mark("hold-S1")
    with small.start() as process:
        small.until(lambda x: step(x, "align", "S1").get("done") == 400)
        process.kill()
        process.wait()
        told = as_json(look(small.folder))
        assert told["state"] == "killed"
        assert step(told, "align", "S1")["state"] == "interrupted"
        assert told["leftovers"]
        code, text = small.status()
        assert code == 1
        assert f"nobody runs here; process {process.pid} on " in text
        assert "of its processes still work here; the next run ends them" in text
        process.stdout.close()
    hold.unlink()
    code, said = small.run()
    assert code == 0, said
    assert look(small.folder).state == "finished"


def test_a_run_that_was_stopped_is_told_as_such(small):
    small.mark("hold-S1")
    with small.start() as process:
        small.until(lambda x: step(x, "align", "S1").get("done") == 400)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    code, text = small.status()
    assert code == 1
    assert "by SIGINT" in text


def test_a_broken_workflow_is_told_as_snakemake_does(small):
    small.write_workflow(SNAKEFILE.replace('"results/{sample}.txt"', '"results/{other}.txt"', 1))
    code, said = small.run()
    assert code == 1
    status = look(small.folder)
    assert status.state == "failed"
    ((_, told),) = status.record.told
    assert told.splitlines()[-1] in said


def read_all(master: int, into: list[bytes]) -> None:
    with contextlib.suppress(OSError):  # the other end was closed
        while data := os.read(master, 1 << 16):
            into.append(data)


@pytest.mark.parametrize("columns", [110, 34])
def test_a_picture_on_a_terminal(small, columns):
    hold = small.mark("hold-S2")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    seen: list[bytes] = []
    reading = threading.Thread(target=read_all, args=(master, seen))
    reading.start()
    terminal = {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
    environment = {**os.environ, **terminal}
    environment.pop("COLUMNS", None)  # it goes before what the terminal says
    with small.start(stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        small.until(lambda x: step(x, "align", "S2").get("done") == 400)
        deadline = time.monotonic() + 30
        while b"40 %" not in b"".join(seen):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        hold.unlink()
    reading.join()
    os.close(master)
    text = b"".join(seen).decode()
    assert process.returncode == 0
    assert "✓" in text
    assert "steps done" in text
    assert ("━" in text) == (columns > 100)
    assert ("400 reads" in text) == (columns > 100)
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")  # the cursor is there again
    after = text[text.rindex("\x1b[?25h") :]
    assert "40 %" not in after
    assert "a word on the side" in text
