"""Planted variants are found, with their genotypes; shards leave no trace."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lingqu.call import gvcf, model
from lingqu.call import shard as shards
from lingqu.call.phase import GLUE, Phaser
from lingqu.call.records import GivenSite
from lingqu.call.shard import Shard, call_shard

LENGTH = 60_000
GAPS = model.gap_table(np.zeros(model.TALLY, np.int64))


def other(base: str) -> str:
    return "ACGT"[("ACGT".index(base) + 1) % 4]


def plant(ref: str) -> tuple[list, list]:
    """Edits of two haplotypes, 1000 bases apart: substitutions, indels of 1 to 40, crowded ones."""
    one, two = [], []
    for k, at in enumerate(range(2100, 20_000, 1000)):
        edit = (at, 1, other(ref[at]))
        one.append(edit)
        if k % 2:
            two.append(edit)
    for k, (at, size) in enumerate(zip(range(21_100, 33_000, 1000), [1, 2, 3, 5, 8, 13] * 2,
                                       strict=True)):  # fmt: skip
        edit = (at, size, "") if k % 2 else (at, 0, "ACTGGACTTAGCA"[:size])
        (one if k < 6 else two).append(edit)
    one += [(35_100, 0, "GATTACAGGCTTAACCGTGA" * 2), (37_100, 30, "")]
    for at in (39_100, 39_106, 39_111):  # neighbours on different haplotypes
        (one if at % 2 else two).append((at, 1, other(ref[at])))
    one.append((41_100, 4, ""))
    two.append((41_102, 1, other(ref[41_102])))  # under the deletion of the other haplotype
    one.append((43_100, 1, other(ref[43_100])))
    two.append((43_100, 1, other(other(ref[43_100]))))  # 1/2
    one.append((45_100, 2, ""))
    two.append((45_100, 0, "TGTG"))
    return one, two


@pytest.fixture(scope="module")
def planted(tmp_path_factory, simulation):
    folder = tmp_path_factory.mktemp("shard")
    rng = np.random.default_rng(11)
    ref = simulation.random_sequence(rng, LENGTH)
    homopolymer = 47_100
    ref = ref[:homopolymer] + "C" + "A" * 10 + "G" + ref[homopolymer + 12 :]
    one, two = plant(ref)
    one.append((homopolymer + 1, 1, ""))
    fasta = simulation.write_fasta(folder / "ref.fa", {"one": ref})
    bam = simulation.simulate(folder / "a.bam", {"one": ref}, {"one": [one, two]})
    return fasta, bam, ref, one, two


def shard(fasta, bam, start, end, *, ploidy=2, sites=None) -> Shard:
    return Shard(
        Path(fasta), Path(bam), 0, start, end, ploidy, ((start, end),), sites, GAPS, Path("unused")
    )


def lines_of(one: Shard) -> list[str]:
    """The lines of a shard."""
    return call_shard(one)[1]


def phased(shards: list[Shard]) -> list[str]:
    """The lines of shards in their order, as they are written."""
    phaser = Phaser()
    lines = [line for one in shards for line in phaser.feed(one.tid, one.end, lines_of(one))]
    return lines + phaser.flush()


def apply(ref: str, lines: list[str], which: int) -> str:
    """The haplotype that all records spell for allele number `which` of each GT, as if phased."""
    pieces, at = [], 0
    for line in lines:
        fields = line.split("\t")
        pos, alleles = int(fields[1]) - 1, [fields[3], *fields[4].split(",")]
        allele = alleles[int(fields[9].split(":")[0].split("/")[which])]
        if allele != "*" and allele != fields[3] and pos >= at:
            pieces += [ref[at:pos], allele]
            at = pos + len(fields[3])
    return "".join([*pieces, ref[at:]])


def test_each_planted_variant_is_found(planted, simulation):
    fasta, bam, ref, one, two = planted
    lines = [line for line in lines_of(shard(fasta, bam, 0, LENGTH)) if "\tPASS\t" in line]
    windows = sorted({edit[0] // 1000 for edit in one + two})
    assert sorted({int(line.split("\t")[1]) // 1000 for line in lines}) == windows
    for at in windows:
        here = [line for line in lines if int(line.split("\t")[1]) // 1000 == at]
        span = slice(at * 1000 - 200, at * 1000 + 800)
        truth = set()
        for edits in (one, two):
            near = [edit for edit in edits if edit[0] // 1000 == at]
            shifted = [(start - span.start, removed, put) for start, removed, put in near]
            truth.add(simulation.haplotype(ref[span], shifted)[0])
        if at not in (39, 41, 45):  # phases of several records are not told
            moved = []
            for line in here:
                fields = line.split("\t")
                fields[1] = str(int(fields[1]) - span.start)
                moved.append("\t".join(fields))
            assert {apply(ref[span], moved, which) for which in (0, 1)} == truth
        else:
            assert len(here) == sum(edit[0] // 1000 == at for edit in {*one, *two})


def test_under_a_deletion(planted):
    fasta, bam, *_ = planted
    lines = lines_of(shard(fasta, bam, 40_500, 41_500))
    assert len(lines) == 2
    assert lines[1].split("\t")[4].split(",")[0] == "*"
    assert lines[1].split("\t")[9].startswith("1/2:")


def test_cuts_leave_no_trace(planted):
    fasta, bam, *_ = planted
    whole = phased([shard(fasta, bam, 0, LENGTH)])
    assert any(line.count(":PS:PQ") for line in whole)
    cuts = [0, 5_000, 21_000, 35_000, 35_001, 39_005, 41_001, 45_000, LENGTH]
    pieces = phased([shard(fasta, bam, start, end) for start, end in pairwise(cuts)])
    assert pieces == whole


def test_heavy_shards_are_cut_alike(planted, monkeypatch):
    fasta, bam, *_ = planted
    whole = call_shard(shard(fasta, bam, 0, LENGTH))
    monkeypatch.setattr(shards, "MOST_BYTES", 100_000)
    assert call_shard(shard(fasta, bam, 0, LENGTH)) == whole


def test_of_two_records_of_a_place_the_surer_stands(planted, monkeypatch):
    fasta, bam, *_ = planted
    one = shard(fasta, bam, 0, 10_000)
    real, expected = shards._rows, lines_of(one)

    def doubled(*facts):
        calls = real(*facts)
        return calls + [replace(call, log_none=call.log_none / 2) for call in calls]

    monkeypatch.setattr(shards, "_rows", doubled)
    assert lines_of(one) == expected


def test_heavy_windows_are_tallied_in_halves(planted, monkeypatch):
    fasta, bam, *_ = planted
    window = Path(fasta), Path(bam), 0, 0, LENGTH
    whole = shards.tally_window(window)
    monkeypatch.setattr(shards, "MOST_BYTES", 100_000)
    halves = shards.tally_window(window)
    assert whole[..., 0].sum() == pytest.approx(halves[..., 0].sum(), rel=0.01)
    monkeypatch.setattr(shards, "MOST_BYTES", -1)
    assert shards.tally_window(window).sum() == 0


def test_given_sites(planted):
    fasta, bam, ref, *_ = planted
    het, absent = 2100, 2200
    sites = (
        GivenSite(het, ref[het], (other(other(ref[het])), other(ref[het]))),
        GivenSite(absent, ref[absent], (other(ref[absent]),)),
        GivenSite(3100, ref[3100:3103], (other(ref[3100]) + ref[3101:3103], ref[3100])),
    )
    lines = lines_of(shard(fasta, bam, 0, LENGTH, sites=sites))
    columns = [line.split("\t") for line in lines]
    assert [int(fields[1]) - 1 for fields in columns] == [het, absent, 3100]
    assert [fields[9].split(":")[0] for fields in columns] == ["0/2", "0/0", "1/1"]
    assert columns[0][4].split(",") == list(sites[0].alts)
    assert [fields[6] for fields in columns] == ["PASS", "LowQual", "PASS"]


@pytest.fixture(scope="module")
def rearranged(tmp_path_factory, simulation):
    """Long homozygous deletions, and one of 400 bases beside an SNV of its site."""
    folder = tmp_path_factory.mktemp("long")
    ref = simulation.random_sequence(np.random.default_rng(16), 24_000)
    snv = (17_999, 1, other(ref[17_999]))
    both = [(3000, 2500, ""), (9000, 5000, ""), (21_000, 1, other(ref[21_000]))]
    fasta = simulation.write_fasta(folder / "ref.fa", {"one": ref})
    haplotypes = [[*both, (18_000, 400, "")], [*both, snv]]
    return fasta, simulation.simulate(folder / "a.bam", {"one": ref}, {"one": haplotypes}), ref


def given(fasta, bam, *sites) -> list[list[str]]:
    """Columns of the lines of given sites."""
    lines = lines_of(shard(fasta, bam, 0, 24_000, sites=sites))
    assert len(lines) == len(sites)
    return [line.split("\t") for line in lines]


def test_what_cannot_be_weighed_gets_no_genotype(rearranged, simulation):
    fasta, bam, ref = rearranged
    base = ref[21_000]
    insertion = base + simulation.random_sequence(np.random.default_rng(17), 5000)
    fields = given(
        fasta, bam,
        GivenSite(2999, ref[2999:5500], (ref[2999],)),
        GivenSite(8999, ref[8999:14_000], (ref[8999],)),
        GivenSite(21_000, base, (other(base), insertion)),
        GivenSite(21_000, base, (other(base), "<DEL>")),
        GivenSite(21_000, base, (base,)),
    )  # fmt: skip
    assert [row[9] for row in fields] == ["./.:.:0:.:."] * 5


def test_alleles_of_a_site_stay_together(rearranged):
    fasta, bam, ref = rearranged
    base, long = ref[17_999], ref[17_999:18_400]
    ((*_, sample),) = given(
        fasta, bam, GivenSite(17_999, long, (base, other(base) + long[1:]))
    )  # fmt: skip
    assert sample.startswith("1/2:99:")


def test_each_of_many_given_alleles_can_win(rearranged):
    fasta, bam, ref = rearranged
    base = ref[21_000]
    wrong = [base + "ACGT"[k % 4] * (k // 4 + 1) + "GATTACA" for k in range(36)]
    ((*_, sample),) = given(
        fasta, bam, GivenSite(21_000, base, (*wrong, other(base), base))
    )  # fmt: skip
    genotype, quality, _, counts, likelihoods = sample.split(":")
    assert (genotype, quality) == ("37/37", "99")
    assert len(counts.split(",")) == 39
    assert len(likelihoods.split(",")) == 39 * 40 // 2
    assert max(map(int, likelihoods.split(","))) < 9999


def test_no_reads_no_genotype(tmp_path, simulation):
    rng = np.random.default_rng(12)
    ref = {"one": simulation.random_sequence(rng, 3000)}
    fasta = simulation.write_fasta(tmp_path / "ref.fa", ref)
    bam = simulation.simulate(tmp_path / "a.bam", ref, {}, depth=0)
    sites = (GivenSite(1500, ref["one"][1500], (other(ref["one"][1500]),)),)
    (line,) = lines_of(shard(fasta, bam, 0, 3000, sites=sites))
    assert line.split("\t")[9] == "./.:.:0:.:."
    assert lines_of(shard(fasta, bam, 0, 3000)) == []
    (line,) = lines_of(shard(fasta, bam, 0, 3000, ploidy=1, sites=sites))
    assert line.split("\t")[9] == ".:.:0:.:."


def test_haploid(tmp_path, simulation):
    rng = np.random.default_rng(13)
    ref = {"one": simulation.random_sequence(rng, 8000)}
    edits = [(2000, 1, other(ref["one"][2000])), (4000, 3, ""), (6000, 0, "CAGT")]
    fasta = simulation.write_fasta(tmp_path / "ref.fa", ref)
    bam = simulation.simulate(tmp_path / "a.bam", ref, {"one": [edits]})
    lines = lines_of(shard(fasta, bam, 0, 8000, ploidy=1))
    assert [line.split("\t")[9].split(":")[0] for line in lines] == ["1", "1", "1"]
    assert all(line.split("\t")[9].split(":")[4].count(",") == 1 for line in lines)


def test_amplicons(tmp_path, simulation):
    """Reads that overlap their mates and begin and end at a few places; 30 SNVs, 10 indels."""
    rng = np.random.default_rng(15)
    ref = simulation.random_sequence(rng, 9000)
    sizes = iter([1, 2, 3, 5, 8, 11, 15, 20, 25, 30])
    edits = []
    for k, at in enumerate(range(400, 8400, 200)):
        at += int(rng.integers(0, 60))
        if k % 4:
            edits.append((at, 1, other(ref[at])))
        elif k % 8:
            edits.append((at, next(sizes), ""))
        else:
            edits.append((at, 0, simulation.random_sequence(rng, next(sizes))))
    fasta = simulation.write_fasta(tmp_path / "ref.fa", {"one": ref})
    bam = simulation.simulate(
        tmp_path / "a.bam", {"one": ref}, {"one": [edits]}, depth=150, length=250, amplicon=130
    )
    lines = lines_of(shard(fasta, bam, 0, 9000, ploidy=1))
    assert all(line.split("\t")[6] == "PASS" for line in lines)
    assert len(lines) == len(edits) == 40
    assert apply(ref, lines, 0) == simulation.haplotype(ref, edits)[0]


def test_extreme_depth_is_thinned_alike(tmp_path, simulation):
    rng = np.random.default_rng(14)
    ref = {"one": simulation.random_sequence(rng, 1500)}
    edits = [(700, 1, other(ref["one"][700]))]
    fasta = simulation.write_fasta(tmp_path / "ref.fa", ref)
    bam = simulation.simulate(tmp_path / "a.bam", ref, {"one": [edits, []]}, depth=2000)
    (line,) = phased([shard(fasta, bam, 0, 1500)])
    assert phased([shard(fasta, bam, 600, 800)]) == [line]
    (told,) = [int(word[3:]) for word in line.split("\t")[7].split(";") if word[:3] == "DS="]
    assert 1000 < told < 4000
    depth, counts = line.split("\t")[9].split(":")[2:4]
    assert 200 < int(depth) <= 500
    low, high = sorted(map(int, counts.split(",")))
    assert low > 0.7 * high


def joined(parts) -> list[str]:
    return [line for some in gvcf.join(phased(parts)) for line in some.split(GLUE)]


def spans_of(lines: list[str]) -> list[tuple[int, int]]:
    """[start, end) of each record and block."""
    spans = []
    for line in lines:
        fields = line.split("\t")
        start = int(fields[1]) - 1
        end = fields[7].removeprefix("END=") if fields[4] == "<NON_REF>" else ""
        spans.append((start, int(end or start + len(fields[3]))))
    return spans


def test_blocks_cover_what_no_record_does(planted, monkeypatch):
    fasta, bam, *_ = planted
    one = replace(shard(fasta, bam, 0, LENGTH), blocks=True)
    whole = joined([one])
    blocks, below = np.zeros(LENGTH, int), np.zeros(LENGTH, bool)
    for line, (start, end) in zip(whole, spans_of(whole), strict=True):
        if gvcf.is_record(line):
            below[start:end] = True
        else:
            blocks[start:end] += 1
    assert (blocks == ~below).all()
    assert below[37_099:37_130].all()  # a deletion
    told = [gvcf.without_non_ref(line) for line in whole if gvcf.is_record(line)]
    assert told == phased([shard(fasta, bam, 0, LENGTH)])
    cuts = [0, 5_000, 21_000, 35_000, 35_001, 37_110, 39_005, 41_001, 41_102, 45_000, LENGTH]
    parts = [replace(one, start=a, end=b, intervals=((a, b),)) for a, b in pairwise(cuts)]
    assert joined(parts) == whole
    monkeypatch.setattr(shards, "MOST_BYTES", 100_000)
    assert joined([one]) == whole
