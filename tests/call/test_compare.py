"""The comparison of two files: how records are read, counted, restricted and written."""

import gzip
import json
import random
import shutil
import subprocess

import pysam
import pytest
from click.testing import CliRunner

from lingqu.base.errors import LingquError
from lingqu.call.compare import compare
from lingqu.cli.compare import command

HEADER = "##fileformat=VCFv4.3\n##contig=<ID=20>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
#           1         11        21        31        41        51
SEQUENCE = "ACGTTGCAAT" + "CACACACACA" + "GGTACCATTT" + "TTTTTTGACG" + "TAGCATCGAT" + "CCGATGACTA"


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "small.fa"
    path.write_text(f">20\n{SEQUENCE}\n")
    return path


def write(path, records, samples="s"):
    """A VCF of 'POS REF ALT GT[ FILTER]' lines."""
    lines = [HEADER + "".join(f"\t{word}" for word in ["FORMAT", *samples.split()] if samples)]
    for record in records:
        pos, ref, alt, *rest = record.split()
        genotype, passed = [*rest, "PASS"][:2] if samples else (None, "PASS")
        fields = ["20", pos, ".", ref, alt, ".", passed, "."]
        lines.append("\t".join(fields + (["GT", *genotype.split(";")] if samples else [])))
    path.write_text("\n".join(lines) + "\n")
    return path


def counts(tmp_path, fasta, truth, calls, **options):
    """(TP of truth, FN, TP of calls, FP) of records given as lines."""
    paths = write(tmp_path / "t.vcf", truth), write(tmp_path / "c.vcf", calls)
    row = compare(*paths, fasta, **options).rows["ALL"]
    return row.tp_truth, row.fn, row.tp_calls, row.fp


@pytest.mark.parametrize(
    ("truth", "calls"),
    [
        (["12 A G 0/1"], ["12 A G 1|0"]),  # phasing does not count
        (["12 A G 1/1"], ["12 A G 1"]),  # haploid is as homozygous
        (["12 A G 0/1"], ["12 A G ./1"]),  # half a call: the called half
        (["10 TCA T 0/1"], ["18 ACA A 1/0"]),  # a repeat's unit at either end
        (["10 T TCA 1/1"], ["20 A ACA 1/1"]),
        (["21 GGT GAC 1/1"], ["22 G A 1/1", "23 T C 1/1"]),  # MNV and its parts
        (["22 G A 1|0", "23 T C 1|0"], ["22 GT AC 0/1"]),
        (["22 G A 1|0", "23 T C 0|1"], ["22 GT AT,GC 1/2"]),
        (["24 A C,G 1/2"], ["24 A C 0/1", "24 A G 0/1"]),  # multi-allelic and split
        (["24 A C,* 1/2"], ["24 A C 0/1"]),
        (["23 TAC T 0/1", "24 A *,G 1/2"], ["23 TAC T 1/0", "24 A G 0/1"]),  # spanned
        (["23 TAC T 0/1", "24 A G 1/0"], ["23 TAC T,TGC 1/2"]),
        (["27 ATTT A 0/1"], ["30 TTT T 0/1", "35 TT T 0/1"]),  # one deletion in two parts
        (["12 A G 0/1"], ["12 a g 0/1"]),
        (["12 AC GC 0/1"], ["12 A G 0/1"]),  # letters that change nothing
        (["12 A G 0/1"], ["11 CACAC CGCAC 0/1"]),
        (["12 A <NON_REF>,G 0/2"], ["12 A G 0/1"]),  # a symbolic allele that is not called
    ],
)
def test_same_haplotypes_match(tmp_path, fasta, truth, calls):
    assert counts(tmp_path, fasta, truth, calls) == (len(truth), 0, len(calls), 0)
    assert counts(tmp_path, fasta, calls, truth) == (len(calls), 0, len(truth), 0)


@pytest.mark.parametrize(
    ("truth", "calls", "expected"),
    [
        (["12 A G 0/1"], ["12 A T 0/1"], (0, 1, 0, 1)),
        (["12 A G 1/1"], ["12 A G 0/1"], (0, 1, 0, 1)),  # another genotype
        (["24 A C,G 1/2"], ["24 A C 0/1"], (0, 1, 0, 1)),
        (["22 G A 1/1", "23 T C 0/1"], ["22 GT AC 1/1"], (0, 2, 0, 1)),
        (["12 A G 0/1"], [], (0, 1, 0, 0)),
        ([], ["12 A G 0/1"], (0, 0, 0, 1)),
        ([], [], (0, 0, 0, 0)),
        (["12 A G 0/1"], ["12 A G 0/1", "12 A G 0/1"], (1, 0, 1, 1)),  # the same twice
        ([], ["10 T TCA 1/1", "18 ACA A 1/1"], (0, 0, 0, 2)),  # they undo each other
        (["12 A G 0/1", "45 A T 0/1"], ["45 A T 0/1"], (1, 1, 1, 0)),
        (["60 A AG 1/1"], ["60 A AG 1/1"], (1, 0, 1, 0)),  # the contig's last base
        (["1 AC C 1/1"], ["1 AC C 1/1"], (1, 0, 1, 0)),  # and its first
    ],
)
def test_what_differs_is_counted(tmp_path, fasta, truth, calls, expected):
    assert counts(tmp_path, fasta, truth, calls) == expected


def test_types_and_ratios(tmp_path, fasta):
    truth = write(tmp_path / "t.vcf", ["12 A G 0/1", "22 GT AC 1/1", "30 T TA 0/1", "45 A T 0/1"])
    calls = write(tmp_path / "c.vcf", ["12 A G 1/1", "22 G A 1/1", "23 T C 1/1", "50 T TC 0/1"])
    rows = compare(truth, calls, fasta).rows
    assert [rows["SNV"].tp_truth, rows["SNV"].fn] == [1, 2]
    assert [rows["SNV"].tp_calls, rows["SNV"].fp] == [2, 1]
    assert [rows["SNV"].genotype_fn, rows["SNV"].genotype_fp] == [1, 1]
    assert [rows["INDEL"].fn, rows["INDEL"].fp] == [1, 1]
    assert rows["SNV"].recall == pytest.approx(1 / 3)
    assert rows["SNV"].precision == pytest.approx(2 / 3)
    assert rows["SNV"].f1 == pytest.approx(4 / 9)
    assert (rows["INDEL"].f1, rows["ALL"].recall) == (0, 0.25)


def test_squash_ploidy(tmp_path, fasta):
    truth, calls = ["12 A G 1/1", "24 A C,G 1/2"], ["12 A G 0/1", "24 A C 0/1"]
    assert counts(tmp_path, fasta, truth, calls, squash_ploidy=True) == (2, 0, 2, 0)
    polyploid = ["12 A G 0/0/1/1", "24 A C,G 0/1/2"]
    assert counts(tmp_path, fasta, polyploid, calls, squash_ploidy=True) == (2, 0, 2, 0)
    sites = write(tmp_path / "sites.vcf", ["12 A G", "24 A C,G"], samples="")
    called = write(tmp_path / "c.vcf", calls)
    assert compare(sites, called, fasta, squash_ploidy=True).rows["ALL"].f1 == 1
    with pytest.raises(LingquError, match=r"sites\.vcf: no genotypes in it"):
        compare(sites, called, fasta)


def test_what_is_left_out_is_counted(tmp_path, fasta):
    truth = write(tmp_path / "t.vcf", ["12 A G 0/1"])
    calls = write(
        tmp_path / "c.vcf",
        [
            "12 A G 0/1",
            "14 A G 0/1 q10",
            "16 A G 0/0",
            "16 A G ./.",
            "18 A . 0/0",
            "18 A A 0/1",
            "20 A <DEL> 0/1",
            "21 G G[20:40[ 0/1",
            f"22 G {'A' * 1001} 0/1",
            "24 A G 0/0/1",
        ],
    )
    result = compare(truth, calls, fasta)
    assert result.rows["ALL"].fp == 0
    assert result.skipped[1] == {
        "filtered": 1,
        "reference or no call": 4,
        "symbolic or unknown allele": 2,
        "longer than 1000 bases": 1,
        "more than two alleles in GT": 1,
    }
    assert compare(truth, calls, fasta, all_records=True).rows["ALL"].fp == 1


def test_regions(tmp_path, fasta):
    truth = ["10 TCA T 0/1", "24 A C 0/1", "30 T TA 0/1", "45 A T 0/1"]
    calls = ["18 ACA A 0/1", "24 A C 0/1", "30 T TA 0/1"]

    def of(*regions):
        return counts(tmp_path, fasta, truth, calls, regions=regions)

    assert of("20") == (3, 1, 3, 0)
    assert of("20:11-13") == (1, 0, 0, 0)  # matched by a call outside, which is not counted
    assert of("20:19-24") == (1, 0, 2, 0)
    assert of("20:10-10") == (0, 0, 0, 0)  # only the anchor base of a deletion
    assert of("20:30-30") == (1, 0, 1, 0)  # an insertion follows its anchor base
    assert of("20:31-31") == (0, 0, 0, 0)
    assert of("20:24-24", "20:45-45") == (1, 1, 1, 0)
    bed = tmp_path / "r.bed"
    bed.write_text("20\t23\t24\n20\t44\t45\n")
    assert counts(tmp_path, fasta, truth, calls, bed=bed) == (1, 1, 1, 0)


def test_annotated_files(tmp_path, fasta):
    truth = write(tmp_path / "t.vcf", ["12 A G 1/1", "24 A C 0/1", "45 A T 0/1", "50 T C 0/1"])
    calls = write(tmp_path / "c.vcf", ["12 A G 0/1", "24 A C 0/1", "50 T C 0/1", "54 A T 0/1"])
    compare(truth, calls, fasta, regions=["20:1-49", "20:54-60"], out=tmp_path / "out" / "here")
    found = {}
    for path in sorted((tmp_path / "out" / "here").glob("*.vcf.gz")):
        with pysam.VariantFile(str(path)) as vcf:
            found[path.name] = [(r.pos, r.info["COMPARE"]) for r in vcf.fetch("20")]
    assert found == {
        "fn.vcf.gz": [(12, "genotype"), (45, "absent")],
        "fp.vcf.gz": [(12, "genotype"), (54, "absent")],
        "tp-baseline.vcf.gz": [(24, "match")],
        "tp.vcf.gz": [(24, "match")],
    }


def test_samples(tmp_path, fasta):
    truth = write(tmp_path / "t.vcf", ["12 A G 0/1"])
    cohort = write(tmp_path / "c.vcf", ["12 A G 0/0;0/1"], samples="one two")
    with pytest.raises(LingquError, match=r"c\.vcf: 2 samples \(one, two\); choose"):
        compare(truth, cohort, fasta)
    with pytest.raises(LingquError, match=r"c\.vcf: no sample 'three'; it has one, two"):
        compare(truth, cohort, fasta, samples=("s", "three"))
    assert compare(truth, cohort, fasta, samples=("s", "two")).rows["ALL"].f1 == 1
    assert compare(truth, cohort, fasta, samples=(None, "one")).rows["ALL"].fn == 1


@pytest.mark.parametrize(
    ("record", "word"),
    [
        ("12 C G 0/1", "REF 'C', but the reference has A"),
        ("12 A G 0/2", "no genotype: '0/2'"),
        ("61 A G 0/1", "beyond the contig"),
    ],
)
def test_wrong_record(tmp_path, fasta, record, word):
    with pytest.raises(LingquError, match=r"c\.vcf: line 5: ") as caught:
        counts(tmp_path, fasta, [], ["1 A C 0/1", record])
    assert word in str(caught.value)


# The demo's truth, spelt in other ways


def respell(records, sequence, random):
    """The same phased haplotypes in other records: merged, split, padded, shifted.

    records: (0-based pos, ref, alleles of both haplotypes) without overlap.
    """
    groups = []
    for record in records:
        near = groups and record[0] - groups[-1][-1][0] < 50 and len(groups[-1]) < 4
        if near and random.random() < 0.6:
            groups[-1].append(record)
        else:
            groups.append([record])
    spelt = []
    for i, group in enumerate(groups):
        start, end = group[0][0], group[-1][0] + len(group[-1][1])
        room = groups[i + 1][0][0] if i + 1 < len(groups) else end + 50
        end = min(end + random.choice([0, 0, 1, 7]), room)
        haplotypes = []
        for which in (0, 1):
            text, here = "", start
            for pos, ref, alleles in group:
                text += sequence[here:pos] + alleles[which]
                here = pos + len(ref)
            haplotypes.append(text + sequence[here:end])
        ref = sequence[start:end]
        if random.random() < 0.5:  # one record for each haplotype
            spelt += [
                (*shifted(start, ref, text, sequence, room, random), (1, 0)[::way])
                for text, way in zip(haplotypes, (1, -1), strict=True)
                if text != ref
            ]
        else:
            alts = list(dict.fromkeys(text for text in haplotypes if text != ref))
            numbers = [0 if text == ref else 1 + alts.index(text) for text in haplotypes]
            spelt.append((start, ref, ",".join(alts), numbers))
    return sorted(spelt, key=lambda record: record[0])


def shifted(pos, ref, alt, sequence, room, random):
    """An indel moved right along its repeat, as far as chance and `room` let it."""
    if len(ref) == len(alt) or not (ref.startswith(alt[0]) and min(len(ref), len(alt)) == 1):
        return pos, ref, alt
    while pos + len(ref) + 1 < room and random.random() < 0.8:
        after = sequence[pos + len(ref)]
        longer = ref if len(ref) > 1 else alt
        if longer[1] != after:
            break
        moved = longer[1:] + after
        pos, ref, alt = pos + 1, *((moved, moved[0]) if len(ref) > 1 else (moved[0], moved))
    return pos, ref, alt


@pytest.mark.parametrize("seed", range(3))
def test_respelt_truth_matches(demo, reference, tmp_path, seed):
    with gzip.open(reference, "rt") as lines:
        next(lines)
        sequence = "".join(line.strip() for line in lines)
    records, end = [], 0
    with pysam.VariantFile(str(demo / "truth.vcf.gz")) as truth:
        name = truth.header.samples[0]
        for record in truth:
            genotype = record.samples[name]
            alone = record.pos - 1 >= end and genotype.phased
            if alone and len(genotype.alleles) == 2:
                records.append((record.pos - 1, record.ref, genotype.alleles))
                end = record.stop
    assert len(records) > 150
    paths = []
    for name, spelling in (
        ("t.vcf", respell(records, sequence, random.Random(100))),
        ("c.vcf", respell(records, sequence, random.Random(seed))),
    ):
        lines = [
            f"{pos + 1} {ref} {alt} {'/'.join(map(str, numbers))}"
            for pos, ref, alt, numbers in spelling
        ]
        paths.append(write(tmp_path / name, lines))
    result = compare(*paths, reference)
    row = result.rows["ALL"]
    assert (row.fn, row.fp, result.bounded) == (0, 0, 0)
    assert min(row.tp_truth, row.tp_calls) > 100


@pytest.mark.skipif(not shutil.which("rtg"), reason="rtg (rtg-tools) is not installed")
def test_agrees_with_vcfeval(demo, reference, tmp_path):
    """The truth against a part of it with some genotypes changed: the same F1, of all records."""
    with pysam.VariantFile(str(demo / "truth.vcf.gz")) as truth:
        header, records = str(truth.header), [str(record).split("\t") for record in truth]
    with pysam.BGZFile(str(tmp_path / "c.vcf.gz"), "w") as out:
        out.write(header.encode())
        for number, record in enumerate(records):
            if number % 7:
                record[8:] = ["GT", "0/1" if number % 11 == 0 else record[9].split(":")[0].strip()]
                out.write("\t".join(record).encode() + b"\n")
    pysam.tabix_index(str(tmp_path / "c.vcf.gz"), preset="vcf")
    paths = demo / "truth.vcf.gz", tmp_path / "c.vcf.gz"
    sdf, found = tmp_path / "sdf", tmp_path / "rtg"
    files = "-b", paths[0], "-c", paths[1], "-t", sdf, "-o", found
    for words in (("format", "-o", sdf, reference), ("vcfeval", "--ref-overlap", *files)):
        subprocess.run(["rtg", *map(str, words)], check=True, capture_output=True)
    row = compare(*paths, reference).rows["ALL"]
    words = (found / "summary.txt").read_text().splitlines()[-1].split()
    counts = row.tp_truth, row.tp_calls, row.fp, row.fn
    assert list(map(int, words[1:5])) == list(counts)
    assert float(words[-1]) == pytest.approx(row.f1, abs=0.0005)


# The command


def test_command(tmp_path, fasta):
    truth = write(tmp_path / "t.vcf", ["12 A G 0/1", "30 T TA 0/1"])
    calls = write(tmp_path / "c.vcf", ["12 A G 0/1", "45 A T 0/1 low"])
    score = tmp_path / "score.json"
    arguments = [truth, calls, "--reference", fasta, "--json", score]
    result = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=False)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[1] == ["SNV", "1", "0", "1.0000", "1", "0", "1.0000", "1.0000", "0", "0"]
    assert lines[2] == ["INDEL", "0", "1", "0.0000", "0", "0", "-", "-", "0", "0"]
    assert "left out of calls: 1 filtered" in result.stdout
    numbers = json.loads(score.read_text())
    assert numbers["rows"]["ALL"]["recall"] == 0.5
    assert numbers["rows"]["INDEL"]["precision"] is None
    assert numbers["skipped"] == {"truth": {}, "calls": {"filtered": 1}}


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        (["-r", "20:1-5", "-R", "x.bed"], "exclude each other"),
        (["--sample", "one"], "needs two names"),
    ],
)
def test_command_misused(tmp_path, fasta, extra, word):
    truth = str(write(tmp_path / "t.vcf", []))
    result = CliRunner().invoke(command, [truth, truth, "--reference", str(fasta), *extra])
    assert result.exit_code == 2
    assert word in result.output
