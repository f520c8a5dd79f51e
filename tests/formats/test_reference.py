import errno
import fcntl
import gzip
import hashlib
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pyfaidx
import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.formats import reference as reference_module
from lingqu.formats.reference import PAD, open_reference, store_folder
from lingqu.sequence.codes import ANY, decode, encode

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
    assert reference.md5s[0] == hashlib.md5(b"ACGTNACGTRY").hexdigest()  # IUPAC letters stay
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
        (">a\r\n\r\na c\r\nAC\r\n>b\r\nGT\r\nG*\r\n", "line 7: '[*]' is no IUPAC base"),
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


def test_a_damaged_gzip_is_told(tmp_path):
    path = tmp_path / "genome.fa.gz"
    whole = gzip.compress(TWO.encode() * 50)
    for damaged in (whole[:-8] + bytes(8), whole[:20] + bytes(4) + whole[24:]):
        path.write_bytes(damaged)
        with pytest.raises(LingquError, match="damaged gzip"):
            open_reference(path)


def test_bgzf_is_read_over_block_borders(tmp_path):
    codes = np.random.default_rng(1).integers(0, 4, 300_000).astype(np.uint8)
    path = tmp_path / "genome.fa.gz"
    with pysam.BGZFile(str(path), "w") as out:
        out.write(b">a\n" + decode(codes).encode() + b"\n>b\nAC\n")
    reference = open_reference(path)
    assert (reference.contig(0) == codes).all()
    assert decode(reference.contig(1)) == "AC"


def test_contigs_over_block_borders_are_pyfaidxs(tmp_path, monkeypatch):
    """Blocks of 64 bytes: headers and lines are cut everywhere."""
    monkeypatch.setattr("lingqu.formats.reference._BLOCK", 64)
    choose = np.random.default_rng(2)
    text = ""
    for number in range(40):
        text += f">contig{number} of some length\n"
        for length in choose.integers(1, 30, choose.integers(1, 6)):
            text += "".join(choose.choice(list("ACGTacgtNRyk"), length)) + "\n"
    path = fasta_of(tmp_path, text)
    contigs = [part.split("\n", 1) for part in text[1:].split("\n>")]
    # pyfaidx wants lines of one length.
    even = "".join(f">{head}\n{body.replace(chr(10), '')}\n" for head, body in contigs)
    expected = pyfaidx.Fasta(str(fasta_of(tmp_path, even, "even.fa")), sequence_always_upper=True)
    reference = open_reference(path)
    assert list(reference.names) == list(expected.keys())
    for tid, contig in enumerate(expected):
        letters = str(contig)
        assert reference.md5s[tid] == hashlib.md5(letters.encode()).hexdigest()
        assert (reference.contig(tid) == encode(letters)).all()


def test_a_store_that_cannot_be_written_is_told(tmp_path):
    path = fasta_of(tmp_path, TWO)
    store_folder(path).write_text("a file in its place")
    with pytest.raises(LingquError, match=r"genome\.fa\.lingqu: cannot write the index") as caught:
        open_reference(path)
    assert "\n" not in str(caught.value)


def test_a_fasta_that_changes_meanwhile_is_not_stored(tmp_path, monkeypatch):
    path = fasta_of(tmp_path, TWO)
    pieces = reference_module._pieces

    def slow(fasta):
        yield from pieces(fasta)
        os.utime(fasta, ns=(1, 1))

    monkeypatch.setattr(reference_module, "_pieces", slow)
    with pytest.raises(LingquError, match="changed while it was read"):
        open_reference(path)
    assert not (store_folder(path) / "reference.json").exists()


def test_processes_build_once_and_agree(tmp_path):
    path = fasta_of(tmp_path, TWO + ">three\n" + "ACGT" * 100_000 + "\n")
    code = (
        "import sys; from lingqu.formats.reference import open_reference as o;"
        " r = o(sys.argv[1]); print(r.names, r.md5s, r.codes.sum())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = {run.communicate()[0] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(told) == 1
    assert "('one', 'two', 'three')" in told.pop()


def test_an_unknown_contig_names_the_known_ones(tmp_path):
    with pytest.raises(LingquError, match="no contig 'chr1'; it has one, two"):
        open_reference(fasta_of(tmp_path, TWO)).tid("chr1")


def anew(path):
    """Open as a new process does."""
    reference_module._open.cache_clear()
    return open_reference(path)


def states(path):
    names = ("sequence.u8", "reference.json")
    return [(store_folder(path) / name).stat().st_ino for name in names]


@pytest.fixture
def steps(in_child, tmp_path):
    """How many steps a builder takes."""
    path = fasta_of(tmp_path, TWO, "steps.fa")
    os.waitpid(in_child(lambda: anew(path), tmp_path), 0)
    return int(in_child.told())


def test_a_builder_is_killed_at_each_step(steps, in_child, tmp_path):
    path = tmp_path / "genome.fa"
    for at in range(steps):
        text = f">a\n{'ACGT' * at}A\n"
        path.write_text(text)
        os.waitpid(in_child(lambda: anew(path), tmp_path, at), 0)
        assert len(anew(path).contig(0)) == 4 * at + 1
        assert not list(store_folder(path).glob(".build.*/*"))


@pytest.mark.parametrize("changed", [False, True])
def test_a_builder_is_stopped_at_each_step_and_woken_late(changed, steps, in_child, tmp_path):
    path = tmp_path / "genome.fa"
    for at in range(steps):
        path.write_text(f">a\n{'ACGT' * at}A\n")
        child = in_child(lambda: anew(path), tmp_path, at, signal.SIGSTOP)
        assert os.WIFSTOPPED(os.waitpid(child, os.WUNTRACED)[1])
        if changed:
            path.write_text(f">a\n{'ACGT' * at}CC\n")
        anew(path)
        before = states(path)
        os.kill(child, signal.SIGCONT)
        assert os.waitpid(child, 0)[1] == 0, in_child.told()
        assert states(path) == before
        assert len(anew(path).contig(0)) == 4 * at + 1 + changed
        assert states(path) == before
        assert not list(store_folder(path).glob(".build.*/*"))


def test_a_cut_store_is_built_again(tmp_path):
    path = fasta_of(tmp_path, TWO)
    wanted = open_reference(path).codes.copy()
    store = store_folder(path) / "sequence.u8"
    store.write_bytes(store.read_bytes()[:-1])
    assert (anew(path).codes == wanted).all()


def test_builders_that_see_no_locks_bear_each_other(in_child, tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    path = tmp_path / "genome.fa"
    for at in range(10):
        path.write_text(f">a\n{'ACGT' * (at + 5000)}A\n")
        children = [in_child(lambda: anew(path), tmp_path) for _ in range(5)]
        codes = [os.waitpid(child, 0)[1] for child in children]
        assert codes == [0] * 5, in_child.told()
        assert len(anew(path).contig(0)) == 4 * (at + 5000) + 1
        assert not list(store_folder(path).glob(".build.*/*"))
