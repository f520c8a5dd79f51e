"""Phases on real reads, against planted haplotypes, and however the shards are cut."""

import gzip
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from lingqu.call.phase import Evidence, Phaser, link_lines

LENGTH = 205_000


def lingqu(*words) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lingqu", *map(str, words)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def columns_of(path) -> list[list[str]]:
    with gzip.open(path, "rt") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if not line.startswith("#")]


def sample_of(columns: list[str]) -> dict[str, str]:
    return dict(zip(columns[8].split(":"), columns[9].split(":"), strict=True))


def haplotypes(rows: list[list[str]]) -> dict[str, list[tuple[int, str, str]]]:
    """(POS, allele left of |, allele right of it) of each phase set."""
    sets = {}
    for columns in rows:
        sample = sample_of(columns)
        if "PS" in sample:
            alleles = [columns[3], *columns[4].split(",")]
            left, right = (alleles[int(a)] for a in sample["GT"].split("|"))
            sets.setdefault(sample["PS"], []).append((int(columns[1]), left, right))
    return sets


def test_real_reads_have_the_phase_and_the_names_of_the_truth(demo, reference, lanes, tmp_path):
    mates = [tmp_path / "R1.fastq.gz", tmp_path / "R2.fastq.gz"]
    for mate, path in enumerate(mates):
        path.write_bytes(b"".join(lane[mate].read_bytes() for lane in lanes))
    bam, out, known = tmp_path / "x.bam", tmp_path / "x.vcf.gz", demo / "truth.vcf.gz"
    lingqu("align", reference, *mates, "--sample", "S", "-o", bam, "-t", 1)
    lingqu("call", reference, bam, "-o", out, "-r", "20:10,080,001-10,095,000", "-t", 1,
           "--known", known)  # fmt: skip
    names = {(c[1], c[3], c[4]): c[2] for c in columns_of(known)}
    told = [(c[2], names[c[1], c[3], c[4]]) for c in columns_of(out) if (c[1], c[3], c[4]) in names]
    assert len(told) > 20
    assert all(one == two for one, two in told)
    truth = {
        int(columns[1]): [
            [columns[3], *columns[4].split(",")][int(a)]
            for a in columns[9].split(":")[0].split("|")
        ]
        for columns in columns_of(known)
        if "|" in columns[9].split(":")[0]
    }
    checked = 0
    for members in haplotypes(columns_of(out)).values():
        assert len(members) > 1
        same = {[left, right] == truth[pos] for pos, left, right in members
                if pos in truth and {left, right} == set(truth[pos])}  # fmt: skip
        assert len(same) <= 1
        checked += len(same) * (len(members) - 1)
    assert checked >= 15


@pytest.fixture(scope="module")
def planted(tmp_path_factory, simulation):
    """Heterozygous SNVs and indels at random places on two haplotypes, dense and sparse."""
    folder = tmp_path_factory.mktemp("phase")
    rng = np.random.default_rng(31)
    ref = simulation.random_sequence(rng, LENGTH)
    edits, at = ([], []), 90_000
    while at < 112_000:
        kind = int(rng.integers(0, 6))
        edit = (at, 1, "ACGT"["CGTA".index(ref[at])])
        if kind == 0:
            edit = (at, 0, "GATTA")
        elif kind == 1:
            edit = (at, 4, "")
        edits[int(rng.integers(0, 2))].append(edit)
        at += int(rng.choice([1, 30, 90, 250, 320, 900])) if kind > 1 else 60
    fasta = simulation.write_fasta(folder / "ref.fa", {"one": ref})
    bam = simulation.simulate(folder / "a.bam", {"one": ref}, {"one": [*edits]}, depth=24)
    out = folder / "out.vcf.gz"
    lingqu("call", fasta, bam, "-o", out, "-t", 1)
    return fasta, bam, ref, edits, out


def test_planted_haplotypes(planted, simulation):
    *_, ref, edits, out = planted
    rows = columns_of(out)
    sets = haplotypes(rows)
    assert all(int(name) == members[0][0] for name, members in sets.items())
    assert sum(map(len, sets.values())) > 0.7 * len(rows)
    assert any(members[0][0] <= 100_000 < members[-1][0] for members in sets.values())
    for members in sets.values():
        start, end = members[0][0] - 1, members[-1][0] + 10
        known = set()
        for own in edits:
            near = [(s - start, removed, put) for s, removed, put in own if start <= s < end]
            known.add(simulation.haplotype(ref[start : end + 10], near)[0])
        found = set()
        for which in (1, 2):
            pieces, at = [], start
            for member, ref_size in zip(members, _sizes(rows, members), strict=True):
                pieces += [ref[at : member[0] - 1], member[which]]
                at = member[0] - 1 + ref_size
            found.add("".join([*pieces, ref[at : end + 10]]))
        unphased = [c for c in rows if start < int(c[1]) - 1 < end and "PS" not in sample_of(c)]
        assert found == known or unphased


def _sizes(rows, members) -> list[int]:
    sizes = {int(columns[1]): len(columns[3]) for columns in rows}
    return [sizes[pos] for pos, *_ in members]


def test_the_first_of_a_set_is_in_order_and_has_no_quality(planted):
    for columns in columns_of(planted[-1]):
        sample = sample_of(columns)
        if sample.get("PS") == columns[1]:
            left, right = sample["GT"].split("|")
            assert int(left) < int(right)
            assert sample["PQ"] == "."
        elif "PS" in sample:
            assert 20 <= int(sample["PQ"]) <= 99


def test_a_region_has_the_phases_of_its_own_records(planted, tmp_path):
    fasta, bam, *_, out = planted
    part = tmp_path / "part.vcf.gz"
    lingqu("call", fasta, bam, "-o", part, "-r", "one:95001-112000", "-t", 1)
    whole = [c for c in columns_of(out) if 95_000 < int(c[1]) <= 112_000]
    own = columns_of(part)
    assert [c[:8] for c in own] == [c[:8] for c in whole]
    inside = {str(int(c[1])) for c in whole}
    same = [a == b for a, b in zip(own, whole, strict=True)
            if sample_of(b).get("PS", "0") in inside]  # fmt: skip
    assert same
    assert all(same)
    names = {sample_of(c)["PS"] for c in own if "PS" in sample_of(c)}
    assert names <= {c[1] for c in own}


def test_adjacent_snvs_are_joined_on_request(planted, tmp_path):
    fasta, bam, *_, out = planted
    lingqu("call", fasta, bam, "-o", tmp_path / "mnv.vcf.gz", "--mnv", "-t", 1)
    joined = columns_of(tmp_path / "mnv.vcf.gz")
    apart = []
    for c in joined:
        if len(c[3]) == len(c[4]):
            apart += [(int(c[1]) + k, c[3][k], c[4][k], sample_of(c)["GT"])
                      for k in range(len(c[3]))]  # fmt: skip
    snvs = [(int(c[1]), c[3], c[4], sample_of(c)["GT"]) for c in columns_of(out)
            if len(c[3]) == len(c[4]) == 1]  # fmt: skip
    assert apart == snvs
    assert len(joined) < len(columns_of(out))


def _site(pos: int, rng) -> tuple[str, Evidence | None]:
    if rng.random() < 0.2:  # homozygous, or failed a filter
        return f"one\t{pos + 1}\t.\tA\tC\t50\tPASS\t.\tGT:GQ\t1/1:9", None
    side = rng.integers(0, 2)
    names = np.unique(pos // 400 * 8 + rng.integers(0, 16, 6)).astype(np.uint64)
    shares = np.where((names % 2 == side) ^ (rng.random(len(names)) < 0.2), 0.98, 0.02)
    line = f"one\t{pos + 1}\t.\tA\tC\t50\tPASS\t.\tGT:GQ\t0/1:9"
    return line, Evidence(names, shares.astype(np.float32))


def _phased(sites, cuts: list[int]) -> list[str]:
    phaser, lines = Phaser(), []
    for start, end in pairwise(cuts):
        inside = [s for s in sites if start < int(s[0].split("\t")[1]) <= end]
        lines += phaser.feed(0, end, link_lines(inside, start, end))
    return lines + phaser.flush()


@pytest.mark.parametrize("seed", range(30))
def test_cuts_leave_no_trace(seed):
    rng = np.random.default_rng(seed)
    places = np.unique(rng.integers(0, 12_000, int(rng.integers(5, 150)))).tolist()
    sites = [_site(pos, rng) for pos in places]
    whole = _phased(sites, [0, 12_000])
    assert [line.split("\t")[1] for line in whole] == [str(pos + 1) for pos in places]
    assert any("|" in line for line in whole) or len(places) < 40
    for pieces in (2, 5, 40):
        cuts = sorted({0, 12_000, *rng.integers(0, 12_000, pieces).tolist()})
        assert _phased(sites, cuts) == whole


def test_a_line_whose_parent_was_dropped_begins_a_set():
    rng = np.random.default_rng(2)
    sites = [s for s in (_site(pos, rng) for pos in range(0, 900, 60)) if s[1]]
    lines = link_lines(sites, 0, 1000)
    told = Phaser()
    kept = told.feed(0, 1000, lines[1:]) + told.flush()
    assert [line.split("\t")[1] for line in kept] == [s[0].split("\t")[1] for s in sites[1:]]
    assert all(f":{lines[0].split(chr(9))[1]}:" not in line for line in kept)
