"""UMIs: where they are found, and how they part duplicates, against brute force."""

from collections import Counter, defaultdict
from itertools import pairwise

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.align.duplicates import COLUMNS, UMI, find_duplicates
from lingqu.align.kernels.dedup import MARK, SINGLE
from lingqu.align.lanes import Lane
from lingqu.align.reads import read_batch
from lingqu.align.sources import Source
from lingqu.align.umis import molecules, read_umis, umis_of_ends
from lingqu.base.errors import LingquError
from lingqu.formats import fastq
from lingqu.formats.fastq import Chunk

READ = "ACGTTGCATTGCAGGCATTCAGGACTTACGAGG"


def text_of(records):
    """FASTQ text of (name, bases)."""
    text = "".join(f"@{name}\n{bases}\n+\n{'I' * len(bases)}\n" for name, bases in records)
    return np.frombuffer(bytearray(text.encode()), np.uint8)


def chunk_of(names, umi, mates=1, first=0):
    """A chunk of reads of these names."""
    texts = (text_of([(name, READ) for name in names]),) * mates
    return Chunk(0, ("R1.fq", "R2.fq")[:mates], first, len(names), texts, umi)


def tagged(lines):
    """A chunk of a BAM whose records have these lines of tags."""
    text = "".join(f"{line}\n" for line in lines)
    return chunk_of(
        [f"r{i}" for i in range(len(lines))], np.frombuffer(bytearray(text.encode()), np.uint8)
    )


def umis_of(texts):
    """Umis of UMIs given as text."""
    return read_umis(tagged([f"RX:Z:{text}" if text else "" for text in texts]), None)


def tags_of(umis):
    """The tags of each template as SAM writes them."""
    parts = [umis.tags[a:b].tobytes() for a, b in pairwise(umis.tag_start)]
    return [
        [f"{tag[:2].decode()}:Z:{tag[3:].decode()}" for tag in part.split(b"\0") if tag]
        for part in parts
    ]


@pytest.mark.parametrize(
    ("mark", "name", "rx"),
    [
        (":", "A00:1:F:2:2101:5:6:ACGT", "ACGT"),
        (":", "A00:1:F:2:2101:5:6:ACGT+TTGA", "ACGT-TTGA"),
        (":", "A00:1:F:2:2101:5:6:acgN_ttga", "ACGN-TTGA"),
        (":", "A00:1:F:2:2101:5:6:ACGT+rAACCN", "ACGT-NGGTT"),
        (":", "A00:1:F:2:2101:5:6:rACG-rA", "CGT-T"),
        ("_", "A00:1:F:2:2101:5:6_ACGTTT", "ACGTTT"),
        ("_", "A_00_ACGT-T", "ACGT-T"),
        (":", "x:" + "ACGTG" * 8 + "-T", "ACGTG" * 8 + "-T"),
    ],
)
@pytest.mark.parametrize("mates", [1, 2])
def test_in_names(mark, name, rx, mates):
    umis = read_batch(chunk_of([name, name], mark, mates)).umis
    assert tags_of(umis) == [[f"RX:Z:{rx}"]] * 2


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        (":", "A00:1:F:2:2101:5:6"),
        (":", "A00:1:F:2:2101:5:6:"),
        (":", "A00:1:F:2:2101:5:6:ACGT+"),
        (":", "A00:1:F:2:2101:5:6:+ACGT"),
        (":", "A00:1:F:2:2101:5:6:r"),
        (":", "A00:1:F:2:2101:5:6:ACRT"),
        (":", "A00:1:F:2:2101:5:6:" + "A" * 43),
        ("_", "A00:1:F:2:2101:5:6:ACGT"),
        (":", "read"),
    ],
)
def test_none_in_a_name(mark, name):
    fine = f"r{mark}ACGT"
    with pytest.raises(LingquError) as told:
        read_batch(chunk_of([fine, name, fine], mark, first=100))
    assert str(told.value).startswith(
        f"R1.fq: record 102: no UMI behind the last {mark!r} of the name {name!r}; a UMI is"
    )


def test_in_records():
    names = [f"r{i}" for i in range(3)]
    own = Chunk(0, ("U.fq",), 0, 3, (text_of(zip(names, ("ACGT", "nnac", "A"), strict=True)),))
    umis = read_batch(chunk_of(names, own, 2)).umis
    assert tags_of(umis) == [
        ["RX:Z:ACGT", "QX:Z:IIII"], ["RX:Z:NNAC", "QX:Z:IIII"], ["RX:Z:A", "QX:Z:I"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([("r0", "AC"), ("x", "AC")], "U.fq: record 2: names of UMI and read differ ('x' and 'r1'"),
        ([("r0", "AC"), ("r10", "AC")], "U.fq: record 2: names of UMI and read differ"),
        ([("r0", "AC")], "U.fq: ends after record 1 but R1.fq goes on"),
        ([(f"r{i}", "AC") for i in range(3)], "R1.fq: ends after record 2 but U.fq goes on"),
        ([("r0", "AC"), ("r1", "AC+GT")], "U.fq: record 2: '+' is no IUPAC base"),
        ([("r0", "AC"), ("r1", "A" * 50)], f"U.fq: record 2: '{'A' * 50}' is no UMI"),
        ([("r0", "AC"), ("r1", "")], "U.fq: record 2: '' is no UMI"),
    ],
)
def test_faults_in_records(records, message):
    own = Chunk(0, ("U.fq",), 0, len(records), (text_of(records),))
    with pytest.raises(LingquError) as told:
        read_batch(chunk_of(["r0", "r1"], own, 2))
    assert str(told.value).startswith(message)


@pytest.mark.parametrize(("reads", "umis"), [(200, 401), (400, 200), (401, 200)])
def test_a_file_that_ends_early_is_told(tmp_path, monkeypatch, reads, umis):
    monkeypatch.setattr(fastq.read_chunks, "__defaults__", (100,))
    for name, n in (("r.fq", reads), ("u.fq", umis)):
        (tmp_path / name).write_bytes(text_of([(f"r{i}", READ) for i in range(n)]).tobytes())
    lane = Lane((tmp_path / "r.fq",), {"ID": "x"}, tmp_path / "u.fq")
    few = "r.fq" if reads < umis else "u.fq"
    with pytest.raises(LingquError, match=f"{few}: ends after record {min(reads, umis)} but"):
        list(Source([lane], [{}], [0], None).chunks())


def test_in_tags():
    lines = ["RX:Z:ACGT-TTGA\tQX:Z:IIII II#I", "", "RX:Z:acg+t"]
    umis = read_batch(tagged(lines)).umis
    assert tags_of(umis) == [["RX:Z:ACGT-TTGA", "QX:Z:IIII II#I"], [], ["RX:Z:ACG-T"]]
    assert not umis.word[1].any()
    with pytest.raises(LingquError, match=r"R1\.fq: RX 'hello' is no UMI"):
        read_batch(tagged(["RX:Z:hello"]))


# --- clusters ---


def rank(umi):
    """How UMIs of equal counts are ordered."""
    return ["-NACGT".index(letter) for letter in umi]


def one_mismatch(a, b):
    """Whether one letter differs."""
    differ = [(x, y) for x, y in zip(a, b, strict=False) if x != y]
    return len(a) == len(b) and len(differ) == 1 and "-" not in differ[0]


def directional(umis):
    """The cluster's first UMI of each UMI (UMI-tools' directional method), in plain Python."""
    counts, found = Counter(umis), {}
    for umi in sorted(counts, key=lambda umi: (-counts[umi], rank(umi))):
        reached = [umi] if umi not in found else []
        for a in reached:
            found[a] = umi
            reached += [
                b
                for b in counts
                if b not in found and b not in reached
                and one_mismatch(a, b) and counts[a] >= 2 * counts[b] - 1
            ]  # fmt: skip
    return found


UMIS = st.one_of(
    st.text("ACG", min_size=2, max_size=3),
    st.builds("{}-{}".format, *[st.text("ANT", min_size=1, max_size=2)] * 2),
    st.text("AC", min_size=1, max_size=1).map(lambda tail: "ACGTN" * 8 + tail),
    st.text("AC", min_size=3, max_size=3).map(lambda head: head + "ACGTN" * 4),
    st.just(""),
)


@given(st.lists(st.tuples(st.integers(0, 1), UMIS), max_size=40))
def test_molecules_by_brute_force(rows):
    sets = np.array([number for number, _ in rows], np.int64)
    numbers = molecules((sets,), umis_of([umi for _, umi in rows]).word if rows else empty())
    roots = {s: directional([umi for other, umi in rows if other == s]) for s in (0, 1)}
    wanted = [(s, roots[s][umi]) for s, umi in rows]
    assert len(set(zip(numbers, wanted, strict=True))) == len(set(wanted)) == len(set(numbers))


def empty():
    """No UMIs."""
    return np.empty((0, 2), np.int64)


def test_frequent_neighbours_stay_apart():
    def clusters(*umis):
        sets = np.zeros(len(umis), np.int64)
        return molecules((sets,), umis_of(umis).word).tolist()

    one, other, error = "ACGT", "ACGA", "ACGG"
    assert len(set(clusters(one, other))) == 1
    assert len(set(clusters(one, one, other))) == 1
    assert len(set(clusters(one, one, other, other))) == 2
    assert len(set(clusters(*[one] * 3, other, other))) == 1
    found = clusters(*[one] * 9, *[other] * 9, error)
    assert len(set(found)) == 2
    assert found[-1] == found[9]  # of equal ones, that first by letter takes it


# --- duplicates ---


@st.composite
def templates(draw):
    """(ends, whether the lower is R2's, score, UMI) of a few templates."""
    end = st.integers(10, 12)
    pool = draw(st.lists(UMIS, min_size=1, max_size=4))
    one = st.tuples(
        st.one_of(st.tuples(end), st.tuples(end, end).map(lambda ends: tuple(sorted(ends)))),
        st.booleans(),
        st.integers(1, 3),
        st.sampled_from(pool),
    )
    return draw(st.lists(one, min_size=1, max_size=25))


def rows_of(given):
    """Duplicate records of templates, with UMIs, in order of first ends."""
    rows = []
    for t, (ends, turned, score, _) in enumerate(given):
        row = {"template": t, "strand": turned, "score": score, "tile": -1, "x": 0, "y": 0}
        second = SINGLE if len(ends) == 1 else ends[1]
        rows.append(row | {"first_key": ends[0], "second_key": second})
        if len(ends) == 2:
            rows.append(row | {"first_key": ends[1], "second_key": MARK})
    rows.sort(key=lambda row: row["first_key"])
    columns = {name: np.array([row[name] for row in rows], kind) for name, kind in COLUMNS.items()}
    return columns | {UMI: umis_of_ends(umis_of([umi for *_, umi in given]), columns)}


def own_first(umi, other_first):
    """A dual UMI with the part of the own end first."""
    parts = umi.split("-")
    return "-".join(parts[::-1]) if other_first and len(parts) == 2 else umi


def judged(given):
    """Ordinals of duplicates, by the rules in plain Python."""
    pairs, singles, seen = defaultdict(list), defaultdict(list), defaultdict(list)
    for t, (ends, turned, _, umi) in enumerate(given):
        (pairs[ends] if len(ends) == 2 else singles[ends[0]]).append((t, own_first(umi, turned)))
        for end, other_first in zip(ends, (turned, not turned), strict=False):
            seen[end].append((len(ends) == 2, own_first(umi, other_first)))
    lost, groups = set(), defaultdict(list)
    for ends, members in pairs.items():
        root = directional([umi for _, umi in members])
        for t, umi in members:
            groups[ends, root[umi]].append(t)
    for end, members in singles.items():
        root = directional([umi for _, umi in seen[end]])
        taken = {root[umi] for is_pair, umi in seen[end] if is_pair}
        for t, umi in members:
            if root[umi] in taken:
                lost.add(t)
            else:
                groups[end, root[umi]].append(t)
    for members in groups.values():
        best = max(members, key=lambda t: (given[t][2], -t))
        lost |= set(members) - {best}
    return lost


@given(templates())
def test_duplicates_by_brute_force(given):
    columns = rows_of(given)
    zeros = np.zeros(len(columns["score"]), np.int64)
    ordinal = columns["template"].astype(np.int64)
    found, kinds = find_duplicates(columns, ordinal, zeros, zeros, zeros + 100)
    assert len(found) == len(set(found.tolist()))
    assert set(found.tolist()) == judged(given)
    assert (kinds == 1).all()


def test_both_strands_of_a_molecule_are_one():
    ends = (10, 20)

    def duplicates(*given):
        columns = rows_of(given)
        zeros = np.zeros(len(columns["score"]), np.int64)
        return find_duplicates(
            columns, columns["template"].astype(np.int64), zeros, zeros, zeros + 100
        )[0].tolist()

    assert duplicates((ends, False, 2, "AAA-CCC"), (ends, True, 1, "CCC-AAA")) == [1]
    assert duplicates((ends, False, 2, "AAA-CCC"), (ends, False, 1, "CCC-AAA")) == []
    assert duplicates((ends, False, 2, "AAA-CCC"), (ends, True, 1, "AAA-CCC")) == []
    # a lone R2 at the upper end has its own part second
    assert duplicates((ends, False, 2, "AAA-CCC"), ((20,), True, 1, "AAA-CCC")) == [1]
    assert duplicates((ends, False, 2, "AAA-CCC"), ((20,), False, 1, "AAA-CCC")) == []


# --- the whole way ---


@pytest.fixture(scope="module")
def barcoded(deep_reads, tmp_path_factory):
    """The deep reads, each four times: by one molecule, by its error, by another, by its error."""
    folder = tmp_path_factory.mktemp("barcoded")
    texts, umis = [[], []], []
    reads = [path.read_text().splitlines() for path in deep_reads]
    for i, pair in enumerate(zip(*(zip(*[iter(x)] * 4, strict=True) for x in reads), strict=True)):
        if i % 3:
            continue
        for n, umi in enumerate(("ACGTACGT", "ACGTACGA", "TTTTGGGG", "TTTTGGNG")):
            name = f"{pair[0][0].split()[0].removesuffix('/1')}{n}"
            umis.append(f"{name}\n{umi}\n+\nFFFFFFF#\n")
            for text, record in zip(texts, pair, strict=True):
                text.append("\n".join((name, *record[1:])) + "\n")
    for name, parts in zip(("1.fq", "2.fq", "u.fq"), (*texts, umis), strict=True):
        (folder / name).write_text("".join(parts))
    return folder


def told(path):
    """Name, RX and QX of each record."""
    with pysam.AlignmentFile(str(path)) as reader:
        for record in reader:
            yield record.query_name, record.get_tag("RX"), record.get_tag("QX")


def test_same_bytes_and_tags_whatever_the_cut(
    reference, barcoded, lane_of, run_align, monkeypatch, tmp_path
):
    files = lane_of(barcoded / "1.fq", barcoded / "2.fq")
    lane = Lane(files.files, files.group, barcoded / "u.fq")
    monkeypatch.setattr(fastq.read_chunks, "__defaults__", (200,))
    outs = []
    for threads, backend in ((1, "processes"), (2, "processes"), (1, "dask")):
        out = tmp_path / f"{threads}{backend}" / "x.bam"
        out.parent.mkdir()
        stats = run_align(reference, [lane], out, threads, backend)
        outs.append(out.read_bytes())
    assert outs[0] == outs[1] == outs[2]
    # two of four copies are left, but for real duplicates, and reads without a place
    assert 0.48 < stats["duplicates"] / stats["reads"] < 0.52
    for name, umi, quality in told(out):
        assert umi == ("ACGTACGT", "ACGTACGA", "TTTTGGGG", "TTTTGGNG")[int(name[-1])]
        assert quality == "FFFFFFF#"
    again = tmp_path / "again.bam"
    assert run_align(reference, [Lane((out,), {})], again)["duplicates"] == stats["duplicates"]
    assert set(told(again)) == set(told(out))


def test_lanes_with_and_without_umis(reference, barcoded, lane_of, run_align, tmp_path):
    with_umis = lane_of(barcoded / "1.fq", barcoded / "2.fq", ID="u", LB="x")
    plain = lane_of(barcoded / "2.fq", ID="p", LB="x")
    lanes = [Lane(with_umis.files, with_umis.group, barcoded / "u.fq"), plain]
    run_align(reference, lanes, tmp_path / "x.bam")
    tags = defaultdict(set)
    with pysam.AlignmentFile(str(tmp_path / "x.bam")) as reader:
        for record in reader:
            tags[record.get_tag("RG")].add(record.has_tag("RX"))
    assert tags == {"u": {True}, "p": {False}}
