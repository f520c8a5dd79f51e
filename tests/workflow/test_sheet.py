"""The sample sheet: every fault has its line and column."""

import pytest

HEAD = "sample\tlane\tr1\tr2\n"
FAMILY = "sample\tlane\tr1\tfather\tmother\n"


@pytest.mark.parametrize(
    ("sheet", "told"),
    [
        ("sampel\tlane\tr1\nS\tL\ta1.fq\n", "1:1: unknown column 'sampel'; did you mean 'sample'?"),
        ("sample\tlane\nS\tL\n", "1:1: column 'r1' is missing; add it"),
        ("sample\tr1\nS\ta1.fq\n", "1:1: column 'lane' is missing; add it"),
        ("lane\tr1\nL\ta1.fq\n", "1:1: column 'sample' is missing; add it"),
        ("sample\tlane\tr1\tr1\nS\tL\ta1.fq\n", "1:16: column 'r1' twice; keep one"),
        ("sample,lane,r1\nS,L,a1.fq\n", "1:1: columns must be separated by tabs"),
        (HEAD, "1:1: holds no sample"),
        ("", "1:1: holds no sample"),
        (b"sample\tlane\tr1\nS\xff\tL\ta1.fq\n", "1:1: is no UTF-8 text"),
        (HEAD + "S 1\tL1\ta1.fq\n", "2:1: 'sample' must be a name of letters"),
        (HEAD + "S1\tL/1\ta1.fq\n", "2:4: 'lane' must be a name of letters"),
        (HEAD + "S1 \tL1\ta1.fq\n", "2:1: 'S1 ': a space at its start or end; remove it"),
        (HEAD + "\tL1\ta1.fq\n", "2:1: sample is empty"),
        (HEAD + "S1\t\ta1.fq\n", "2:4: lane is empty"),
        (HEAD + "S1\tL1\t\ta2.fq\n", "2:7: r1 is empty"),
        (HEAD + "S1\tL1\tno.fq\n", "2:7: no.fq: no such file"),
        (HEAD + "S1\tL1\t.\n", "2:7: .: is a folder; name a file"),
        (HEAD + "S1\tL1\tempty.fq\n", "2:7: empty.fq: is empty"),
        (HEAD + "S1\tL1\ta1.fq\ta1.fq\n", "2:13: a1.fq: R1 and R2 are the same file"),
        (HEAD + "S1\tL1\ta1.fq\nS1\tL1\tb1.fq\n", "3:4: lane 'L1' of sample 'S1' is on line 2"),
        (HEAD + "S1\tL1\ta1.fq\nS2\tL1\ta1.fq\n", "3:7: a1.fq: is r1 of line 2 already"),
        (HEAD + "S1\tL1\ta1.fq\ta2.fq\tmore\n", "2:19: 5 cells under 4 columns"),
        (
            "sample\tlane\tr1\talignment\nS1\tL1\ta1.fq\nS1\t\t\td.bam\n",
            "3:6: sample 'S1' has lanes and an alignment",
        ),
        (
            "sample\tlane\tr1\talignment\nS1\t\t\td.bam\nS1\tL1\ta1.fq\n",
            "3:7: sample 'S1' has an alignment and lanes",
        ),
        (
            "sample\tlane\tr1\talignment\nS1\tL1\ta1.fq\td.bam\n",
            "2:7: r1 and lane beside an alignment",
        ),
        (
            "sample\tlane\tr1\tumi\nS1\tL1\ta1.fq\t:\nS1\tL2\tb1.fq\tno.fq\n",
            "3:13: no.fq: no such file",
        ),
        (
            "sample\tlane\tr1\tumi\nS1\tL1\ta1.fq\ta1.fq\n",
            "2:13: a1.fq: is r1 of line 2 already",
        ),
        (
            "sample\tlane\tr1\tsex\nS1\tL1\ta1.fq\tXX\nS1\tL2\tb1.fq\tXY\n",
            "3:13: sex of 'S1' is 'XX' above; give one",
        ),
        (
            "sample\tlane\tr1\tsex\nS1\tL1\ta1.fq\tmale\n",
            "2:13: 'sex' must be one of XX, XY, unknown, not 'male'",
        ),
        ("sample\talignment\nS1\ta1.fq\n", "2:4: 'alignment' must end in .bam or .cram"),
        (
            "sample\tlane\tr1\tplatform\nS1\tL1\ta1.fq\tIllumina\n",
            "2:13: 'platform' must be one of CAPILLARY",
        ),
        (FAMILY + "S1\tL1\ta1.fq\tno\t\n", "2:13: father 'no' of 'S1' is not there; add it"),
        (FAMILY + "S1\tL1\ta1.fq\tS2\tS2\nS2\tL1\tb1.fq\t\t\n", "2:16: 'S2' is mother here"),
        (FAMILY + "S1\tL1\ta1.fq\t\tS1\n", "2:14: 'S1' is an own ancestor"),
        (FAMILY + "S1\tL1\ta1.fq\tS 2\t\n", "2:13: 'father' must be the name of a sample"),
        (
            FAMILY + "S1\tL1\ta1.fq\tS2\t\nS1\tL2\tb1.fq\tS3\t\nS2\tL1\tc1.fq\t\t\n",
            "3:13: father of 'S1' is 'S2' above; give one",
        ),
    ],
)
def test_fault_names_line_column_and_mend(files, sheet, told):
    (files.folder / "empty.fq").touch()
    faults = files.faults(sheet=sheet)
    assert any(fault.startswith(f"samples.tsv:{told}") for fault in faults), faults


def test_crlf_byte_order_mark_comments_and_short_rows(files):
    text = "\ufeffsample\tlane\tr1\tr2\tunit\r\n# a note\r\n\r\nS1\tL1\ta1.fq\ta2.fq\r\n"
    (lane,) = files.open(sheet=text).samples["S1"].lanes
    assert (lane.r1, lane.r2, lane.unit) == ("a1.fq", "a2.fq", "S1.L1")


def test_alignment_as_entry(files):
    project = files.open(sheet="sample\talignment\nS1\td.bam\n")
    assert project.samples["S1"].alignment == "d.bam"
    assert project.samples["S1"].lanes == []


def test_parents_in_one_row_or_in_all(files):
    rows = "S1\tL1\ta1.fq\tS2\t\nS1\tL2\tb1.fq\tS2\tS3\nS2\tL1\tc1.fq\t\t\nS3\tL1\ta2.fq\n"
    samples = files.open(sheet=FAMILY + rows).samples
    assert [(s.father, s.mother) for s in samples.values()] == [("S2", "S3"), ("", ""), ("", "")]


def test_missing_sheet(files):
    (fault,) = files.faults("reference: ref.fa\nsamples: nosheet.tsv\n")
    assert fault.startswith("nosheet.tsv:1:1: cannot be read")


def test_file_name_with_a_space_is_allowed(files):
    (files.folder / "a b.fq").write_text("x")
    assert files.open(sheet=HEAD + "S1\tL1\ta b.fq\n").samples["S1"].lanes[0].r1 == "a b.fq"
