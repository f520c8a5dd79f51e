#!/usr/bin/env python3
"""Lingqu's aligner beside those of the peers that are on PATH: cost, and accuracy if names tell.

    python tests/benchmarks/align.py REF.fa R1.fastq.gz R2.fastq.gz [--runs 3] [--tools a,b]

Peers write SAM from FASTQ; with "+ samtools" they go on to what `lingqu align` always gives, a
sorted BAM with duplicates marked. Indexes are built beforehand and not counted. Where the reads
are dwgsim's, a read is correct if its unclipped start is within 20 bp of the true one.
"""

import argparse
import shutil
import tempfile
from itertools import islice
from pathlib import Path

import pysam
from measure import Cost, run, run_once, table

NEAR = 20
THRESHOLDS = (1, 10, 20, 30, 60)
WARM_UP_PAIRS = 5000

SORTED = (
    " | samtools fixmate -m -u - - | samtools sort -u -T {tmp}/sort -"
    " | samtools markdup - {out}.bam"
)
PEERS = {
    "strobealign": "strobealign -t {threads} -r 150 --use-index {ref} {r1} {r2}",
    "bwa-mem2": "bwa-mem2 mem -t {threads} {ref} {r1} {r2}",
    "bwa": "bwa mem -t {threads} {ref} {r1} {r2}",
    "minimap2": "minimap2 -t {threads} -ax sr {ref} {r1} {r2}",
}
COMMANDS = {
    "lingqu": "lingqu align {ref} {r1} {r2} --sample bench --threads {threads} -o {out}.bam",
    **{name: f"{command} > {{out}}.sam" for name, command in PEERS.items()},
    **{f"{name} + samtools": command + SORTED for name, command in PEERS.items()},
}


def head_of(fastq: str, out: Path) -> Path:
    """A copy of the first reads, to compile and to warm the page cache."""
    with pysam.FastxFile(fastq) as records:
        out.write_text("".join(f"{record}\n" for record in islice(records, WARM_UP_PAIRS)))
    return out


def count_reads(fastq: str) -> int:
    """Reads of a pair of files, from the first."""
    with pysam.FastxFile(fastq) as records:
        return 2 * sum(1 for _ in records)


def true_start(name: str, is_read2: bool) -> tuple[str, int] | None:
    """Contig and 0-based start of a dwgsim read; None where the name is not dwgsim's."""
    fields = name.rsplit("_", 9)
    if len(fields) != 10 or fields[7].count(":") != 2:
        return None
    return fields[0], int(fields[2 if is_read2 else 1]) - 1


def is_correct(read: pysam.AlignedSegment, truth: tuple[str, int]) -> bool:
    """Whether a read lies where it came from."""
    if read.is_unmapped or read.reference_name != truth[0]:
        return False
    operation, length = read.cigartuples[0]
    clipped = length if operation in (pysam.CSOFT_CLIP, pysam.CHARD_CLIP) else 0
    return abs(read.reference_start - clipped - truth[1]) <= NEAR


def accuracy(alignments: Path) -> list[str] | None:
    """Percent correct, and per threshold "wrong rate (percent kept)"; None where names are mute."""
    total = correct = 0
    kept, wrong = dict.fromkeys(THRESHOLDS, 0), dict.fromkeys(THRESHOLDS, 0)
    with pysam.AlignmentFile(str(alignments), check_sq=False) as records:
        for read in records.fetch(until_eof=True):
            if read.is_secondary or read.is_supplementary:
                continue
            truth = true_start(read.query_name, read.is_read2)
            if truth is None:
                return None
            right = is_correct(read, truth)
            total, correct = total + 1, correct + right
            for threshold in THRESHOLDS:
                if not read.is_unmapped and read.mapping_quality >= threshold:
                    kept[threshold] += 1
                    wrong[threshold] += not right
    return [f"{100 * correct / total:.3f}"] + [
        f"{wrong[limit] / max(kept[limit], 1):.1e} ({100 * kept[limit] / total:.2f})"
        for limit in THRESHOLDS
    ]


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ref")
    parser.add_argument("r1")
    parser.add_argument("r2")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tools", default=",".join(COMMANDS), help="of: %(default)s")
    parser.add_argument("--tmp", help="folder for the outputs (default: the system's)")
    return parser.parse_args()


def measure(name: str, options: argparse.Namespace, tmp: Path) -> tuple[Cost, Path]:
    """What a tool costs on the reads, and its alignments."""
    places = {"ref": options.ref, "threads": options.threads, "tmp": tmp, "out": tmp / "out"}
    few = {mate: head_of(vars(options)[mate], tmp / f"{mate}.fq") for mate in ("r1", "r2")}
    run_once(COMMANDS[name].format(**places, **few))
    for left in tmp.glob("out*"):
        left.unlink()
    cost = run(COMMANDS[name].format(**places, r1=options.r1, r2=options.r2), options.runs)
    (result,) = (path for path in tmp.glob("out.*") if path.suffix in (".bam", ".sam"))
    return cost, result


def main() -> None:
    """Measure each tool and print the tables."""
    options = arguments()
    reads = count_reads(options.r1)
    costs, accuracies = [], []
    for name in options.tools.split(","):
        if not all(map(shutil.which, name.split(" + "))):
            continue
        with tempfile.TemporaryDirectory(dir=options.tmp) as tmp:
            cost, result = measure(name, options, Path(tmp))
            speed = f"{reads / cost.cpu:,.0f}"
            costs.append(
                [name, f"{cost.cpu:.1f}", f"{cost.wall:.1f}", speed, f"{cost.memory_mb:,.0f}"]
            )
            if "+" not in name and (figures := accuracy(result)):
                accuracies.append([name, *figures])
    print(table(["tool", "CPU s", "wall s", "reads/s/core", "memory MB"], costs))
    if accuracies:
        print("\nwrong at MAPQ >= n, of the reads kept (kept, percent)")
        print(table(["tool", "correct %", *(f">= {n}" for n in THRESHOLDS)], accuracies))


if __name__ == "__main__":
    main()
