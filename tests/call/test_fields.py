"""The table of fields is that of the headers, and of what is written."""

from pathlib import Path

import lingqu
from lingqu.call import cohort_lines, fields, gvcf, records


def page() -> str:
    return (Path(lingqu.__file__).parent.parent / "FIELDS.md").read_text()


def test_the_table_is_that_of_the_headers():
    assert fields.table() in page(), fields.table()


def test_each_header_line_has_its_row():
    lines = {field.line() for told in fields.FILES.values() for field in told}
    blocks = {line for line in gvcf.META if not line.startswith("##GVCFBlock")}
    assert {*records.META, *blocks, *cohort_lines.META, *cohort_lines.FAMILY_META} == lines


def test_format_is_described():
    keys = [*fields.FORMAT.split(":"), *fields.PHASE_FORMAT.split(":")]
    assert keys == [field.id for field in (*fields.SAMPLE, *fields.PHASE)]
