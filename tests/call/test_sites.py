"""Sites of several samples against plain Python: alleles, PLs, frequencies, genotypes."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.call import sites
from lingqu.call.kernels.frequency import genotype_samples


def seen(pos, ref, alts, pl, ad=None, gt="0/1", failed="PASS", dp=20):
    ad = ad or [0] * (len(alts.split(",")) + 2)
    sample = f"{gt}:40:{dp}:{','.join(map(str, ad))}:{','.join(map(str, pl))}"
    fields = ("a", str(pos + 1), ".", ref, f"{alts},<NON_REF>", "50.0", failed, "DP=20",
              "GT:GQ:DP:AD:PL", sample)  # fmt: skip
    return sites.read_record("\t".join(fields))


NOTHING = np.array([[2, 0, 0, 0]], np.int32)
BLOCK = np.array([[2, 25, 75, 900]], np.int32)


def test_alleles_of_the_longest_ref():
    here = {
        0: seen(9, "CAA", "C", [300, 0, 300, 330, 330, 600], [10, 9, 1]),
        1: seen(9, "CA", "C,T", [90, 80, 70, 60, 0, 50, 99, 98, 97, 96], [1, 8, 9, 2], gt="1/2"),
    }
    blocks = np.concatenate((NOTHING, NOTHING, BLOCK, NOTHING))
    site = sites.gather(9, here, {}, blocks)
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
    here = {0: seen(12, "A", "T", [300, 0, 300, 330, 330, 600])}
    over = {1: seen(9, "CAAAA", "C,CA", [50, 30, 40, 20, 0, 60, 90, 80, 70, 99], [0, 5, 6, 1])}
    assert over[1].gone(12) == (1, 2)
    assert over[1].gone(13) == (1,)  # CA takes away the first three As
    site = sites.gather(12, here, over, np.concatenate((NOTHING, NOTHING)))
    assert site.alleles == ["A", "T", "*"]
    # 0 = own 0; T = <NON_REF>; * = own 1 or 2; genotypes 00 01 11 02 12 22
    assert site.pl[1].tolist() == [50, 90, 99, 20, 70, 0]
    assert site.ad[1].tolist() == [0, 1, 11]
    line = sites.site_line(site, "a").split("\t")
    assert line[4] == "T,*"
    assert [column.split(":")[0] for column in line[9:]] == ["0/1", "2/2"]


def test_alleles_of_nobody_are_dropped_and_ref_shortened():
    here = {
        0: seen(9, "C", "T", [300, 0, 300, 330, 330, 600], [10, 9, 1]),
        1: seen(9, "CAA", "C", [0, 8, 300, 8, 300, 300], [10, 1, 0]),
    }
    site = sites.gather(9, here, {}, np.concatenate((NOTHING, NOTHING)))
    line = sites.site_line(site, "a").split("\t")
    assert line[3:5] == ["C", "T"]
    assert line[7] == "AC=1;AN=4;AF=0.25;NS=2;DP=40"
    assert line[9].split(":")[3:] == ["10,9", "300,0,300"]
    assert line[10].split(":")[0] == "0/0"


def test_nothing_to_tell():
    here = {0: seen(9, "C", "T", [0, 3, 300, 30, 300, 300])}
    assert sites.site_line(sites.gather(9, here, {}, NOTHING), "a") is None
    star = {0: seen(9, "C", "*", [90, 0, 90, 99, 99, 99])}
    assert sites.gather(9, star, {}, NOTHING) is None


def test_filters_and_missing():
    here = {0: seen(9, "C", "T", [300, 0, 300, 330, 330, 600], failed="StrandBias")}
    blocks = np.concatenate((NOTHING, NOTHING, BLOCK))
    line = sites.site_line(sites.gather(9, here, {}, blocks), "a").split("\t")
    assert line[6] == "StrandBias"
    assert line[10] == "./.:.:0:.:."
    assert line[11] == "0/0:83:25:25,0:0,75,900"
    here[1] = seen(9, "C", "T", [300, 0, 300, 330, 330, 600])
    assert sites.site_line(sites.gather(9, here, {}, blocks), "a").split("\t")[6] == "PASS"


def test_one_and_two_copies():
    here = {0: seen(9, "C", "T", [300, 0, 330], gt="1"),
            1: seen(9, "C", "G", [300, 0, 300, 330, 330, 600])}  # fmt: skip
    blocks = np.concatenate((NOTHING, NOTHING, np.array([[1, 12, 400, 400]], np.int32)))
    line = sites.site_line(sites.gather(9, here, {}, blocks), "a").split("\t")
    assert line[4] == "G,T"
    assert [column.split(":")[0] for column in line[9:]] == ["2", "0/1", "0"]
    assert [column.split(":")[-1] for column in line[9:]] == [
        "300,330,0", "300,0,300,330,330,600", "0,400,400"
    ]  # fmt: skip
    assert line[7].startswith("AC=1,1;AN=4;")


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
        found, chosen, quality,
    )  # fmt: skip
    assert found == pytest.approx(frequency, abs=2e-3)
    assert log == pytest.approx(none, abs=0.05 * n + 0.02 * abs(none))
    for s, one in enumerate(told):
        best = sites.pairs(alleles, ploidies[s])[chosen[s]][: ploidies[s]]
        assert one[best] >= max(one.values()) - 0.02
        assert 10 ** quality[s] == pytest.approx(1 - one[best], abs=0.02)
