"""`lingqu align` and `lingqu index` as processes: what goes well, and one line for the rest."""

import gzip
import json
import shutil
import subprocess
import sys

import pysam
import pytest

from lingqu.sequence.codes import decode


def lingqu(*arguments, **options):
    """Run the command line."""
    command = [sys.executable, "-m", "lingqu", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **options)


def refused(found, message):
    """Check that a run ended with one line that says `message`, and no traceback."""
    assert found.returncode == 1
    line = found.stderr.splitlines()[-1]
    assert line.startswith("lingqu: error: ")
    assert message in line
    assert "Traceback" not in found.stderr


def test_align_pairs(reference, few_reads, tmp_path):
    out = tmp_path / "x.bam"
    group = r"@RG\tID:L1\tSM:NA12878\tLB:lib\tPU:F.1"
    found = lingqu("align", reference, *few_reads, "-R", group, "-o", out, "--threads", 2)
    assert found.returncode == 0, found.stderr
    assert "600 reads, 99" in found.stderr
    with pysam.AlignmentFile(str(out)) as reader:
        assert reader.header["RG"] == [
            {"ID": "L1", "SM": "NA12878", "LB": "lib", "PL": "ILLUMINA", "PU": "F.1"}
        ]
        assert reader.header["HD"] == {"VN": "1.6", "SO": "coordinate"}
        assert len(reader.header["SQ"][0]["M5"]) == 32
        (program,) = reader.header["PG"]
        assert program["CL"] == "lingqu align reference.fa.gz R1.fastq R2.fastq --sample NA12878"
        assert reader.mapped + reader.unmapped >= 600
    stats = json.loads((tmp_path / "x.bam.stats.json").read_text())
    assert stats["reads"] == 600
    assert stats["bases"] == 60_600


def test_other_places_are_told_when_asked_for(tmp_path, demo_window):
    copied = decode(demo_window[:3_000])
    (tmp_path / "twice.fa").write_text(f">one\n{copied}\n>two\n{copied}\n")
    (tmp_path / "reads.fq").write_text(f"@r\n{copied[1_000:1_100]}\n+\n{'I' * 100}\n")
    for wanted, flags in ((0, [0]), (2, [0, 0x100])):
        out = tmp_path / f"{wanted}.bam"
        found = lingqu(
            "align", tmp_path / "twice.fa", tmp_path / "reads.fq", "--sample", "s",
            "--secondary", wanted, "-o", out,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        with pysam.AlignmentFile(str(out)) as reader:
            records = list(reader)
        assert sorted(record.flag for record in records) == flags
        assert all(record.pos == 1_000 and record.mapping_quality == 0 for record in records)


def test_umis(reference, few_reads, tmp_path):
    names = [line.split()[0].removesuffix("/1") for line in few_reads[0].open()][::4]
    umis = tmp_path / "umi.fq"
    umis.write_text("".join(f"{name}\nACGTTGCA\n+\nIIIIIIII\n" for name in names))
    named = [tmp_path / path.name for path in few_reads]
    for path, copy in zip(few_reads, named, strict=True):
        records = zip(*[iter(path.read_text().splitlines())] * 4, strict=True)
        copy.write_text(
            "".join(
                "\n".join((f"{name}:ACGT+TGCA", *record[1:])) + "\n"
                for name, record in zip(names, records, strict=True)
            )
        )
    bam, cram = tmp_path / "x.bam", tmp_path / "x.cram"
    common = "--sample", "S", "-o"
    found = lingqu("align", reference, *few_reads, "--umi", umis, *common, bam)
    assert found.returncode == 0, found.stderr
    found = lingqu("align", reference, *named, "--umi", ":", *common, cram)
    assert found.returncode == 0, found.stderr
    with pysam.AlignmentFile(str(bam)) as reader:
        assert reader.header["PG"][0]["CL"].endswith("--sample S --umi umi.fq")
        tags = {(record.get_tag("RX"), record.get_tag("QX")) for record in reader}
    assert tags == {("ACGTTGCA", "IIIIIIII")}
    found = lingqu("align", reference, cram, *common, tmp_path / "again.bam")
    assert found.returncode == 0, found.stderr
    with pysam.AlignmentFile(str(tmp_path / "again.bam")) as reader:
        assert {record.get_tag("RX") for record in reader} == {"ACGT-TGCA"}
    name = names[0][1:]
    found = lingqu("align", reference, *few_reads, "--umi", ":", *common, bam)
    refused(found, f"R1.fastq: record 1: no UMI behind the last ':' of the name {name!r}")
    found = lingqu("align", reference, cram, "--umi", umis, *common, bam)
    refused(found, "umi.fq: no FASTQ beside a BAM or CRAM")


def test_an_output_that_is_an_input_is_refused(reference, few_reads, tmp_path):
    own = tmp_path / "own.bam"
    assert lingqu("align", reference, *few_reads, "--sample", "s", "-o", own).returncode == 0
    before = own.read_bytes()
    found = lingqu("align", reference, own, "--sample", "s", "-o", own)
    refused(found, "own.bam: is an input too; name another output")
    assert own.read_bytes() == before


def test_one_file_as_both_mates_is_refused(reference, few_reads, tmp_path):
    twice = (few_reads[0], few_reads[0])
    found = lingqu("align", reference, *twice, "--sample", "s", "-o", tmp_path / "x.bam")
    refused(found, "R1.fastq: given as R1 and as R2")


def test_a_sample_that_would_break_the_header_is_refused(reference, few_reads, tmp_path):
    out = tmp_path / "x.bam"
    found = lingqu("align", reference, *few_reads, "--sample", "a\tLB:z", "-o", out)
    refused(found, "has characters that a SAM header cannot hold")
    assert not out.exists()


def test_foreign_tools_find_nothing_wrong(aligned_by_command, reference):
    bam = aligned_by_command
    missing = [tool for tool in ("samtools", "PicardCommandLine") if not shutil.which(tool)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    for command in (["samtools", "quickcheck", bam], ["samtools", "stats", bam]):
        subprocess.run(command, check=True, capture_output=True)
    from lingqu.formats.fasta_for_htslib import htslib_fasta
    from lingqu.formats.reference import open_reference

    fasta = htslib_fasta(open_reference(reference))
    command = ["PicardCommandLine", "ValidateSamFile", f"I={bam}", f"R={fasta}", "MODE=SUMMARY"]
    found = subprocess.run(command, capture_output=True, text=True)
    assert "No errors found" in found.stdout + found.stderr


@pytest.fixture(scope="module")
def aligned_by_command(reference, deep_reads, tmp_path_factory):
    """A BAM of the deep reads."""
    out = tmp_path_factory.mktemp("cli") / "x.bam"
    found = lingqu("align", reference, *deep_reads, "--sample", "S", "-o", out)
    assert found.returncode == 0, found.stderr
    return out


def test_lanes_and_cram(reference, few_reads, tmp_path):
    table = tmp_path / "lanes.tsv"
    one, two = few_reads
    table.write_text(f"R1\tR2\tID\tLB\tPL\tPU\n{one}\t{two}\tL1\tlib\tILLUMINA\tX.1\n")
    out = tmp_path / "x.cram"
    found = lingqu("align", reference, "--lanes", table, "--sample", "S", "-o", out)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "x.cram.crai").exists()
    assert out.read_bytes()[:4] == b"CRAM"


def test_help_teaches():
    found = lingqu("align", "--help")
    assert found.returncode == 0
    assert (
        "lingqu align GRCh38.fa R1.fq.gz R2.fq.gz --sample NA12878 -o NA12878.bam" in found.stdout
    )
    assert "lanes.tsv" in found.stdout
    assert "lingqu index GRCh38.fa" in lingqu("index", "--help").stdout


def test_index(reference):
    found = lingqu("index", reference)
    assert found.returncode == 0, found.stderr
    assert "1 contigs, 63,025,520 bases" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["r1.fq"], "whose reads are these?"),
        (["--sample", "S"], "give R1 and R2"),
        (["r1.fq", "--lanes", "x.tsv", "--sample", "S"], "not both"),
    ],
)
def test_wrong_usage(arguments, message, tmp_path):
    found = lingqu("align", "x.fa", *arguments, "-o", tmp_path / "x.bam")
    assert found.returncode == 2
    assert message in found.stderr


def test_bad_input(reference, few_reads, tmp_path):
    one, two = few_reads
    out = tmp_path / "x.bam"

    def align(*reads, output=out):
        return lingqu("align", reference, *reads, "--sample", "S", "-o", output)

    refused(align("none.fq"), "none.fq: No such file")
    refused(align(one, two, output=tmp_path / "x.sam"), "x.sam: the output must end in .bam")
    short = tmp_path / "short.fq"
    short.write_text("".join(two.read_text().splitlines(keepends=True)[:400]))
    refused(align(one, short), "short.fq: ends after record 100 but its mate's file goes on")
    bad = tmp_path / "bad.fq"
    bad.write_text(one.read_text() + "@x\nAC!T\n+\nIIII\n")
    refused(align(bad), "bad.fq: record 301: '!' is no IUPAC base")
    cut = tmp_path / "cut.fq.gz"
    cut.write_bytes(gzip.compress(one.read_bytes())[:5000])
    refused(align(cut), "cut.fq.gz: truncated gzip file")
    refused(lingqu("align", "none.fa", one, "--sample", "S", "-o", out), "none.fa: No such file")
    assert not list(tmp_path.glob("x.*"))
