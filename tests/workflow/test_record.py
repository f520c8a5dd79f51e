"""What is known of a run, from its events."""

import json

from lingqu.workflow.record import Recorder, read_record, record_file

PLAN = {"event": "plan", "time": 2.0, "rules": ["align"], "small": [], "targets": ["a.bam"]}
PLAN |= {"steps": [[1, "align", "S1", True], [2, "align", "S2", False], [3, "align", "S0", True]]}
START = {"event": "start", "time": 3.0, "step": 1, "rule": "align", "sample": "S1"}
START |= {"log": ["a.log"], "files": ["a.bam"], "reads": ["a.fq"]}


def begin(recorder: Recorder, *samples: str) -> None:
    recorder.hear({"event": "begin", "time": 1.0, "samples": list(samples)})


def test_what_is_written_is_what_was_heard(tmp_path):
    recorder = Recorder(tmp_path)
    begin(recorder, "S2", "S1")
    assert recorder.hear(PLAN) is None
    assert recorder.hear(START).title == "align S1"
    step = recorder.hear({"event": "done", "time": 5.5, "step": 1})
    assert step.seconds == 2.5
    assert recorder.hear({"event": "done", "time": 6.0, "step": 1}) is None
    assert recorder.hear({"event": "done", "time": 6.0, "step": 99}) is None
    recorder.hear({"event": "end", "time": 7.0, "code": 0})
    assert recorder.record.samples == ["S2", "S1", "S0"]
    assert recorder.record.counts == {"done": 1, "present": 1, "waiting": 1}
    assert read_record(tmp_path) == recorder.record


def test_a_step_that_is_tried_again_is_at_work_again(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.hear(PLAN)
    recorder.hear(START)
    recorder.hear({"event": "failed", "time": 4.0, "step": 1, "log": ["b.log"]})
    assert recorder.record.steps[1].log == ["b.log"]
    assert recorder.hear(START | {"time": 5.0}).state == "running"
    assert recorder.record.counts["failed"] == 0


def test_a_step_that_was_not_planned_is_taken_in(tmp_path):
    recorder = Recorder(tmp_path)
    recorder.hear(PLAN)
    assert recorder.hear(START | {"step": 7, "rule": "late"}).state == "running"


def test_a_new_run_takes_the_place_of_the_one_before(tmp_path):
    for name in ("S1", "S2"):
        begin(Recorder(tmp_path), name)
    assert read_record(tmp_path).begin["samples"] == ["S2"]


def test_a_record_that_was_cut_short_tells_what_it_holds(tmp_path):
    assert read_record(tmp_path).begin == {}
    begin(recorder := Recorder(tmp_path), "S1")
    recorder.hear(PLAN)
    with record_file(tmp_path).open("a") as out:
        out.write(json.dumps(START)[:20])
    assert read_record(tmp_path).counts == {"waiting": 2, "present": 1}


def test_a_disk_that_takes_nothing_is_no_fault(tmp_path):
    (tmp_path / ".lingqu").write_text("a file")
    recorder = Recorder(tmp_path)
    begin(recorder, "S1")
    recorder.hear(PLAN)
    assert len(recorder.record.steps) == 3
