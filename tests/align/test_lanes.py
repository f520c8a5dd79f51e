"""Read groups and tables of lanes."""

import pytest

from lingqu.align.lanes import parse_read_group, read_group, read_lanes
from lingqu.base.errors import LingquError


def test_read_group_line_as_bwa():
    given = parse_read_group(r"@RG\tSM:S\tID:L1\tLB:lib:1")
    assert given == {"ID": "L1", "SM": "S", "LB": "lib:1"}
    assert next(iter(given)) == "ID"
    assert read_group(given, "S")["PL"] == "ILLUMINA"
    assert read_group({}, "S") == {"ID": "S", "SM": "S", "LB": "S", "PL": "ILLUMINA"}


@pytest.mark.parametrize("line", ["", "ID:x", r"@RG\tSM:S", r"@RG\tID:x\tSM", r"@RG\tID:"])
def test_bad_read_group_lines(line):
    with pytest.raises(LingquError, match="no read group line"):
        parse_read_group(line)


def test_sample_must_be_one():
    with pytest.raises(LingquError, match=r"SM is 'T' but --sample is 'S'"):
        read_group({"ID": "a", "SM": "T"}, "S")


def test_table(tmp_path):
    table = tmp_path / "lanes.tsv"
    table.write_text("R1\tR2\tID\tPU\na_1.fq\ta_2.fq\tL1\tX.1\n\nb.fq\n")
    one, two = read_lanes(table, "S")
    assert one.files == (tmp_path / "a_1.fq", tmp_path / "a_2.fq")
    assert one.group == {"ID": "L1", "SM": "S", "LB": "S", "PL": "ILLUMINA", "PU": "X.1"}
    assert two.files == (tmp_path / "b.fq",)
    assert two.group["ID"] == "S.3"
    assert one.umi == two.umi == ""


def test_umis_of_a_table(tmp_path):
    table = tmp_path / "lanes.tsv"
    table.write_text("R1\tR2\tUMI\na_1.fq\ta_2.fq\tu.fq\nb.fq\t\t:\nc.fq\t\t_\n")
    one, two, three = read_lanes(table, "S")
    assert one.umi == tmp_path / "u.fq"
    assert one.inputs == (*one.files, tmp_path / "u.fq")
    assert (two.umi, two.inputs) == (":", two.files)
    assert three.umi == "_"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: columns"),
        ("R1\tR3\n", "line 1: columns"),
        ("R1\tR1\n", "line 1: columns"),
        ("R2\n", "line 1: columns"),
        ("R1\n", "no lanes"),
        ("R1\tR2\n\tx\n", "line 2: column R1 is empty"),
        ("R1\na\tb\n", "line 2: more cells"),
        ("R1\tID\na\tx\nb\tx\n", "line 3: ID 'x' twice"),
        ("R1\tID\na\tx\na\ty\n", "line 3: .*a is listed twice"),
        ("R1\tID\tUMI\na\tx\tu\nb\ty\tu\n", "line 3: .*u is listed twice"),
    ],
)
def test_bad_tables(text, message, tmp_path):
    table = tmp_path / "lanes.tsv"
    table.write_text(text)
    with pytest.raises(LingquError, match=rf"lanes\.tsv: {message}"):
        read_lanes(table, "S")


def test_missing_table(tmp_path):
    with pytest.raises(LingquError, match="none"):
        read_lanes(tmp_path / "none", "S")
