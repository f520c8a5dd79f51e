"""The tables that travel through the aligner: a chunk of reads (with its UMIs), and its alignments.

Both are struct of arrays. A *template* is what one pair (or one single read) was sequenced from.
"""

from dataclasses import dataclass

import numpy as np

MAX_READ = 1000
"""Longest read the aligner takes, in bases: scores fit 16 bits, windows the reference's padding."""


@dataclass
class Umis:
    """UMIs of the templates of a chunk.

    tags (uint8) holds the BAM tags RX (and QX) of template t at tag_start[t] (int64[n + 1]) to
    tag_start[t + 1]. word: int64[n, 2], the UMI as numbers (`lingqu.align.kernels.umi.spell`).
    """

    tags: np.ndarray
    tag_start: np.ndarray
    word: np.ndarray


@dataclass
class ReadBatch:
    """A chunk of FASTQ records.

    Read r of a paired chunk is mate r % 2 of template r // 2; of a single-end chunk it is
    template r. `text` (uint8) holds names, `text[name_start[r]:][:name_len[r]]` (without
    '@', comment or /1 /2), and qualities, `text[qual_start[r]:][:length[r]]` (Phred+33).
    `codes` (uint8, 0 to 4) holds the bases of read r, forward, at `codes[start[r]:][:length[r]]`;
    behind its end 64 bytes more may be read. All are void with the chunk (`lingqu.base.scratch`).
    `keep` (int32[n]) is how many leading bases are insert; what follows is adapter, which is
    soft-clipped and tagged XT. 0 means that no insert is left: the read stays unmapped.
    """

    paired: bool
    text: np.ndarray
    name_start: np.ndarray  # int64[n]
    name_len: np.ndarray  # int32[n]
    qual_start: np.ndarray  # int64[n]
    codes: np.ndarray  # uint8[sum of lengths]
    start: np.ndarray  # int64[n]
    length: np.ndarray  # int32[n]
    keep: np.ndarray  # int32[n]
    umis: Umis | None = None

    @property
    def n(self) -> int:
        """Number of reads."""
        return len(self.length)


@dataclass
class AlignmentBatch:
    """The records of a chunk, in template order; within one: primary of R1, primary of R2, others.

    `record_start` (int64[templates + 1]) gives the records of a template. CIGARs are of the whole
    read (soft clips included, adapter tail too) in BAM encoding, in `cigar`. `pos` and `mate_pos`
    are 0-based in the contig, -1 with tid -1 where there is none; an unmapped read with a mapped
    mate has its mate's place. `flag` is complete but for 0x400. `score` is AS, `sub_score` the
    best other score of that read (XS) or -1 where there is none.
    """

    record_start: np.ndarray  # int64[templates + 1]
    read: np.ndarray  # int32[m]: which read of the ReadBatch
    flag: np.ndarray  # uint16[m]
    tid: np.ndarray  # int32[m]
    pos: np.ndarray  # int32[m]
    mapq: np.ndarray  # uint8[m]
    cigar_start: np.ndarray  # int64[m]
    cigar_len: np.ndarray  # int32[m]
    cigar: np.ndarray  # uint32[sum]
    mate_tid: np.ndarray  # int32[m]
    mate_pos: np.ndarray  # int32[m]
    tlen: np.ndarray  # int32[m]
    score: np.ndarray  # int32[m]
    sub_score: np.ndarray  # int32[m]

    @property
    def n(self) -> int:
        """Number of records."""
        return len(self.read)


@dataclass(frozen=True)
class InsertModel:
    """Insert sizes of a read group: FR pairs of outer distance mean ± sd within [low, high].

    `known` is False where too few pairs told: pairing is then by score alone.
    """

    known: bool
    mean: float
    sd: float
    low: int
    high: int
