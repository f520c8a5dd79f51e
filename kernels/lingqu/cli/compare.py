"""`lingqu compare`: hold a call set against a truth set."""

import json
from pathlib import Path

import click

from lingqu.cli.types import PATH


@click.command(
    epilog="""
\b
Examples:
  lingqu compare truth.vcf.gz calls.vcf.gz --reference ref.fa
  lingqu compare truth.vcf.gz calls.vcf.gz --reference ref.fa -r chr20:10,000,001-10,100,000
  lingqu compare truth.vcf.gz calls.vcf.gz --reference ref.fa -R confident.bed --out differences
  lingqu compare truth.vcf.gz cohort.vcf.gz --reference ref.fa --sample HG001,NA12878
  lingqu compare sites.vcf.gz virus.vcf.gz --reference virus.fa --squash-ploidy --json score.json

\b
How to read the table:
  TP.truth  records of TRUTH that the calls spell too (recall = TP.truth / (TP.truth + FN))
  TP.calls  records of CALLS that the truth spells too (precision = TP.calls / (TP.calls + FP))
            The two differ where one record of one file is several in the other.
  FN, FP    records that the other file lacks; of these, GT.FN and GT.FP have an allele that is
            there, in another genotype (say 0/1 for 1/1).
  SNV       substitutions (one of several bases counts once); INDEL: whatever changes the length.

\b
With --strata, each of the tables that follow holds every record once:
  length      by the allele that changes it the most
  homopolymer, repeat   the longest of REF that the change lies in or beside; a repeat has a unit of
            2 to 6 bases, three times at least
  depth     DP of the call; of a record of TRUTH, of the nearest call within 500 bases
"""
)
@click.argument("truth", type=PATH)
@click.argument("calls", type=PATH)
@click.option(
    "--reference", type=PATH, required=True, metavar="REF.fa", help="FASTA of both files."
)
@click.option(
    "-r",
    "--regions",
    multiple=True,
    metavar="CHR:FROM-TO",
    help="Count only records that change a base here (insertions: after a base here). May be given"
    " several times. Records nearby still help to match.",
)
@click.option("-R", "--regions-file", type=PATH, metavar="BED", help="The same, from a BED file.")
@click.option(
    "--sample", metavar="TRUTH,CALLS", help="Samples to compare, where a file has several."
)
@click.option(
    "--squash-ploidy", is_flag=True, help="Compare alleles only: any genotype that has one matches."
)
@click.option("--all-records", is_flag=True, help="Also records that failed a FILTER.")
@click.option(
    "--strata",
    is_flag=True,
    help="Count also by length of the change, homopolymer (bases), tandem repeat (bases of the unit"
    " x bases of all) and DP of the calls.",
)
@click.option("--json", "json_path", type=PATH, metavar="PATH", help="Write the numbers here too.")
@click.option(
    "--out",
    type=PATH,
    metavar="DIR",
    help="Write tp, fp (records of CALLS), tp-baseline and fn (of TRUTH) .vcf.gz into this folder.",
)
def command(
    truth: Path,
    calls: Path,
    reference: Path,
    regions: tuple[str, ...],
    regions_file: Path | None,
    sample: str | None,
    squash_ploidy: bool,
    all_records: bool,
    strata: bool,
    json_path: Path | None,
    out: Path | None,
) -> None:
    """Compare the variants of CALLS (VCF or BCF) with those of TRUTH.

    Two files agree where they spell the same haplotypes: how a variant is written, cut into
    records or shifted along a repeat does not matter. Genotypes count (a haploid 1 is as 1/1);
    phasing does not. '*' and missing alleles change nothing. Records without an ALT in the
    genotype, symbolic alleles and alleles over 1,000 bases are left out, and counted below the
    table.
    """
    if regions and regions_file:
        raise click.UsageError("-r and -R exclude each other; put all regions into the BED file")
    names = tuple(sample.split(",")) if sample else (None, None)
    if len(names) != 2:
        raise click.UsageError("--sample needs two names: TRUTH,CALLS")

    from lingqu.base.atomic import publish
    from lingqu.base.errors import LingquError
    from lingqu.call.compare import compare

    if json_path and not json_path.parent.is_dir():
        raise LingquError(f"{json_path}: there is no such folder; make it first")
    result = compare(
        truth,
        calls,
        reference,
        regions=regions,
        bed=regions_file,
        samples=names,
        squash_ploidy=squash_ploidy,
        all_records=all_records,
        strata=strata,
        out=out,
    )
    if json_path:
        with publish(json_path) as beside:
            beside.write_text(json.dumps(result.numbers(), indent=2) + "\n")
    click.echo("\n".join(result.table()))
