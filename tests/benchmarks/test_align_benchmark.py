"""The arithmetic behind the aligner's benchmark: planted indels, places, curves, intervals."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parent))  # scripts import their neighbours by bare names
try:
    import judge
    import measure
    import simulate
finally:
    sys.path.pop()

READS = simulate.Reads(
    Path("r1"),
    Path("r2"),
    ["a", "b"],
    50,
    np.array([0, 0, 1, 1, simulate.FOREIGN, simulate.FOREIGN], np.int32),
    np.array([100, 400, 100, 400, 0, 0], np.int32),
    np.array([150, 450, 150, 450, 0, 0], np.int32),
)
SAM = """@SQ\tSN:b\tLN:1000
@SQ\tSN:a\tLN:1000
0_x\t99\ta\t106\t60\t5S45M\t=\t401\t345\t{bases}\t*
0_x\t147\ta\t422\t30\t50M\t=\t106\t-345\t{bases}\t*
0_x\t2195\ta\t401\t60\t50M\t=\t106\t-345\t{bases}\t*
1_x\t99\ta\t101\t7\t50M\t=\t361\t345\t{bases}\t*
1_x\t147\tb\t371\t20\t20M30I\t=\t101\t-345\t{bases}\t*
2_x\t73\ta\t500\t1\t50M\t=\t500\t0\t{bases}\t*
2_x\t133\ta\t500\t0\t*\t=\t500\t0\t{bases}\t*
""".format(bases="A" * 50)


@pytest.fixture(scope="module")
def placed(tmp_path_factory) -> judge.Placed:
    path = tmp_path_factory.mktemp("sam") / "out.sam"
    path.write_text(SAM)
    return judge.place(path, READS)


def test_reads_are_placed_by_their_unclipped_ends(placed):
    far = judge.FAR
    assert placed.start.tolist() == [0, 21, far, -30, far, far]
    assert placed.end.tolist() == [0, 21, far, -60, far, far]
    assert placed.mapq.tolist() == [60, 30, 7, 20, 1, -1]
    assert placed.foreign.tolist() == [False] * 4 + [True] * 2
    assert placed.correct().tolist() == [True] + [False] * 5


def test_either_end_makes_a_read_right():
    off = np.array([0, 30, 30, 20], np.int32)
    ends = np.array([30, 0, 30, 30], np.int32)
    both = judge.Placed(off, ends, np.zeros(4, np.int16), np.zeros(4, bool))
    assert both.correct().tolist() == [True, False, False, True]
    assert both.correct(either_end=True).tolist() == [True, True, False, True]


def test_placed_reads_are_kept_and_pooled(placed, tmp_path):
    placed.save(tmp_path / "placed.npz")
    twice = judge.pool([placed, judge.load(tmp_path / "placed.npz")])
    assert twice.mapq.tolist() == 2 * placed.mapq.tolist()


def test_curve_counts_kept_wrong_and_foreign(placed):
    curve = judge.curve(placed)
    assert (curve.reads, curve.correct) == (4, 1)
    assert [curve.at(q) for q in (0, 1, 8, 20, 31, 61)] == [
        (4, 4),
        (4, 4),
        (3, 2),
        (3, 2),
        (1, 0),
        (0, 0),
    ]
    assert curve.said(1) == 5
    assert curve.foreign_kept[[0, 1, 2]].tolist() == [1, 1, 0]


def test_calibration_counts_claimed_and_observed(placed):
    claimed, reads, wrong = judge.calibration(placed).T
    occurring = np.flatnonzero(reads)
    assert occurring.tolist() == [0, 1, 4, 6, 12]
    assert claimed[occurring] == pytest.approx([10**-0.1, 10**-0.7, 10**-2, 10**-3, 10**-6])
    assert reads.sum() == 5
    assert wrong[occurring].tolist() == [1, 1, 1, 1, 0]


mapped = st.lists(
    st.tuples(st.integers(-1, 60), st.booleans(), st.booleans()), min_size=1, max_size=40
)


@given(mapped)
def test_curve_is_what_counting_says(reads):
    off = np.array([0 if right else 99 for _, right, _ in reads], np.int32)
    mapq = np.array([quality for quality, _, _ in reads], np.int16)
    foreign = np.array([is_foreign for _, _, is_foreign in reads])
    off[foreign] = judge.FAR
    curve = judge.curve(judge.Placed(off, off, mapq, foreign))
    for limit in (0, 1, 30, 60):
        kept = [q >= limit and not other for q, _, other in reads]
        wrong = [q >= limit and (other or not right) for q, right, other in reads]
        assert curve.at(limit) == (sum(kept), sum(wrong))


def curve_of(*points: tuple[int, int, int]) -> judge.Curve:
    """The curve of an aligner with so many reads, so many wrong, at each MAPQ."""
    counts = np.zeros((2, 256), np.int64)
    for quality, reads, wrong in points:
        counts[:, quality] = reads, wrong
    kept, wrong = counts[:, ::-1].cumsum(1)[:, ::-1]
    return judge.Curve(100, 0, kept, wrong, np.zeros(256, np.int64))


def test_a_rival_is_ahead_where_it_keeps_as_many_with_fewer_wrong():
    own = curve_of((60, 80, 1), (10, 10, 4), (0, 5, 5))
    assert judge.rivals(own, own) == []
    assert judge.rivals(own, curve_of((3, 80, 1))) == []
    assert judge.rivals(own, curve_of((3, 80, 0), (2, 5, 2))) == [
        (2, 85, 2, 3.0),
        (3, 80, 0, 1.0),
    ]
    assert judge.rivals(own, curve_of((5, 96, 50))) == [(5, 96, 50, math.inf)]


@given(st.integers(0, 2**32), st.integers(2 * simulate.LONGEST_INDEL + 2, 400))
def test_planted_letters_lift_to_where_they_came_from(seed, every):
    rng = np.random.default_rng(seed)
    letters = np.frombuffer(b"ACGT", np.uint8)[rng.integers(0, 4, 5000)]
    planted, lift = simulate.plant_indels(letters, every, rng)
    places = lift(np.arange(len(planted)))
    moves = lift.moves[np.searchsorted(lift.planted, np.arange(len(planted)), "right") - 1]
    assert (planted[moves] == letters[places[moves]]).all()
    steps = np.diff(places)
    assert steps.min() >= 0
    assert steps.max() <= 1 + simulate.LONGEST_INDEL
    assert (~moves).any() or steps.max() > 1


def test_wilson_is_the_interval_of_the_paper():
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3
    for hits, of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)):
        assert measure.wilson(hits, of) == pytest.approx((low, high), abs=5e-5)
    assert measure.wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert measure.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert measure.wilson(29, 29)[1] == 1
    assert measure.wilson(0, 0) == (0, 1)
