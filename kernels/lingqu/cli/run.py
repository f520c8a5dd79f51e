"""`lingqu run`: a workflow over a project's samples."""

import click

from lingqu.cli.types import FILE

_EPILOG = """
\b
Examples:
  lingqu init study && cd study        then edit config/germline.yaml, config/samples.tsv
  lingqu run germline -n               what would be done
  lingqu run germline                  do it, on all cores
  lingqu run germline --cores 4        on four of them
  lingqu run germline -- --until align --keep-going
\b
How it stands is told in any other shell by: lingqu status
A run that was stopped or killed goes on where it was: give the same command again.
The same as plain Snakemake, with the same bytes:
  snakemake -s workflows/germline/Snakefile --configfile config/germline.yaml --cores 4
"""


@click.command(short_help="Run a workflow in this folder.", epilog=_EPILOG)
@click.argument("workflow")
@click.option("--config", type=FILE, help="Config file [config/WORKFLOW.yaml].")
@click.option(
    "--profile",
    default="local",
    show_default=True,
    help="Name below config/profiles, or a folder with a Snakemake config.yaml.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would be run, run nothing.")
@click.option("--cores", type=click.IntRange(1), help="Cores to use [all].")
@click.option("-v", "--verbose", is_flag=True, help="Show all that Snakemake tells.")
@click.option("--dashboard", is_flag=True, help="Show Dask's, on a loopback port of this host.")
@click.argument("snakemake_args", nargs=-1, type=click.UNPROCESSED)
def command(workflow, config, profile, dry_run, cores, verbose, dashboard, snakemake_args) -> None:
    """Run WORKFLOW (germline) in this folder; what follows -- goes to Snakemake.

    Config and sample sheet are checked first; all their faults are told at once.
    """
    from pathlib import Path

    from lingqu.base.progress import say
    from lingqu.workflow.launcher import Run, launch

    config = Path(config or f"config/{workflow}.yaml")
    run = Run(
        workflow, Path.cwd(), config, profile, cores, dry_run, snakemake_args, verbose, dashboard
    )
    code, project = launch(run)
    if code:
        what = "stopped" if code > 128 else "a step failed: its log is named above"
        say(f"lingqu: {what}; the same command goes on from here")
        raise click.exceptions.Exit(code)
    if not dry_run:
        results = project.config["results"]
        say(f"Alignments: {results}/align    calls: {results}/calls    cohort: {results}/cohort")
        say(f"Report:     {results}/report.html")
