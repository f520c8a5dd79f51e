"""IDs by allele: the truth of NA12878 against itself, as it stands and written otherwise."""

import gzip

import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.call.known import check_known, identify, join_ids
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import decode


@pytest.fixture(scope="module")
def truth(demo) -> list[list[str]]:
    """Columns of the records with an ID."""
    with gzip.open(demo / "truth.vcf.gz", "rt") as lines:
        columns = [line.rstrip("\n").split("\t") for line in lines if line[0] != "#"]
    return [fields for fields in columns if fields[2] != "."]


def unnamed(columns: list[list[str]]) -> list[str]:
    return ["\t".join([*fields[:2], ".", *fields[3:]]) for fields in columns]


def test_the_truth_finds_its_own_names(demo, reference, truth):
    codes = open_reference(reference).contig(0)
    found = identify(unnamed(truth), demo / "truth.vcf.gz", "20", codes)
    assert len(found) > 100
    assert [line.split("\t")[2] for line in found] == [fields[2] for fields in truth]
    for cut in (1, 7, 50):  # the same in any pieces
        pieces = [identify(unnamed(truth[k : k + cut]), demo / "truth.vcf.gz", "20", codes)
                  for k in range(0, len(truth), cut)]  # fmt: skip
        assert [line for piece in pieces for line in piece] == found


def _shifted(fields: list[str], codes) -> list[str]:
    """An indel one place to the right where it may stand there, and with a base too many."""
    pos, ref, alt = int(fields[1]), fields[3], fields[4]
    after = decode(codes[pos - 1 + len(ref) : pos + len(ref)])
    longer, shorter = ref + after, alt + after
    if longer[0] == shorter[0] and len(longer) > 2 and len(shorter) > 1:
        pos, longer, shorter = pos + 1, longer[1:], shorter[1:]
    return [fields[0], str(pos), fields[2], longer, shorter, *fields[5:8]]


def test_names_of_alleles_that_are_written_otherwise(demo, reference, truth, tmp_path):
    codes = open_reference(reference).contig(0)
    single = [fields for fields in truth if "," not in fields[4]]
    rows = sorted((_shifted(fields, codes) for fields in single), key=lambda row: int(row[1]))
    known = tmp_path / "known.vcf.gz"
    head = "##fileformat=VCFv4.3\n##contig=<ID=20>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    with pysam.BGZFile(str(known), "wb") as out:
        out.write((head + "".join("\t".join(row) + "\n" for row in rows)).encode())
    pysam.tabix_index(str(known), preset="vcf")
    check_known(known, open_reference(reference))
    found = identify(unnamed(single), known, "20", codes)
    assert [line.split("\t")[2] for line in found] == [fields[2] for fields in single]


def test_another_allele_of_the_place_has_no_name(demo, reference, truth):
    codes = open_reference(reference).contig(0)
    others = []
    for fields in truth:
        if len(fields[3]) == len(fields[4]) == 1:
            alt = next(base for base in "ACGT" if base not in fields[3] + fields[4])
            others.append([*fields[:4], alt, *fields[5:]])
    found = identify(unnamed(others), demo / "truth.vcf.gz", "20", codes)
    assert {line.split("\t")[2] for line in found} == {"."}


def test_join_ids():
    assert join_ids([".", "."]) == "."
    assert join_ids(["rs2", ".", "rs1", "rs2"]) == "rs2;rs1"


def test_faults(demo, reference, tmp_path):
    opened = open_reference(reference)
    with pytest.raises(LingquError, match="no such file"):
        check_known(tmp_path / "none.vcf.gz", opened)
    alone = tmp_path / "alone.vcf.gz"
    alone.write_bytes((demo / "truth.vcf.gz").read_bytes())
    with pytest.raises(LingquError, match="tabix -p vcf"):
        check_known(alone, opened)
    other = tmp_path / "other.vcf.gz"
    with pysam.BGZFile(str(other), "wb") as out:
        out.write(b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
                  b"NC_000020.10\t5\trs1\tA\tC\t.\t.\t.\n")  # fmt: skip
    pysam.tabix_index(str(other), preset="vcf")
    with pytest.raises(LingquError, match="rename-chrs"):
        check_known(other, opened)
