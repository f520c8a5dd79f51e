"""Duplicates against brute force on real alignments, planted groups, and Picard."""

import shutil
import subprocess
from collections import defaultdict

import numpy as np
import pysam
import pytest

from lingqu.align.duplicates import COLUMNS, find_duplicates
from lingqu.align.kernels.dedup import MARK, SINGLE, place_on_flow_cell, unclipped_end


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("HSQ1004:134:C0D8DACXX:4:1304:21341:94622", (4_001_304, 21341, 94622)),
        ("A00:1:F:2:2101:5:6:ACGT+ACGT", (2_002_101, 5, 6)),
        ("HWI:3:12:100:2000#0", (3_000_012, 100, 2000)),
        ("SRR1.1", (-1, 0, 0)),
        ("a:b:c:d:e:f:g", (-1, 0, 0)),
        ("", (-1, 0, 0)),
    ],
)
def test_flow_cell(name, place):
    text = np.frombuffer(b"@" + name.encode() + b"\n", np.uint8)
    assert place_on_flow_cell(text, 1, len(name)) == place


@pytest.mark.parametrize(
    ("cigar", "forward", "reverse"),
    [("10M", 100, 109), ("3S7M", 97, 106), ("7M3S", 100, 109), ("2H3S5M2D4I1M6S", 95, 113)],
)
def test_unclipped_ends(cigar, forward, reverse):
    record = pysam.AlignedSegment()
    record.cigarstring = cigar
    ops = np.array([(size << 4) | op for op, size in record.cigartuples], np.uint32)
    assert unclipped_end(100, 0, ops, 0, len(ops)) == forward
    assert unclipped_end(100, 16, ops, 0, len(ops)) == reverse


def judge(rows, **given):
    """Kinds by ordinal of duplicate records given as dicts."""
    rows = sorted(rows, key=lambda row: row["first_key"])
    blank = dict.fromkeys(COLUMNS, 0) | {"tile": -1}
    columns = {
        name: np.array([(blank | row)[name] for row in rows], kind)
        for name, kind in COLUMNS.items()
    }
    n = len(rows)

    def column(name, default):
        return np.array([row.get(name, default) for row in rows], np.int64).reshape(n)

    found = find_duplicates(
        columns, columns["template"].astype(np.int64), column("library", 0), column("group", 0),
        np.full(n, given.get("distance", 100), np.int64),
    )  # fmt: skip
    return dict(zip(*(array.tolist() for array in found), strict=True))


def pair(template, low, high, score=10, **more):
    """The two rows of a pair."""
    row = {"template": template, "score": score, **more}
    return [
        row | {"first_key": low, "second_key": high},
        row | {"first_key": high, "second_key": MARK},
    ]


def single(template, key, score=10, **more):
    """The row of a template with one mapped end."""
    return [{"template": template, "first_key": key, "second_key": SINGLE, "score": score, **more}]


def test_best_score_then_first():
    assert judge(pair(0, 50, 90, 5) + pair(1, 50, 90, 9) + pair(2, 50, 90, 9)) == {0: 1, 2: 1}
    assert judge(pair(0, 50, 90) + pair(1, 50, 92) + pair(2, 48, 90)) == {}


def test_singles_lose_to_pairs_at_either_end():
    rows = pair(0, 50, 90, 1) + single(1, 50, 99) + single(2, 90, 99) + single(3, 51, 99)
    assert judge(rows) == {1: 1, 2: 1}
    assert judge(single(0, 7, 1) + single(1, 7, 2) + single(2, 8, 1)) == {0: 1}


def test_libraries_are_apart():
    assert judge(pair(0, 50, 90, library=0) + pair(1, 50, 90, library=1)) == {}


def test_optical():
    rows = [
        pair(0, 50, 90, 9, tile=1, x=1000, y=1000),
        pair(1, 50, 90, 5, tile=1, x=1100, y=900),
        pair(2, 50, 90, 5, tile=1, x=1190, y=900),
        pair(3, 50, 90, 5, tile=2, x=1000, y=1000),
        pair(4, 50, 90, 5, tile=1, x=1000, y=1000, strand=1),
        pair(5, 50, 90, 5, tile=1, x=1000, y=1000, group=1),
        pair(6, 50, 90, 5),
        pair(7, 50, 90, 5, tile=2, x=1000, y=1101),
        pair(8, 50, 90, 5, tile=2, x=1000, y=1201),
        pair(9, 50, 90, 5, tile=2, x=1001, y=1250),
    ]
    rows = [row for both in rows for row in both]
    assert judge(rows) == {1: 2, 2: 2, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 2, 9: 2} | {8: 2}
    assert judge(rows, distance=2500)[3] == 1
    assert judge(rows, distance=2500)[7] == 2


def brute_force(path):
    """Names of duplicate templates by the rules, in plain Python."""
    templates = defaultdict(list)
    with pysam.AlignmentFile(str(path)) as reader:
        for record in reader:
            if not record.flag & 0x900:
                templates[record.query_name].append(record)
    pairs, singles, ends = defaultdict(list), defaultdict(list), set()
    for name, records in templates.items():
        mapped = [record for record in records if not record.is_unmapped]
        score = sum(q for record in mapped for q in record.query_qualities if q >= 15)
        keys = tuple(sorted(map(five_prime, mapped)))
        if len(keys) == 2:
            pairs[keys].append((score, name))
            ends.update(keys)
        elif keys:
            singles[keys[0]].append((score, name))
    groups = list(pairs.values()) + [s for key, s in singles.items() if key not in ends]
    lost = {name for key, s in singles.items() if key in ends for _, name in s}
    return groups, lost


def five_prime(record):
    """(unclipped 5' end, strand)."""
    ops = record.cigartuples
    if not record.is_reverse:
        return record.reference_start - (ops[0][1] if ops[0][0] == 4 else 0), False
    return record.reference_end - 1 + (ops[-1][1] if ops[-1][0] == 4 else 0), True


def marked(path):
    """(names of templates marked, {name: DT}); all records of a template agree."""
    flags, kinds = defaultdict(set), {}
    with pysam.AlignmentFile(str(path)) as reader:
        for record in reader:
            flags[record.query_name].add(record.is_duplicate)
            assert record.is_duplicate == record.has_tag("DT")
            if record.is_duplicate:
                kinds[record.query_name] = record.get_tag("DT")
    assert all(len(values) == 1 for values in flags.values())
    return {name for name, values in flags.items() if True in values}, kinds


def test_real_reads_by_brute_force(aligned):
    groups, lost = brute_force(aligned)
    found, _ = marked(aligned)
    assert lost <= found
    assert len(lost) + sum(len(group) - 1 for group in groups) == len(found) > 5
    for group in groups:
        kept = [score for score, name in group if name not in found]
        assert kept == [max(group)[0]]


@pytest.fixture(scope="module")
def doubled(reference, deep_reads, lane_of, run_align, tmp_path_factory):
    """Reads with planted copies, beside the first on the flow cell and far from it."""
    folder = tmp_path_factory.mktemp("doubled")
    files = []
    for path in deep_reads:
        lines = path.read_text().splitlines()
        out = []
        for number, record in enumerate(zip(*[iter(lines)] * 4, strict=True)):
            out.append(record)
            fields = record[0].split()[0].removesuffix("/1").removesuffix("/2").split(":")
            if number % 10 == 0:
                near = [*fields[:5], str(int(fields[5]) + 7), str(int(fields[6]) + 9)]
                far = [*fields[:5], str(int(fields[5]) + 5000), fields[6]]
                out += [(":".join(near), *record[1:]), (":".join(far), *record[1:])]
        files.append(folder / path.name)
        files[-1].write_text("".join(f"{line}\n" for record in out for line in record))
    bam = folder / "x.bam"
    return bam, run_align(reference, [lane_of(*files)], bam)


def test_planted_copies(doubled):
    bam, stats = doubled
    found, kinds = marked(bam)
    optical = sum(kind == "SQ" for kind in kinds.values())
    assert 2 * len(found) == stats["duplicates"]
    assert 2 * optical == stats["optical_duplicates"]
    assert optical >= 100
    groups, _ = brute_force(bam)
    assert all(sum(name not in found for _, name in group) == 1 for group in groups)


def test_same_as_picard(doubled, tmp_path):
    if not shutil.which("PicardCommandLine"):
        pytest.skip("Picard (PicardCommandLine) is not installed")
    bam, _ = doubled
    out = tmp_path / "picard.bam"
    command = ["PicardCommandLine", "MarkDuplicates", f"I={bam}", f"O={out}"]
    command += [f"M={tmp_path / 'metrics'}", "TAGGING_POLICY=All", "ASSUME_SORT_ORDER=coordinate"]
    subprocess.run(command, check=True, capture_output=True)
    ours, theirs = primary_duplicates(bam), primary_duplicates(out)
    assert {name: len(kinds) for name, kinds in group_sizes(bam, ours).items()} == {
        name: len(kinds) for name, kinds in group_sizes(bam, theirs).items()
    }
    assert sorted(ours.values()) == sorted(theirs.values())


def primary_duplicates(path):
    """DT of each duplicate pair with both mates mapped (Picard leaves unmapped mates unmarked)."""
    with pysam.AlignmentFile(str(path)) as reader:
        return {
            record.query_name: record.get_tag("DT")
            for record in reader
            if record.is_duplicate and not record.flag & 0x90C
        }


def group_sizes(path, duplicates):
    """Duplicates by the place of their template."""
    found = defaultdict(list)
    with pysam.AlignmentFile(str(path)) as reader:
        for record in reader:
            if record.query_name in duplicates and record.is_read1 and not record.flag & 0x900:
                found[str(five_prime(record))].append(duplicates[record.query_name])
    return found
