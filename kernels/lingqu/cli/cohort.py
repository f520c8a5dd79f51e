"""`lingqu cohort`: from VCFs of single samples to one VCF of all."""

import click

from lingqu.cli.types import FILE


@click.group()
def command():
    """Join samples: `union` of the sites of their VCFs, `merge` of their genotypes there.

    \b
    lingqu cohort union REF.fa A.vcf.gz B.vcf.gz -o sites.vcf.gz
    lingqu call REF.fa A.bam --sites sites.vcf.gz -o A.sites.vcf.gz        (and so for B)
    lingqu cohort merge A.sites.vcf.gz B.sites.vcf.gz -o cohort.vcf.gz
    """


@command.command()
@click.argument("reference", type=FILE)
@click.argument("vcfs", nargs=-1, required=True, type=FILE)
@click.option("-o", "--out", required=True, type=FILE, help="OUT.vcf.gz, .vcf or .bcf")
@click.option("--all-records", is_flag=True, help="Sites that did not pass, too.")
def union(reference, vcfs, out, all_records):
    """Write the sites of all VCFS, each once, with all alleles seen there.

    \b
    lingqu cohort union GRCh38.fa A.vcf.gz B.vcf.gz C.vcf.gz -o sites.vcf.gz
    """
    from lingqu.call.cohort import union_sites

    union_sites(vcfs, reference, out, every=all_records)


@command.command()
@click.argument("vcfs", nargs=-1, required=True, type=FILE)
@click.option("-o", "--out", required=True, type=FILE, help="OUT.vcf.gz, .vcf or .bcf")
def merge(vcfs, out):
    """Write one VCF of samples that were genotyped at the same sites, columns in name order.

    \b
    lingqu cohort merge A.sites.vcf.gz B.sites.vcf.gz C.sites.vcf.gz -o cohort.vcf.gz
    """
    from lingqu.call.cohort import merge_samples

    merge_samples(vcfs, out)
