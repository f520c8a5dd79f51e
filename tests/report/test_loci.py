"""Which variants are worth a look."""

import pytest

from lingqu.report.loci import loci, room

HEAD = """\
##fileformat=VCFv4.2
##contig=<ID=1,length=100000>
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	S
"""


@pytest.fixture
def vcf(tmp_path):
    def write(lines: list[str]):
        path = tmp_path / "calls.vcf"
        path.write_text(HEAD + "".join(f"{line}\n" for line in lines))
        return path

    return write


def line(pos, ref="A", alt="G", quality="500", filter_="PASS", told="0/1:30:15,15"):
    return f"1\t{pos}\t.\t{ref}\t{alt}\t{quality}\t{filter_}\t.\tGT:DP:AD\t{told}"


def test_reasons_take_turns_by_how_strong_they_are(vcf):
    path = vcf(
        [
            line(10),
            line(20, ref="A" + "C" * 9, alt="A"),
            line(30, ref="ACG", alt="A"),
            line(40, told="0/1:30:27,3"),
            line(50, told="0/1:8:7,1"),
            line(60, quality="21"),
            line(70, quality="19", filter_="LowQual"),
            line(80, quality="3", filter_="LowQual"),
            line(90, alt="."),
        ]
    )
    found = loci(path, 4, 2)
    assert found["records"] == 9
    told = [(row[0], row[-1]) for row in found["rows"]]
    assert told == [
        ("1:20", "length"),
        ("1:40", "balance"),
        ("1:60", "quality"),
        ("1:70", "filter"),
    ]
    assert found["rows"][1] == ["1:40", "A", "G", "0/1", 30, 0.1, 500.0, "PASS", "balance"]
    assert found["piles"] == [("1", 19, "ACCCCCCCCC", "A", 0), ("1", 39, "A", "G", 1)]
    assert {row[0] for row in loci(path, 100, 0)["rows"]} == {f"1:{n}" for n in range(10, 90, 10)}


def test_rows_of_odd_records(vcf):
    path = vcf(
        [
            "1\t10\t.\tA\tG\t.\tPASS\t.\tGT\t./.",
            line(20, alt="G,T", told="1/2:30:0,12,18"),
            line(30, ref="A" + "C" * 60, alt="A", told="1/1:.:.,."),
        ]
    )
    rows = {row[0]: row for row in loci(path, 10, 10)["rows"]}
    assert rows["1:20"][2:6] == ["G,T", "1/2", 30, 1.0]
    assert rows["1:30"][1] == "ACCCCCCC…CCCC (61)"
    assert rows["1:30"][4:6] == [None, None]


def test_room_shrinks_with_the_samples():
    assert [room(n) for n in (1, 100, 1000)] == [(2000, 24), (200, 6), (40, 2)]
