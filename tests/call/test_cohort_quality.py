"""COHORT.qc.json of joint: against its own VCF read plainly, its schema, and known families."""

import gzip
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import lingqu
from lingqu.base.errors import LingquError
from lingqu.call import cohort_quality, gvcf, joint, kinship, pieces, records, store
from lingqu.call.genotypes import LEAST_DEPTH, LEAST_QUALITY
from lingqu.formats.reference import open_reference
from lingqu.formats.vcf import VcfWriter, header_lines

SCHEMA = Path(lingqu.__file__).parent / "report" / "schemas" / "cohort.schema.json"
LENGTHS = {"1": 60_000, "2": 50_000, "X": 30_000, "Y": 8000, "GL1": 2000}
STEP = 40
SEXES = {"dad": "XY", "mum": "XX", "kid": "XY", "sis": "XX", "one": "XY"}
PED = """\
F dad 0 0 1 0
F mum 0 0 2 0
F kid dad mum 1 0
F sis dad mum 2 0
G one 0 0 1 0
"""


def line_of(rng, contig, at, ref, alt, copies, ploidy):
    """A record or a block at a place, by reads at random."""
    depth = int(rng.poisson(28 if ploidy == 2 else 14))
    share = (0.002, 0.5, 0.998)[copies] if ploidy == 2 else (0.002, 0.998)[copies]
    alts = int(rng.binomial(depth, share))
    refs = depth - alts
    if alts < 2:
        return gvcf.Block(contig, ref, ploidy, at, at + 1, depth, depth, 3 * depth, 25 * depth)
    told = [25 * alts, 3 * depth, 25 * refs] if ploidy == 2 else [25 * alts, 25 * refs]
    other = [25 * alts + 3 * refs, 25 * refs + 3 * alts, 25 * depth][-3 if ploidy == 2 else -1 :]
    pl = [value - min(told) for value in (*told, *other)]
    gt = ("0/0", "0/1", "1/1")[int(np.argmin(told))] if ploidy == 2 else str(np.argmin(told))
    sample = f"{gt}:99:{depth}:{refs},{alts},0:{','.join(map(str, pl))}"
    fields = (contig, at + 1, ".", ref, f"{alt},<NON_REF>", "99.0", "PASS", "DP=9",
              "GT:GQ:DP:AD:PL", sample)  # fmt: skip
    return "\t".join(map(str, fields))


def write_gvcf(path, fasta, name, person, men_have_one_x=True):
    """person: {contig: int8[sites], copies of ALT}; every fifth site is a deletion of a base."""
    rng = np.random.default_rng(sum(map(ord, name)))
    reference = open_reference(fasta)
    with VcfWriter(path, header_lines(reference, [*records.META, *gvcf.META], [name])) as out:
        for tid, contig in enumerate(reference.names):
            bases = "".join("ACGTN"[code] for code in reference.contig(tid))
            ploidy = 1 if contig == "Y" or (contig == "X" and name in MEN and men_have_one_x) else 2
            if contig == "Y" and name not in MEN:
                continue
            end = 0
            for k, copies in enumerate(person[contig].tolist()):
                at = STEP * (k + 1)
                out.write(
                    gvcf.Block(
                        contig, bases[end], ploidy, end, at, 30 * (at - end), 30, 90, 750
                    ).line()
                )
                ref = bases[at]
                alt = "ACGT"[("ACGT".index(ref) + 1) % 4]
                if k % 5 == 4:
                    ref, alt = bases[at : at + 2], bases[at]
                line = line_of(rng, contig, at, ref, alt, min(copies, ploidy), ploidy)
                if isinstance(line, gvcf.Block):
                    line, end = line.line(), at + 1
                else:
                    end = at + len(ref)
                out.write(line)
            out.write(
                gvcf.Block(contig, bases[end], ploidy, end, len(bases), 99, 30, 90, 750).line()
            )
    return path


MEN = {name for name, sex in SEXES.items() if sex == "XY"}


def family(rng):
    """{name: {contig: copies of ALT}}: a family with two children, and somebody else."""
    haplotypes = {}
    for name in ("dad", "mum", "one"):
        haplotypes[name] = {c: rng.random((2, n // STEP - 2)) < 0.5 for c, n in LENGTHS.items()}

    def passed(parent, contig):
        pair = haplotypes[parent][contig]
        side = np.cumsum(rng.random(pair.shape[1]) < 0.02) % 2
        return pair[side, np.arange(pair.shape[1])]

    for child in ("kid", "sis"):
        haplotypes[child] = {c: np.stack([passed("dad", c), passed("mum", c)]) for c in LENGTHS}
        own = haplotypes["dad"]["X"][0]
        haplotypes[child]["X"][0] = haplotypes[child]["X"][1] if child in MEN else own
        haplotypes[child]["Y"] = haplotypes["dad"]["Y"]
    for name in MEN:
        haplotypes[name]["X"][1] = haplotypes[name]["X"][0]
        haplotypes[name]["Y"][1] = haplotypes[name]["Y"][0]
    people = {name: {c: pair.sum(0) for c, pair in own.items()} for name, own in haplotypes.items()}
    for name in MEN:
        for contig in "XY":
            people[name][contig] = people[name][contig] // 2
    return people


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, simulation):
    folder = tmp_path_factory.mktemp("quality")
    rng = np.random.default_rng(11)
    bases = {name: simulation.random_sequence(rng, n) for name, n in LENGTHS.items()}
    fasta = simulation.write_fasta(folder / "ref.fa", bases)
    people = family(rng)
    gvcfs = {name: write_gvcf(folder / f"{name}.g.vcf.gz", fasta, name, own)
             for name, own in people.items()}  # fmt: skip
    (folder / "x.ped").write_text(PED)
    return fasta, gvcfs, folder


def little_is_enough(patch):
    patch.setattr(kinship, "LEAST_STRETCHES", 2)
    patch.setattr(kinship, "LEAST_SAME", 2)


@pytest.fixture(autouse=True)
def _little_is_enough(monkeypatch):
    little_is_enough(monkeypatch)


def run(cohort, out, names=tuple(SEXES), **more):
    fasta, gvcfs, _ = cohort
    joint.joint(fasta, [gvcfs[name] for name in names], out, **{"threads": 1} | more)
    return json.loads(out.with_name(f"{out.name}.qc.json").read_text())


@pytest.fixture(scope="module")
def whole(cohort, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        little_is_enough(patch)
        out = tmp_path_factory.mktemp("whole") / "all.vcf.gz"
        return out, run(cohort, out, pedigree=cohort[2] / "x.ped")


def rows_of(path):
    """(CHROM, POS, REF, ALT, FILTER, [{key: value} of each sample]) of each line, and the names."""
    names, rows = [], []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        fields = line.split("\t")
        if line.startswith("#CHROM"):
            names = fields[9:]
        if line.startswith("#"):
            continue
        keys = fields[8].split(":")
        told = [dict(zip(keys, column.split(":"), strict=False)) for column in fields[9:]]
        rows.append((fields[0], int(fields[1]), fields[3], fields[4], fields[6], told))
    return names, rows


def markers(rows, contigs=("1", "2")):
    return [row for row in rows if row[0] in contigs and row[4] == "PASS"
            and len(row[2]) == len(row[3]) == 1 and row[3] != "*"]  # fmt: skip


def trusted(told):
    if told["GT"] not in ("0/0", "0/1", "1/1", "0|1", "1|0"):
        return -1
    good = int(told["GQ"]) >= LEAST_QUALITY and int(told["DP"]) >= LEAST_DEPTH
    return told["GT"].count("1") if good else -1


def test_it_is_what_the_vcf_says(cohort, tmp_path):
    """Counts of pairs and genotypes, from the lines of the VCF and nothing else."""
    out = tmp_path / "all.vcf.gz"
    told = run(cohort, out)
    names, rows = rows_of(out)
    chosen = markers(rows)
    assert told["samples"] == names == sorted(SEXES)
    assert told["sites"] == len(chosen) > 1500
    copies = np.array([[trusted(one) for one in row[5]] for row in chosen]).T
    assert len(told["pairs"]) == 10
    for pair, (i, j) in zip(told["pairs"], combinations(range(5), 2), strict=True):
        assert (pair["a"], pair["b"]) == (names[i], names[j])
        a, b = copies[:, (copies[i] >= 0) & (copies[j] >= 0)][[i, j]]
        differ = abs(a - b)
        assert pair["sites"] == len(a)
        assert [pair[f"ibs{2 - k}"] for k in range(3)] == [(differ == k).sum() for k in range(3)]
        shared, fewer = ((a == 1) & (b == 1)).sum(), min((a == 1).sum(), (b == 1).sum())
        assert pair["shared_hets"] == shared
        related = (shared - 2 * pair["ibs0"]) / fewer
        assert pair["relatedness"] == pytest.approx(related, rel=1e-5, abs=1e-9)
        more = ((a == 1).sum() + (b == 1).sum()) / (4 * fewer)
        assert pair["kinship"] == pytest.approx(related / 2 + 0.5 - more, rel=1e-5, abs=1e-6)
        assert pair["told"] is pair["agrees"] is None
    for k, name in enumerate(names):
        count = dict.fromkeys(
            ("heterozygous", "homozygous", "reference", "missing", "singletons"), 0
        )
        for *_, alts, passes, columns in rows:
            alleles = columns[k]["GT"].replace("|", "/").split("/")
            if passes != "PASS":
                continue
            if "." in alleles:
                count["missing"] += 1
                continue
            kind = "heterozygous" if len(set(alleles)) > 1 else "homozygous"
            count["reference" if set(alleles) == {"0"} else kind] += 1
            everyone = [a for one in columns for a in one["GT"].replace("|", "/").split("/")]
            spelled = alts.split(",")
            count["singletons"] += sum(
                everyone.count(a) == 1 and spelled[int(a) - 1] != "*" for a in alleles if a != "0"
            )
        assert told["genotypes"][name] == count


def test_a_family(whole):
    _, told = whole
    relations = {
        (pair["a"], pair["b"]): (pair["found"], pair["told"], pair["agrees"])
        for pair in told["pairs"]
    }
    near = ("parent-child", "parent-child", True)
    apart = ("unrelated", "unrelated", True)
    assert relations == {
        ("dad", "kid"): near, ("dad", "mum"): apart, ("dad", "one"): apart, ("dad", "sis"): near,
        ("kid", "mum"): near, ("kid", "one"): apart, ("kid", "sis"): ("siblings", "siblings", True),
        ("mum", "one"): apart, ("mum", "sis"): near, ("one", "sis"): apart,
    }  # fmt: skip
    assert told["swaps"] == []
    assert {name: one["found"] for name, one in told["sexes"].items()} == SEXES
    assert all(one["agrees"] for one in told["sexes"].values())
    places = told["pca"]["samples"]
    assert list(places) == sorted(SEXES)
    assert all(len(row) == len(told["pca"]["explained"]) == 4 for row in places.values())


def test_schema(whole):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(whole[1], schema)
    for broken in ({"schema": 2}, {"pairs": [{}]}, {"more": 1}, {"pca": {}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(whole[1] | broken, schema)


def described(part):
    yield from ("description" in one for one in part.get("properties", {}).values())
    for one in (*part.get("properties", {}).values(), *part.get("oneOf", ())):
        yield from described(one)
        for key in ("items", "additionalProperties"):
            if isinstance(one.get(key), dict):
                yield from described(one[key])


def test_every_key_of_the_schema_is_described():
    told = list(described(json.loads(SCHEMA.read_text())))
    assert len(told) > 35 and all(told)


def test_samples_added_later_and_other_cuts(cohort, whole, tmp_path, monkeypatch):
    """The same bytes, whatever the order, the threads and the shards."""
    fasta, gvcfs, folder = cohort
    out = tmp_path / "all.vcf.gz"
    for names in (("sis", "one"), ("dad", "mum"), ("kid",)):
        joint.joint(
            fasta, [gvcfs[name] for name in names], out, cohort=tmp_path / "store", threads=2,
            pedigree=folder / "x.ped" if names == ("kid",) else None,
        )  # fmt: skip
    for end in ("", ".qc.json"):
        assert (
            out.with_name(out.name + end).read_bytes()
            == whole[0].with_name(whole[0].name + end).read_bytes()
        )
    for module in (store, joint, pieces):
        monkeypatch.setattr(module, "SIZE", 7000)
    assert run(cohort, tmp_path / "cut.vcf.gz", pedigree=cohort[2] / "x.ped") == whole[1]


def test_a_pedigree_does_not_bend_what_is_found(cohort, whole, tmp_path):
    """Refined genotypes follow a wrong pedigree; what is found does not."""
    (tmp_path / "wrong.ped").write_text(PED.replace("F kid dad mum 1", "F kid 0 0 1").replace(
        "G one 0 0 1", "F one dad mum 1"))  # fmt: skip
    told = run(cohort, tmp_path / "all.vcf.gz", pedigree=tmp_path / "wrong.ped")
    assert rows_of(tmp_path / "all.vcf.gz")[1] != rows_of(whole[0])[1]
    for pair, right in zip(told["pairs"], whole[1]["pairs"], strict=True):
        said = {"told": pair["told"], "agrees": pair["agrees"]}
        assert pair == right | said
    (line,) = told["swaps"]
    assert (line["kind"], line["samples"]) == ("exchanged", ["kid", "one"])


def test_a_pedigree_of_sexes_alone(cohort, tmp_path):
    (tmp_path / "x.ped").write_text("F dad 0 0 2 0\nF mum 0 0 2 0\nF kid 0 0 0 0\n")
    told = run(cohort, tmp_path / "all.vcf.gz", pedigree=tmp_path / "x.ped")
    assert told["sexes"]["dad"]["agrees"] is False and told["sexes"]["mum"]["agrees"] is True
    assert told["sexes"]["kid"]["agrees"] is told["sexes"]["one"]["told"] is None
    assert {pair["told"] for pair in told["pairs"]} == {None}
    assert [line["why"] for line in told["swaps"]] == [
        "dad is told to be XX but is XY by its genotypes"
    ]
    assert "PP" not in rows_of(tmp_path / "all.vcf.gz")[1][0][5][0]


def test_sites_of_a_file(cohort, tmp_path):
    """Only SNVs of the file, by place and alleles, are markers."""
    out, sites = tmp_path / "all.vcf.gz", tmp_path / "sites.vcf.gz"
    run(cohort, out)
    _, rows = rows_of(out)
    chosen = markers(rows)[::3]
    with VcfWriter(sites, header_lines(open_reference(cohort[0]))) as writer:
        for contig, pos, ref, alt, *_ in sorted([*chosen, *markers(rows)[1::3]]):
            other = (
                alt
                if (contig, pos) in {row[:2] for row in chosen}
                else "ACGT"["ACGT".index(alt) - 2]
            )
            writer.write("\t".join((contig, str(pos), ".", ref, other, ".", ".", ".")))
    told = run(cohort, tmp_path / "few.vcf.gz", qc_sites=sites)
    assert told["sites"] == len(chosen)
    assert "of the sites VCF" in told["method"] or "the sites VCF holds" in told["method"]
    copies = np.array([[trusted(one) for one in row[5]] for row in chosen]).T
    assert told["pairs"][0]["sites"] == ((copies[0] >= 0) & (copies[1] >= 0)).sum()
    assert (tmp_path / "few.vcf.gz").read_bytes() == out.read_bytes()
    with pytest.raises(LingquError, match="no such file"):
        run(cohort, tmp_path / "no.vcf.gz", qc_sites=tmp_path / "none.vcf.gz")


def test_few_samples(cohort, tmp_path):
    one = run(cohort, tmp_path / "one.vcf.gz", ["mum"])
    assert one["pairs"] == one["swaps"] == [] and one["pca"] is None
    assert one["sexes"]["mum"]["found"] == "XX"
    two = run(cohort, tmp_path / "two.vcf.gz", ["mum", "kid"])
    assert [pair["found"] for pair in two["pairs"]] == ["parent-child"] and two["pca"] is None


def test_of_many_samples_those_of_interest(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(cohort_quality, "MOST_SAMPLES", 4)
    told = run(cohort, tmp_path / "all.vcf.gz")
    assert {(pair["a"], pair["b"]) for pair in told["pairs"]} == {
        ("dad", "kid"), ("dad", "sis"), ("kid", "mum"), ("kid", "sis"), ("mum", "sis"),
    }  # fmt: skip


def test_a_whole_genome_is_wanted(cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(kinship, "LEAST_STRETCHES", 3)
    told = run(cohort, tmp_path / "all.vcf.gz")
    assert {pair["found"] for pair in told["pairs"]} == {None}
