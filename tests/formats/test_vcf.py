"""VCF in and out, read back by pysam."""

import gzip
import os

import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.formats.reference import open_reference
from lingqu.formats.vcf import VcfWriter, header_lines, open_vcf

RECORDS = [
    "20\t3\trs1\tG\tA\t50\tPASS\t.\tGT:DP\t0/1:30\t1|1:8",
    "20\t5\t.\tACG\tA,AC\t.\t.\t.\tGT:PS\t1|2:5\t./.:.",
    "20\t5\t.\tA\t*,<DEL>\t3\tq10\tEND=7\tGT\t.\t0",
    "21\t1\t.\tC\tT\t9.5\tPASS\t.\tGT\t0/0\t1/.",
]
META = [
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">',
    '##FILTER=<ID=q10,Description="Low quality">',
    '##ALT=<ID=DEL,Description="Deletion">',
]


@pytest.fixture
def reference(tmp_path):
    fasta = tmp_path / "ref.fa"
    fasta.write_text(">20\nACGTACGTAC\n>21\ncccgggRttt\n")
    return open_reference(fasta)


@pytest.fixture
def written(tmp_path, reference, request):
    path = tmp_path / request.param
    with VcfWriter(path, header_lines(reference, META, ["a", "b"])) as out:
        for record in RECORDS:
            out.write(record)
    return path


@pytest.mark.parametrize("written", ["x.vcf", "x.vcf.gz", "x.bcf"], indirect=True)
def test_what_is_written_is_read(written, reference):
    with open_vcf(written, reference) as vcf:
        assert vcf.samples == ["a", "b"]
        records = list(vcf)
    assert ["\t".join(record.fields[:5]) for record in records] == [
        "\t".join(line.split("\t")[:5]) for line in RECORDS
    ]
    assert [r.passes for r in records] == [True, True, False, True]
    assert [r.genotype(0).alleles for r in records] == [(0, 1), (1, 2), (-1,), (0, 0)]
    assert [r.genotype(1).alleles for r in records] == [(1, 1), (-1, -1), (0,), (1, -1)]
    assert [r.genotype(0).phased for r in records] == [False, True, False, False]
    assert records[1].genotype(0).phase_set == "5"
    with pysam.VariantFile(str(written)) as peer:
        assert [r.pos - 1 for r in peer] == [r.pos for r in records]
        assert peer.header.contigs["21"].length == 10


@pytest.mark.parametrize("written", ["x.vcf.gz", "x.bcf"], indirect=True)
def test_index_finds_a_region(written):
    with pysam.VariantFile(str(written)) as peer:
        assert [r.pos for r in peer.fetch("20", 4, 10)] == [5, 5]
        assert [r.pos for r in peer.fetch("21")] == [1]


def test_long_contigs_get_csi(tmp_path):
    header = ["##fileformat=VCFv4.3", "##contig=<ID=1,length=600000000>"]
    header.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    with VcfWriter(tmp_path / "x.vcf.gz", header) as out:
        out.write("1\t599999999\t.\tA\tC\t.\t.\t.")
    assert (tmp_path / "x.vcf.gz.csi").exists()
    assert not (tmp_path / "x.vcf.gz.tbi").exists()
    with pysam.VariantFile(str(tmp_path / "x.vcf.gz")) as peer:
        assert [r.pos for r in peer.fetch("1", 599_999_000, 600_000_000)] == [599_999_999]


@pytest.mark.parametrize("name", ["x.vcf", "x.vcf.gz", "x.bcf"])
def test_nothing_is_left_of_a_failure(tmp_path, reference, name):
    folder = tmp_path / "out"
    folder.mkdir()

    def fail():
        with VcfWriter(folder / name, header_lines(reference)) as out:
            out.write("20\t3\t.\tG\tA\t50\tPASS\t.")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("name", "old"), [("x.vcf.gz", ".tbi"), ("x.bcf", ".csi")])
def test_no_old_index_beside_a_new_file(tmp_path, reference, name, old, monkeypatch):
    path, index = tmp_path / name, tmp_path / f"{name}{old}"
    index.write_text("of an earlier run")
    original = os.replace

    def last(source, target):
        original(source, target)
        if target == path:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", last)
    with pytest.raises(KeyboardInterrupt), VcfWriter(path, header_lines(reference)):
        pass
    assert path.exists()
    assert not index.exists()


def test_same_records_same_bytes(tmp_path, reference):
    line = "20\t3\t.\tG\tA\t50\tPASS\t."
    for name, pieces in (("a", [line] * 5000), ("b", ["\n".join([line] * 2500)] * 2)):
        with VcfWriter(tmp_path / f"{name}.vcf.gz", header_lines(reference)) as out:
            for piece in pieces:
                out.write(piece)
    assert (tmp_path / "a.vcf.gz").read_bytes() == (tmp_path / "b.vcf.gz").read_bytes()


def test_wrong_ending(tmp_path):
    with pytest.raises(LingquError, match=r"x\.txt: no VCF ending"):
        VcfWriter(tmp_path / "x.txt", [])


HEADER = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (
            "20\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n20\t3\t.\tG\tC\t.\t.\t.\tGT\t0/1",
            "line 4: 20:3 after 5",
        ),
        (
            "20\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n21\t3\t.\tC\tT\t.\t.\t.\tGT\t0/1\n"
            "20\t9\t.\tA\tC\t.\t.\t.\tGT\t0/1",
            "line 5: contig '20' came before",
        ),
        ("20\t5\t.\tC\tA\t.\t.\t.\tGT\t0/1", "line 3: 20:5 REF 'C', but the reference has A"),
        ("20\t5\t.\tAG\tA\t.\t.\t.\tGT\t0/1", "REF 'AG', but the reference has AC"),
        ("20\t5\t.\té\tA\t.\t.\t.\tGT\t0/1", "REF 'É', but the reference has A"),
        ("20\t9\t.\tACG\tA\t.\t.\t.\tGT\t0/1", "REF 'ACG', but the reference has AC"),
        ("20\t99\t.\tA\tC\t.\t.\t.\tGT\t0/1", "beyond the contig"),
        ("X\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1", "line 3: contig 'X' is not in"),
        ("20\t5\t.\tA\tC\t.\t.", "line 3: 7 columns, not 10"),
        ("20\tx\t.\tA\tC\t.\t.\t.\tGT\t0/1", "POS 'x' is no number"),
    ],
)
def test_wrong_record_is_named(tmp_path, reference, body, word):
    path = tmp_path / "wrong.vcf"
    path.write_text(HEADER + body + "\n")
    with (
        pytest.raises(LingquError, match=r"wrong\.vcf: ") as caught,
        open_vcf(path, reference) as vcf,
    ):
        list(vcf)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_crlf_lower_case_and_telomere(tmp_path, reference):
    path = tmp_path / "odd.vcf"
    body = "20\t0\t.\tN\t<DEL>\t.\t.\t.\tGT\t0/1\n21\t7\t.\ta\tg\t.\t.\t.\tGT\t.\n".replace(
        "a\t", "r\t"
    )
    path.write_bytes((HEADER + body).replace("\n", "\r\n").encode())
    with open_vcf(path, reference) as vcf:
        assert [(r.contig, r.pos, r.ref) for r in vcf] == [("20", -1, "N"), ("21", 6, "R")]


@pytest.mark.parametrize("gt", ["0/3", "x/1", "0/-2", "-1"])
def test_malformed_genotype(tmp_path, gt):
    path = tmp_path / "gt.vcf"
    path.write_text(HEADER + f"20\t5\t.\tA\tC\t.\t.\t.\tGT\t{gt}\n")
    with open_vcf(path) as vcf:
        (record,) = vcf
    with pytest.raises(ValueError, match=r"."):
        record.genotype(0)


def test_unreadable_files(tmp_path, reference):
    def fails(path, word):
        with pytest.raises(LingquError, match=word), open_vcf(path, reference) as vcf:
            list(vcf)

    fails(tmp_path / "none.vcf", r"none\.vcf: cannot be read \(No such file")
    fails(tmp_path, "cannot be read")
    (tmp_path / "text.vcf").write_text("hello\n")
    fails(tmp_path / "text.vcf", "no VCF header")
    (tmp_path / "empty.vcf").write_text("")
    fails(tmp_path / "empty.vcf", "no VCF header")

    body = (HEADER + "20\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n" * 20_000).encode()
    plain = gzip.compress(body)
    (tmp_path / "cut.vcf.gz").write_bytes(plain[:-20])
    fails(tmp_path / "cut.vcf.gz", "truncated gzip")
    (tmp_path / "bent.vcf.gz").write_bytes(plain[:-8] + bytes(8))
    fails(tmp_path / "bent.vcf.gz", "damaged gzip")

    with VcfWriter(tmp_path / "whole.vcf.gz", header_lines(reference)) as out:
        out.write("20\t3\t.\tG\tA\t50\tPASS\t.")
    whole = (tmp_path / "whole.vcf.gz").read_bytes()
    (tmp_path / "tail.vcf.gz").write_bytes(whole[:-28])  # whole blocks, but the end is missing
    fails(tmp_path / "tail.vcf.gz", "truncated gzip")
