"""Adjacent SNVs: which are joined, and what the joined record says."""

import pytest

from lingqu.call.mnv import Joiner

KEYS = "GT:GQ:DP:AD:PL"


def line(pos, ref, alt, gt, qual="50.0", failed="PASS", phase=":100:.", name=".") -> str:
    sample = f"{gt}:40:20:10,10:40,0,{qual[:2]}" + (phase if "|" in gt else "")
    keys = KEYS + (":PS:PQ" if "|" in gt else "")
    return f"20\t{pos}\t{name}\t{ref}\t{alt}\t{qual}\t{failed}\tDP={qual}\t{keys}\t{sample}"


def joined(*lines) -> list[str]:
    """Joined at once, and one by one."""
    at_once, single = Joiner(), Joiner()
    found = at_once.feed(list(lines)) + at_once.flush()
    assert [x for one in lines for x in single.feed([one])] + single.flush() == found
    return found


def test_three_in_a_row():
    (found,) = joined(
        line(100, "A", "C", "0|1", name="rs1"),
        line(101, "G", "T", "0|1", qual="30.0", phase=":100:99"),
        line(102, "A", "G", "0|1", phase=":100:99", name="rs3"),
    )
    assert found == line(100, "AGA", "CTG", "0|1", qual="30.0", name="rs1;rs3")


@pytest.mark.parametrize("gt", ["1/1", "1"])
def test_on_all_copies(gt):
    (found,) = joined(line(100, "A", "C", gt), line(101, "G", "T", gt))
    assert found.split("\t")[3:5] == ["AG", "CT"]


@pytest.mark.parametrize(
    "second",
    [
        line(101, "G", "T", "1|0"),  # the other haplotype
        line(101, "G", "T", "0|1", phase=":101:."),  # another set
        line(101, "G", "T", "0/1"),
        line(101, "G", "T", "1/1"),
        line(102, "G", "T", "0|1"),
        line(101, "G", "T", "0|1", failed="LowQual"),
        line(101, "G", "GT", "0|1"),
        line(101, "G", "T,C", "0|1"),
        line(101, "G", "*", "0|1"),
    ],
)
def test_apart(second):
    first = line(100, "A", "C", "0|1")
    assert joined(first, second) == [first, second]
