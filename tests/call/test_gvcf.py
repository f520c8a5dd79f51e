"""Blocks are the same wherever they are cut; <NON_REF> comes and goes without a trace."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call import gvcf, records
from lingqu.call.kernels.blocks import confidence, write_rows
from lingqu.call.kernels.reference import ALT, DEPTH, GAP_ALT, GAP_HET, HET, REF
from lingqu.call.phase import GLUE
from lingqu.sequence.codes import encode


def evidence(gqs, depths):
    sums = np.zeros((len(gqs), 7), np.int64)
    sums[:, DEPTH] = depths
    sums[:, HET] = 100 * np.array(gqs)
    sums[:, ALT] = 1000 * np.array(gqs)
    sums[:, GAP_HET] = sums[:, GAP_ALT] = 10**6
    return sums


def lines_of(sums, free, ploidy, cuts):
    """The lines of places that are cut into shards."""
    ref = encode("ACGT" * len(sums))
    lines = []
    for start, end in zip([0, *cuts], [*cuts, len(sums)], strict=True):
        shard = SimpleNamespace(contig="a%c", ploidy=ploidy, start=start, end=end)
        own = free.copy()
        own[:start] = own[end:] = False
        places = [k for k in range(start, end) if k % 7 == 0]
        lines += [line for _, line in gvcf.blocks(sums, own, ref, shard, 0, places)]
    return lines


def joined(lines):
    return [line for some in gvcf.join(lines) for line in some.split(GLUE)]


@given(
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 50), st.booleans()), min_size=1,
             max_size=40),
    st.sets(st.integers(1, 39)), st.sampled_from([1, 2]),
)  # fmt: skip
def test_cuts_leave_no_trace(places, cuts, ploidy):
    gqs, depths, free = (np.array(x) for x in zip(*places, strict=True))
    sums, cuts = evidence(gqs, depths), sorted(cut for cut in cuts if cut < len(gqs))
    whole = joined(lines_of(sums, free, ploidy, []))
    assert joined(lines_of(sums, free, ploidy, cuts)) == whole
    check_blocks(whole, gqs * (10 if ploidy == 1 else 1), depths, free)


def check_blocks(lines, gqs, depths, free):
    bands = [sum(gq >= low for low in gvcf.BANDS) for gq in np.minimum(gqs, 99).tolist()]
    seen = np.zeros(len(gqs), int)
    last = None
    for line in lines:
        fields = line.split("\t")
        start, end = int(fields[1]) - 1, int(fields[7].removeprefix("END="))
        values = dict(zip(fields[8].split(":"), fields[9].split(":"), strict=True))
        seen[start:end] += 1
        assert len(set(bands[start:end])) == 1
        assert int(values["MIN_DP"]) == depths[start:end].min()
        assert int(values["GQ"]) == min(gqs[start:end].min(), 99)
        assert abs(int(values["DP"]) - depths[start:end].mean()) <= 0.5
        assert fields[3] == "ACGT"[start % 4]
        assert last is None or last[0] < start or last[1] != bands[start]
        last = end, bands[start]
    assert (seen == free).all()


def test_confidence_is_the_less_sure_and_never_below_nothing():
    sums = evidence([30, 60, 40, 10], [10, 20, 14, 30])
    sums[1, GAP_HET], sums[1, GAP_ALT] = 2500, 30_000
    sums[3, REF] = 5000  # a mismatch in many reads
    told = [confidence(sums, row, 2, 9999) for row in range(4)]
    assert told == [(30, 300), (25, 300), (40, 400), (0, 50)]
    assert [confidence(sums, row, 1, 9999)[0] for row in range(4)] == [300, 300, 400, 50]


def test_numbers_as_text():
    pieces = [b"a%\t", b"\t.", b";", b":", b"\n"]
    numbers = np.array([[0, 7, 10**18], [9, 10, 99], [100, 2**31, 12345]])
    starts = np.cumsum([0, *map(len, pieces)])
    letters = np.frombuffer(b"ACG", np.uint8)
    expected = [f"a%\t{a}\t.{x};{b}:{c}\n".encode()
                for (a, b, c), x in zip(numbers.tolist(), "ACG", strict=True)]  # fmt: skip
    for function in (write_rows, write_rows.py_func):
        text, ends = np.empty(200, np.uint8), np.empty(3, np.int64)
        function(np.frombuffer(b"".join(pieces), np.uint8), starts, letters, numbers, text, ends)
        assert text[: ends[-1]].tobytes() == b"".join(expected)
        assert np.diff(ends, prepend=0).tolist() == list(map(len, expected))


def call(alleles, likelihoods, unseen, fragments=(10, 11, 2)):
    return records.Call(
        site=0, pos=99, ref="C", alts=("T", "G"), alleles=alleles, depth=24, squares=24 * 3600,
        weighed=2, fragments=fragments, forward=(5, 5, 1), reverse=(5, 6, 1), log_none=-40.0,
        log_other=-9.0, likelihoods=likelihoods, unseen=unseen,
    )  # fmt: skip


LIKELIHOODS = {(0, 0): -40.0, (0, 1): 0.0, (1, 1): -35.0, (0, 2): -30.0, (1, 2): -33.0,
               (2, 2): -70.0}  # fmt: skip


def test_non_ref():
    one = call((0, 1), LIKELIHOODS, (-3.0, -33.0, -3.3, -36.3, -0.6, -6.6))
    plain = records.call_line(one, "a", 2)
    line = gvcf.with_non_ref(plain, one, 2)
    fields = line.split("\t")
    assert fields[4] == "T,<NON_REF>"
    values = dict(zip(fields[8].split(":"), fields[9].split(":"), strict=True))
    assert values["AD"] == "10,11,2"
    # 0/x: as with G, which was weighed; T/x: likewise; x/x: G/G against two alleles of nobody
    assert values["PL"] == "400,0,350,300,330,700"
    assert gvcf.without_non_ref(line) == plain
    haploid = call((1, 1), {(0, 0): -40.0, (1, 1): 0.0, (2, 2): -30.0}, (0, -1, 0, -36, 0, -7))
    plain = records.call_line(haploid, "a", 1)
    line = gvcf.with_non_ref(plain, haploid, 1)
    assert line.split(":")[-1] == "400,0,300"
    assert gvcf.without_non_ref(line) == plain


@pytest.mark.parametrize(
    ("name", "yes"), [("a.g.vcf.gz", True), ("a.g.bcf", True), ("g.vcf.gz", False), ("a.vcf", 0)]
)
def test_names(name, yes):
    assert gvcf.is_gvcf(name) == yes
