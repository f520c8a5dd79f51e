"""`lingqu look`: the variants worth a look, and their reads."""

import click

from lingqu.cli.types import FILE

_EPILOG = """
\b
Example:
  lingqu look genome.fa sample.bam sample.vcf.gz -o sample.json
"""


@click.command(short_help="Variants worth a look, for the report.", epilog=_EPILOG)
@click.argument("reference", type=FILE)
@click.argument("alignment", type=FILE)
@click.argument("calls", type=FILE)
@click.option("-o", "--output", required=True, type=FILE, help="The JSON file.")
def command(reference, alignment, calls, output) -> None:
    """Choose the variants of CALLS worth a look, and write how the reads of ALIGNMENT lie there.

    By turns: the longest indels that pass, the passing heterozygous calls whose balance is farthest
    from a half, the passing calls of lowest QUAL, the filtered calls of highest QUAL.
    """
    from lingqu.report.look import look

    look(reference, alignment, calls, output)
