"""`lingqu report`: one page about a run."""

import click

from lingqu.cli.types import FILE

_EPILOG = """
\b
Example:
  lingqu report results/project.json -o results/report.html
"""


@click.command(short_help="One page about a finished run.", epilog=_EPILOG)
@click.argument("project", type=FILE)
@click.option(
    "-o",
    "--output",
    required=True,
    type=FILE,
    help="The page, ending in .html.",
)
def command(project, output) -> None:
    """Write one self-contained HTML page about the results beside PROJECT (project.json).

    The workflow does this at its end. The page's numbers also go to a .json file beside it; times,
    memory and versions go to run.json.
    """
    from lingqu.base.errors import LingquError
    from lingqu.report.driver import report

    if not output.endswith(".html"):
        raise LingquError(f"{output}: no .html ending; name the page so")
    report(project, output)
