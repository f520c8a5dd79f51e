import gzip
import hashlib
import os
import threading

import numpy as np
import pyfaidx
import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.formats.reference import PAD, open_reference, store_folder
from lingqu.sequence.codes import ANY, decode

TWO = ">one first contig\nACGTN\nacgtry\n>two\r\nGG\r\nCC\r\n"


def fasta_of(folder, text, name="genome.fa"):
    path = folder / name
    path.write_bytes(text.encode())
    return path


def test_contigs_case_iupac_and_crlf(tmp_path):
    reference = open_reference(fasta_of(tmp_path, TWO))
    assert reference.names == ("one", "two")
    assert [decode(reference.contig(tid)) for tid in (0, 1)] == ["ACGTNACGTNN", "GGCC"]
    assert list(reference.lengths) == [11, 4]
    assert reference.md5s[1] == hashlib.md5(b"GGCC").hexdigest()
    assert reference.tid("two") == 1


def test_a_window_around_any_base_stays_inside_the_array(tmp_path):
    reference = open_reference(fasta_of(tmp_path, TWO))
    for offset, length in zip(reference.offsets, reference.lengths, strict=True):
        for side in (slice(offset - PAD, offset), slice(offset + length, offset + length + PAD)):
            assert len(reference.codes[side]) == PAD
            assert (reference.codes[side] == ANY).all()


@pytest.mark.parametrize("pack", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_the_last_line_needs_no_newline(tmp_path, pack):
    path = tmp_path / "genome.fa"
    path.write_bytes(pack(b">a\nAC\n\n>b\nGT"))
    reference = open_reference(path)
    assert [decode(reference.contig(tid)) for tid in (0, 1)] == ["AC", "GT"]


def test_the_demos_reference_is_pyfaidxs(reference):
    opened = open_reference(reference)
    assert opened.names == ("20",)
    assert list(opened.lengths) == [63_025_520]
    start, end = 9_990_000, 10_000_100
    pysam.faidx(str(reference))
    expected = pyfaidx.Fasta(str(reference), rebuild=False)["20"][start:end].seq
    assert decode(opened.contig(0)[start:end]) == expected


def test_a_changed_fasta_is_read_again(tmp_path):
    path = fasta_of(tmp_path, TWO)
    assert decode(open_reference(path).contig(1)) == "GGCC"
    path.write_text(">two\nTTTT\n")
    os.utime(path, ns=(1, 1))
    assert decode(open_reference(path).contig(0)) == "TTTT"


def test_builders_wait_for_each_other(tmp_path):
    path = fasta_of(tmp_path, TWO)
    found = []

    def build():
        found.append(np.array(open_reference(path).codes))

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all((codes == found[0]).all() for codes in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">a\nAC\n>b\nGT\n>a\nTT\n", "line 5: contig 'a' twice"),
        (">a\n>b\nGT\n", "contig 'a' is empty"),
        (">a\nAC\n>b\n\n", "contig 'b' is empty"),
        (">a\nAC\n>\nGT\n", "line 3: a header without a name"),
        (">a\nAC\nA!C\n", "line 3: '!' is no IUPAC base"),
        ("ACGT\n", "line 1: no FASTA file"),
        ("", "no sequence in it"),
    ],
)
def test_bad_fasta_is_one_line_and_leaves_nothing(tmp_path, text, message):
    path = fasta_of(tmp_path, text)
    with pytest.raises(LingquError, match=message) as caught:
        open_reference(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [name.name for name in store_folder(path).iterdir()] == [".lock"]


def test_truncated_gzip_and_missing_file(tmp_path):
    path = tmp_path / "genome.fa.gz"
    path.write_bytes(gzip.compress(TWO.encode() * 50)[:-12])
    with pytest.raises(LingquError, match="truncated gzip"):
        open_reference(path)
    with pytest.raises(LingquError, match="No such file"):
        open_reference(tmp_path / "none.fa")


def test_an_unknown_contig_names_the_known_ones(tmp_path):
    with pytest.raises(LingquError, match="no contig 'chr1'; it has one, two"):
        open_reference(fasta_of(tmp_path, TWO)).tid("chr1")
