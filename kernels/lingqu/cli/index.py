"""`lingqu index`: prepare a reference."""

from pathlib import Path

import click

from lingqu.cli.types import PATH


@click.command(short_help="Prepare a reference genome.")
@click.argument("fasta", metavar="REF.fa", type=PATH)
def command(fasta: Path) -> None:
    """Prepare a reference genome: its sequence and seeds, in REF.fa.lingqu/ beside it.

    align and call do this by themselves where it is missing; do it ahead when many jobs will
    start at once, or when they may not write into the reference's folder. FASTA may be plain or
    gzip. What is there already is held against its checksums.

    \b
    Example:
      lingqu index GRCh38.fa
    """
    from lingqu.align.index import open_index
    from lingqu.formats.reference import store_folder

    reference = open_index(fasta, verify=True).reference
    bases = int(reference.lengths.sum())
    print(f"{store_folder(fasta)}: {len(reference.names):,} contigs, {bases:,} bases")
