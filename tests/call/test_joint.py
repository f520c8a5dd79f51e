"""`lingqu joint` and the cohort store: order, cuts, faults, and the demo's reads."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingqu.base.errors import LingquError
from lingqu.call import gvcf, pieces, records, store
from lingqu.call import joint as driver
from lingqu.formats.reference import open_reference
from lingqu.formats.vcf import VcfWriter, header_lines

LENGTH = 900
NAMES = "CABD"


def lingqu(*words, check=True):
    done = subprocess.run(
        [sys.executable, "-m", "lingqu", *map(str, words)], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, done.stderr
    return done


def random_gvcf(path, fasta, name, seed):
    """SNVs, deletions, insertions, blocks and holes at random."""
    rng = np.random.default_rng(seed)
    reference = open_reference(fasta)
    header = header_lines(reference, [*records.META, *gvcf.META], [name])
    with VcfWriter(path, header) as out:
        for tid, contig in enumerate(reference.names):
            ref = "".join("ACGTN"[code] for code in reference.contig(tid))
            at = 0
            while at < len(ref):
                kind, end = rng.integers(0, 6), min(at + int(rng.integers(1, 230)), len(ref))
                if kind < 3:
                    het = int(rng.integers(0, 99))
                    block = gvcf.Block(contig, ref[at], 2, at, end, 20 * (end - at), 18, het, 900)
                    out.write(block.line())
                    at = end
                elif kind < 5:
                    size = int(rng.choice([1, 1, 1, 2, 5, 130]))
                    spelled = ref[at : at + size]
                    alt = "ACGT"[("ACGT".index(ref[at]) + int(seed) % 2 + 1) % 4]
                    alt = spelled[0] if len(spelled) > 1 else alt
                    pl = rng.permutation([0, *rng.integers(20, 400, 5).tolist()]).tolist()
                    sample = f"0/1:40:9:4,5,0:{','.join(map(str, pl))}"
                    fields = (contig, at + 1, ".", spelled, f"{alt},<NON_REF>", "99.0", "PASS",
                              "DP=9", "GT:GQ:DP:AD:PL", sample)  # fmt: skip
                    out.write("\t".join(map(str, fields)))
                    at += len(spelled)
                else:
                    at = end
    return path


@pytest.fixture(scope="module")
def family(tmp_path_factory, simulation):
    folder = tmp_path_factory.mktemp("joint")
    rng = np.random.default_rng(5)
    contigs = {name: simulation.random_sequence(rng, LENGTH) for name in ("two", "one")}
    fasta = simulation.write_fasta(folder / "ref.fa", contigs)
    paths = [random_gvcf(folder / f"{k}.g.vcf.gz", fasta, name, k) for k, name in enumerate(NAMES)]
    driver.joint(fasta, paths, folder / "whole.vcf.gz", threads=1)
    return fasta, paths, (folder / "whole.vcf.gz").read_bytes()


def test_all_at_once(family, tmp_path):
    (tmp_path / "whole.vcf.gz").write_bytes(family[2])
    with pysam.VariantFile(str(tmp_path / "whole.vcf.gz")) as calls:
        assert list(calls.header.samples) == sorted(NAMES)
        rows = list(calls)
    assert len(rows) > 15
    assert {row.chrom for row in rows} == {"one", "two"}
    assert any("*" in row.alts for row in rows)
    for row in rows:
        alleles = [a for s in row.samples.values() for a in s["GT"] if a is not None]
        assert row.info["AN"] == len(alleles)
        assert list(row.info["AC"]) == [alleles.count(k + 1) for k in range(len(row.alts))]
        assert min(row.info["AC"]) > 0
        assert len(set(row.alleles)) == len(row.alleles)


@given(st.permutations(range(len(NAMES))), st.lists(st.integers(1, 3), max_size=3))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_order_of_adding_does_not_matter(family, tmp_path_factory, order, cuts):
    fasta, paths, whole = family
    folder = tmp_path_factory.mktemp("order")
    for part in np.split(np.array(order), sorted(cuts)):
        if len(part):
            chosen = [paths[k] for k in part]
            driver.joint(fasta, chosen, folder / "all.vcf.gz", cohort=folder / "store", threads=1)
    assert (folder / "all.vcf.gz").read_bytes() == whole


def test_cuts_and_threads_leave_no_trace(family, tmp_path, monkeypatch):
    fasta, paths, whole = family
    for size in (100, 37):
        for module in (store, driver, pieces):
            monkeypatch.setattr(module, "SIZE", size)
        driver.joint(fasta, paths, tmp_path / "cut.vcf.gz", threads=2)
        assert (tmp_path / "cut.vcf.gz").read_bytes() == whole
    assert not (tmp_path / ".lingqu").exists()


def test_workers_of_dask_write_the_same(family, tmp_path):
    fasta, paths, whole = family
    out = tmp_path / "all.vcf.gz"
    assert driver.joint(fasta, paths, out, threads=2, backend="dask")["added"] == len(paths)
    assert out.read_bytes() == whole


def test_alleles_that_are_known_get_their_ids(family, tmp_path):
    fasta, paths, whole = family
    columns = [line.split("\t") for line in gzip.decompress(whole).decode().splitlines()]
    columns = [fields for fields in columns if not fields[0].startswith("#")]
    known, out = tmp_path / "known.vcf.gz", tmp_path / "all.vcf.gz"
    with VcfWriter(known, header_lines(open_reference(fasta))) as writer:
        for contig, pos, _, ref, alts, *_ in columns:
            for alt in set(alts.split(",")) - {"*"}:
                fields = contig, pos, f"id{pos}{ref}{alt}", ref, alt, ".", ".", "."
                writer.write("\t".join(fields))
    driver.joint(fasta, paths, out, known=known, threads=1)
    lines = gzip.decompress(out.read_bytes()).decode().splitlines()
    named = [line.split("\t") for line in lines if not line.startswith("#")]
    for fields, before in zip(named, columns, strict=True):
        own = {f"id{fields[1]}{fields[3]}{alt}" for alt in fields[4].split(",") if alt != "*"}
        assert own <= set(fields[2].split(";"))
        assert [*fields[:2], ".", *fields[3:]] == before


KILLED = """
import os, signal, sys
from lingqu.call import joint, store
left = int(sys.argv[2])
def killing(function):
    def run(*given):
        global left
        left -= 1
        if left < 0:
            os.kill(0, signal.SIGKILL)
        return function(*given)
    return run
setattr(store, sys.argv[1], killing(getattr(store, sys.argv[1])))
joint.joint(sys.argv[3], sys.argv[5:], sys.argv[4], threads=1)
"""


@pytest.mark.parametrize(("where", "calls"), [("add_sample", 2), ("read_records", 4)])
def test_a_killed_run_goes_on(family, tmp_path, where, calls, monkeypatch):
    """Killed when the third sample is to be added, and when the second shard is to be joined."""
    fasta, paths, whole = family
    out = tmp_path / "all.vcf.gz"
    words = [sys.executable, "-c", KILLED, where, calls, fasta, out, *paths]
    words = [*map(str, words)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, process_group=0)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not out.exists()
    (kept,) = (tmp_path / ".lingqu" / "all.vcf.gz.checkpoint").iterdir()
    assert len(list(kept.glob("*/shard-*"))) == (where == "read_records")
    joined, join = tmp_path / "joined", driver._join_shard

    def counted(shard):
        with joined.open("a") as told:
            told.write("one\n")
        return join(shard)

    monkeypatch.setattr(driver, "_join_shard", counted)
    told = driver.joint(fasta, paths, out, threads=1)
    assert told["added"] == (2 if where == "add_sample" else 0)
    assert len(joined.read_text().splitlines()) == (2 if where == "add_sample" else 1)
    assert out.read_bytes() == whole
    assert not (tmp_path / ".lingqu").exists()


def test_a_sample_that_is_there_is_not_added_again(family, tmp_path, monkeypatch):
    fasta, paths, whole = family
    home, out = tmp_path / "store", tmp_path / "all.vcf.gz"
    assert driver.joint(fasta, paths[:3], out, cohort=home, threads=1)["added"] == 3
    assert driver.joint(fasta, paths, out, cohort=home, threads=1)["added"] == 1
    assert out.read_bytes() == whole
    assert driver.joint(fasta, [], out, cohort=home, threads=1)["added"] == 0
    assert out.read_bytes() == whole
    again = random_gvcf(tmp_path / "x.g.vcf", fasta, "A", 77)
    with pytest.raises(LingquError, match="in the cohort, from another file"):
        driver.joint(fasta, [again], out, cohort=home, threads=1)


def test_faults(family, tmp_path, simulation):
    fasta, paths, _ = family
    out = tmp_path / "all.vcf.gz"

    def refuse(match, gvcfs, cohort=None, reference=fasta):
        with pytest.raises(LingquError, match=match):
            driver.joint(reference, gvcfs, out, cohort=cohort, threads=1)
        assert not out.exists()

    refuse("sample 'C' twice", [paths[0], paths[1], paths[0]])
    refuse("name gVCFs", [])
    refuse("cohort without samples", [], tmp_path / "empty")
    cut = tmp_path / "cut.g.vcf.gz"
    cut.write_bytes(paths[0].read_bytes()[:-40])
    refuse("truncated gzip file", [cut])
    plain = tmp_path / "plain.vcf"
    text = "\n".join(header_lines(open_reference(fasta), records.META, ["P"]))
    plain.write_text(f"{text}\ntwo\t1\t.\t{first(fasta)}\t*\t.\t.\t.\tGT\t0/1\n")
    refuse(r"plain\.vcf: line \d+: no <NON_REF> allele", [plain])
    plain.write_text(
        f"{text}\ntwo\t1\t.\t{first(fasta)}\t<NON_REF>\t.\t.\tEND=9999\tGT:PL\t0/0:0,1,2\n"
    )
    refuse(r"line \d+: malformed reference block", [plain])
    other = simulation.write_fasta(tmp_path / "other.fa", {"two": "ACGT" * 225, "one": "T" * 900})
    refuse("give the reference that the file was made with", paths[:1], reference=other)
    home = tmp_path / "store"
    driver.joint(fasta, paths[:2], tmp_path / "ok.vcf", cohort=home, threads=1)
    refuse("cohort of another reference", [], home, other)
    refuse("neither a cohort nor empty", paths[:1], tmp_path)
    kept = sorted((home / "samples").iterdir())[0]
    data = kept.read_bytes()
    kept.write_bytes(data[:40] + b"\0\0" + data[42:])
    refuse("damaged", [], home)
    kept.write_bytes(data[:-3])
    refuse("truncated", [], home)


def first(fasta) -> str:
    return "ACGTN"[open_reference(fasta).contig(0)[0]]


@pytest.fixture(scope="module")
def halves(tmp_path_factory, lanes, reference):
    """The demo's reads as two samples of two lanes each."""
    folder = tmp_path_factory.mktemp("demo")
    for name, own in (("one", lanes[:2]), ("two", lanes[2:])):
        rows = ["R1\tR2\tID", *(f"{one}\t{two}\tL{k}" for k, (one, two) in enumerate(own))]
        (folder / f"{name}.tsv").write_text("\n".join(rows) + "\n")
        lingqu("align", reference, "--lanes", folder / f"{name}.tsv", "--sample", name, "-o",
               folder / f"{name}.bam", "-t", 1)  # fmt: skip
    return folder, reference


@pytest.fixture(scope="module")
def called(halves):
    """The folder with gVCFs of both halves of one person's reads, and pair.vcf.gz of the two."""
    folder, fasta = halves
    region = ("-r", "20:10,000,001-10,100,000")
    for name in ("one", "two"):
        out = folder / name
        lingqu("call", fasta, f"{out}.bam", *region, "-o", f"{out}.vcf.gz", "-o",
               f"{out}.g.vcf.gz", "-t", 1)  # fmt: skip
    lingqu("call", fasta, folder / "one.bam", *region, "-o", folder / "plain.vcf.gz", "-t", 2)
    lingqu("joint", fasta, folder / "two.g.vcf.gz", folder / "one.g.vcf.gz", "-o",
           folder / "pair.vcf.gz", "-t", 1)  # fmt: skip
    return folder, fasta


def test_real_reads(called):
    """What is called in one half is as likely as not in both."""
    folder, fasta = called
    assert (folder / "plain.vcf.gz").read_bytes() == (folder / "one.vcf.gz").read_bytes()
    with pysam.VariantFile(str(folder / "one.g.vcf.gz")) as calls:
        rows = list(calls)
    assert all(row.alts[-1] == "<NON_REF>" for row in rows)
    assert rows[0].pos == 10_000_001
    assert rows[-1].stop == 10_100_000
    with pysam.VariantFile(str(folder / "pair.vcf.gz")) as calls:
        assert list(calls.header.samples) == ["one", "two"]
        passed = [row for row in calls if "PASS" in row.filter]
    assert len(passed) > 100
    same = sum(row.samples[0]["GT"] == row.samples[1]["GT"] for row in passed)
    assert same > 0.85 * len(passed)
    done = lingqu("joint", fasta, folder / "one.vcf.gz", "-o", folder / "no.vcf.gz", check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no <NON_REF> allele" in done.stderr


def phased(path, sample):
    """(GT as it stands, PS, PQ) of the phased records of a sample, by place and alleles."""
    with pysam.VariantFile(str(path)) as calls:
        return {
            (row.pos, tuple(row.alleles[a] for a in row.samples[sample]["GT"])): (
                row.samples[sample]["PS"], row.samples[sample].get("PQ")
            )
            for row in calls
            if row.samples[sample].phased and row.samples[sample].get("PS")
        }  # fmt: skip


def test_phases_of_real_reads_are_those_of_the_samples(called):
    """But for alleles that are spelled with a longer REF, each is one of the sample's own."""
    folder, _ = called
    for name in ("one", "two"):
        own, kept = phased(folder / f"{name}.vcf.gz", name), phased(folder / "pair.vcf.gz", name)
        assert len(kept) > 0.8 * len(own) > 20
        spelled = [kept[key] == own[key] for key in kept if key in own]
        assert len(spelled) > 0.95 * len(kept) and all(spelled)
        assert {place: told for (place, _), told in kept.items()}.items() <= {
            place: told for (place, _), told in own.items()
        }.items()


@pytest.mark.parametrize("words", [
    "view PAIR", "stats PAIR", "norm -f REF -c e -m -any PAIR", "view ONE",
    "norm -f REF -c e -m -any ONE", "merge --gvcf REF ONE TWO", "convert --gvcf2vcf -f REF ONE",
])  # fmt: skip
def test_bcftools_reads_them(called, words):
    if not shutil.which("bcftools"):
        pytest.skip("bcftools is not installed")
    folder, fasta = called
    paths = {"REF": fasta, "PAIR": folder / "pair.vcf.gz"}
    paths |= {name.upper(): folder / f"{name}.g.vcf.gz" for name in ("one", "two")}
    done = subprocess.run(
        ["bcftools", *(str(paths.get(word, word)) for word in words.split())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "[W::" not in done.stderr and "[E::" not in done.stderr, done.stderr


@pytest.mark.parametrize(("tool", "name"), [
    ("SortVcf", "one.g.vcf.gz"), ("SortVcf", "pair.vcf.gz"),
    ("UpdateVcfSequenceDictionary", "one.g.vcf.gz"),
    ("CollectVariantCallingMetrics", "pair.vcf.gz"),
])  # fmt: skip
def test_htsjdk_reads_them(called, tmp_path, tool, name):
    if not shutil.which("PicardCommandLine"):
        pytest.skip("PicardCommandLine is not installed")
    path, out = called[0] / name, tmp_path / "out.vcf"
    more = {"UpdateVcfSequenceDictionary": [f"SD={path}"],
            "CollectVariantCallingMetrics": [f"DBSNP={path}"]}.get(tool, [])  # fmt: skip
    done = subprocess.run(
        ["PicardCommandLine", tool, f"I={path}", f"O={out}", *more, "QUIET=true"],
        capture_output=True, text=True, check=False, env=os.environ | {"JAVA_OPTS": "-Xmx1g"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if not more or tool.startswith("Update"):
        with pysam.VariantFile(str(path)) as own, pysam.VariantFile(str(out)) as read:
            for one, two in zip(own, read, strict=True):
                assert (one.pos, one.alleles) == (two.pos, two.alleles)
                for told, again in zip(one.samples.values(), two.samples.values(), strict=True):
                    assert told["GT"] == again["GT"] and told.get("PL") == again.get("PL")


def test_gvcfs_are_as_glnexus_and_gatk_ask(called):
    """What GLnexus checks (BCF_utils.cc) and its `gatk` configuration and GenotypeGVCFs read."""
    last = 0
    with pysam.VariantFile(str(called[0] / "one.g.vcf.gz")) as calls:
        assert {"DP", "GQ", "AD", "PL", "MIN_DP", "GT"} <= set(calls.header.formats)
        assert "NON_REF" in calls.header.alts and "END" in calls.header.info
        for row in calls:
            told, states = row.samples[0], len(row.alleles) * (len(row.alleles) + 1) // 2
            assert last < row.pos  # one record a place, none over another's start
            assert len(set(row.alleles)) == len(row.alleles)
            assert row.alts[-1] == "<NON_REF>"
            assert len(told["GT"]) == 2 and max(told["GT"]) < len(row.alleles)
            assert len(told["PL"]) == states and min(told["PL"]) == 0
            if len(row.alts) == 1:
                assert row.stop - row.start == row.rlen >= 1
                assert told["GT"] == (0, 0) and told["MIN_DP"] <= told["DP"]
            else:
                assert len(told["AD"]) == len(row.alleles)
                assert set("".join(row.alleles[:-1])) <= set("ACGTN*")
            last = row.pos


def one_site(path, fasta, name, genotype, pl):
    """A gVCF with one SNV, or none (a block), amid deep blocks."""
    reference = open_reference(fasta)
    ref = "".join("ACGTN"[code] for code in reference.contig(0))
    contig, at = reference.names[0], 400
    with VcfWriter(path, header_lines(reference, [*records.META, *gvcf.META], [name])) as out:
        out.write(gvcf.Block(contig, ref[0], 2, 0, at, 40 * at, 40, 120, 1800).line())
        if genotype == "0/0":
            out.write(gvcf.Block(contig, ref[at], 2, at, at + 1, 40, 40, 120, 1800).line())
        else:
            fields = (contig, at + 1, ".", ref[at], f"{'ACGT'[('ACGT'.index(ref[at]) + 1) % 4]}"
                      ",<NON_REF>", "900.0", "PASS", "DP=40", "GT:GQ:DP:AD:PL",
                      f"{genotype}:99:40:20,20,0:{pl}")  # fmt: skip
            out.write("\t".join(map(str, fields)))
        rest = LENGTH - at - 1
        out.write(
            gvcf.Block(contig, ref[at + 1], 2, at + 1, LENGTH, 40 * rest, 40, 120, 1800).line()
        )
    return path


HET = "900,0,900,1000,1000,1900"


@pytest.fixture(scope="module")
def trio(family, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trio")
    (folder / "x.ped").write_text("F kid dad mum 0 0\nF dad 0 0 1 0\nF mum 0 0 2 0\n")
    return family[0], folder


def joined(trio, genotypes):
    """(the record at the site, the statistics) of kid, dad, mum and somebody else."""
    fasta, folder = trio
    paths = [
        one_site(folder / f"{name}.g.vcf.gz", fasta, name, genotype, HET)
        for name, genotype in zip(("kid", "dad", "mum", "else"), genotypes, strict=True)
    ]
    out = folder / "trio.vcf.gz"
    lingqu("joint", fasta, *paths, "--pedigree", folder / "x.ped", "-o", out)
    with pysam.VariantFile(str(out)) as calls:
        (row,) = calls
    return row, json.loads((folder / "trio.vcf.gz.stats.json").read_text())


def test_a_new_mutation_is_told(trio):
    row, stats = joined(trio, ("0/1", "0/0", "0/0", "0/0"))
    assert row.samples["kid"]["DN"] == "DeNovo" and row.samples["kid"]["DQ"] > 20
    assert row.samples["kid"]["GT"] == (0, 1) and row.info["MERR"] == 1
    assert row.samples["dad"]["DN"] == "." and row.samples["else"]["PP"] == (None,)
    assert stats["mendelian"]["trios"]["kid"]["de_novo"] == 1
    assert stats["samples"] == ["dad", "else", "kid", "mum"]


def test_what_is_inherited_is_no_new_mutation(trio):
    row, stats = joined(trio, ("0/1", "0/1", "0/0", "0/1"))
    assert row.samples["kid"]["DN"] == "Inherited" and row.info["MERR"] == 0
    assert [row.samples[name]["GT"] for name in ("kid", "dad", "mum")] == [(0, 1), (0, 1), (0, 0)]
    assert row.info["AC"] == (3,) and row.info["AN"] == 8
    assert stats["mendelian"]["all"] == {
        "checked": 1, "conflicts": 0, "conflicts_refined": 0, "de_novo": 0,
    }  # fmt: skip


def test_a_pedigree_changes_no_site_and_nobody_who_is_not_in_it(family, tmp_path):
    fasta, paths, _ = family
    (tmp_path / "x.ped").write_text("F A C D 0 0\nF C 0 0 1 0\nF D 0 0 2 0\n")
    driver.joint(fasta, paths, tmp_path / "own.vcf.gz", threads=1)
    told = driver.joint(
        fasta, paths, tmp_path / "kin.vcf.gz", pedigree=tmp_path / "x.ped", threads=2
    )
    rows = []
    for name in ("own", "kin"):
        with pysam.VariantFile(str(tmp_path / f"{name}.vcf.gz")) as calls:
            rows.append([
                (row.chrom, row.pos, row.ref, row.qual, row.samples["B"]["GT"]) for row in calls
            ])  # fmt: skip
    assert rows[0] == rows[1]
    assert told["mendelian"]["trios"]["A"]["checked"] > 0


def test_a_pedigree_of_others_is_refused(family, tmp_path):
    fasta, paths, _ = family
    (tmp_path / "x.ped").write_text("F kid dad mum 0 0\nF dad 0 0 1 0\nF mum 0 0 2 0\n")
    with pytest.raises(LingquError, match="no sample is the child of another"):
        driver.joint(fasta, paths, tmp_path / "x.vcf.gz", pedigree=tmp_path / "x.ped", threads=1)
    assert not (tmp_path / "x.vcf.gz").exists()


def damage(path, at):
    raw = bytearray(path.read_bytes())
    raw[at] ^= 8
    path.write_bytes(raw)


@pytest.mark.parametrize("at", [30, -60])
def test_damaged_samples_of_a_stopped_run_are_cut_again(at, family, tmp_path, monkeypatch, capsys):
    fasta, paths, whole = family
    out = tmp_path / "all.vcf.gz"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(driver, "_write", stop)
        driver.joint(fasta, paths, out, threads=1)
    cut = sorted(tmp_path.glob(".lingqu/*.checkpoint/*/cohort/samples/*.cut"))
    assert len(cut) == 4
    damage(cut[1], at)
    assert driver.joint(fasta, paths, out, threads=1)["added"] == 1
    assert f"{cut[1].name}: left by an earlier run and damaged" in capsys.readouterr().err
    assert out.read_bytes() == whole


def stop(*_):
    raise KeyboardInterrupt


def test_a_late_run_does_not_put_its_sample_over_a_newer_one(family, tmp_path, monkeypatch):
    fasta, paths, _ = family
    home, real = tmp_path / "store", store.add_sample
    other = random_gvcf(tmp_path / "other.g.vcf.gz", fasta, "A", 77)

    def late(path, *rest):
        monkeypatch.setattr(store, "add_sample", real)
        publish = store.publish

        def last(*words, **more):
            monkeypatch.setattr(store, "publish", publish)
            driver.joint(fasta, [other], tmp_path / "newer.vcf.gz", cohort=home, threads=1)
            return publish(*words, **more)

        monkeypatch.setattr(store, "publish", last)
        return real(path, *rest)

    driver.joint(fasta, [paths[0]], tmp_path / "first.vcf.gz", cohort=home, threads=1)
    monkeypatch.setattr(store, "add_sample", late)
    with pytest.raises(LingquError, match="'A' is in the cohort, from another file"):
        driver.joint(fasta, [paths[1]], tmp_path / "late.vcf.gz", cohort=home, threads=1)
    found = store.open_cohort(home, open_reference(fasta))
    assert found["A"].digest == store.digest_of(other)
    assert not (tmp_path / "late.vcf.gz").exists()


def test_a_run_that_is_taken_over_leaves_the_newer_output(family, tmp_path, monkeypatch):
    fasta, paths, whole = family
    out, real = tmp_path / "all.vcf.gz", driver._write
    monkeypatch.setenv("LINGQU_RUN", str(tmp_path))

    def late(*words):
        told = real(*words)
        monkeypatch.setattr(driver, "_write", real)
        driver.joint(fasta, paths, out, threads=1)
        return told

    monkeypatch.setattr(driver, "_write", late)
    with pytest.raises(LingquError, match="took it over"):
        driver.joint(fasta, paths, out, threads=1)
    assert out.read_bytes() == whole
    assert json.loads((tmp_path / "all.vcf.gz.stats.json").read_text())["samples"] == sorted(NAMES)
