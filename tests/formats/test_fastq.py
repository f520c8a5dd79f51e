"""FASTQ in: what is accepted, what is refused, and how that is said."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.base.errors import LingquError
from lingqu.formats import bgzf, fastq
from lingqu.formats.fastq_kernels import nth_newline
from lingqu.sequence.codes import CODE_OF_ASCII, encode


def parse_files(*paths, records=fastq.CHUNK):
    """Batches of all chunks of one or two files."""
    return [fastq.parse(chunk) for chunk in fastq.read_chunks(0, paths, records)]


def reads_of(columns):
    """(name, codes, quality) of each read of parsed columns."""
    text = columns["text"]
    rows = zip(
        columns["name_start"], columns["name_len"], columns["qual_start"], columns["start"],
        columns["length"], strict=True,
    )  # fmt: skip
    return [
        (
            text[name : name + size].tobytes().decode(),
            columns["codes"][start : start + length].tolist(),
            text[qual : qual + length].tobytes().decode(),
        )
        for name, size, qual, start, length in rows
    ]


def by_hand(path):
    """The same from plain Python."""
    with gzip.open(path, "rt") as lines:
        records = list(zip(*[map(str.rstrip, lines)] * 4, strict=True))
    return [
        (name[1:].split()[0].removesuffix("/1").removesuffix("/2"), encode(bases).tolist(), quality)
        for name, bases, _, quality in records
    ]


def test_real_pairs(lanes):
    paths = lanes[0]
    found = [read for columns in parse_files(*paths, records=1000) for read in reads_of(columns)]
    assert found[0::2] == by_hand(paths[0])
    assert found[1::2] == by_hand(paths[1])


@pytest.mark.parametrize("kind", ["plain", "gzip", "members", "bgzf", "crlf", "no end", "blank"])
def test_every_container_gives_the_same(kind, lanes, tmp_path):
    text = gzip.decompress(lanes[0][0].read_bytes())
    half = text.index(b"\n@", len(text) // 2) + 1
    packed = {
        "plain": text,
        "gzip": gzip.compress(text, 1),
        "members": gzip.compress(text[:half], 1) + gzip.compress(text[half:], 1),
        "bgzf": bgzf.compress(text) + bgzf.EOF,
        "crlf": text.replace(b"\n", b"\r\n"),
        "no end": text.rstrip(b"\n"),
        "blank": text + b"\n\n",
    }
    path = tmp_path / "reads"
    path.write_bytes(packed[kind])
    found = [read for columns in parse_files(path, records=5000) for read in reads_of(columns)]
    assert found == by_hand(lanes[0][0])


def test_chunks_do_not_change_records(lanes):
    whole = [read for columns in parse_files(lanes[0][0]) for read in reads_of(columns)]
    for records in (1, 7):
        chunks = list(fastq.read_chunks(0, lanes[0][:1], records))[:50]
        assert [chunk.first for chunk in chunks] == [records * i for i in range(len(chunks))]
        assert all(chunk.records == records for chunk in chunks)
        found = [read for chunk in chunks for read in reads_of(fastq.parse(chunk))]
        assert found == whole[: len(found)]


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=9000), st.integers(0, 100), st.integers(1, 50))
def test_nth_newline(data, start, n):
    text = np.frombuffer(data, np.uint8)
    start = min(start, len(text))
    ends = [i + 1 for i in range(start, len(data)) if data[i] == 10]
    wanted = (ends[n - 1], n) if len(ends) >= n else (-1, len(ends))
    assert nth_newline(text, start, n) == wanted


def test_letters(tmp_path):
    path = tmp_path / "r.fq"
    path.write_text("@a\nacgtnRYu\n+a\nIIIIIIII\n@b c/1\n\n+\n\n")
    (columns,) = parse_files(path)
    assert reads_of(columns) == [
        ("a", CODE_OF_ASCII[list(b"acgtnRYu")].tolist(), "IIIIIIII"),
        ("b", [], ""),
    ]


GOOD = "@a\nACGT\n+\nIIII\n"
BAD = {
    "no at": ("a\nACGT\n+\nIIII\n", "does not begin with '@'"),
    "no plus": ("@a\nACGT\nIIII\n@b\n", r"no '\+' line"),
    "short quality": ("@a\nACGT\n+\nIII\n", r"quality \(3\) shorter than sequence \(4\)"),
    "long quality": ("@a\nACGT\n+\nIIIII\n", r"quality \(5\) longer than sequence \(4\)"),
    "letter": ("@a\nACXT\n+\nIIII\n", "'X' is no IUPAC base"),
    "low quality": ("@a\nACGT\n+\nII I\n", r"qualities outside Phred\+33"),
    "high quality": ("@a\nACGT\n+\nII\x7fI\n", r"qualities outside Phred\+33"),
    "no name": ("@\nACGT\n+\nIIII\n", "needs a name"),
    "long name": (f"@{'x' * 255}\nACGT\n+\nIIII\n", "needs a name"),
    "byte in name": ("@a\x07b\nACGT\n+\nIIII\n", r"'\\x07' in the read's name"),
    "at in name": ("@a@b c\nACGT\n+\nIIII\n", "'@' in the read's name"),
    "letter in name": ("@\u00e4 c\nACGT\n+\nIIII\n", r"'\\xc3' in the read's name"),
    "cut": ("@a\nACGT\n+\n", r"quality \(0\) shorter than sequence \(4\)"),
    "one line": ("@a\n", "truncated"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("after", ["", GOOD])
def test_bad_records(kind, after, tmp_path):
    text, message = BAD[kind]
    if kind in ("cut", "one line") and after:
        message = r"quality|'\+'|truncated|Phred"
    path = tmp_path / "r.fq"
    path.write_text(GOOD * 3 + text + after)
    with pytest.raises(LingquError, match=rf"r\.fq: record 4: .*({message}).*; ") as error:
        parse_files(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_empty_file(text, tmp_path):
    path = tmp_path / "r.fq"
    path.write_text(text)
    with pytest.raises(LingquError, match=r"r\.fq: no reads"):
        parse_files(path)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.fq", tmp_path):
        with pytest.raises(LingquError, match=str(path)):
            parse_files(path)


def test_truncated_and_damaged_gzip(lanes, tmp_path):
    packed = lanes[0][0].read_bytes()
    path = tmp_path / "r.fq.gz"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LingquError, match=r"r\.fq\.gz: truncated"):
        parse_files(path)
    path.write_bytes(packed[:20000] + bytes(100) + packed[20100:])
    with pytest.raises(LingquError, match=r"r\.fq\.gz: damaged"):
        parse_files(path)


@pytest.mark.parametrize("records", [2, 3, 10])
def test_mates_of_different_number(records, tmp_path):
    one, two = tmp_path / "1.fq", tmp_path / "2.fq"
    one.write_text(GOOD * 4)
    two.write_text(GOOD * 3)
    with pytest.raises(LingquError, match=r"2\.fq: ends after record [34] but"):
        parse_files(one, two, records=records)


def test_more_second_mates_in_the_last_chunk(tmp_path):
    one, two = tmp_path / "1.fq", tmp_path / "2.fq"
    one.write_text(GOOD * 3)
    two.write_text(GOOD * 4)
    with pytest.raises(LingquError, match=r"1\.fq: ends after record 3 but"):
        parse_files(one, two)


def test_a_chunk_of_blank_lines(tmp_path):
    path = tmp_path / "r.fq"
    path.write_text(GOOD + "\n" * 20)
    with pytest.raises(LingquError, match=r"r\.fq: record 2: does not begin with '@'"):
        parse_files(path, records=1)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_reads_of_all_lengths(end, tmp_path):
    """Lengths that repeat, rise and fall, letters of all kinds, comments behind '+'."""
    rng = np.random.default_rng(1)
    sizes = [150, 150, 149, 151, 151, 0, 1, 31, 32, 33, 64, 64, 300, 150, 7, 7]
    wanted, lines = [], []
    for number, size in enumerate(sizes * 3):
        letters = "ACGT" if number % 3 else "ACGTNacgtnRU"
        bases = "".join(rng.choice(list(letters), size))
        quality = "".join(map(chr, rng.integers(33, 75, size)))
        lines += [f"@r{number}/1 x", bases, "+r" if number % 2 else "+", quality]
        wanted.append((f"r{number}", encode(bases).tolist(), quality))
    path = tmp_path / "r.fq"
    path.write_text(end.join([*lines, ""]), newline="")
    for records in (1, 5, 1000):
        found = [
            read for columns in parse_files(path, records=records) for read in reads_of(columns)
        ]
        assert found == wanted


@pytest.mark.parametrize("line", range(4))
@pytest.mark.parametrize("letter", ["\n", "\r", "@", " ", "*", "\x00"])
def test_a_letter_too_many_anywhere(line, letter, tmp_path):
    """Between records of one length, where lines are not searched for their ends."""
    record = ["@a", "ACGTACGTAC", "+", "IIIIIIIIII"]
    bad = list(record)
    bad[line] = bad[line][:1] + letter + bad[line][1:]
    path = tmp_path / "r.fq"
    path.write_text("\n".join([*record * 3, *bad, *record * 3, ""]), newline="")
    fine = {(2, "\r"), (2, "@"), (2, " "), (2, "*"), (2, "\x00"), (0, "*")}
    if (line, letter) in fine:
        assert sum(len(columns["length"]) for columns in parse_files(path)) == 7
    else:
        with pytest.raises(LingquError, match=r"r\.fq: record [45]: "):
            parse_files(path)


def test_mates_of_different_names(tmp_path):
    one, two = tmp_path / "1.fq", tmp_path / "2.fq"
    one.write_text(GOOD + GOOD.replace("@a", "@b/1"))
    two.write_text(GOOD + GOOD.replace("@a", "@c/2"))
    with pytest.raises(LingquError, match=r"2\.fq: record 2: names .* \('b' and 'c'\)"):
        parse_files(one, two)


def test_phred64(tmp_path):
    path = tmp_path / "r.fq"
    path.write_text(GOOD.replace("IIII", "hgfB"))
    with pytest.raises(LingquError, match=r"Phred\+64"):
        parse_files(path)
