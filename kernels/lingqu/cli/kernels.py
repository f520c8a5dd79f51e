"""`lingqu kernels`: what is installed, whether it is right, how fast it is."""

import json
from pathlib import Path

import click

from lingqu.cli.types import PATH

_KINDS = {"aligner": "lingqu.aligners", "caller": "lingqu.callers"}


def _plugins() -> list:
    from lingqu.base.plugins import plugins

    return [found for group in _KINDS.values() for found in plugins(group)]


def _tell_skipped(found: list) -> None:
    for one in found:
        if one.fault:
            told = f"{one.kind} {one.name} of {one.package} ({one.where}): {one.fault}"
            click.echo(f"skipped: {told}", err=True)


def _listed() -> tuple[dict[str, list[dict]], list]:
    """The lists that are shown, by kind, and the plugins that were looked at."""
    from lingqu import __version__
    from lingqu.oracles.catalogue import KERNELS, TOOLS

    kernels = [{"name": one.name, "what": one.what, "where": one.where} for one in KERNELS]
    lists = {"kernels": kernels}
    found = _plugins()
    for kind, group in _KINDS.items():
        own = {"name": "lingqu", "what": f"built in, {__version__}", "where": TOOLS[group]}
        lists[f"{kind}s"] = [own] + [
            {"name": one.name, "what": f"{one.package}, {one.version}", "where": one.where}
            for one in found
            if one.group == group and not one.fault
        ]
    return lists, found


@click.group(invoke_without_command=True, short_help="List the kernels, check them, time them.")
@click.option("--json", "json_path", type=PATH, metavar="PATH", help="Write the list here too.")
@click.pass_context
def command(context: click.Context, json_path: Path | None) -> None:
    """List the kernels, aligners and callers that are installed; check and time them.

    \b
    Examples:
      lingqu kernels                        what is there, built in and from other packages
      lingqu kernels check                  all of it against its oracles, on random input
      lingqu kernels check extend           one kernel
      lingqu kernels check aligner:NAME     the aligner that a package brings
      lingqu kernels check mine:TRIAL       your own: mine.py in this folder, a Trial in it
      lingqu kernels time extend            nanoseconds a cell, compilation apart
    """
    if context.invoked_subcommand:
        return
    lists, found = _listed()
    wide = max(len(row["name"]) for rows in lists.values() for row in rows)
    for number, (kind, rows) in enumerate(lists.items()):
        click.echo(f"{chr(10) if number else ''}{kind}")
        for row in rows:
            click.echo(f"  {row['name']:{wide}}  {row['what']}")
            click.echo(f"  {'':{wide}}  {row['where']}")
    _tell_skipped(found)
    if json_path:
        from lingqu.base.atomic import publish

        with publish(json_path) as beside:
            beside.write_text(json.dumps(lists, indent=1) + "\n")


def _trial(name: str):
    """The trial that a name on the command line means."""
    import sys

    from lingqu.oracles.catalogue import trial_of

    kind, _, rest = name.partition(":")
    if kind in _KINDS and rest:
        from lingqu.oracles import tools

        return tools.trial_of(_KINDS[kind], rest)
    if rest and "" not in sys.path:
        sys.path.insert(0, "")
    return trial_of(name)


def _everything() -> list[str]:
    from lingqu.oracles.catalogue import KERNELS

    found = _plugins()
    _tell_skipped(found)
    names = [one.name for one in KERNELS]
    for kind, group in _KINDS.items():
        usable = [one.name for one in found if one.group == group and not one.fault]
        names += [f"{kind}:{name}" for name in ("lingqu", *usable)]
    return names


@command.command(short_help="Check kernels against their oracles.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--rounds", type=click.IntRange(1), help="Inputs to try  [default: 40; 10 of tools].")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the first.")
@click.option("--size", type=click.IntRange(1), help="Of the inputs  [default: from 1 up].")
def check(names: tuple[str, ...], rounds: int | None, seed: int, size: int | None) -> None:
    """Check kernels, aligners and callers against independent oracles, on random input.

    The exit code is 1 if one disagrees; told are then the seed and the size of the smallest input
    found, which --seed and --size bring back, and the input. With NUMBA_DISABLE_JIT=1 in the
    environment kernels run as plain Python, to be debugged.
    """
    from lingqu.oracles.trial import check, shown

    trials = {name: _trial(name) for name in names or _everything()}
    wide, wrong = max(map(len, trials)), 0
    for name, trial in trials.items():
        found = check(trial, rounds or 0, seed, size or 0)
        if not found:
            click.echo(f"{name:{wide}}  agrees on all inputs ({rounds or trial.rounds})")
            continue
        wrong += 1
        click.echo(
            f"{name:{wide}}  DISAGREES at --seed {found.seed} --size {found.size}: {found.told}"
        )
        for what, value in found.inputs.items():
            click.echo(f"{'':{wide}}    {what} = {shown(value)}")
    if wrong:
        raise click.exceptions.Exit(1)


@command.command(name="time", short_help="Time a kernel.")
@click.argument("name")
@click.option("--size", type=click.IntRange(1), help="Of the input  [default: the kernel's own].")
@click.option("--seconds", type=click.FloatRange(0), default=2.0, show_default=True,
              help="CPU time to spend.")  # fmt: skip
def time_(name: str, size: int | None, seconds: float) -> None:
    """Time a kernel: CPU nanoseconds a unit (base, cell, read ...) on one core.

    The first call is told apart: it compiles, or loads what was compiled before. Plain Python is
    the kernel's oracle, on a smaller input.
    """
    from lingqu.oracles.trial import measure

    trial = _trial(name)
    took = measure(trial, seconds, size or 0)
    how = f"to compile ({took.compiled})" if took.compiled else "from the cache"
    a_unit = f"ns a {trial.unit}"
    click.echo(f"first call    {took.first:.2f} s {how}")
    click.echo(f"best          {took.best:,.3g} {a_unit}, {took.units:,} a call")
    click.echo(f"median        {took.median:,.3g} {a_unit}")
    click.echo(
        f"plain Python  {took.oracle:,.0f} {a_unit}, {took.oracle / took.best:,.0f} times as long"
    )
    if trial.floor:
        kept = "kept" if took.best <= trial.floor else "MISSED"
        click.echo(f"to keep       {trial.floor:,.3g} {a_unit}: {kept}")
