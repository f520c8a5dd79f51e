"""The picture of a run: what stands where, and how it fits."""

import io

import pytest
from rich.console import Console

from lingqu.workflow.picture import live, whole
from lingqu.workflow.record import DONE, FAILED, PRESENT, RUNNING, WAITING, Record, Step
from lingqu.workflow.status import State, Status

NOW = 1000.0


def a_run(samples: int, tmp_path) -> Status:
    """S0 done, S1 failed in the call, S2 at work in it, S3 queued, all others to come."""
    steps = {0: Step("index", "", PRESENT), 1: Step("join", "")}
    for k in range(samples):
        align, call = Step("align", f"S{k}"), Step("call", f"S{k}")
        align.state = DONE if k < 3 else RUNNING if k == 3 else WAITING
        call.state = {0: DONE, 1: FAILED, 2: RUNNING}.get(k, WAITING)
        align.since, align.files, call.files = NOW - 50, [f"{k}.bam"], [f"{k}.vcf"]
        steps |= {10 + 2 * k: align, 11 + 2 * k: call}
    facts = {"command": "call", "what": "call", "unit": "bases", "done": 30, "share": 0.3}
    record = Record(
        {"workflow": "germline", "samples": [f"S{k}" for k in range(samples)], "time": 0.0},
        ["index", "align", "call", "join"],
        steps=steps,
        told=[(NOW, "a warning")],
    )
    nodes = {"nodes": 1, "cores": 4, "chunks": 3, "waiting": ["3.bam"], "at": {"2.vcf": "n1"}}
    return Status(
        tmp_path,
        State.RUNNING,
        record,
        NOW,
        {15: facts | {"since": NOW - 30, "now": NOW}},
        cluster=nodes | {"why": "waiting for 1 worker job"},
    )


def drawn(draw, status: Status, width: int, most: int = 9, encoding: str = "utf-8") -> list[str]:
    """The lines of a picture."""
    out = io.TextIOWrapper(io.BytesIO(), encoding, errors="strict")
    console = Console(file=out, width=width, height=50, highlight=False)
    console.print(draw(status, console, most))
    out.flush()
    return out.buffer.getvalue().decode(encoding).splitlines()


def test_samples_are_rows_and_stages_columns(tmp_path):
    lines = drawn(live, a_run(5, tmp_path), 110)
    assert lines[0] == "germline, running for 17 min"
    assert "5 of 12 steps done, 1 of them before, " in lines[1]
    assert lines[2].split() == ["sample", "align", "call"]
    assert lines[3].split() == ["S0", "✓", "✓"]
    assert lines[4].split() == ["S1", "✓", "✗"]
    assert lines[5].split()[:4] == ["S2", "✓", "30", "%"]
    assert lines[5].rstrip().endswith("30 bases, 1/s, 30 %, 70 s left, on n1")
    assert lines[6].split() == ["S3", "…", "·", "waits", "for", "a", "node"]
    assert lines[7].split() == ["S4", "·", "·"]
    assert lines[8].split() == ["index", "✓", "join", "·"]
    assert lines[9] == "1 node, 4 cores, 3 chunks at work, 1 command waits for a node"
    assert lines[10] == "waiting for 1 worker job"
    assert lines[11].endswith(" a warning")
    assert len(lines) == 12


def test_many_samples_leave_room_for_those_that_matter(tmp_path):
    lines = drawn(live, a_run(1000, tmp_path), 110, most=4)
    assert [line.split()[0] for line in lines[3:7]] == ["S1", "S2", "S3", "S4"]
    assert lines[7] == "and 996 samples more: 1 done, 995 wait"


@pytest.mark.parametrize("width", [20, 34, 71, 300])
def test_no_line_is_wider_than_the_terminal_nor_broken(tmp_path, width):
    lines = drawn(live, a_run(5, tmp_path), width)
    assert len(lines) == 12
    assert max(map(len, lines)) <= width
    assert ("30 bases" in "".join(lines)) == (width > 100)
    assert "30 %" in "".join(lines)


def test_a_terminal_without_unicode(tmp_path):
    lines = drawn(whole, a_run(5, tmp_path), 110, encoding="ascii")
    assert lines[3].split() == ["S0", "+", "+"]
    assert lines[4].split() == ["S1", "+", "x"]


def test_names_are_not_taken_for_markup(tmp_path):
    status = a_run(1, tmp_path)
    for step in status.record.steps.values():
        step.sample = "[red]S0" if step.sample else ""
    status.record.begin["samples"] = ["[red]S0"]
    assert any(line.startswith("[red]S0 ") for line in drawn(live, status, 110))


def test_the_whole_picture_tells_why_and_what_to_do(tmp_path):
    status = a_run(5, tmp_path)
    status.record.steps[13].log = ["call.log"]
    (tmp_path / "call.log").write_text("lingqu: error: S1.bam: broken\n")
    status.record.end = {"time": NOW, "code": 1}
    failed = Status(tmp_path, State.FAILED, status.record, NOW)
    lines = drawn(whole, failed, 110)
    at = next(k for k, line in enumerate(lines) if " call S1 failed" in line)
    assert lines[at + 1 : at + 4] == [
        "  to make  1.vcf",
        "  its log  call.log",
        "    lingqu: error: S1.bam: broken",
    ]
    assert lines[-1].startswith("To do: mend what is told above")
