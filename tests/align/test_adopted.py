"""Odd records of other aligners, counted beside plain Python."""

import json
from collections import Counter

import numpy as np
import pysam
import pytest

from lingqu.workflow.adopt import adopt

M, I, D, N, S, H, EQ, X = 0, 1, 2, 3, 4, 5, 7, 8  # noqa: E741
SIZE = 20_000
TURNED = str.maketrans("ACGTN", "TGCAN")
CIGARS = (
    [(M, 100)],
    [(S, 10), (M, 80), (I, 3), (M, 20), (S, 5)],
    [(H, 30), (M, 40), (D, 7), (M, 40)],
    [(EQ, 50), (X, 1), (EQ, 30), (N, 400), (M, 20)],
    [(M, 60), (H, 25)],
    [(M, 600), (I, 2), (M, 700)],
)


def _bases(random, genome, pos, cigar) -> str:
    """The bases of a record: the reference's, one in twenty of them changed."""
    out, at = [], pos
    for op, size in cigar:
        if op in (M, EQ, X):
            for base in genome[at : at + size]:
                out.append(random.choice(list("ACGTN")) if random.random() < 0.05 else base)
        elif op in (I, S):
            out += list(random.choice(list("ACGT"), size))
        at += size if op in (M, EQ, X, D, N) else 0
    return "".join(out)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """(FASTA, its sequence, BAM, its records)."""
    folder, random = tmp_path_factory.mktemp("odd"), np.random.default_rng(3)
    letters = random.choice(list("ACGT"), SIZE)
    letters[3000:3100] = "N"
    genome = "".join(letters)
    (folder / "ref.fa").write_text(f">one\n{genome}\n>two\n{'ACGT' * 50}\n")
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "RG": [{"ID": "a", "SM": "S", "LB": "l"}]}
    header["SQ"] = [{"SN": "one", "LN": SIZE}, {"SN": "two", "LN": 200}]
    flags = [99, 147, 83, 163, 73, 0, 16, 2145, 2193, 321, 1187, 97, 145, 65, 177, 129, 113]
    records = []
    with pysam.AlignmentFile(str(folder / "x.bam"), "wb", header=header) as out:
        for number, pos in enumerate(sorted(random.integers(0, SIZE - 2000, 600).tolist())):
            record = pysam.AlignedSegment(out.header)
            cigar = CIGARS[random.integers(len(CIGARS))]
            record.query_name, record.flag = f"r{number}", int(random.choice(flags))
            record.reference_id, record.reference_start = 0, pos
            record.mapping_quality = int(random.choice([0, 60, 255]))
            record.cigartuples = cigar
            if number % 50:
                record.query_sequence = bases = _bases(random, genome, pos, cigar)
                if number % 7:
                    scores = random.integers(2, 41, len(bases))
                    record.query_qualities = scores.astype("B").tolist()
            if record.is_paired:
                record.next_reference_id = int(random.integers(0, 10) == 0)
                record.next_reference_start = max(pos + int(random.integers(-400, 400)), 0)
                record.template_length = record.next_reference_start - pos + 100
            records.append(record)
            out.write(record)
    return folder, genome, records


@pytest.fixture(scope="module")
def told(case):
    folder, _, _ = case
    adopt(folder / "ref.fa", folder / "x.bam", folder / "S.bam")
    return json.loads((folder / "S.bam.qc.json").read_text())


def _forward(record) -> list[int]:
    """Phred scores as sequenced."""
    scores = list(record.query_qualities or ())
    return scores[::-1] if record.is_reverse else scores


def _walk(record, genome):
    """(cycle from 0, letter, reference's letter) of each aligned base."""
    clipped = sum(size for op, size in record.cigartuples if op == H)
    total, cycle, read, at = record.query_length + clipped, 0, 0, record.reference_start
    for op, size in record.cigartuples:
        for _ in range(size):
            if op in (M, EQ, X):
                own = total - cycle - 1 if record.is_reverse else cycle
                yield own, record.query_sequence[read], genome[at]
            read += op in (M, EQ, X, I, S)
            cycle += op in (M, EQ, X, I, S, H)
            at += op in (M, EQ, X, D, N)


def test_sums(case, told):
    _, genome, records = case
    sums, mapq = Counter(), Counter()
    for record in records:
        if record.is_secondary:
            sums["secondary"] += 1
            continue
        primary = not record.is_supplementary
        both = record.is_paired and not record.mate_is_unmapped
        sums["supplementary"] += not primary
        sums["reads"] += primary
        sums["mapped"] += primary
        sums["bases"] += primary * record.query_length
        sums["duplicates"] += primary and record.is_duplicate
        sums["properly_paired"] += primary and record.is_proper_pair
        sums["singletons"] += primary and record.is_paired and not both
        sums["mate_elsewhere"] += primary and both and record.next_reference_id != 0
        mapq[record.mapping_quality] += primary
        if not record.query_length:
            continue
        counts = Counter()
        for op, size in record.cigartuples:
            counts[op] += size
        aligned, wrong = counts[M] + counts[EQ] + counts[X], 0
        for _, own, other in _walk(record, genome):
            wrong += own != other or own == "N"
        sums["cigar_bases"] += aligned + counts[I]
        sums["edits"] += wrong + counts[I] + counts[D]
        if primary:
            sums["aligned_bases"] += aligned
            sums["soft_clipped_bases"] += counts[S]
            sums["inserted_bases"] += counts[I]
            sums["deleted_bases"] += counts[D]
            sums["mismatches"] += wrong
    found = told["mapping"]
    assert {name: found[name] for name in sums} == sums
    assert {i: n for i, n in enumerate(found["mapq"]) if n} == {i: n for i, n in mapq.items() if n}
    assert found["unmapped"] == 0
    assert found["optical_duplicates"] is None


@pytest.mark.parametrize("mate", [1, 2])
def test_long_reads_are_told_in_groups(case, told, mate):
    """By cycle the first 1,000 bases, in FastQC's groups: 1 to 9, 10 to 19, 20 to 39, ..."""
    _, genome, records = case
    first = [*range(1, 11), *range(20, 1001, 20)]
    own = told["mates"][str(mate)]
    assert own["cycles"] == first
    primary = [r for r in records if not r.flag & 0x900 and bool(r.flag & 0x80) == (mate == 2)]
    assert own["reads"] == len(primary)
    assert own["bases"] == sum(r.query_length for r in primary)
    assert own["length"]["counts"][-1] == sum(r.query_length >= 1000 for r in primary) > 0
    aligned, wrong, scores = Counter(), Counter(), {}
    for record in primary:
        for at, score in enumerate(_forward(record)):
            scores.setdefault(at, []).append(score)
        for cycle, base, other in _walk(record, genome) if record.query_length else ():
            aligned[cycle] += 1
            wrong[cycle] += base != other and "N" not in (base, other)
    ends = [*first[1:], 1001]
    for group, (low, high) in enumerate(zip(first, ends, strict=True)):
        cycles = range(low - 1, high - 1)
        share = sum(wrong[c] for c in cycles) / sum(aligned[c] for c in cycles)
        assert told["mismatch_by_cycle"][str(mate)][group] == pytest.approx(share, rel=1e-5)
        means = [sum(scores[c]) / len(scores[c]) for c in cycles]
        found = own["quality_by_cycle"]["mean"][group]
        assert found == pytest.approx(sum(means) / len(means), rel=1e-5)


def test_insert_sizes(case, told):
    """Without MC the mate's end is told by TLEN, as htsjdk does."""
    _, _, records = case
    sizes = {"FR": Counter(), "RF": Counter(), "TANDEM": Counter()}
    for record in records:
        if record.flag & 0x904 or not record.is_read2 or record.mate_is_unmapped:
            continue
        size = record.template_length
        if record.is_duplicate or record.next_reference_id != 0 or not size:
            continue
        kind = "TANDEM"
        if record.is_reverse != record.mate_is_reverse:
            start, end = record.reference_start, record.reference_start + size
            if record.is_reverse:
                start, end = record.next_reference_start, record.reference_end
            kind = "FR" if start < end else "RF"
        sizes[kind][abs(size)] += 1
    for kind, counts in sizes.items():
        found = told["insert_size"][kind]
        assert found["pairs"] == sum(counts.values()) > 5
        values = sorted(counts.elements())
        assert found["median"] == float(np.median(values))
        assert found["mad"] == float(np.median(np.abs(np.array(values) - np.median(values))))
        inside = [v for v in values if v <= int(found["median"] + 10 * found["mad"])]
        assert found["mean"] == pytest.approx(np.mean(inside), rel=1e-5)
        assert found["sd"] == pytest.approx(np.std(inside, ddof=1), rel=1e-5)
