#!/usr/bin/env python3
"""Make tests/data/demo from its public sources; demo/README.md names them.

    python tests/data/make_demo.py READS.bam TRUTH.vcf.gz GRCH37_CHR20.fa.gz [OUT]

READS.bam is a slice of NA12878 around 20:10,000,001-10,100,000, TRUTH.vcf.gz has benchmark calls
of chromosome 20, GRCH37_CHR20.fa.gz its sequence with contig "20" first. The same sources give the
same bytes.
"""

import gzip
import sys
from collections import defaultdict
from pathlib import Path

import deflate
import pysam

CONTIG = "20"
WINDOW = (9_900_000, 10_200_000)
"""Bases of the contig that are kept, 0-based, half-open; the rest becomes N."""

TRUTH = (9_990_000, 10_110_000)
LINE = 60
_COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def fastq_record(read: pysam.AlignedSegment) -> str:
    """The record as it was sequenced."""
    bases, qualities = read.query_sequence, read.qual
    if read.is_reverse:
        bases, qualities = bases.translate(_COMPLEMENT)[::-1], qualities[::-1]
    return f"@{read.query_name}\n{bases}\n+\n{qualities}\n"


def place_on_flowcell(name: str) -> list[int]:
    """Lane, tile, x and y of a read name: the order in which a sequencer writes."""
    return [int(field) for field in name.split(":")[3:7]]


def write_reads(bam: Path, out: Path) -> None:
    """Complete pairs to one FASTQ pair a lane; a record that stands twice is written once."""
    mates: dict[str, dict[int, str]] = defaultdict(dict)
    with pysam.AlignmentFile(str(bam)) as records:
        for read in records.fetch(until_eof=True):
            mates[read.query_name].setdefault(2 if read.is_read2 else 1, fastq_record(read))
    pairs = sorted((name for name in mates if len(mates[name]) == 2), key=place_on_flowcell)
    print(f"{len(pairs)} pairs, {len(mates) - len(pairs)} reads without a mate left out")
    for lane in sorted({place_on_flowcell(name)[0] for name in pairs}):
        of_lane = [name for name in pairs if place_on_flowcell(name)[0] == lane]
        print(f"lane {lane}: {len(of_lane)} pairs")
        for mate in (1, 2):
            text = "".join(mates[name][mate] for name in of_lane).encode()
            path = out / f"NA12878_L{lane:03}_R{mate}.fastq.gz"
            path.write_bytes(deflate.gzip_compress(text, 12))


def write_reference(fasta: Path, out: Path) -> None:
    """The contig at its full length, N outside WINDOW, as BGZF FASTA."""
    with gzip.open(fasta, "rt") as lines:
        if lines.readline().split()[0] != f">{CONTIG}":
            sys.exit(f"{fasta}: does not begin with contig {CONTIG}")
        sequence = "".join(line.strip() for line in lines).upper()
    start, end = WINDOW
    masked = "N" * start + sequence[start:end] + "N" * (len(sequence) - end)
    rows = (masked[at : at + LINE] for at in range(0, len(masked), LINE))
    with pysam.BGZFile(str(out / "reference.fa.gz"), "wb") as compressed:
        compressed.write(f">{CONTIG}\n".encode())
        compressed.write(("\n".join(rows) + "\n").encode())
    print(f"contig {CONTIG}: {len(masked)} bases")


def write_truth(vcf: Path, out: Path) -> None:
    """The records of TRUTH as they are."""
    path = out / "truth.vcf.gz"
    with gzip.open(vcf, "rt") as lines, pysam.BGZFile(str(path), "wb") as kept:
        for line in lines:
            fields = line.split("\t", 2)
            if line[0] == "#" or (fields[0] == CONTIG and TRUTH[0] < int(fields[1]) <= TRUTH[1]):
                kept.write(line.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)


def main() -> None:
    """Read the paths, write the files."""
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    bam, truth, fasta = map(Path, sys.argv[1:4])
    out = Path(sys.argv[4]) if len(sys.argv) == 5 else Path(__file__).parent / "demo"
    out.mkdir(parents=True, exist_ok=True)
    write_reads(bam, out)
    write_reference(fasta, out)
    write_truth(truth, out)


if __name__ == "__main__":
    main()
