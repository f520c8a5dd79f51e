"""A small project whose files hold nothing but their names."""

from pathlib import Path

import pytest

from lingqu.base.resources import house
from lingqu.workflow.project import Project, open_project

CONFIG = "reference: ref.fa\nsamples: samples.tsv\n"
SHEET = "sample\tlane\tr1\tr2\nS1\tL1\ta1.fq\ta2.fq\nS1\tL2\tb1.fq\nS2\tL1\tc1.fq\tc2.fq\n"


class Files:
    """Writes config and sheet; `faults` are the lines that validation tells."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in ("ref.fa", "a1.fq", "a2.fq", "b1.fq", "c1.fq", "c2.fq", "d.bam", "t.vcf"):
            (folder / name).write_text(name)

    def open(self, config: str = CONFIG, sheet: str | bytes = SHEET, merged=None) -> Project:
        (self.folder / "config.yaml").write_text(config)
        (self.folder / "samples.tsv").write_bytes(
            sheet if isinstance(sheet, bytes) else sheet.encode()
        )
        schemas = house("workflows") / "germline" / "schemas"
        return open_project(merged, ["config.yaml"], schemas, self.folder)

    def faults(self, config: str = CONFIG, sheet: str | bytes = SHEET, merged=None) -> list[str]:
        from lingqu.base.errors import LingquError

        with pytest.raises(LingquError) as caught:
            self.open(config, sheet, merged)
        lines = str(caught.value).splitlines()
        if len(lines) > 1:
            head = lines.pop(0)
            assert head == f"{len(lines)} faults; nothing was run"
        return lines


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path)
