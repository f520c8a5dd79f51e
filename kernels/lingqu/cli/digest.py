"""`lingqu digest`: what files hold, in one line each."""

import click

from lingqu.cli.types import FILE

_EPILOG = """
\b
Example:
  lingqu digest sample.bam sample.vcf.gz -o sample.sha256
  sha256sum -c sample.sha256
"""


@click.command(short_help="SHA-256 of files, for the report's provenance.", epilog=_EPILOG)
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("-o", "--output", required=True, type=FILE, help="Where the lines go.")
@click.option("-t", "--threads", type=click.IntRange(1), default=1, show_default=True,
              help="Files at a time.")  # fmt: skip
def command(files, output, threads) -> None:
    """Write the SHA-256 of FILES, as sha256sum does and checks."""
    from lingqu.base.atomic import publish
    from lingqu.base.digests import digest_lines

    with publish(output) as beside:
        lines = (f"{line}\n" for line in digest_lines(files, threads))
        beside.write_text("".join(lines), encoding="utf-8")
