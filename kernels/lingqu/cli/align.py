"""`lingqu align`: reads to one sorted, duplicate-marked, indexed BAM or CRAM."""

from pathlib import Path

import click

from lingqu.base.errors import LingquError
from lingqu.cli.types import PATH


def _lanes(
    reads: tuple[Path, ...], table: Path | None, line: str | None, sample: str | None, umi: str
):
    """(sample, lanes) of what was asked for."""
    from lingqu.align.lanes import MARKS, Lane, parse_read_group, read_group, read_lanes
    from lingqu.formats.unaligned import is_alignment_file

    given = parse_read_group(line) if line else {}
    sample = sample or given.get("SM")
    if not sample:
        raise click.UsageError("whose reads are these? Give --sample NAME (or SM in -R).")
    if table and (reads or line or umi):
        raise click.UsageError("give either --lanes or R1 [R2] with -R and --umi, not both.")
    if table:
        return sample, read_lanes(table, sample)
    if len(reads) == 2 and reads[0] == reads[1]:
        raise LingquError(f"{reads[0]}: given as R1 and as R2; name both files of the pair")
    if not 1 <= len(reads) <= 2:
        raise click.UsageError("give R1 and R2 (or R1 alone, or one BAM or CRAM), or --lanes.")
    where = umi if not umi or umi in MARKS else Path(umi)
    if any(is_alignment_file(path) for path in reads):
        if len(reads) == 2:
            raise LingquError(f"{reads[1]}: one BAM or CRAM at a time, and no FASTQ beside it")
        return sample, [Lane(reads, read_group(given, sample) if given else {}, where)]
    return sample, [Lane(reads, read_group(given, sample), where)]


def _told(out: Path, stats: dict) -> str:
    def share(name: str) -> str:
        return f"{100 * stats[name] / max(stats['reads'], 1):.2f} % {name.replace('_', ' ')}"

    shares = ", ".join(map(share, ("mapped", "properly_paired", "duplicates")))
    return f"{out}: {stats['reads']:,} reads, {shares}"


@click.command(short_help="Align reads: FASTQ, BAM or CRAM in, sorted BAM or CRAM out.")
@click.argument("fasta", metavar="REF.fa", type=PATH)
@click.argument("reads", metavar="[R1 [R2]]", nargs=-1, type=PATH)
@click.option("-o", "--output", "out", required=True, type=PATH, help="OUT.bam or OUT.cram.")
@click.option("--sample", help="Name of the sample; may be left out where -R gives SM.")
@click.option("-R", "line", metavar="LINE", help="Read group, as bwa's: '@RG\\tID:L1\\tSM:S'.")
@click.option("--lanes", "table", type=PATH, help="Table of lanes: R1, R2, ID, LB, PL, PU, UMI.")
@click.option(
    "--umi",
    metavar="FILE|:|_",
    default="",
    help="UMIs: a FASTQ file, or what stands before them in the reads' names.",
)
@click.option("--no-duplicates", is_flag=True, help="Mark no duplicates: for amplicons.")
@click.option(
    "--secondary",
    type=click.IntRange(0, 10),
    default=0,
    show_default=True,
    help="Write so many other places of a read, as secondary records.",
)
@click.option("--eqx", is_flag=True, help="Write =/X for M in CIGARs (BAM only).")
@click.option("--aligner", metavar="NAME", help="One that a package brings: see lingqu kernels.")
@click.option("-t", "--threads", type=click.IntRange(1), help="Cores to use  [default: all].")
@click.option(
    "--backend",
    type=click.Choice(["processes", "dask"]),
    default="processes",
    show_default=True,
    help="Work in forked processes, or in those of a local Dask cluster.",
)
@click.option("--scheduler", type=PATH, help="Scheduler file of a running Dask cluster.")
def command(
    fasta,
    reads,
    out,
    sample,
    line,
    table,
    umi,
    no_duplicates,
    secondary,
    eqx,
    aligner,
    threads,
    backend,
    scheduler,
) -> None:
    """Align reads to a reference: sorted, duplicates marked, indexed, in one step.

    Reads are FASTQ (plain, gzip or BGZF), paired or single, or one BAM or CRAM in any order,
    whose read groups are kept. Adapters are found and soft-clipped (tag XT: where they begin),
    nothing is thrown away. UMIs (at the end of names, or a FASTQ file of them in the reads' order;
    of BAM and CRAM, those in RX tags) are kept as RX, and reads are then duplicates only if their
    UMIs are the same, or one is an error of the other by one mismatch. Beside the output stand
    OUT.bam.bai (or .csi, .crai), OUT.bam.stats.json and OUT.bam.qc.json, its quality control. A run
    that was stopped goes on where it was when the same command is given again.

    \b
    Examples:
      lingqu align GRCh38.fa R1.fq.gz R2.fq.gz --sample NA12878 -o NA12878.bam
      lingqu align GRCh38.fa R1.fq.gz R2.fq.gz -R '@RG\\tID:L1\\tSM:NA12878\\tLB:lib1' -o L1.bam
      lingqu align GRCh38.fa R1.fq.gz R2.fq.gz --umi UMI.fq.gz --sample S -o S.bam
      lingqu align GRCh38.fa --lanes lanes.tsv --sample NA12878 -o NA12878.cram
      lingqu align GRCh38.fa old.cram --sample NA12878 -o new.bam

    \b
    lanes.tsv, tab-separated, one line a lane (R2 and what follows may be left out):
      R1           R2           ID   LB     PL         PU       UMI
      a_1.fq.gz    a_2.fq.gz    L1   lib1   ILLUMINA   HXXX.1   :
    """
    from lingqu.base.progress import say

    if out.suffix not in (".bam", ".cram"):
        raise LingquError(f"{out}: the output must end in .bam or .cram")
    if eqx and out.suffix == ".cram":
        raise LingquError(f"{out}: CRAM has no =/X; write .bam, or leave out --eqx")
    sample, lanes = _lanes(reads, table, line, sample, umi)
    if out.resolve() in {file.resolve() for lane in lanes for file in lane.inputs}:
        raise LingquError(f"{out}: is an input too; name another output")
    from lingqu.align.driver import align
    from lingqu.align.options import Options
    from lingqu.base.plugins import ALIGNERS, plugin
    from lingqu.cluster import open_cluster

    pin = plugin(ALIGNERS, aligner).pin if aligner else ""
    options = Options(not no_duplicates, secondary, eqx, pin)
    with open_cluster(threads, backend, scheduler) as cluster:
        stats = align(fasta, lanes, sample, out, cluster, options)
    say(_told(out, stats))
