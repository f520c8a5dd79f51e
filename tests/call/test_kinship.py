"""Kinship: bits against plain counts, and families born by simulated meioses."""

import shutil
import subprocess
from itertools import combinations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lingqu.call import kinship
from lingqu.call.genotypes import LEAST_DEPTH, LEAST_QUALITY
from lingqu.call.kernels import kinship as kernels
from lingqu.call.kernels.frequency import chances, judge_site
from lingqu.call.kernels.kinship import HETS_A, HETS_B, IBS0, PLANES, SHARED, SITES, SUMS, TALLIES
from lingqu.call.kinship import FOUND, NOT_TOLD, PairCounts

MANY = 120
"""25 Mb stretches of a human genome."""


def packed(copies):
    """The planes of int8[samples, sites]: copies of ALT, -1 for none that is trusted."""
    n, sites = copies.shape
    planes = np.zeros((PLANES, n, -(-sites // 64)), np.uint64)
    bits = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for plane, chosen in enumerate([(copies == 0) | (copies == 2), (copies == 0) | (copies == 1)]):
        padded = np.zeros((n, planes.shape[2] * 64), np.uint64)
        padded[:, :sites] = chosen
        planes[plane] = (padded.reshape(n, planes.shape[2], 64) * bits).sum(2, dtype=np.uint64)
    return planes


def counted(copies):
    """Counts of the pairs, by the words of their definitions."""
    rows = []
    for a, b in combinations(copies, 2):
        a, b = a[(a >= 0) & (b >= 0)], b[(a >= 0) & (b >= 0)]
        hets = a == 1, b == 1
        rows.append([len(a), hets[0].sum(), hets[1].sum(), (hets[0] & hets[1]).sum(),
                     (abs(a - b) == 2).sum()])  # fmt: skip
    return np.array(rows, np.int64).reshape(-1, 5)


def counts_of(copies, threads=1):
    pairs = PairCounts(len(copies), threads)
    pairs.add(packed(copies))
    return pairs.count()


def copies_of(people):
    return np.stack([person.sum(0) for person in people]).astype(np.int8)


@given(st.integers(0, 6), st.integers(0, 700), st.integers(1, 3), st.integers(0, 2**32))
@settings(max_examples=40)
def test_bits_count_as_the_words_say(samples, sites, threads, seed):
    rng = np.random.default_rng(seed)
    copies = rng.integers(-1, 3, (samples, sites)).astype(np.int8)
    pairs = PairCounts(samples, threads)
    for part in np.split(copies, sorted(rng.integers(0, sites + 1, 3)), axis=1):
        pairs.add(packed(part))
        if rng.random() < 0.3:
            pairs.count()
    assert pairs.count().tolist() == counted(copies).tolist()
    assert counts_of(copies).tolist() == counted(copies).tolist()


def test_more_words_than_are_held(monkeypatch):
    monkeypatch.setattr(kinship, "_WORDS", 3)
    copies = np.random.default_rng(4).integers(-1, 3, (4, 1500)).astype(np.int8)
    pairs = PairCounts(4, 2)
    for start, end in ((0, 40), (40, 1000), (1000, 1500)):
        pairs.add(packed(copies[:, start:end]))
    assert pairs.count().tolist() == counted(copies).tolist()


@given(st.integers(0, 2**32))
@settings(max_examples=30)
def test_sites_become_bits(seed):
    rng = np.random.default_rng(seed)
    n, sites = 5, 70
    planes = np.zeros((PLANES, n, 2), np.uint64)
    genotypes, sums = np.zeros((n, TALLIES), np.int64), np.zeros((n, SUMS), np.int64)
    copies = np.full((n, sites), -1, np.int8)
    called, deep = np.zeros((2, n), np.int64)
    for site in range(sites):
        gt = np.sort(rng.integers(0, 2, (n, 2)) * 3, axis=1).astype(np.int16)
        gt[rng.random(n) < 0.1] = -1
        ploidy, gq = rng.choice([0, 1, 2, 2, 2], n), rng.integers(15, 30, n)
        gt[ploidy == 1, 1] = -2
        depth = rng.integers(5, 20, n)
        kernels.add_site(gt, gq, ploidy, depth, 20, 10, site, planes, genotypes, sums)
        good = (ploidy == 2) & (gt[:, 0] >= 0) & (gq >= 20) & (depth >= 10)
        copies[good, site] = (gt[good] > 0).sum(1)
        called += ploidy > 0
        deep += depth * (ploidy > 0)
    assert (planes == packed(copies)).all()
    assert sums.T.tolist() == [called.tolist(), deep.tolist()]
    for k, copy in ((kernels.REFERENCE, 0), (kernels.HETEROZYGOUS, 1), (kernels.ALTERNATE, 2)):
        assert genotypes[:, k].tolist() == (copies == copy).sum(1).tolist()


def test_records_are_tallied():
    gt = np.array([[0, 0], [0, 2], [2, 2], [1, 2], [-1, -1], [1, -2], [0, -2], [-1, -2], [-1, -1]])
    ploidy = np.array([2, 2, 2, 2, 2, 1, 1, 1, 0])
    out = np.zeros((len(gt), TALLIES), np.int64)
    alone = np.array([False, True, False])
    kernels.tally_record(gt.astype(np.int16), ploidy, alone, out)
    reference, het, alternate, missing = 0, 1, 2, 3
    kinds = [reference, het, alternate, het, missing, alternate, reference, missing, None]
    for row, kind in zip(out.tolist(), kinds, strict=True):
        assert [k for k in range(4) if row[k]] == ([kind] if kind is not None else [])
    assert out[:, kernels.SINGLETONS].tolist() == [0, 0, 0, 1, 0, 1, 0, 0, 0]


def test_numbers_of_a_pair():
    """Three sites where one is heterozygous, two where both are, one opposite, four alike."""
    a = np.array([[1, 1, 0, 1, 1, 0, 0, 2, 0, 0, -1]], np.int8)
    b = np.array([[0, 2, 1, 1, 1, 2, 0, 2, 0, 0, 1]], np.int8)
    counts = counts_of(np.concatenate((a, b)))
    assert counts.tolist() == [[10, 4, 3, 2, 1]]
    assert (kinship.ibs1(counts)[0], kinship.ibs2(counts)[0]) == (3, 6)
    assert kinship.relatedness(counts)[0] == 0
    assert kinship.kinship(counts)[0] == pytest.approx(
        (2 - 2) / (2 * 3) + 1 / 2 - (4 + 3) / (4 * 3)
    )
    none = counts_of(np.zeros((2, 9), np.int8))
    assert np.isnan(kinship.kinship(none)).all() and np.isnan(kinship.relatedness(none)).all()


RELATIONS = {
    "parent-child": ["dad kid", "mum kid", "dad sis", "mum sis", "kid baby", "partner baby",
                     "mum copy", "dad copy"],
    "siblings": ["dad aunt", "kid sis", "kid copy"],
    "second degree": ["dad half", "aunt half", "aunt kid", "aunt sis", "dad baby", "mum baby",
                      "sis baby", "aunt copy", "copy baby"],
    "same": ["sis copy"],
}  # fmt: skip
DISTANT = {"half kid", "half sis", "aunt baby", "half baby", "half copy"}
"""Third degree and farther: kinship above the bound of second degree now and then."""


@pytest.mark.parametrize("pool", [0, 60])
def test_families(gene_drop, pool):
    """Each relation is found for what it is, linked sites or not."""
    known = {pair: word for word, pairs in RELATIONS.items() for pair in pairs}
    wrong, close = [], []
    for seed in range(6):
        people = gene_drop(seed, 40_000, pool).family()
        counts = counts_of(copies_of(people.values()))
        found, kin = kinship.found(counts, MANY), kinship.kinship(counts)
        for k, pair in enumerate(combinations(people, 2)):
            both = {" ".join(pair), " ".join(pair[::-1])}
            if both & DISTANT:
                assert kin[k] < 0.13
                continue
            told = next((known[name] for name in both if name in known), "unrelated")
            if told == "unrelated":
                close.append(kin[k])
            if FOUND[found[k]] != told:
                wrong.append((seed, pair, told, FOUND[found[k]], kin[k]))
    assert all(told == "second degree" and abs(kin - 0.125) < 0.06 for *_, told, _, kin in wrong)
    assert len(wrong) < 4, wrong
    assert abs(np.mean(close)) < 0.01


def test_little_of_a_genome_tells_little(gene_drop):
    people = gene_drop(1, 20_000).family()
    counts = counts_of(copies_of(people.values()))
    pairs = list(combinations(people, 2))
    same = pairs.index(("sis", "copy"))
    few = kinship.found(counts, kinship.LEAST_STRETCHES - 1)
    assert few[same] == kinship.SAME and (np.delete(few, same) == NOT_TOLD).all()
    assert (kinship.found(counts, kinship.LEAST_SAME - 1) == NOT_TOLD).all()
    assert (kinship.found(counts // 50, MANY) == NOT_TOLD).all()
    refuted = dict(zip(pairs, kinship.is_refuted(counts).tolist(), strict=True))
    assert refuted["mum", "partner"] and not refuted["mum", "kid"] and not refuted["sis", "copy"]


def test_sites_that_the_cohort_chooses_mislead(gene_drop):
    """Why no site is left out for the alleles that the samples have: parent and child of two seem
    to be one person by the sites that vary most among them.
    """
    people = gene_drop(2, 20_000).family()
    copies = copies_of([people["dad"], people["kid"]])
    assert kinship.kinship(counts_of(copies))[0] == pytest.approx(0.25, abs=0.01)
    chosen = copies[:, copies.sum(0) == 2]
    assert kinship.kinship(counts_of(chosen))[0] > 0.45


def observed(copies, depth, rng):
    """(copies by the genotypes, GQ, DP) of reads with errors, genotyped as a cohort's are."""
    dp = rng.poisson(depth * rng.gamma(8, 1 / 8, copies.shape[1]), copies.shape)
    alts = rng.binomial(dp, np.array([0.002, 0.5, 0.998])[copies])
    wrong, right = np.log10(0.002), np.log10(0.998)
    likes = (
        alts * wrong + (dp - alts) * right,
        dp * np.log10(0.5),
        alts * right + (dp - alts) * wrong,
    )
    pls = np.rint(-10 * (np.stack(likes, 2) - np.max(likes, axis=0)[:, :, None])).astype(np.int32)
    n, told = len(copies), np.full(copies.shape, -1)
    gt, gq, qualities = np.empty((n, 2), np.int16), np.zeros(n, np.int64), np.zeros_like(told)
    ploidy, silent = np.full(n, 2), np.array([True, False])
    for site in range(copies.shape[1]):
        judge_site(np.ascontiguousarray(pls[:, site]), ploidy, np.array([10.0, 0.01]), silent,
                   chances(), gt, gq)  # fmt: skip
        told[:, site], qualities[:, site] = np.where(gt[:, 0] < 0, -1, gt.sum(1)), gq
    return told, qualities, dp


def test_depth_is_asked_for_and_not_quality_alone(gene_drop):
    """At ten reads. A bound of GQ that heterozygous genotypes pass sooner makes all look related;
    with one of depth before it, all are found for what they are.
    """
    drop = gene_drop(3, 15_000)
    people = drop.family()
    names = ["mum", "partner", "dad", "kid", "sis"]
    told, gq, dp = observed(copies_of([people[name] for name in names]), 10, drop.rng)
    by_quality = counts_of(np.where((gq >= 20) & (dp >= 7), told, -1).astype(np.int8))
    good = (gq >= LEAST_QUALITY) & (dp >= LEAST_DEPTH)
    counts = counts_of(np.where(good, told, -1).astype(np.int8))
    assert kinship.kinship(by_quality)[0] > 0.03
    assert abs(kinship.kinship(counts)[0]) < 0.02
    known = {"dad kid": 1, "dad sis": 1, "mum kid": 1, "mum sis": 1, "kid sis": 2}
    expected = [known.get(" ".join(pair), 4) for pair in combinations(names, 2)]
    assert kinship.found(counts, MANY).tolist() == expected
    assert (
        counts[expected.index(1), IBS0] < 0.2 * kinship.OPPOSITE * counts[expected.index(1), HETS_A]
    )


def test_plink_counts_the_same(gene_drop, tmp_path):
    plink = shutil.which("plink2")
    if not plink:
        pytest.skip("plink2 is not installed")
    people = gene_drop(5, 3000).family()
    copies = copies_of(people.values())
    rng = np.random.default_rng(1)
    copies[rng.random(copies.shape) < 0.1] = -1
    names, words = list(people), ["./.", "0/0", "0/1", "1/1"]
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join(
            ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *names)
        ),
    ]
    for k, column in enumerate(copies.T.tolist(), 1):
        told = (words[copy + 1] for copy in column)
        lines.append("\t".join(("1", str(k), ".", "A", "C", ".", "PASS", ".", "GT", *told)))
    (tmp_path / "x.vcf").write_text("\n".join(lines) + "\n")
    subprocess.run(
        [
            plink,
            "--vcf",
            "x.vcf",
            "--make-king-table",
            "counts",
            "cols=id,nsnp,hethet,ibs0,kinship",
            "--threads",
            "1",
            "--out",
            "x",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    rows = [line.split() for line in (tmp_path / "x.kin0").read_text().splitlines()[1:]]
    counts = counts_of(copies)
    own = {}
    for k, (a, b) in enumerate(combinations(names, 2)):
        own[frozenset((a, b))] = (
            counts[k, [SITES, SHARED, IBS0]].tolist(),
            kinship.kinship(counts)[k],
        )
    assert len(rows) == len(own) == len(counts)
    for a, b, sites, shared, opposite, value in rows:
        told, close = own[frozenset((a, b))]
        assert told == [int(float(x)) for x in (sites, shared, opposite)]
        assert float(value) == pytest.approx(close, abs=2e-6)
    assert counts[:, [HETS_A, HETS_B]].min() > 0
