"""New projects."""

import pytest

from lingqu.base.errors import LingquError
from lingqu.workflow.template import init


def test_init_writes_config_sheet_and_profiles(tmp_path):
    written = dict(init(tmp_path / "new", "germline"))
    names = {path.relative_to(tmp_path / "new" / "config").as_posix() for path in written}
    assert {"germline.yaml", "samples.tsv", "profiles/local/config.yaml"} <= names
    assert all(written.values())


def test_init_keeps_what_is_there(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "germline.yaml").write_text("mine")
    written = dict(init(tmp_path, "germline"))
    assert written[tmp_path / "config" / "germline.yaml"] is False
    assert (tmp_path / "config" / "germline.yaml").read_text() == "mine"


def test_unknown_workflow(tmp_path):
    with pytest.raises(LingquError, match="no workflow 'germlin'; did you mean 'germline'"):
        init(tmp_path, "germlin")


def test_a_file_that_did_not_fit_is_not_left_in_part(tmp_path, monkeypatch):
    def half(source, target):
        target.write_bytes(source.read_bytes()[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr("lingqu.workflow.template.shutil.copyfile", half)
        with pytest.raises(OSError, match="No space"):
            init(tmp_path, "germline")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(new for _, new in init(tmp_path, "germline"))
