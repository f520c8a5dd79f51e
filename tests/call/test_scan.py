"""The scan against a plain walk over pysam's pairs; shifting against all equal placements."""

import numpy as np
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lingqu.call import candidates, model
from lingqu.call.kernels import scan
from lingqu.formats.bam import open_alignments, read_alignments
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import decode, encode

BASES = st.text("AC", min_size=6, max_size=24)


@given(BASES, st.data())
def test_left_shift_of_deletions(text, data):
    ref = encode(text)
    start = data.draw(st.integers(1, len(text) - 1))
    size = data.draw(st.integers(1, len(text) - start))
    result = text[:start] + text[start + size :]
    same = [k for k in range(1, len(text) - size + 1) if text[:k] + text[k + size :] == result]
    for kernel in (scan.left_shift_deletion, scan.left_shift_deletion.py_func):
        assert kernel(ref, start, size, 1) == min(same)


@given(BASES, st.text("AC", min_size=1, max_size=5), st.data())
def test_left_shift_of_insertions(text, put, data):
    ref = encode(text)
    start = data.draw(st.integers(1, len(text)))
    result = text[:start] + put + text[start:]
    for kernel in (scan.left_shift_insertion, scan.left_shift_insertion.py_func):
        bases = encode(put).copy()
        shifted = kernel(ref, start, bases, len(put), 1)
        assert text[:shifted] + decode(bases) + text[shifted:] == result
        same = [
            k
            for k in range(1, len(text) + 1)
            if text[:k] == result[:k] and text[k:] == result[k + len(put) :]
        ]
        assert shifted == min(same)


@pytest.mark.parametrize(
    ("text", "pos", "step", "end"),
    [
        ("ACGTAAAAAAACGT", 5, 1, 11),
        ("ACGTAAAAAAACGT", 8, -1, 3),
        ("GGATCATCATCATCTTG", 4, 1, 14),
        ("GGATCATCATCATCTTG", 1, 1, 14),  # it begins a unit further on
        ("ACGTTGCAGTCATG", 6, 1, 6),
    ],
)
def test_repeat_end(text, pos, step, end):
    for kernel in (scan.repeat_end, scan.repeat_end.py_func):
        assert kernel(encode(text), pos, step, 4, 100) == end


def test_gap_costs():
    table = model.default_gaps().astype(np.float32)
    text = "ACGTTTTTTTTTTGCACACACACACATG"
    costs = np.zeros(len(text), np.float32)
    scan.gap_costs(encode(text), 0, len(text), table, costs)
    assert (costs[3:13] == table[1, 10]).all()
    assert (costs[14:26] == table[2, 6]).all()
    assert costs[0] == table[0, 0]
    part = np.zeros(5, np.float32)
    scan.gap_costs.py_func(encode(text), 3, 8, table, part)
    assert (part == table[1, 5]).all()


@given(st.integers(0, 2**32 - 1))
def test_substitutions_and_crowds(seed):
    rng = np.random.default_rng(seed)
    n = 30
    counts = rng.integers(0, 5, (n, 4)).astype(np.int32)
    weights = (counts * rng.integers(10, 41, (n, 4))).astype(np.int32)
    depth, clips = rng.integers(0, 60, n).astype(np.int32), rng.integers(0, 4, n + 1)
    clips[rng.random(n + 1) < 0.6] = 0
    likely = 100 * weights + 176 * counts > 301 * (depth[:, None] - counts)
    places, codes = np.nonzero(likely & (counts >= 2))
    near = np.convolve(clips[:-1], np.ones(5), "same")
    crowded = np.nonzero((near >= 3) & (10 * near > depth) & (clips[:-1] > 0))[0]
    for kernels in ((scan.substitutions, scan.crowds),
                    (scan.substitutions.py_func, scan.crowds.py_func)):  # fmt: skip
        found, rows = np.empty((4 * n, 3), np.int64), np.empty(n, np.int64)
        count = kernels[0](counts, weights, depth, found)
        assert found[:count, :2].tolist() == list(map(list, zip(places, codes, strict=True)))
        assert found[:count, 2].tolist() == counts[places, codes].tolist()
        assert rows[: kernels[1](clips.astype(np.int32), depth, rows)].tolist() == crowded.tolist()


@pytest.fixture(scope="module")
def window(tmp_path_factory, simulation):
    folder = tmp_path_factory.mktemp("scan")
    rng = np.random.default_rng(5)
    contigs = {"one": simulation.random_sequence(rng, 6000)}
    edits = [(1000, 1, "ACGT"[(" ACGT".index(contigs["one"][1000])) % 4]), (2000, 5, "")]
    edits += [(3000, 0, "GATTACA"), (4000, 0, "AC" * 20)]
    fasta = simulation.write_fasta(folder / "ref.fa", contigs)
    bam = simulation.simulate(folder / "a.bam", contigs, {"one": [edits, []]})
    reference = open_reference(fasta)
    reads = read_alignments(open_alignments(bam, reference), reference, 0, 500, 5500)
    return bam, contigs["one"], reads, candidates.scan_window(reads, reference.contig(0), 500, 5500)


def test_counts_against_pysam(window):
    bam, ref, _, seen = window
    depth = np.zeros(5000, np.int64)
    counts, weights = np.zeros((5000, 4), np.int64), np.zeros((5000, 4), np.int64)
    with pysam.AlignmentFile(str(bam)) as records:
        for read in records.fetch("one", 500, 5500):
            for at, pos in read.get_aligned_pairs(matches_only=True):
                if not 500 <= pos < 5500:
                    continue
                depth[pos - 500] += 1
                base, quality = read.query_sequence[at], read.query_qualities[at]
                if base != ref[pos] and quality >= model.MIN_BASE:
                    counts[pos - 500, "ACGT".index(base)] += 1
                    weights[pos - 500, "ACGT".index(base)] += min(quality, 40)
    assert (seen.depth == depth).all()
    assert (seen.counts == counts).all()
    assert (seen.weights == weights).all()


def test_indels_and_clips_are_seen(window):
    _, ref, _, seen = window
    by_place = {}
    for start, removed, put, at in seen.indels.tolist():
        bases = decode(seen.inserted[at : at + put])
        changed = ref[500:start] + bases + ref[start + removed : 5500]
        by_place.setdefault((removed, put), set()).add(changed)
    assert by_place[5, 0] == {ref[500:2000] + ref[2005:5500]}
    assert ref[500:3000] + "GATTACA" + ref[3000:5500] in by_place[0, 7]
    assert seen.clips[3990 - 500 : 4010 - 500].sum() > 0


def test_candidates_are_what_was_planted(window):
    _, ref, reads, seen = window
    edits = sorted(candidates.observed(seen, reads, encode(ref)))
    left = [edit for edit in edits if edit.start < 3500]
    assert [(edit.removed, len(edit.put)) for edit in left] == [(1, 1), (5, 0), (0, 7)]
    assert left[0].start == 1000


def test_adapter_is_no_evidence(tmp_path, simulation):
    rng = np.random.default_rng(6)
    contigs = {"one": simulation.random_sequence(rng, 2000)}
    reference = open_reference(simulation.write_fasta(tmp_path / "ref.fa", contigs))
    plain = simulation.simulate(tmp_path / "plain.bam", contigs, {}, depth=5)
    with (
        pysam.AlignmentFile(str(plain)) as records,
        pysam.AlignmentFile(str(tmp_path / "tagged.bam"), "wb", header=records.header) as out,
    ):
        for read in records:
            read.set_tag("XT", 61, "i")
            out.write(read)
    pysam.index(str(tmp_path / "tagged.bam"))
    file = open_alignments(tmp_path / "tagged.bam", reference)
    reads = read_alignments(file, reference, 0, 0, 2000)
    reverse = (reads.flag & 16) > 0
    assert (reads.high[~reverse] == 60).all()
    assert (reads.low[~reverse] == 0).all()
    assert (reads.low[reverse] == 40).all()
    assert (reads.high[reverse] == 100).all()
    seen = candidates.scan_window(reads, reference.contig(0), 0, 2000)
    assert seen.depth.sum() == 60 * len(reads.pos)


def test_indels_of_a_repeat_count_together(monkeypatch):
    """Two of six insertions there hold no error; alone they are too few of 26 reads."""
    ref = encode("C" + "GT" * 18 + "AACCATTAGGAC")
    inserted = encode("GTGTTTGCTCGA")
    nothing = np.empty((0, 4), np.int32), np.empty(0, np.uint8)
    monkeypatch.setattr(candidates, "_clipped", lambda *_: nothing)
    starts = (1, 1, 36, 13, 36, 13)
    indels = np.array([(start, 0, 2, 2 * k) for k, start in enumerate(starts)], np.int32)
    n = len(ref)
    none = np.zeros((n, 4), np.int32)
    for count, wanted in ((6, [(1, 0, bytes(encode("GT")))]), (2, [])):
        seen = candidates.Scan(
            0, none, none, np.full(n, 26, np.int32), np.zeros(n + 1, np.int32), indels[:count],
            inserted,
        )  # fmt: skip
        assert [edit.key for edit in candidates._indels(seen, None, ref)] == wanted


REPEAT = encode("ACGTTGCAGT" + "CA" * 12 + "GTTACGGATC")
ONE = 10  # the first C


def _found(monkeypatch, put: list[str], depth: int) -> set[str]:
    """What is taken for inserted there, of reads that put in these."""
    nothing = np.empty((0, 4), np.int32), np.empty(0, np.uint8)
    monkeypatch.setattr(candidates, "_clipped", lambda *_: nothing)
    sizes = np.array([len(text) for text in put])
    indels = np.zeros((len(put), 4), np.int32)
    indels[:, 0], indels[:, 2], indels[:, 3] = ONE, sizes, np.cumsum(sizes) - sizes
    n = len(REPEAT)
    none, clips = np.zeros((n, 4), np.int32), np.zeros(n + 1, np.int32)
    deep = np.full(n, depth, np.int32)
    seen = candidates.Scan(0, none, none, deep, clips, indels, encode("".join(put)))
    found = candidates._indels(seen, None, REPEAT)
    return {decode(np.frombuffer(edit.put, np.uint8)) for edit in found}


def test_one_read_is_enough_in_a_repeat_that_varies(monkeypatch):
    """Where few others span it, or where the site has another length that is no commoner."""
    assert _found(monkeypatch, ["CA"], 5) == {"CA"}
    assert _found(monkeypatch, ["CA"], 12) == set()
    assert _found(monkeypatch, ["CA"] + 5 * ["CACA"], 30) == {"CA", "CACA"}
    assert _found(monkeypatch, ["CA"] + 12 * ["CACA"], 30) == {"CACA"}
    assert _found(monkeypatch, ["T"], 5) == set()  # no copy of the unit
    assert _found(monkeypatch, ["T"] * 2, 5) == {"T"}


def test_edits_that_overlap_are_one_region():
    far = [candidates.Edit(at, 0, b"\0", at - 1, at + 400, 2) for at in (1000, 1150, 1390)]
    assert len(candidates.group(far)) == 2  # 551 bases, then 791
    alone = [candidates.Edit(at, 1, b"\0", at, at + 1, 2) for at in range(1000, 1400, 15)]
    assert len(candidates.group(alone)) == 2
