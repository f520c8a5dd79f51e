"""`lingqu status`: how the run in a folder stands."""

import click

_EPILOG = """
\b
Examples:
  lingqu status                    of the run in this folder, or of the last one
  lingqu status study --watch      until it ends
  lingqu status --json | jq .state
\b
On any machine that sees the folder, while the run works or after it. The exit code is 0 where the
run works or has finished, 1 where it failed, was stopped or killed, or never was.
"""


@click.command(short_help="How the run in a folder stands.", epilog=_EPILOG)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path())
@click.option("--watch", is_flag=True, help="Keep looking until the run ends.")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object a line.")
def command(folder, watch, as_json) -> None:
    """Show how the run in DIR stands: samples, steps, time left, what waits, what failed and why.

    Reads, and writes nothing.
    """
    from pathlib import Path

    from lingqu.workflow import watch as watching

    shown = watching.as_lines if as_json else watching.as_pictures
    if not shown(Path(folder), watch):
        raise click.exceptions.Exit(1)
