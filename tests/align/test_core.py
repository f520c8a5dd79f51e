"""Planted reads come back from where they were taken, whatever was done to them."""

import numpy as np
import pytest

from lingqu.align.batch import InsertModel, ReadBatch
from lingqu.align.core import align_reads, estimate_insert
from lingqu.align.index import open_index
from lingqu.align.reads import read_batch
from lingqu.base.errors import LingquError
from lingqu.formats.fastq import read_chunks
from lingqu.sequence.codes import decode, encode, reverse_complement

INSERT = InsertModel(True, 300.0, 30.0, 150, 450)
FREE = InsertModel(False, 0.0, 0.0, 1, 1000)


@pytest.fixture(scope="module")
def genome(tmp_path_factory, demo_window):
    """Two contigs of real sequence: 100 kb, and 20 kb that holds a copy of 2 kb of the first."""
    folder = tmp_path_factory.mktemp("genome")
    second = demo_window[120_000:140_000].copy()
    second[5_000:7_000] = demo_window[50_000:52_000]
    contigs = {"one": demo_window[:100_000], "two": second}
    fasta = folder / "genome.fa"
    fasta.write_text("".join(f">{name}\n{decode(codes)}\n" for name, codes in contigs.items()))
    return open_index(fasta), contigs


def batch(reads, paired, keep=None):
    """A ReadBatch of code arrays."""
    length = np.array([len(read) for read in reads], np.int32)
    start = np.concatenate(([0], np.cumsum(length)[:-1])).astype(np.int64)
    nothing = np.zeros(len(reads), np.int64)
    return ReadBatch(
        paired, np.zeros(1, np.uint8), nothing, nothing.astype(np.int32), nothing,
        np.concatenate(reads).astype(np.uint8), start, length,
        length.copy() if keep is None else np.array(keep, np.int32),
    )  # fmt: skip


def cigar(found, i):
    """CIGAR string of record i."""
    ops = found.cigar[found.cigar_start[i] :][: found.cigar_len[i]]
    return "".join(f"{op >> 4}{'MIDNS'[op & 15]}" for op in ops)


def test_pairs_of_all_lengths_come_back_to_their_place(genome):
    index, contigs = genome
    rng = np.random.default_rng(11)
    reads, truth = [], []
    for length in (35, 50, 76, 101, 150, 250, 300):
        for k in range(20):
            begin = int(rng.integers(1000, 45_000))
            size = max(300, length + 10)
            whole = contigs["one"][begin : begin + size]
            ends = [whole[:length], reverse_complement(whole[-length:])]
            swap = k % 2
            reads += ends[::-1] if swap else ends
            places = [begin, begin + size - length]
            truth += places[::-1] if swap else places
    found = align_reads(index, batch(reads, True), INSERT, 0)
    assert found.n == len(reads)
    assert (found.tid == 0).all()
    assert (found.pos == truth).all()
    assert (found.flag & 0x2 > 0).all()
    assert (found.score == [len(read) for read in reads]).all()
    assert (found.mapq >= 50).mean() > 0.97
    assert (found.tlen[::2] == -found.tlen[1::2]).all()
    assert (found.mate_pos == found.pos.reshape(-1, 2)[:, ::-1].ravel()).all()


@pytest.mark.parametrize("strand", [0, 1])
@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda read: np.delete(read, slice(70, 75)), "70M5D115M"),
        (lambda read: np.insert(read, 80, [0, 1, 2, 3, 0, 2]), "80M6I110M"),
        (lambda read: np.delete(read, slice(70, 110)), "70M40D80M"),
    ],
)
def test_gaps_are_found_and_leftmost(genome, strand, edit, expected):
    index, contigs = genome
    read = edit(contigs["one"][30_000:30_190].copy())
    found = align_reads(
        index, batch([reverse_complement(read) if strand else read], False), FREE, 0
    )
    shape = lambda text: [c for c in text if not c.isdigit()]  # noqa: E731
    assert found.pos[0] == 30_000
    assert shape(cigar(found, 0)) == shape(expected)
    assert found.flag[0] == 0x10 * strand


def test_two_gaps_close_together_are_no_crowd_of_mismatches(genome):
    index, contigs = genome
    read = contigs["one"][30_000:30_150].copy()
    turned = np.insert(np.delete(read, 70), 79, (read[79] + 2) % 4)
    flat = turned != read
    assert 4 <= flat.sum() == flat[70:80].sum()  # without gaps it is a crowd of them
    found = align_reads(index, batch([turned], False), FREE, 0)
    gaps = [op for op in cigar(found, 0) if op in "ID"]
    assert (found.pos[0], sorted(gaps), found.score[0]) == (30_000, ["D", "I"], 149 - 7 - 7)


def test_a_gap_near_the_end_is_no_clip(tmp_path):
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, 3000).astype(np.uint8)
    codes[1000:1016] = [3, 2, 1] + [0] * 12 + [3]
    codes[1016] = 2
    fasta = tmp_path / "x.fa"
    fasta.write_text(f">x\n{decode(codes)}\n")
    read = np.delete(codes[998:1149], 10)  # one A of twelve
    found = align_reads(open_index(fasta), batch([read], False), FREE, 0)
    assert (found.pos[0], cigar(found, 0)) == (998, "5M1D145M")


REPEAT = (
    "GAGGTTGCAGTGAGCCGAGATGGCAGCAGCACAGTCCAGCTTCGGCTCGGCATGAGAGGGAGACCGTGGAAAGAGAGGGAGAGGGAGACC"
    "GTGGAAAGAGAGGGAGAGGGAGAGGGAGAGGGAGACCGTGGAAAGAGAGGGAGAGGGAGAGGGAGACCGTGGAAAGAGGGGAGAGGGAGA"
    "GGGGGAGGGTGAGGGAGAGGGAGAGGGAGAGAGAGAGAGGGAGCGAGTGTGCTATTTTTTTGTATGTTTTGTAGAGACGGA"
)
"""GRCh37 20:35,605,980-35,606,240: copies of GAGAGAGGGAGACCGTGGAAA."""


def test_of_gaps_in_a_repeat_those_count_that_reach_the_ends(genome, tmp_path):
    _, contigs = genome
    codes = np.concatenate((contigs["one"][:5000], encode(REPEAT), contigs["one"][5000:10_000]))
    fasta = tmp_path / "x.fa"
    fasta.write_text(f">x\n{decode(codes)}\n")
    at = 5000 + 35_606_051 - 35_605_980  # behind the base before it, a deletion of 37
    read = np.concatenate((codes[at - 55 : at + 1], codes[at + 38 : at + 132]))
    read[55 - 14] = 0  # NA12878 has a SNV at 35,606,037
    found = align_reads(open_index(fasta), batch([read], False), FREE, 0)
    assert (found.pos[0], cigar(found, 0)) == (at - 55, "56M37D94M")


def test_a_copied_stretch_has_no_mapq_until_a_mate_tells(genome):
    index, contigs = genome
    inside = contigs["one"][51_700:51_850]
    alone = align_reads(index, batch([inside], False), FREE, 0)
    assert alone.mapq[0] == 0
    assert alone.sub_score[0] == alone.score[0] == 150
    mate = reverse_complement(contigs["one"][52_000 - 20 : 52_130])
    paired = align_reads(index, batch([inside, mate], True), INSERT, 0)
    assert (paired.tid == 0).all()
    assert paired.mapq[0] == 38  # 17 units, less 6.76 for an insert of 430


def test_equals_are_shared_out_by_ordinal_not_by_chunk(genome):
    index, contigs = genome
    reads = [contigs["one"][50_500:50_650]] * 64
    whole = align_reads(index, batch(reads, False), FREE, 100)
    assert set(whole.tid.tolist()) == {0, 1}
    later = align_reads(index, batch(reads[:32], False), FREE, 132)
    assert (later.tid == whole.tid[32:]).all()


def test_a_mate_without_seeds_is_found_beside_its_partner(genome):
    index, contigs = genome
    mate = reverse_complement(contigs["one"][20_200:20_300])
    for i in range(8, 100, 14):
        mate[i] = (mate[i] + 1) % 4
    lone = align_reads(index, batch([mate], False), FREE, 0)
    assert lone.flag[0] & 0x4
    found = align_reads(index, batch([contigs["one"][20_000:20_100], mate], True), INSERT, 0)
    assert found.pos.tolist() == [20_000, 20_200]
    assert (found.flag & 0x2).all()


def test_a_chimeric_read_gets_a_supplementary_record(genome):
    index, contigs = genome
    read = np.concatenate((contigs["one"][10_000:10_090], contigs["two"][15_000:15_060]))
    found = align_reads(index, batch([read], False), FREE, 0)
    assert found.n == 2
    assert found.flag.tolist() == [0, 0x800]
    assert found.tid.tolist() == [0, 1]
    assert [cigar(found, i)[-1] for i in range(2)] == ["S", "M"]


def test_secondary_records_only_when_asked_for(genome):
    index, contigs = genome
    reads = batch([contigs["one"][50_500:50_650]], False)
    assert align_reads(index, reads, FREE, 0).n == 1
    found = align_reads(index, reads, FREE, 0, most_secondary=3)
    assert sorted(found.flag.tolist()) == [0, 0x100]


def test_unmapped_reads_are_kept_beside_their_mates(genome):
    index, contigs = genome
    noise = np.random.default_rng(2).integers(0, 4, 100)
    found = align_reads(index, batch([contigs["one"][5_000:5_100], noise], True), INSERT, 0)
    assert found.flag.tolist() == [0x1 | 0x8 | 0x40, 0x1 | 0x4 | 0x80]
    assert found.pos.tolist() == [5_000, 5_000]
    both = align_reads(index, batch([noise, noise[::-1]], True), INSERT, 0)
    assert both.flag.tolist() == [0x4D, 0x8D]
    assert both.tid.tolist() == [-1, -1]


def test_adapter_tail_is_clipped_on_either_strand(genome):
    index, contigs = genome
    insert = contigs["one"][7_000:7_060]
    tail = np.random.default_rng(4).integers(0, 4, 40).astype(np.uint8)
    forward = np.concatenate((insert, tail))
    backward = np.concatenate((reverse_complement(insert), tail))
    found = align_reads(index, batch([forward, backward], True, keep=[60, 60]), FREE, 0)
    assert [cigar(found, i) for i in range(2)] == ["60M40S", "40S60M"]
    assert found.pos.tolist() == [7_000, 7_000]
    assert found.tlen.tolist() == [60, -60]


def test_reads_over_a_contig_end_are_clipped_there(genome):
    index, contigs = genome
    overhang = np.random.default_rng(8).integers(0, 4, 30).astype(np.uint8)
    late = np.concatenate((contigs["one"][-70:], overhang))
    early = np.concatenate((overhang, contigs["two"][:70]))
    found = align_reads(index, batch([late, early], False), FREE, 0)
    assert cigar(found, 0).endswith("S")
    ends = found.pos[0] + int(cigar(found, 0).split("M")[0])
    assert ends <= 100_000
    assert (found.tid[1], found.pos[1]) == (1, 0)


def test_unknown_bases_and_empty_reads_are_borne(genome):
    index, contigs = genome
    read = contigs["one"][9_000:9_150].copy()
    read[[40, 90, 91]] = 4
    nothing = np.full(100, 4, np.uint8)
    found = align_reads(index, batch([read, nothing, read[:10]], False, [150, 100, 0]), FREE, 0)
    assert found.pos[0] == 9_000
    assert cigar(found, 0) == "150M"
    assert found.score[0] == 147 - 3
    assert (found.flag[1:] == 0x4).all()


def test_the_insert_model_is_that_of_the_pairs(genome):
    index, contigs = genome
    rng = np.random.default_rng(21)
    reads = []
    for size in rng.normal(280, 25, 1500).astype(int):
        begin = int(rng.integers(1000, 45_000))
        whole = contigs["one"][begin : begin + size]
        reads += [whole[:100], reverse_complement(whole[-100:])]
    model = estimate_insert(index, batch(reads, True))
    assert model.known
    assert abs(model.mean - 280) < 3
    assert abs(model.sd - 25) < 2
    assert model.low < 190 < 370 < model.high
    assert not estimate_insert(index, batch(reads[:20], True)).known


def test_long_noisy_reads_find_room_for_their_operations(genome):
    index, contigs = genome
    rng = np.random.default_rng(31)
    reads = []
    for k in range(40):
        whole = contigs["one"][1_000 + 900 * k :][:1_000]
        pieces = [whole[i : i + 11] if i % 26 else whole[i : i + 13] for i in range(0, 1_000, 13)]
        reads.append(np.concatenate(pieces)[: int(rng.integers(700, 900))])
    reads.append(contigs["two"][-1_000:])
    reads.append(np.concatenate((contigs["two"][-990:], rng.integers(0, 4, 10))))
    found = align_reads(index, batch(reads, False), FREE, 0)
    assert found.n >= len(reads)
    assert found.score[found.record_start[40]] == 1_000
    assert found.cigar_len.max() > 5


def test_a_read_too_long_is_told_with_its_record(tmp_path):
    path = tmp_path / "long.fq"
    path.write_text(f"@a\nACGT\n+\nIIII\n@b\n{'A' * 1_001}\n+\n{'I' * 1_001}\n")
    (chunk,) = read_chunks(0, (path,))
    with pytest.raises(LingquError, match=r"long\.fq: record 2: 1,001 bases"):
        read_batch(chunk)
