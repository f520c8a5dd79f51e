"""Likelihood of reads under haplotypes: a banded pair-HMM, several reads side by side.

The model, for read base i and haplotype base j (Durbin et al. 1998, chapter 4; GATK's PairHMM):

    M[i,j] = e(i,j) * (M[i-1,j-1] * (1 - 2 g[j]) + (I[i-1,j-1] + D[i-1,j-1]) * (1 - x))
    I[i,j] = M[i-1,j] * g[j] + I[i-1,j] * x
    D[i,j] = M[i,j-1] * g[j] + D[i,j-1] * x
    L      = sum over j of M[n,j] + I[n,j]

g[j] is the chance of a gap to open at haplotype base j, x = 0.1 the chance of one to go on, and
e is 1 - error where the bases agree, error / 3 where not. A read may start at any j of the band:
M[0,j] = 1. The band holds WIDTH diagonals. LANES reads go through one haplotype together, one a
lane, so that each operation is one vector operation; lanes never mix, so that the result of a read
does not depend on its neighbours or on the width of the CPU's vectors. All numbers are float32 in
one workspace, in sections of fixed place: LLVM then knows that stores do not touch the inputs.
"""

import numpy as np

from lingqu.base.jit import kernel

LANES = 16
WIDTH = 16
MAX_ROWS = 512
OUTSIDE = 5
"""Code of haplotype places before its start and after its end."""

_EXTEND = np.float32(0.1)
_CLOSE = np.float32(0.9)
_ONE = np.float32(1.0)
_TWO = np.float32(2.0)
_ZERO = np.float32(0.0)
_U = np.uint64(LANES)

_STATE = (WIDTH + 1) * LANES
_S = np.uint64(_STATE)
_LEFT = 0
_OLD = 2 * LANES
_BASE = _OLD + 2 * 3 * _STATE
_RIGHT = _BASE + MAX_ROWS * LANES
_WRONG = _RIGHT + MAX_ROWS * LANES
_HAP = _WRONG + MAX_ROWS * LANES
_GAP = _HAP + (MAX_ROWS + WIDTH) * LANES
WORKSPACE = _GAP + (MAX_ROWS + WIDTH) * LANES
"""Length of the workspace (float32)."""


def new_workspace() -> np.ndarray:
    """A workspace (float32[WORKSPACE]) on a cache line: vectors across two cost twice as much."""
    raw = np.zeros(WORKSPACE + 16, np.float32)
    first = (-raw.ctypes.data % 64) // 4
    return raw[first : first + WORKSPACE]


@kernel
def load_read(space, lane, codes, quals, right, wrong):
    """Put a read (uint8[n <= MAX_ROWS] codes, Phred quals) into a lane.

    right, wrong: float32[256], chances of an agreeing and of a disagreeing base by quality.
    Code 4 (N) agrees and disagrees with 1/4.
    """
    for i in range(len(codes)):
        at = i * LANES + lane
        space[_BASE + at] = codes[i]
        if codes[i] < 4:
            space[_RIGHT + at] = right[quals[i]]
            space[_WRONG + at] = wrong[quals[i]]
        else:
            space[_RIGHT + at] = np.float32(0.25)
            space[_WRONG + at] = np.float32(0.25)


@kernel
def load_haplotype(space, lane, hap, gap, start, rows):
    """Put the stretch of a haplotype that a read of `rows` bases can meet into a lane.

    hap: uint8[m] codes. gap: float32[m], chance of a gap to open. start: the place (it may lie
    outside [0, m)) of the read's first base on the middle of the band.
    """
    first = start - WIDTH // 2
    m = len(hap)
    for k in range(rows + WIDTH):
        j = first + k
        at = k * LANES + lane
        if j >= 0 and j < m:
            space[_HAP + at] = hap[j]
            space[_GAP + at] = gap[j]
        else:
            space[_HAP + at] = np.float32(OUTSIDE)
            space[_GAP + at] = np.float32(3e-5)


@kernel
def forward(space, rows, scale, result):
    """Likelihoods of the loaded lanes, times `scale`.

    rows: int64[LANES], read length by lane (0: lane unused). result: float32[LANES], filled.
    Underflow gives 0: such a read fits the haplotype by no stretch.
    """
    longest = np.int64(0)
    shortest = np.int64(MAX_ROWS)
    for lane in range(LANES):
        result[lane] = _ZERO
        longest = max(longest, rows[lane])
        if rows[lane] > 0:
            shortest = min(shortest, rows[lane])
    for k in range(2 * 3 * _STATE):
        space[_OLD + k] = _ZERO
    for k in range(WIDTH * LANES):
        space[_OLD + k] = scale
    old, new = np.uint64(_OLD), np.uint64(_OLD + 3 * _STATE)
    # Unsigned places: Numba tests signed ones for being negative, and that hinders LLVM. Old and
    # new states and the neighbour to the left lie apart: LLVM vectorises what cannot overlap.
    for i in range(np.uint64(longest)):
        row = i * _U
        for lane in range(2 * LANES):
            space[_LEFT + lane] = _ZERO
        for b in range(np.uint64(WIDTH)):
            at = old + b * _U
            to = new + b * _U
            there = (i + b) * _U
            for lane in range(_U):
                gap = space[there + lane + np.uint64(_GAP)]
                right = space[row + lane + np.uint64(_RIGHT)]
                wrong = space[row + lane + np.uint64(_WRONG)]
                same = space[row + lane + np.uint64(_BASE)] == space[there + lane + np.uint64(_HAP)]
                m = space[at + lane]
                indel = space[at + lane + _S] + space[at + lane + _S + _S]
                m_above = space[at + lane + _U]
                i_above = space[at + lane + _U + _S]
                m_left = space[lane + np.uint64(_LEFT)]
                d_left = space[lane + np.uint64(_LEFT + LANES)]
                emit = right if same else wrong
                match = emit * (m * (_ONE - _TWO * gap) + indel * _CLOSE)
                deletion = m_left * gap + d_left * _EXTEND
                space[to + lane] = match
                space[to + lane + _S] = m_above * gap + i_above * _EXTEND
                space[to + lane + _S + _S] = deletion
                space[lane + np.uint64(_LEFT)] = match
                space[lane + np.uint64(_LEFT + LANES)] = deletion
        old, new = new, old
        if np.int64(i) + 1 >= shortest:
            for lane in range(LANES):
                if rows[lane] == np.int64(i) + 1:
                    total = _ZERO
                    for b in range(WIDTH):
                        k = np.int64(old) + b * LANES + lane
                        total += space[k] + space[k + _STATE]
                    result[lane] = total
