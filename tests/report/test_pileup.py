"""Pile-ups of known reads, and of the demo's."""

import json

import numpy as np
import pysam
import pytest

from lingqu.base.errors import LingquError
from lingqu.formats.reference import open_reference
from lingqu.report.pileup import BYTES, DIGITS, WIDTH, carries, encode, piles
from lingqu.sequence.codes import decode

START = 10_050_000


@pytest.fixture(scope="module")
def genome(reference):
    return open_reference(reference)


def bases(genome, start: int, length: int) -> str:
    return decode(genome.contig(0)[start : start + length])


def read(genome, start: int, parts: list[tuple], flag: int = 0, quality: int = 60):
    """A read from `start`: parts are (CIGAR letter, length or inserted bases, changed bases)."""
    sequence, cigar, at = "", [], start
    for letter, length, *changes in parts:
        count = len(length) if isinstance(length, str) else length
        cigar.append(("MIDNS".index(letter), count))
        if letter == "M":
            piece = list(bases(genome, at, count))
            for place, base in dict(*changes).items():
                piece[place] = base
            sequence, at = sequence + "".join(piece), at + count
        elif letter == "D":
            at += count
        else:
            sequence += length
    found = pysam.AlignedSegment(
        pysam.AlignmentHeader.from_dict({"SQ": [{"SN": genome.names[0], "LN": 63025520}]})
    )
    found.query_name, found.flag, found.reference_id = "r", flag, 0
    found.reference_start, found.mapping_quality = start, quality
    found.query_sequence, found.cigartuples = sequence, cigar
    found.query_qualities = pysam.qualitystring_to_array("I" * len(sequence))
    return found


def other(base: str) -> str:
    return "ACGT"["ACGT".index(base) ^ 1]


def test_reads_are_written_by_their_changes(genome):
    window = bases(genome, START, WIDTH)
    plain = read(genome, START - 20, [("M", 100)])
    assert encode(plain, START, window) == f"+0{DIGITS[60]}"
    changed = other(window[10])
    snv = read(genome, START + 5, [("M", 40, {5: changed})], flag=16, quality=3)
    assert encode(snv, START, window) == f"m{DIGITS[5]}{DIGITS[44]}{DIGITS[10]}{changed}"
    faint = read(genome, START + 5, [("M", 40, {5: changed})])
    low = [40] * 40
    low[5] = 10
    faint.query_qualities = low
    assert encode(faint, START, window).endswith(DIGITS[10] + changed.lower())
    gap = read(genome, START, [("M", 20), ("D", 3), ("M", 20)])
    assert encode(gap, START, window) == f"+0{DIGITS[42]}{DIGITS[20]}-3"
    more = read(genome, START, [("M", 20), ("I", "ACGTA"), ("M", 20)])
    assert encode(more, START, window) == f"+0{DIGITS[39]}{DIGITS[19]}^5"
    clipped = read(genome, START, [("S", "ACG"), ("M", 20), ("S", "TT")])
    assert encode(clipped, START, window) == f"+0{DIGITS[19]}<>"


def test_reads_that_carry_a_variant_are_told(genome):
    ref = bases(genome, START + 10, 4)
    alt = other(ref[0])
    has = read(genome, START, [("M", 40, {10: alt})])
    lacks = read(genome, START, [("M", 40)])
    assert carries(has, START + 10, ref[0], alt)
    assert not carries(lacks, START + 10, ref[0], alt)
    assert not carries(has, START + 11, ref[1], other(ref[1]))
    deletion = read(genome, START, [("M", 11), ("D", 3), ("M", 20)])
    assert carries(deletion, START + 10, ref, ref[0])
    assert not carries(lacks, START + 10, ref, ref[0])
    insertion = read(genome, START, [("M", 11), ("I", "GG"), ("M", 20)])
    assert carries(insertion, START + 10, ref[0], ref[0] + "GG")
    assert not carries(deletion, START + 10, ref[0], ref[0] + "GG")


@pytest.fixture
def bam(genome, tmp_path):
    """200 pairs of strands with an SNV in half of the reads, many errors, one duplicate."""
    path = tmp_path / "reads.bam"
    rng = np.random.default_rng(1)
    alt = other(bases(genome, START, 1))
    made = []
    for number in range(200):
        start = START - 90 + number // 3
        changes = {int(n): "ACGT"[n % 4] for n in rng.integers(0, 100, 6)}
        changes[START - start] = alt if number % 2 else bases(genome, START, 1)
        made.append(read(genome, start, [("M", 100, changes)], flag=16 * (number % 3 == 0)))
    made[7].flag |= 0x400
    header = {"HD": {"SO": "coordinate"}, "SQ": [{"SN": genome.names[0], "LN": 63025520}]}
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for one in made:
            out.write(one)
    pysam.index(str(path))
    return path, alt


def test_a_pile_tells_depth_and_fits_a_kilobyte(genome, bam):
    path, alt = bam
    ref = bases(genome, START, 1)
    (pile,) = piles(path, genome, [(genome.names[0], START, ref, alt, 4)])
    assert len(json.dumps(pile, ensure_ascii=False)) <= BYTES + 20
    assert (pile["row"], pile["at"], pile["depth"], pile["alt"]) == (4, 30, 199, 99)
    assert pile["ref"] == bases(genome, START - 30, WIDTH)
    with_alt, without = (group.split() for group in pile["reads"].split("|"))
    assert all(DIGITS[30] + alt in one for one in with_alt)
    assert not any(DIGITS[30] + alt in one[3:] for one in without)
    assert abs(len(with_alt) - len(without)) <= 2
    assert len(with_alt) >= 8
    assert piles(path, genome, []) == []


def test_piles_at_the_ends_of_a_contig(genome, bam):
    length = int(genome.lengths[0])
    for pos in (0, length - 1):
        (pile,) = piles(bam[0], genome, [(genome.names[0], pos, "N", "A", 0)])
        assert 0 <= pile["at"] < len(pile["ref"])
        assert pile["reads"] == "|"


def test_a_missing_index_is_named(genome, bam):
    path, _ = bam
    path.with_name("reads.bam.bai").unlink()
    with pytest.raises(LingquError, match=r"reads\.bam"):
        piles(path, genome, [(genome.names[0], START, "A", "C", 0)])
