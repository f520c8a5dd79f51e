"""No kill leaves a new file beside an old index."""

import os

import pytest

from lingqu.align.join import join
from lingqu.formats.bam_header import header_text
from lingqu.formats.reference import open_reference


@pytest.mark.parametrize(
    ("name", "old"),
    [
        ("x.bam", ["x.bam.bai", "x.bam.csi", "x.bai"]),
        ("x.cram", ["x.cram.crai", "x.crai"]),
    ],
)
def test_killed_between_two_renames(name, old, tmp_path, monkeypatch):
    fasta = tmp_path / "x.fa"
    fasta.write_text(">one\n" + "ACGT" * 30 + "\n")
    reference = open_reference(fasta)
    for ending in (name, *old):
        (tmp_path / ending).write_text("of an earlier run")
    original = os.replace

    def last(source, target):
        original(source, target)
        if str(target).endswith(name):
            raise KeyboardInterrupt

    header = header_text(reference, [{"ID": "a", "SM": "b"}], "lingqu align")
    folder = tmp_path / "folder"
    folder.mkdir()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", last)
        join(tmp_path / name, folder, reference, header, [])
    assert (tmp_path / name).read_bytes()[:4] != b"of a"
    assert not [ending for ending in old if (tmp_path / ending).exists()]
    assert join(tmp_path / name, folder, reference, header, []).name == old[0]
