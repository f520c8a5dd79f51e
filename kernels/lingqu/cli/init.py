"""`lingqu init`: a new project to edit."""

import click

_EPILOG = """
\b
Example:
  lingqu init study
  cd study                      edit config/germline.yaml: the reference
                                edit config/samples.tsv: a row for each lane
  lingqu run germline -n        checks both, shows what would be done
  lingqu run germline
"""


@click.command(short_help="Start a project: config, sample sheet, profiles.", epilog=_EPILOG)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False))
@click.option(
    "--workflow", default="germline", show_default=True, help="The workflow to run in it."
)
def command(folder, workflow) -> None:
    """Write config, sample sheet and profiles into DIR/config, to edit.

    Files that are there already are left as they are.
    """
    from pathlib import Path

    from lingqu.workflow.template import init

    for path, new in init(Path(folder), workflow):
        click.echo(f"{'wrote' if new else 'kept '}  {path}")
    click.echo(f"Next: edit {folder}/config/samples.tsv and {workflow}.yaml, then in {folder}:")
    click.echo(f"  lingqu run {workflow} -n")
