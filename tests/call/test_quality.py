"""VCF.qc.json of a whole call: against its schema, plain Python and Picard, however it was made."""

import json
import shutil
import subprocess
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import lingqu
from lingqu.base.errors import LingquError
from lingqu.call import quality, sex
from lingqu.call import shard as shards
from lingqu.call.driver import call
from lingqu.call.quality import median, value_at

SCHEMA = json.loads((Path(lingqu.__file__).parent / "report/schemas/calls.schema.json").read_text())
SIZES = {"1": 130_000, "X": 30_000, "Y": 20_000, "MT": 2000}
PAR = {"X": (0, 6000), "Y": (0, 6000)}


def other(base: str) -> str:
    return "GTAC"["ACGT".index(base)]


def write_reads(source, path, keep) -> None:
    """The records of a BAM whose names are kept."""
    with (
        pysam.AlignmentFile(str(source)) as reads,
        pysam.AlignmentFile(str(path), "wb", template=reads) as out,
    ):
        for read in filter(keep, reads):
            out.write(read)
    pysam.index(str(path))


@pytest.fixture(scope="module")
def people(tmp_path_factory, simulation):
    """A man's reads: half as many on X and Y, none on the PAR of Y; and a woman's, none on Y."""
    folder, rng = tmp_path_factory.mktemp("quality"), np.random.default_rng(8)
    contigs = {name: simulation.random_sequence(rng, size) for name, size in SIZES.items()}
    contigs["Y"] = contigs["X"][: PAR["Y"][1]] + contigs["Y"][PAR["Y"][1] :]
    contigs["1"] = contigs["1"][:50_000] + "N" * 700 + contigs["1"][50_700:]
    fasta = simulation.write_fasta(folder / "ref.fa", contigs)
    edits = {
        name: [
            [(at, 1, other(contigs[name][at])) for at in range(1500, SIZES[name] - 500, 1000)
             if contigs[name][at] != "N"]
            , [(at, 1, other(contigs[name][at])) for at in range(2500, SIZES[name] - 500, 3000)
               if contigs[name][at] != "N"]]
        for name in ("1", "X")
    }  # fmt: skip
    both = simulation.simulate(folder / "both.bam", contigs, edits, depth=24)

    def in_man(read) -> bool:
        number = int(read.query_name.split(":")[1])
        if read.reference_name in ("X", "Y") and read.reference_start < PAR["X"][1]:
            return read.reference_name == "X"
        return read.reference_name in ("1", "MT") or number % 4 < 2

    write_reads(both, folder / "man.bam", in_man)
    write_reads(both, folder / "woman.bam", lambda read: read.reference_name != "Y")
    par = folder / "par.bed"
    par.write_text("".join(f"{name}\t{a}\t{b}\n" for name, (a, b) in PAR.items()))
    return fasta, folder / "man.bam", folder / "woman.bam", par


def quality_of(fasta, bam, out, **options) -> dict:
    """The quality control of a call, which must be as its schema says."""
    call(fasta, bam, out, **{"threads": 1} | options)
    told = json.loads(Path(f"{out}.qc.json").read_text())
    faults = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(told)]
    assert not faults
    return told


@pytest.fixture(scope="module")
def man(people, tmp_path_factory):
    fasta, bam, _, par = people
    out = tmp_path_factory.mktemp("man") / "man.vcf.gz"
    return out, quality_of(fasta, bam, out, par=par, sex="unknown")


def depths(bam) -> dict[str, Counter]:
    """Depth by contig and place; the mates of the simulation do not overlap."""
    found = defaultdict(Counter)
    with pysam.AlignmentFile(str(bam)) as reads:
        for read in reads:
            found[read.reference_name].update(read.get_reference_positions())
    return found


def test_coverage_is_that_of_plain_python(people, man):
    depth = depths(people[1])
    told = man[1]["coverage"]
    every = [depth[name][p] for name, size in SIZES.items() for p in range(size)]
    assert told["target_bases"] == len(every) == sum(SIZES.values())
    assert told["regions"] == "genome"
    mean = np.mean(every)
    assert told["mean"] == pytest.approx(mean, rel=1e-5)
    assert told["sd"] == pytest.approx(np.std(every), rel=1e-5)
    assert told["median"] == np.median(every)
    counts = Counter(every)
    assert told["histogram"] == [counts[d] for d in range(1001)]
    for level, share in told["at_least"].items():
        assert share == pytest.approx(np.mean(np.array(every) >= int(level)), abs=1e-6)
    low = sorted(every)[-(-len(every) // 5) - 1]
    assert told["fold_80"] == pytest.approx(mean / low, rel=1e-5)
    assert told["evenness"] == pytest.approx(np.minimum(every, mean).mean() / mean, rel=1e-5)
    for row, (name, size) in zip(told["contigs"], SIZES.items(), strict=True):
        own = [depth[name][p] for p in range(size)]
        assert (row["name"], row["length"], row["target_bases"]) == (name, size, size)
        assert row["mean"] == pytest.approx(np.mean(own), rel=1e-5)
        assert row["median"] == np.median(own)
        assert row["covered"] == pytest.approx(np.mean(np.array(own) > 0), rel=1e-5)
        window = told["profile"]["window"]
        parts = [np.mean(own[k : k + window]) for k in range(0, size, window)]
        assert told["profile"]["contigs"][name] == pytest.approx(parts, rel=1e-5)
    assert (told["others"], told["on_target"], told["genes"]) == (None, None, None)


def test_variants_are_those_of_the_vcf(man):
    out, told = man
    with pysam.VariantFile(str(out)) as calls:
        rows = [record for record in calls if "PASS" in record.filter]
    assert told["variants"]["passed"] == len(rows) > 150
    snvs = [row for row in rows if len(row.ref) == len(row.alts[0]) == 1]
    assert told["variants"]["snvs"] == len(snvs)
    assert told["variants"]["transitions"] > 0.95 * len(snvs)
    hets = [row for row in snvs if len(set(row.samples[0]["GT"])) == 2]
    assert sum(told["variants"]["strand"]) == len(hets)
    assert sum(told["variants"]["allele_balance"]) <= len(hets)
    stats = json.loads(Path(f"{out}.stats.json").read_text())
    assert stats["records"]["pass"] == len(rows)


def test_sex(people, man, tmp_path):
    fasta, bam, woman, par = people
    assert (man[1]["sex"]["found"], man[1]["sex"]["agrees"]) == ("XY", None)
    assert man[1]["sex"]["x_ratio"] == pytest.approx(0.5, abs=0.06)
    assert man[1]["sex"]["y_ratio"] == pytest.approx(0.5, abs=0.06)
    told = quality_of(fasta, woman, tmp_path / "w.vcf.gz", par=par, sex="XX")["sex"]
    assert (told["found"], told["told"], told["agrees"]) == ("XX", "XX", True)
    assert (told["y_ratio"], told["x_ratio"]) == (0, pytest.approx(1, abs=0.1))
    assert 0.6 < told["x_het_share"] < 0.75
    wrong = quality_of(fasta, bam, tmp_path / "m.vcf.gz", par=par, sex="XX")
    assert (wrong["sex"]["found"], wrong["sex"]["agrees"]) == ("XY", False)
    assert wrong["coverage"] == man[1]["coverage"]  # Y counts where nothing is called


@pytest.mark.parametrize(("x", "y", "found"), [
    (1.02, 0.0, "XX"), (0.5, 0.41, "XY"), (0.49, 0.02, "X"), (1.0, 0.5, "XXY"), (0.52, 0.98, "XYY"),
    (1.5, 0.0, "XXX"), (0.75, 0.25, "unknown"), (None, 0.5, "unknown"), (0.5, None, "unknown"),
    (3.0, 0.0, "unknown"), (0.0, 0.0, "unknown"),
])  # fmt: skip
def test_karyotype(x, y, found):
    assert sex.karyotype(x, y) == found


def test_classes_of_contigs():
    names = ("chr1", "22", "NC_000001.11", "NC_060946.1", "chrX", "NC_000024.10", "MT", "chr1_KI27",
             "NC_012920.1")  # fmt: skip
    kinds = ["autosome"] * 4 + ["X", "Y", "", "", ""]
    assert [sex.class_of(name) for name in names] == kinds


@pytest.mark.parametrize("options", [{"threads": 2}, {"threads": 2, "backend": "dask"}])
def test_same_bytes(people, man, tmp_path, options):
    fasta, bam, _, par = people
    out = tmp_path / "again.vcf.gz"
    call(fasta, bam, out, par=par, sex="unknown", **options)
    assert Path(f"{out}.qc.json").read_bytes() == Path(f"{man[0]}.qc.json").read_bytes()


def test_cuts_and_a_gvcf_change_nothing(people, man, tmp_path, monkeypatch):
    fasta, bam, _, par = people
    monkeypatch.setattr(shards, "MOST_BYTES", 100_000)
    out = tmp_path / "again.g.vcf.gz"
    call(fasta, bam, out, also=tmp_path / "a.vcf.gz", par=par, sex="unknown", threads=1)
    again = (tmp_path / "a.vcf.gz.qc.json").read_bytes()
    assert again == Path(f"{man[0]}.qc.json").read_bytes()
    assert not Path(f"{out}.qc.json").exists()
    assert not (tmp_path / ".lingqu").exists()


GENES = [("one", "1", [(700, 900), (99_900, 100_100)]), ("two", "X", [(5000, 5001)]),
         ("out", "1", [(60_000, 60_100)])]  # fmt: skip


def gtf(path, genes):
    lines = ["#!x"]
    for name, contig, exons in genes:
        told = f'gene_id "G{name}"; transcript_id "t"; gene_name "{name}";'
        lines.append(f"{contig}\ts\tgene\t{exons[0][0] + 1}\t{exons[-1][1]}\t.\t+\t.\t{told}")
        for a, b in [*exons, (exons[0][0], exons[0][0] + 1)]:
            lines.append(f"{contig}\ts\texon\t{a + 1}\t{b}\t.\t+\t.\t{told}")
    path.write_text("\n".join(lines) + "\n")


def gff(path, genes):
    lines = ["##gff-version 3"]
    for name, contig, exons in genes:
        span = f"{exons[0][0] + 1}\t{exons[-1][1]}\t.\t+\t."
        lines.append(f"{contig}\ts\tgene\t{span}\tID=g:{name};Name={name}")
        lines.append(f"{contig}\ts\tmRNA\t{span}\tID=t:{name};Parent=g:{name};Name={name}-201")
        for a, b in exons:
            lines.append(f"{contig}\ts\texon\t{a + 1}\t{b}\t.\t+\t.\tParent=t:{name}")
    path.write_text("\n".join(lines) + "\n")


def bed(path, genes):
    path.write_text("".join(f"{c}\t{a}\t{b}\t{n}\n" for n, c, exons in genes for a, b in exons))


@pytest.mark.parametrize(("name", "write"), [("g.gtf", gtf), ("g.gff3", gff), ("g.bed", bed)])
def test_a_panel_and_its_genes(people, tmp_path, name, write):
    fasta, bam, *_ = people
    (tmp_path / "panel.bed").write_text("1\t800\t2000\n1\t99000\t101000\nX\t4000\t6000\n")
    write(tmp_path / name, GENES)
    out = tmp_path / "p.vcf.gz"
    told = quality_of(fasta, bam, out, bed=tmp_path / "panel.bed", qc_genes=tmp_path / name)
    depth = depths(bam)
    coverage = told["coverage"]
    assert coverage["regions"] == [str(tmp_path / "panel.bed")]
    assert coverage["target_bases"] == 5200
    total = sum(depth["1"][p] for p in (*range(800, 2000), *range(99_000, 101_000)))
    total += sum(depth["X"][p] for p in range(4000, 6000))
    assert coverage["on_target"] == {"bases": total, "aligned_bases": None, "share": None}
    assert coverage["mean"] == pytest.approx(total / 5200, rel=1e-5)
    one = [depth["1"][p] for p in (*range(800, 900), *range(99_900, 100_100))]
    expected = {
        "name": "one", "contig": "1", "start": 700, "end": 100_100, "length": 400, "bases": 300,
        "mean": pytest.approx(np.mean(one), rel=1e-5), "min": min(one),
        "at_least_20": pytest.approx(np.mean(np.array(one) >= 20), abs=1e-6),
        "at_least_30": pytest.approx(np.mean(np.array(one) >= 30), abs=1e-6),
    }  # fmt: skip
    assert coverage["genes"][0] == expected
    assert [gene["name"] for gene in coverage["genes"]] == ["one", "two"]
    assert coverage["genes"][1]["min"] == depth["X"][5000]


def test_on_target_of_an_alignment_that_has_its_own(people, tmp_path):
    fasta, bam, *_ = people
    for ending in ("", ".bai"):
        shutil.copy(f"{bam}{ending}", tmp_path / f"a.bam{ending}")
    beside = {"mapping": {"aligned_bases": 100_000}}
    (tmp_path / "a.bam.qc.json").write_text(json.dumps(beside))
    (tmp_path / "panel.bed").write_text("1\t800\t2000\n")
    out = tmp_path / "p.vcf.gz"
    told = quality_of(fasta, tmp_path / "a.bam", out, bed=tmp_path / "panel.bed")
    found = told["coverage"]["on_target"]
    assert found["share"] == pytest.approx(found["bases"] / 100_000, rel=1e-5)


def test_many_contigs(people, tmp_path, monkeypatch):
    fasta, bam, *_ = people
    monkeypatch.setattr(quality, "MOST_CONTIGS", 2)
    told = quality_of(fasta, bam, tmp_path / "p.vcf.gz")["coverage"]
    assert [row["name"] for row in told["contigs"]] == ["1", "X"]
    assert (told["others"]["contigs"], told["others"]["target_bases"]) == (2, 22_000)
    assert list(told["profile"]["contigs"]) == ["1", "X"]


EXON = '1\ts\texon\t{}\t{}\t.\t.\t.\tgene_id "a"'


@pytest.mark.parametrize(("name", "text", "why"), [
    ("g.bed", "1\t5\t9\n", "line 1: 3 columns"),
    ("g.bed", "1\t5\t9\tn\n1\t9\t3\tn\n", "line 2: 9 to 3 are no places"),
    ("g.bed", "1\t5\t999999\tn\n", "line 1: end 999999 is beyond"),
    ("g.bed", "9\t5\t9\tn\n", "no gene"),
    ("g.bed", "", "no gene"),
    ("g.gtf", "1\ts\texon\n", "line 1: 3 columns"),
    ("g.gtf", EXON.format(9, 3), "line 1: 9 to 3 are no places"),
    ("g.gtf", EXON.format("x", 3), "no places"),
    ("g.gtf", EXON.format(9, 999_999), "beyond"),
])  # fmt: skip
def test_wrong_genes(people, tmp_path, name, text, why):
    (tmp_path / name).write_text(text)
    with pytest.raises(LingquError, match=why):
        call(people[0], people[1], tmp_path / "o.vcf.gz", qc_genes=tmp_path / name, threads=1)


@given(st.lists(st.integers(0, 12), min_size=1))
def test_ranks_of_a_histogram(values):
    histogram = np.bincount(values, minlength=14)
    assert [value_at(histogram, k) for k in range(len(values))] == sorted(values)
    assert median(histogram) == np.median(values)
    assert median(np.zeros(3, np.int64)) is None


def picard(program: str, *words) -> list[list[str]]:
    """Rows of the tables of a metrics file."""
    command = ["PicardCommandLine", program, "QUIET=true", "VALIDATION_STRINGENCY=SILENT", *words]
    subprocess.run(command, check=True, capture_output=True)
    out = next(word for word in words if word.startswith("OUTPUT="))
    lines = Path(out.removeprefix("OUTPUT=")).read_text().splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


needs_picard = pytest.mark.skipif(
    not shutil.which("PicardCommandLine"), reason="Picard is not installed"
)


def as_dictionary(fasta, folder) -> Path:
    """A copy of the reference with its .fai and .dict."""
    copy = folder / "ref.fa"
    shutil.copy(fasta, copy)
    pysam.faidx(str(copy))
    with pysam.FastaFile(str(copy)) as opened:
        lines = ["@HD\tVN:1.6", *(f"@SQ\tSN:{name}\tLN:{size}" for name, size in
                                  zip(opened.references, opened.lengths, strict=True))]  # fmt: skip
    (folder / "ref.dict").write_text("\n".join(lines) + "\n")
    return copy


@needs_picard
def test_gc_bias_is_picards(people, man, tmp_path):
    fasta, bam = as_dictionary(people[0], tmp_path), people[1]
    rows = picard(
        "CollectGcBiasMetrics", f"INPUT={bam}", f"OUTPUT={tmp_path / 'gc'}", f"R={fasta}",
        f"CHART={tmp_path / 'c.pdf'}", f"S={tmp_path / 's'}",
    )  # fmt: skip
    names = rows[0]
    table = [dict(zip(names, row, strict=True)) for row in rows[1:]]
    told = man[1]["coverage"]["gc_bias"]
    assert told["windows"] == [int(row["WINDOWS"]) for row in table]
    assert told["reads"] == [int(row["READ_STARTS"]) for row in table]
    ours = [0 if depth is None else depth for depth in told["depth"]]
    assert ours == pytest.approx([float(row["NORMALIZED_COVERAGE"]) for row in table], abs=1e-5)


@needs_picard
def test_fold_80_is_picards(people, tmp_path):
    fasta, bam = as_dictionary(people[0], tmp_path), people[1]
    regions = [("1", 1000, 40_000), ("1", 60_000, 90_000), ("X", 10_000, 12_000)]
    (tmp_path / "p.bed").write_text("".join(f"{c}\t{a}\t{b}\n" for c, a, b in regions))
    head = (tmp_path / "ref.dict").read_text()
    (tmp_path / "p.list").write_text(
        head + "".join(f"{c}\t{a + 1}\t{b}\t+\tt{a}\n" for c, a, b in regions)
    )
    rows = picard(
        "CollectHsMetrics", f"INPUT={bam}", f"OUTPUT={tmp_path / 'hs'}", f"R={fasta}", "Q=0",
        "MQ=0", f"BI={tmp_path / 'p.list'}", f"TI={tmp_path / 'p.list'}",
        "CLIP_OVERLAPPING_READS=true", "SAMPLE_SIZE=1",
    )  # fmt: skip
    row = dict(zip(rows[0], rows[1], strict=False))
    told = quality_of(fasta, bam, tmp_path / "p.vcf.gz", bed=tmp_path / "p.bed")["coverage"]
    assert told["mean"] == pytest.approx(float(row["MEAN_TARGET_COVERAGE"]), rel=1e-5)
    assert told["median"] == float(row["MEDIAN_TARGET_COVERAGE"])
    assert told["fold_80"] == pytest.approx(float(row["FOLD_80_BASE_PENALTY"]), rel=1e-5)
    for level in (1, 10, 20, 30, 40, 50, 100):
        expected = float(row[f"PCT_TARGET_BASES_{level}X"])
        assert told["at_least"][str(level)] == pytest.approx(expected, abs=1e-6)
