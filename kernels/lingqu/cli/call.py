"""`lingqu call`: from a BAM or CRAM to a VCF."""

import click

from lingqu.cli.types import FILE


@click.command()
@click.argument("reference", type=FILE)
@click.argument("bam", type=FILE)
@click.option("-o", "--out", "outs", required=True, multiple=True, type=FILE,
              help=".vcf.gz, .vcf, .bcf; .g.vcf.gz for a gVCF; twice for both.")  # fmt: skip
@click.option("-r", "--regions", multiple=True, help="Only here: CHR or CHR:FROM-TO; repeatable.")
@click.option(
    "-R",
    "--regions-file",
    type=FILE,
    help="Only in the intervals of this BED file.",
)
@click.option("--ploidy", type=click.IntRange(1, 2), default=2, show_default=True,
              help="Copies of each contig: 2, or 1 for bacteria and viruses.")  # fmt: skip
@click.option("--sex", type=click.Choice(["XX", "XY", "unknown"]),
              help="Of a human: copies of X, Y and MT; all else has two.")  # fmt: skip
@click.option("--par", type=FILE, help="BED of the pseudoautosomal regions of X and Y.")
@click.option("--sites", type=FILE, help="Genotype exactly the alleles of this VCF.")
@click.option(
    "--known", type=FILE, help="IDs from this VCF (dbSNP.vcf.gz and its index), by allele."
)
@click.option("--mnv", is_flag=True, help="Join adjacent SNVs of one haplotype in one record.")
@click.option(
    "--qc-sites",
    type=FILE,
    help="Quality control: contamination by this VCF of common SNVs with AC and AN, or AF.",
)
@click.option("--qc-genes", type=FILE, help="Quality control: depth of genes (BED, GFF3, GTF).")
@click.option("--sample", help="Name of the sample [default: SM of the read groups].")
@click.option("--caller", metavar="NAME", help="One that a package brings: see lingqu kernels.")
@click.option("-t", "--threads", type=click.IntRange(1), help="[default: all cores]")
@click.option("--backend", type=click.Choice(["processes", "dask"]), default="processes",
              show_default=True)  # fmt: skip
@click.option("--scheduler", type=FILE, help="Scheduler file of a running Dask cluster.")
def command(
    reference,
    bam,
    outs,
    regions,
    regions_file,
    ploidy,
    sex,
    par,
    sites,
    known,
    mnv,
    qc_sites,
    qc_genes,
    sample,
    caller,
    threads,
    backend,
    scheduler,
):
    """Call germline SNVs and indels of one sample from a sorted, indexed BAM or CRAM.

    \b
    A human genome:      lingqu call GRCh38.fa NA12878.bam -o NA12878.vcf.gz
    One stretch of it:   lingqu call GRCh38.fa NA12878.bam -r chr20:100,000-200,000 -o out.vcf.gz
    A panel:             lingqu call GRCh38.fa NA12878.bam -R panel.bed -o panel.vcf.gz
    A man's genome:      lingqu call GRCh38.fa NA12877.bam --sex XY --par par.bed -o NA12877.vcf.gz
    A virus:             lingqu call NC_045512.fa patient.bam --ploidy 1 -o patient.vcf.gz
    A cohort, 2 steps:   lingqu call GRCh38.fa A.bam -o A.g.vcf.gz        (and so for B)
                         lingqu joint GRCh38.fa A.g.vcf.gz B.g.vcf.gz -o cohort.vcf.gz

    OUT gets an index beside it and OUT.stats.json with counts; beside a VCF there is also
    OUT.qc.json: coverage, variants, sex, contamination. A run that was killed goes on where it
    was. FILTER is PASS, or says why not: LowQual, StrandBias, LowMapQual.
    """
    from lingqu.base.plugins import CALLERS, plugin
    from lingqu.call.driver import call

    if len(outs) > 2:
        raise click.UsageError("-o: once, or twice for a VCF and a gVCF")
    call(
        reference, bam, outs[0], also=outs[1] if outs[1:] else None, regions=regions,
        bed=regions_file, ploidy=ploidy, sex=sex, par=par, sites=sites, known=known, mnv=mnv,
        qc_sites=qc_sites, qc_genes=qc_genes, sample=sample,
        caller=caller and plugin(CALLERS, caller).pin,
        threads=threads, backend=backend, scheduler=scheduler,
    )  # fmt: skip
