"""`lingqu doctor`: what this machine offers, what is missing, what mends it."""

import click

_EPILOG = """
\b
Example:
  lingqu doctor && lingqu demo
"""


@click.command(short_help="What this machine offers, what is missing.", epilog=_EPILOG)
def command() -> None:
    """Show what this machine offers, what is missing, and the command that mends it.

    The exit code is 1 if something that is needed is missing.
    """
    from pathlib import Path

    from lingqu.workflow.machine import examine

    findings = list(examine(Path.cwd()))
    wide = max(len(finding.what) for finding in findings)
    for finding in findings:
        mark = "MISSING" if finding.sick else "warning" if finding.mend else "ok"
        click.echo(f"{mark:7}  {finding.what:{wide}}  {finding.value}")
        if finding.mend:
            click.echo(f"{'':7}  {'':{wide}}  mend: {finding.mend}")
    if any(finding.sick for finding in findings):
        raise click.exceptions.Exit(1)
