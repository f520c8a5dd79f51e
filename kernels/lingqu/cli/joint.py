"""`lingqu joint`: from gVCFs of single samples to one VCF of all."""

import click

from lingqu.cli.types import FILE


@click.command()
@click.argument("reference", type=FILE)
@click.argument("gvcfs", nargs=-1, type=FILE)
@click.option("-o", "--out", required=True, type=FILE, help="OUT.vcf.gz, .vcf or .bcf")
@click.option("--cohort", type=FILE, help="Folder that keeps the samples, to add others later.")
@click.option("--pedigree", type=FILE, help="PED file: genotype relatives in each other's light.")
@click.option(
    "--known", type=FILE, help="IDs from this VCF (dbSNP.vcf.gz and its index), by allele."
)
@click.option(
    "--qc-sites",
    type=FILE,
    help="Tell samples apart by the SNVs of this VCF alone (with its index).",
)
@click.option("-t", "--threads", type=click.IntRange(1), help="[default: all cores]")
@click.option("--backend", type=click.Choice(["processes", "dask"]), default="processes",
              show_default=True)  # fmt: skip
@click.option("--scheduler", type=FILE, help="Scheduler file of a running Dask cluster.")
def command(reference, gvcfs, out, cohort, pedigree, known, qc_sites, threads, backend, scheduler):
    """Genotype all samples of GVCFS, made by `lingqu call -o SAMPLE.g.vcf.gz`, together.

    \b
    A few samples:       lingqu joint GRCh38.fa A.g.vcf.gz B.g.vcf.gz C.g.vcf.gz -o all.vcf.gz
    A family:            lingqu joint GRCh38.fa A.g.vcf.gz B.g.vcf.gz C.g.vcf.gz -o family.vcf.gz
                         --pedigree family.ped
    One that grows:      lingqu joint GRCh38.fa A.g.vcf.gz B.g.vcf.gz --cohort all -o all.vcf.gz
    and a sample later:  lingqu joint GRCh38.fa C.g.vcf.gz --cohort all -o all.vcf.gz

    Sample columns are in the order of the names. The VCF is the same whatever the order in which
    samples were added. Beside OUT stands OUT.qc.json: who is related to whom by genotypes and
    by pedigree, what does not fit and why, sexes, principal components.
    """
    from lingqu.call.joint import joint

    joint(
        reference, list(gvcfs), out, cohort=cohort, pedigree=pedigree, known=known,
        qc_sites=qc_sites, threads=threads, backend=backend, scheduler=scheduler,
    )  # fmt: skip
