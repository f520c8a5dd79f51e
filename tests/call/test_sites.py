"""Sites of several samples against plain Python: alleles, PLs, frequencies, genotypes."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.call import cohort_lines
from lingqu.call.kernels.cohort_blocks import BLOCK
from lingqu.call.kernels.frequency import chances, genotype_samples
from lingqu.call.kernels.gvcf_lines import (
    INTS,
    LETTERS,
    RECORDS,
    ROOM,
    SCRATCH,
    STATE,
    TEXT_END,
    cut_lines,
)  # fmt: skip
from lingqu.call.pieces import Piece, block_bytes
from lingqu.call.sites import sites_of
from lingqu.sequence.codes import encode


def seen(pos, ref, alts, pl, ad=None, gt="0/1", failed="PASS", dp=20, phase=""):
    ad = ad or [0] * (len(alts.split(",")) + 2)
    sample = f"{gt}:40:{dp}:{','.join(map(str, ad))}:{','.join(map(str, pl))}{phase}"
    return "\t".join(("a", str(pos + 1), ".", ref, f"{alts},<NON_REF>", "50.0", failed, "DP=20",
                      f"GT:GQ:DP:AD:PL{':PS:PQ' if phase else ''}", sample))  # fmt: skip


def piece(lines):
    """The records of a sample, as they are cut from its lines, whose REF is the contig."""
    contig = np.full(40, 4, np.uint8)
    for line in lines:
        _, pos, _, ref, _ = line.split("\t", 4)
        contig[int(pos) - 1 : int(pos) - 1 + len(ref)] = encode(ref)
    text = np.frombuffer("".join(f"{line}\n" for line in lines).encode(), np.uint8)
    state, size = np.zeros(STATE, np.int64), len(text) + ROOM
    ints, letters = np.empty(size, np.int32), np.empty(size, np.uint8)
    why = cut_lines(
        text, np.frombuffer(b"a", np.uint8), contig, len(contig), state, np.zeros(BLOCK, np.int64),
        np.empty(SCRATCH, np.int64), np.empty((size, BLOCK), np.int64), ints, letters,
    )  # fmt: skip
    assert why == TEXT_END
    return Piece(int(state[RECORDS]), ints[: state[INTS]], letters[: state[LETTERS]])


NOTHING = (2, 0, 0, 0)
COVERED = (2, 25, 75, 900)


def gathered(pos, told, blocks):
    """The site at `pos` or None; told: lines by sample, blocks: of each sample."""
    pieces = [piece(told.get(s, [])) for s in range(len(blocks))]
    rows = [np.array([[0, 40, *block]], np.int64) for block in blocks]
    found = sites_of(pieces, lambda s: np.frombuffer(block_bytes(rows[s]), np.uint8), pos, pos + 1)
    return next(found, None)


def line_of(site):
    line = cohort_lines.site_line(site, "a")
    return line and line.decode().split("\t")


def test_alleles_of_the_longest_ref():
    here = {
        0: [seen(9, "CAA", "C", [300, 0, 300, 330, 330, 600], [10, 9, 1])],
        1: [seen(9, "CA", "C,T", [90, 80, 70, 60, 0, 50, 99, 98, 97, 96], [1, 8, 9, 2], gt="1/2")],
    }
    site = gathered(9, here, (NOTHING, NOTHING, COVERED, NOTHING))
    assert site.alleles == ["CAA", "C", "CA", "TA"]
    assert site.ad.tolist() == [[10, 9, 1, 1], [1, 2, 8, 9], [25, 0, 0, 0], [0, 0, 0, 0]]
    # genotypes 00 01 11 02 12 22 03 13 23 33; own alleles 0, 1 and <NON_REF> = 2
    assert site.pl[0].tolist() == [300, 0, 300, 330, 330, 600, 330, 330, 600, 600]
    # own alleles of the second: CA = 1, TA = 2, C is <NON_REF> = 3
    assert site.pl[1].tolist() == [90, 99, 96, 80, 98, 70, 60, 97, 0, 50]
    assert site.pl[2].tolist() == [0, 75, 900, 75, 900, 900, 75, 900, 900, 900]
    assert not site.pl[3].any()
    assert site.depth.tolist() == [20, 20, 25, 0]


def test_below_a_deletion():
    told = {
        0: [seen(12, "A", "T", [300, 0, 300, 330, 330, 600])],
        1: [seen(9, "CAAAA", "C,CA", [50, 30, 40, 20, 0, 60, 90, 80, 70, 99], [0, 5, 6, 1])],
    }
    site = gathered(12, told, (NOTHING, NOTHING))
    assert site.alleles == ["A", "T", "*"]
    # 0 = own 0; T = <NON_REF>; * = own 1 or 2; genotypes 00 01 11 02 12 22
    assert site.pl[1].tolist() == [50, 90, 99, 20, 70, 0]
    assert site.ad[1].tolist() == [0, 1, 11]
    line = line_of(site)
    assert line[4] == "T,*"
    assert [column.split(":")[0] for column in line[9:]] == ["0/1", "2/2"]
    # CA takes away the first three As: one place on, only C does
    further = told | {0: [seen(13, "A", "T", [300, 0, 300, 330, 330, 600])]}
    assert gathered(13, further, (NOTHING, NOTHING)).ad[1].tolist() == [6, 1, 5]


def test_of_deletions_over_a_place_the_first_that_takes_it_counts():
    told = {
        0: [seen(12, "A", "T", [300, 0, 300, 330, 330, 600])],
        1: [seen(8, "CCAAAA", "CA,G", [0] * 10, [1, 2, 3, 4]),
            seen(9, "CAAAA", "C", [0] * 6, [5, 6, 7]),
            seen(10, "AAAA", "A", [0] * 6, [8, 9, 10])],
        2: [seen(10, "AAA", "AAC", [0] * 6, [3, 4, 5]), seen(11, "AA", "AC", [0] * 6, [6, 7, 8])],
    }  # fmt: skip
    site = gathered(12, told, (NOTHING,) * 3)
    assert site.alleles == ["A", "T", "*"]
    assert site.ad[1:].tolist() == [[1, 4, 5], [13, 8, 8]]


def test_alleles_of_nobody_are_dropped_and_ref_shortened():
    here = {
        0: [seen(9, "C", "T", [300, 0, 300, 330, 330, 600], [10, 9, 1])],
        1: [seen(9, "CAA", "C", [0, 8, 300, 8, 300, 300], [10, 1, 0])],
    }
    line = line_of(gathered(9, here, (NOTHING, NOTHING)))
    assert line[3:5] == ["C", "T"]
    assert line[7] == "AC=1;AN=4;AF=0.25;NS=2;DP=40"
    assert line[9].split(":")[3:] == ["10,9", "300,0,300"]
    assert line[10].split(":")[0] == "0/0"


def test_nothing_to_tell():
    here = {0: [seen(9, "C", "T", [0, 3, 300, 30, 300, 300])]}
    assert line_of(gathered(9, here, (NOTHING,))) is None
    star = {0: [seen(9, "C", "*", [90, 0, 90, 99, 99, 99])]}
    assert gathered(9, star, (NOTHING,)) is None


CARRIER = [300, 0, 300, 330, 330, 600]


def test_filters_and_missing():
    here = {0: [seen(9, "C", "T", CARRIER, failed="StrandBias")]}
    blocks = (NOTHING, NOTHING, COVERED)
    line = line_of(gathered(9, here, blocks))
    assert line[6] == "StrandBias"
    assert line[10] == "./.:.:0:.:."
    assert line[11] == "0/0:83:25:25,0:0,75,900"
    here[1] = [seen(9, "C", "T", CARRIER, failed="LowMapQual;StrandBias")]
    assert line_of(gathered(9, here, blocks))[6] == "StrandBias"
    here[1] = [seen(9, "C", "T", CARRIER)]
    assert line_of(gathered(9, here, blocks))[6] == "PASS"


def test_one_and_two_copies():
    here = {0: [seen(9, "C", "T", [300, 0, 330], gt="1")],
            1: [seen(9, "C", "G", CARRIER)]}  # fmt: skip
    line = line_of(gathered(9, here, (NOTHING, NOTHING, (1, 12, 400, 400))))
    assert line[4] == "G,T"
    assert [column.split(":")[0] for column in line[9:]] == ["2", "0/1", "0"]
    assert [column.split(":")[-1] for column in line[9:]] == [
        "300,330,0", "300,0,300,330,330,600", "0,400,400"
    ]  # fmt: skip
    assert line[7].startswith("AC=1,1;AN=4;")


def test_phases_are_kept_where_the_genotype_is():
    here = {
        0: [seen(9, "C", "T", CARRIER, gt="1|0", phase=":4:50")],
        1: [seen(9, "C", "G", CARRIER, gt="0|1", phase=":10:.")],
        2: [seen(9, "C", "G", CARRIER)],
        3: [seen(9, "C", "T", [0, 30, 300, 330, 330, 600], gt="0|1", phase=":4:50")],
        4: [seen(9, "C", "G,T", [99, 99, 99, 99, 0, 99, 99, 99, 99, 99], gt="2|1", phase=":3:20")],
    }
    line = line_of(gathered(9, here, (NOTHING,) * 5))
    assert line[4] == "G,T"
    assert line[8] == "GT:GQ:DP:AD:PL:PS:PQ"
    assert [column.split(":")[0] for column in line[9:]] == ["2|0", "0|1", "0/1", "0/0", "2|1"]
    assert [column.split(":")[5:] for column in line[9:]] == [
        ["4", "50"], ["10", "."], [], [], ["3", "20"]
    ]  # fmt: skip
    del here[0], here[1], here[4]
    assert line_of(gathered(9, here, (NOTHING,) * 5))[8] == "GT:GQ:DP:AD:PL"


def slowly(pls, ploidies, pseudo, silent):
    """Frequencies, genotypes, qualities and the chance of none, by dictionaries and math."""
    alleles = range(len(pseudo))
    genotypes = {2: [(a, b) for b in alleles for a in range(b + 1)], 1: [(a,) for a in alleles]}
    frequency = [1 / len(pseudo)] * len(pseudo)

    def posteriors(pl, ploidy):
        weights = {}
        for genotype, cost in zip(genotypes[ploidy], pl, strict=False):
            ways = len(set(itertools.permutations(genotype)))
            weights[genotype] = 10 ** (-cost / 10) * ways
            weights[genotype] *= math.prod(frequency[a] for a in genotype)
        total = sum(weights.values())
        return {genotype: weight / total for genotype, weight in weights.items()}

    for _ in range(100):
        told = [posteriors(pl, ploidy) for pl, ploidy in zip(pls, ploidies, strict=True)]
        counts = [
            pseudo[a] + sum(share * g.count(a) for one in told for g, share in one.items())
            for a in alleles
        ]
        frequency = [count / sum(counts) for count in counts]
    told = [posteriors(pl, ploidy) for pl, ploidy in zip(pls, ploidies, strict=True)]
    none = sum(
        math.log10(sum(share for g, share in one.items() if all(silent[a] for a in g)))
        for one in told
    )
    return frequency, told, none


@given(st.integers(2, 4), st.data())
@settings(max_examples=40, deadline=None)
def test_frequencies(alleles, data):
    size = alleles * (alleles + 1) // 2
    rows = st.tuples(st.lists(st.integers(0, 90), min_size=size, max_size=size),
                     st.sampled_from([1, 2]))  # fmt: skip
    pls, ploidies = zip(*data.draw(st.lists(rows, min_size=1, max_size=6)), strict=True)
    pseudo = np.array([10.0, 0.01, 0.001, 0.01][:alleles])
    silent = np.array([True] + [False] * (alleles - 1))
    frequency, told, none = slowly(pls, ploidies, pseudo, silent)
    n = len(pls)
    found, chosen, quality = np.empty(alleles), np.zeros(n, np.int64), np.empty(n)
    log = genotype_samples(
        np.array(pls, np.int32), np.array(ploidies, np.int64), np.ones(n, bool), pseudo, silent,
        chances(), found, chosen, quality,
    )  # fmt: skip
    assert found == pytest.approx(frequency, abs=2e-3)
    assert log == pytest.approx(none, abs=0.05 * n + 0.02 * abs(none))
    for s, one in enumerate(told):
        best = list(one)[chosen[s]]
        assert one[best] >= max(one.values()) - 0.02
        assert 10 ** quality[s] == pytest.approx(1 - one[best], abs=0.02)
