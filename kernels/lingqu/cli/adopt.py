"""`lingqu adopt`: an existing BAM or CRAM becomes part of a project."""

import click

from lingqu.cli.types import FILE

_EPILOG = """
\b
Example:
  lingqu adopt GRCh38.fa old/S1.cram -o results/align/S1.cram
"""


@click.command(short_help="Take a BAM or CRAM into a project.", epilog=_EPILOG)
@click.argument("reference", type=FILE)
@click.argument("alignment", type=FILE)
@click.option("-o", "--output", required=True, type=FILE, help="Where the link goes.")
def command(reference, alignment, output) -> None:
    """Link ALIGNMENT (a sorted BAM or CRAM) to a new name, after checking it against REFERENCE.

    Its index is linked too, or made where there is none, and its quality control is written to
    OUTPUT.qc.json: all of it is read once. The workflow uses this for the samples that the sample
    sheet gives an alignment.
    """
    from lingqu.workflow.adopt import adopt

    adopt(reference, alignment, output)
