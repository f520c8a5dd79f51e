"""`lingqu demo`: the germline workflow on the bundled reads."""

import click

_EPILOG = """
\b
Examples:
  lingqu demo                   in ./lingqu-demo
  lingqu demo /tmp/look         in a folder of that name
\b
What it made is a project like yours will be; go on from there:
  cd lingqu-demo && lingqu run germline -n
"""


@click.command(short_help="The germline workflow on bundled real reads, scored.", epilog=_EPILOG)
@click.argument("folder", metavar="[DIR]", default="lingqu-demo", type=click.Path(file_okay=False))
def command(folder) -> None:
    """Run the germline workflow on bundled real reads (NA12878), scored against their truth.

    Everything is written to DIR. Given again, it goes on where it was stopped.
    """
    from pathlib import Path

    from lingqu.workflow.demo import demo

    code, lines = demo(Path(folder))
    for line in lines:
        click.echo(line)
    if code:
        raise click.exceptions.Exit(code)
