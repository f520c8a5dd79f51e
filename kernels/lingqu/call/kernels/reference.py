"""How surely a place is as the reference, from the alignments alone.

For each place, what the reads cost three genotypes (in 1/100 Phred): homozygous for the reference,
heterozygous with an allele that nobody has named, homozygous for such an allele; once for the base
that stands there and once for an indel behind it. Reads tell of an indel only where they span the
whole repeat in which it could be shifted. (The idea is that of the reference model of GATK's
HaplotypeCaller, DePristo et al. 2011, Poplin et al. 2017; the evidence is this caller's own:
templates, learned gap chances, the chance of a wrong mapping.)
"""

import numpy as np

from lingqu.base.jit import kernel

DEPTH, REF, HET, ALT, GAP_REF, GAP_HET, GAP_ALT = range(7)
"""Rows of `sums`."""
FLANK = 5
"""Bases that a read must have on both sides of a repeat to tell its length."""
_MOST_GAPS = 16


@kernel
def repeat_reach(codes, periods, left, right):
    """Places [left[i], right[i]) (int32[n]) in which an indel right behind place i can be shifted.

    codes: uint8[n + 1]. These are the repeats, of units below `periods` bases, that hold place i or
    the next one; where there is none left = right = i + 1. Both rise with i.
    """
    n = np.int64(len(left))
    for i in range(n):
        left[i] = i + 1
        right[i] = i + 1
    for period in range(1, periods):
        run = np.int64(0)
        for i in range(period, n + 2):
            if i < n + 1 and codes[i] == codes[i - period] and codes[i] < 4:
                run += 1
                continue
            if run >= period:
                begin = i - run - period
                for k in range(max(begin - 1, 0), min(i, n)):
                    left[k] = min(left[k], begin)
                    right[k] = max(right[k], i)
            run = 0


@kernel
def _weigh_bases(codes, quals, at, ref, to, row, count, lose, half, refs, hets, alts):
    """Add `count` bases from codes[at] on, which lie on ref[to:]; their rows begin with `row`.

    Places are uint64, see formats/bam_read_kernels.py.
    """
    last = np.uint8(len(lose) - 1)
    for k in range(count):
        code, there = codes[at + k], ref[to + k]
        if code < 4 and there < 4:
            quality = min(quals[at + k], last)
            hets[row + k] += half[quality]
            if code == there:
                alts[row + k] += lose[quality]
            else:
                refs[row + k] += lose[quality]


@kernel
def _weigh_gaps(first, last, gaps, seen, gap_quality, lose, sums):
    """Take back of a read that spans the rows [first, last) where it shows indels behind them.

    gaps: int64[seen, 2], rows that an indel of the read may stand behind, in order.
    """
    done = first
    for k in range(seen):
        for row in range(max(gaps[k, 0], done), min(gaps[k, 1], last)):
            quality = gap_quality[row]
            sums[GAP_ALT, row] -= lose[quality]
            sums[GAP_REF, row] += lose[quality]
        done = max(done, gaps[k, 1])


@kernel
def _sum_up(changes, gap_quality, lose, half, sums):
    """Add what reads told by where they begin and end: changes (int64[2, n + 1]) of the number of
    reads over a row, and of those that span the repeat there and are mapped most surely.
    """
    reads, spans = np.int64(0), np.int64(0)
    for row in range(len(gap_quality)):
        reads += changes[0, row]
        spans += changes[1, row]
        sums[DEPTH, row] += reads
        sums[GAP_HET, row] += spans * half[gap_quality[row]]
        sums[GAP_ALT, row] += spans * lose[gap_quality[row]]


@kernel
def weigh_reference(
    reads, template, shown, ref, origin, min_mapq, gap_quality, left, right, lose, half, sums
):  # fmt: skip
    """Add the evidence of the reads to sums (int64[7, n]), row i being place origin + i.

    reads: Alignments. template: int32[reads]; where two reads of one cover a place, the first one
    tells. shown: int32[templates], zeros. ref: uint8, the contig. gap_quality: uint8[n], Phred of a
    gap to open behind each row; left, right: int32[n], see `repeat_reach`. lose, half:
    int32[mapqs, qualities], what one read costs the genotype that it disagrees with, and the
    heterozygote, in 1/100 Phred; greater qualities count as the last ones.
    """
    n = np.int64(sums.shape[1])
    gaps = np.empty((_MOST_GAPS, 2), np.int64)
    changes = np.zeros((2, n + 1), np.int64)
    refs, hets, alts = sums[REF], sums[HET], sums[ALT]
    for r in range(len(reads.pos)):
        if reads.mapq[r] < min_mapq:
            continue
        row_lose = lose[min(reads.mapq[r], len(lose) - 1)]
        row_half = half[min(reads.mapq[r], len(lose) - 1)]
        new = max(np.int64(shown[template[r]]), origin)
        shown[template[r]] = max(shown[template[r]], reads.end[r])
        low, high = np.int64(reads.low[r]), np.int64(reads.high[r])
        at, pos = np.int64(0), np.int64(reads.pos[r])
        first, last = n, np.int64(0)
        seen = np.int64(0)
        for word in range(reads.cigar_start[r], reads.cigar_start[r + 1]):
            op = reads.cigar[word] & 15
            size = np.int64(reads.cigar[word] >> 4)
            if op == 0 or op == 7 or op == 8:
                begin = max(max(at, low), at + origin - pos)
                stop = min(min(at + size, high), at + origin + n - pos)
                if begin < stop:
                    shift = pos - at
                    first = min(first, begin + shift - origin)
                    last = stop + shift - origin
                    begin = max(begin, new - shift)
                    if begin < stop:
                        changes[0, begin + shift - origin] += 1
                        changes[0, stop + shift - origin] -= 1
                        _weigh_bases(
                            reads.codes, reads.quals, np.uint64(reads.base_start[r] + begin), ref,
                            np.uint64(begin + shift), np.uint64(begin + shift - origin),
                            np.uint64(stop - begin), row_lose, row_half, refs, hets, alts,
                        )  # fmt: skip
            elif (op == 1 or op == 2) and low < at < high:
                row = pos - 1 - origin
                if 0 <= row < n and seen < _MOST_GAPS:
                    gaps[seen, 0] = left[row] - 1
                    gaps[seen, 1] = right[row]
                    seen += 1
                if op == 2:
                    for k in range(max(pos, new) - origin, min(pos + size - origin, n)):
                        sums[DEPTH, k] += 1
                        sums[REF, k] += row_lose[gap_quality[k]]
                        sums[HET, k] += row_half[gap_quality[k]]
            elif op == 3:
                first, last, seen = n, np.int64(0), np.int64(0)
            if op != 2 and op != 3:
                at += size
            if op == 0 or op == 2 or op == 3 or op == 7 or op == 8:
                pos += size
        begin, end = first, last
        while begin < last and left[begin] < first + FLANK:
            begin += 1
        while end > begin and right[end - 1] + FLANK > last:
            end -= 1
        begin = max(begin, new - origin)
        if begin < end and reads.mapq[r] >= len(lose) - 1:
            changes[1, begin] += 1
            changes[1, end] -= 1
        else:
            for row in range(begin, end):
                sums[GAP_HET, row] += row_half[gap_quality[row]]
                sums[GAP_ALT, row] += row_lose[gap_quality[row]]
        _weigh_gaps(begin, end, gaps, seen, gap_quality, row_lose, sums)
    _sum_up(changes, gap_quality, lose[len(lose) - 1], half[len(half) - 1], sums)
