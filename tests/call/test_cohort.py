import pytest

from lingqu.base.errors import LingquError
from lingqu.call.cohort import merge_samples, union_sites
from lingqu.call.records import META
from lingqu.formats.reference import open_reference
from lingqu.formats.vcf import VcfWriter, header_lines, open_vcf

REF = {"b": "ACGTACGTTTTTACGTACGT", "a": "GGGGCCCCAAAATTTT"}


@pytest.fixture
def fasta(tmp_path, simulation):
    return simulation.write_fasta(tmp_path / "ref.fa", REF)


def write(path, fasta, sample, rows):
    header = header_lines(open_reference(fasta), META, [sample])
    with VcfWriter(path, header) as out:
        for row in rows:
            out.write("\t".join(map(str, row)))
    return path


def row(contig, pos, ref, alt, sample="0/1:40:30:15,15:400,0,400", passed="PASS", qual="400.0"):
    return contig, pos, ".", ref, alt, qual, passed, "DP=30", "GT:GQ:DP:AD:PL", sample


def read(path):
    with open_vcf(path) as reader:
        return reader.samples, [record.fields for record in reader]


def test_union(tmp_path, fasta):
    one = write(tmp_path / "1.vcf.gz", fasta, "S2", [
        row("b", 3, "G", "C"), row("b", 8, "TT", "T"), row("b", 14, "C", "*,G"),
        row("a", 5, "C", "T", passed="LowQual"),
    ])  # fmt: skip
    two = write(tmp_path / "2.vcf.gz", fasta, "S1", [
        row("b", 3, "G", "A"), row("b", 8, "T", "TT,C"), row("a", 2, "G", "T"),
    ])  # fmt: skip
    assert union_sites([one, two], fasta, tmp_path / "u.vcf.gz") == 4
    assert [(f[0], f[1], f[3], f[4], f[7]) for f in read(tmp_path / "u.vcf.gz")[1]] == [
        ("b", "3", "G", "A,C", "NS=2"),
        ("b", "8", "TT", "T,CT,TTT", "NS=2"),
        ("b", "14", "C", "G", "NS=1"),
        ("a", "2", "G", "T", "NS=1"),
    ]
    assert union_sites([one, two], fasta, tmp_path / "all.vcf.gz", every=True) == 5
    union_sites([two, one], fasta, tmp_path / "again.vcf.gz")
    assert (tmp_path / "again.vcf.gz").read_bytes() == (tmp_path / "u.vcf.gz").read_bytes()


def test_union_refuses_another_reference(tmp_path, fasta):
    bad = write(tmp_path / "1.vcf", fasta, "S", [row("b", 3, "T", "C")])
    with pytest.raises(LingquError, match=r"1\.vcf: line \d+: b:3 REF"):
        union_sites([bad], fasta, tmp_path / "u.vcf.gz")
    assert not (tmp_path / "u.vcf.gz").exists()


def test_merge(tmp_path, fasta):
    one = write(tmp_path / "1.vcf.gz", fasta, "S2", [
        row("b", 3, "G", "A,C", "1/2:40:30:1,15,14:9,9,9,9,0,9"),
        row("a", 5, "C", "T", "0/0:40:9:9,0:0,30,300", "LowQual", "0.1"),
    ])  # fmt: skip
    two = write(tmp_path / "2.vcf.gz", fasta, "S1", [
        row("b", 3, "G", "A,C", "./.:.:0:.:.", "LowQual", "0.0"),
        row("a", 5, "C", "T", "0/0:20:6:6,0:0,20,200", "LowQual", "0.0"),
    ])  # fmt: skip
    out = tmp_path / "cohort.vcf.gz"
    assert merge_samples([one, two], out) == ["S1", "S2"]
    samples, lines = read(out)
    assert samples == ["S1", "S2"]
    assert lines[0][5:8] == ["400.0", "PASS", "NS=1;DP=30;AC=1,1;AN=2"]
    assert lines[0][9:] == ["./.:.:0:.:.", "1/2:40:30:1,15,14:9,9,9,9,0,9"]
    assert lines[1][5:8] == ["0.1", "LowQual", "NS=2;DP=15;AC=0;AN=4"]
    merge_samples([two, one], tmp_path / "again.vcf.gz")
    assert (tmp_path / "again.vcf.gz").read_bytes() == out.read_bytes()


def test_merge_refuses_other_sites_and_doubled_samples(tmp_path, fasta):
    one = write(tmp_path / "1.vcf", fasta, "S1", [row("b", 3, "G", "A")])
    two = write(tmp_path / "2.vcf", fasta, "S2", [row("b", 3, "G", "C")])
    short = write(tmp_path / "3.vcf", fasta, "S3", [])
    for other, word in ((two, "not the sites"), (short, "its end"), (one, "twice")):
        with pytest.raises(LingquError, match=word):
            merge_samples([one, other], tmp_path / "cohort.vcf.gz")
    assert not (tmp_path / "cohort.vcf.gz").exists()
