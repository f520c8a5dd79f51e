import errno

import pytest

from lingqu.base.atomic import publish


def test_output_appears_whole_and_alone(tmp_path):
    target = tmp_path / "calls.vcf"
    with publish(target) as beside:
        beside.write_text("half")
        assert not target.exists()
        beside.write_text("whole")
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_failure_keeps_what_stood_there(tmp_path):
    target = tmp_path / "calls.vcf"
    target.write_text("before")

    def fill_the_disk():
        with publish(target) as beside:
            beside.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fill_the_disk()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_two_writers_of_one_name_do_not_meet(tmp_path):
    target = tmp_path / "calls.vcf"
    with publish(target) as first, publish(target) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert target.read_text() == "first"


def test_missing_folder_is_told_by_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"), publish(tmp_path / "absent" / "x") as to:
        to.write_text("")


def test_what_stands_there_stays_where_it_is_to(tmp_path):
    target = tmp_path / "a.cut"
    for text in ("first", "second"):
        with publish(target, over=False) as beside:
            beside.write_text(text)
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]
