"""Reads over a locus as a kilobyte of text, for the page to draw.

A pile is {"place", "first" (1-based, of the window), "ref" (the window's bases), "at" and "size"
(the variant in the window), "allele", "depth" (reads over the locus), "reads"}. reads: groups of
reads that carry ALT, and that do not, parted by "|"; in a group reads parted by spaces; a read is

    strand   + or -; p or m (forward, reverse) where MAPQ < 20
    ends     first and last place in the window, a character of DIGITS each; its own end is clipped
             where "<" or ">" follows them
    rest     (place, what): a base (lower case: base quality < 20), "-" and a length for a deletion,
             "^" and a length for an insertion behind that place
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pysam

from lingqu.base.errors import LingquError
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import Reference
from lingqu.sequence.codes import decode

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
WIDTH = 61
READS = 40
BYTES = 1000
_LEFT_OUT = 0x4 | 0x100 | 0x200 | 0x400 | 0x800
_SURE = 20


def piles(alignment: Path, reference: Reference, loci: Iterable[tuple]) -> list[dict]:
    """The pile of each locus: (contig, 0-based position, REF, ALT, row of the table).

    alignment: a BAM or CRAM with its index. LingquError where it cannot be read.
    """
    loci = list(loci)
    if not loci:
        return []
    cram = (
        {"reference_filename": str(htslib_fasta(reference))} if alignment.suffix == ".cram" else {}
    )
    try:
        with pysam.AlignmentFile(str(alignment), **cram) as reads:
            return [_pile(reads, reference, *locus) for locus in loci]
    except (OSError, ValueError) as error:
        raise LingquError(f"{alignment}: {error}; remove it and run the workflow again") from None


def _pile(
    reads: pysam.AlignmentFile,
    reference: Reference,
    contig: str,
    pos: int,
    ref: str,
    alt: str,
    row: int,
) -> dict:
    first = max(0, pos + min(len(ref), WIDTH - 20) // 2 - WIDTH // 2)
    window = decode(reference.contig(reference.tid(contig))[first : first + WIDTH])
    groups: dict[bool, list[str]] = {True: [], False: []}
    for read in reads.fetch(contig, pos, pos + 1):
        if not read.flag & _LEFT_OUT and read.query_sequence and read.cigartuples:
            groups[carries(read, pos, ref, alt)].append(encode(read, first, window))
    depth = sum(map(len, groups.values()))
    told = {
        "row": row,
        "place": f"{contig}:{pos + 1:,}",
        "first": first + 1,
        "ref": window,
        "at": pos - first,
        "size": min(len(ref), first + WIDTH - pos),
        "allele": f"{_short(ref)} → {_short(alt)}",
        "depth": depth,
        "alt": len(groups[True]),
    }
    room = BYTES - len(str(told)) - 20
    return told | {"reads": _packed(groups, room)}


def _short(allele: str) -> str:
    return allele if len(allele) <= 12 else f"{allele[:11]}…"


def _packed(groups: dict[bool, list[str]], room: int) -> str:
    """Both groups in `room` characters: as many reads as fit, evenly taken from each."""
    whole = sum(map(len, groups.values()))
    shown = min(whole, READS)
    while True:
        alts = min(len(groups[True]), round(shown * len(groups[True]) / max(whole, 1)))
        if groups[True] and shown:
            alts = max(alts, 1)
        kept = _thinned(groups[True], alts), _thinned(groups[False], shown - alts)
        text = "|".join(" ".join(group) for group in kept)
        if len(text) <= room or not shown:
            return text
        shown -= 1


def _thinned(reads: list[str], count: int) -> list[str]:
    count = min(count, len(reads))
    return [reads[index * len(reads) // count] for index in range(count)]


def carries(read, pos: int, ref: str, alt: str) -> bool:
    """Whether a read shows ALT at `pos` as it is aligned: the base, or an indel of its length."""
    at, here = read.reference_start, 0
    change = len(alt) - len(ref)
    for operation, length in read.cigartuples:
        if operation in (0, 7, 8):
            if change == 0 and at <= pos < at + length:
                base = read.query_sequence[here + pos - at : here + pos - at + len(alt)]
                return base == alt[: len(base)]
            at, here = at + length, here + length
        elif operation == 1:
            if change == length and pos - 1 <= at - 1 <= pos + len(ref):
                return True
            here += length
        elif operation in (2, 3):
            if change == -length and pos - 1 <= at - 1 <= pos + len(ref):
                return True
            at += length
        elif operation == 4:
            here += length
    return False


def encode(read, first: int, window: str) -> str:
    """One read of a pile: see the module."""
    sure = read.mapping_quality >= _SURE
    strand = ("-" if sure else "m") if read.is_reverse else ("+" if sure else "p")
    start = max(read.reference_start, first) - first
    end = min(read.reference_end, first + len(window)) - 1 - first
    clips = "<" if read.cigartuples[0][0] == 4 and read.reference_start >= first else ""
    if read.cigartuples[-1][0] == 4 and read.reference_end <= first + len(window):
        clips += ">"
    return f"{strand}{DIGITS[start]}{DIGITS[end]}{clips}{''.join(_changes(read, first, window))}"


def _changes(read, first: int, window: str) -> Iterator[str]:
    at, here, last = read.reference_start, 0, len(window)
    qualities = read.query_qualities
    for operation, length in read.cigartuples:
        if operation in (0, 7, 8):
            for step in range(max(0, first - at), min(length, first + last - at)):
                base = read.query_sequence[here + step]
                if base != window[at + step - first]:
                    low = qualities is not None and qualities[here + step] < _SURE
                    yield DIGITS[at + step - first] + (base.lower() if low else base)
            at, here = at + length, here + length
        elif operation == 1:
            if 0 <= at - 1 - first < last:
                yield f"{DIGITS[at - 1 - first]}^{DIGITS[min(length, 61)]}"
            here += length
        elif operation in (2, 3):
            begin, end = max(at, first) - first, min(at + length, first + last) - first
            if begin < end:
                yield f"{DIGITS[begin]}-{DIGITS[end - begin]}"
            at += length
        elif operation == 4:
            here += length
