"""Start Snakemake on a workflow: the same run as plain `snakemake`, with its troubles taken off.

A run works from a frozen copy of its workflow code, holds its folder, resumes what was killed,
and leaves no process behind.
"""

import os
import shlex
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lingqu import __version__
from lingqu.base.atomic import no_room
from lingqu.base.cache_folder import lend
from lingqu.base.errors import LingquError
from lingqu.base.journal import RUN_VARIABLE
from lingqu.base.lock import PULSE_VARIABLE
from lingqu.base.progress import say
from lingqu.base.resources import house
from lingqu.cluster.desk import ERROR
from lingqu.cluster.hire import hired
from lingqu.cluster.thin import HEAVY
from lingqu.workflow.faults import did_you_mean
from lingqu.workflow.follow import EVENTS, EVERYTHING, FOLLOW_VARIABLE
from lingqu.workflow.lease import end_leftovers, hold
from lingqu.workflow.project import Project, open_project
from lingqu.workflow.supervise import supervise
from lingqu.workflow.view import View, forget
from lingqu.workflow.workers import read_workers


@dataclass(frozen=True)
class Run:
    """What to run: files are relative to `folder`, the working folder of the run.

    verbose: show all that Snakemake tells, too. dashboard: have Dask's, where the profile has
    workers.
    """

    workflow: str
    folder: Path
    config: Path
    profile: str = "local"
    cores: int | None = None
    dry: bool = False
    arguments: Sequence[str] = ()
    verbose: bool = False
    dashboard: bool = False


def find_lingqu() -> None:
    """Put the commands of this Python first on PATH, also where its environment is not active."""
    own = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if paths[0] != own:
        os.environ["PATH"] = os.pathsep.join([own, *paths])


def workflow_folder(name: str) -> Path:
    """The folder of a workflow; LingquError for an unknown name."""
    known = sorted(path.parent.name for path in house("workflows").glob("*/Snakefile"))
    if name not in known:
        raise LingquError(f"no workflow {name!r}; {did_you_mean(name, known)}")
    return house("workflows") / name


def profile_folder(name: str, folder: Path) -> Path:
    """A profile: a folder, or a name among the project's, then the packaged profiles."""
    places = (folder / name, folder / "config" / "profiles" / name)
    for place in (*places, house("config") / "profiles" / name):
        if (place / "config.yaml").is_file():
            return place.resolve()
    known = sorted(path.name for path in (house("config") / "profiles").iterdir() if path.is_dir())
    raise LingquError(
        f"no profile {name!r} (looked for config.yaml in {places[0]} and {places[1]});"
        f" {did_you_mean(name, known)}"
    )


def _frozen(workflow: Path, state: Path) -> Path:
    """Copy the workflow's code for this run, so that an edit meanwhile changes nothing in it."""
    code = state / "code"
    shutil.rmtree(code, ignore_errors=True)
    shutil.copytree(workflow, code / "workflows" / workflow.name)
    (code / "envs").mkdir()
    shutil.copy(house("envs") / "environment.yml", code / "envs")
    return code / "workflows" / workflow.name


def command(run: Run, code: Path) -> list[str]:
    """The snakemake command line of a run whose workflow is in the folder `code`."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(code / "Snakefile")]
    words += ["--configfile", str(run.folder / run.config), "--rerun-incomplete"]
    words += ["--profile", str(profile_folder(run.profile, run.folder))]
    words += ["--cores", str(run.cores)] if run.cores else []
    words += ["--dry-run"] if run.dry else []
    return [*words, *run.arguments]


def _environment(folder: Path) -> dict[str, str]:
    """The environment of a run in `folder`; where the user's cache cannot be written, its own."""
    environment = {**os.environ, RUN_VARIABLE: str(folder)}
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            pass
    except (OSError, RuntimeError):  # not writable, or a user without a home
        environment["XDG_CACHE_HOME"] = str(folder / ".lingqu" / "cache")
    return environment


def _on_workers(settings: dict) -> list[str]:
    """How Snakemake starts the commands that nodes do: they only wait, so many at once.

    In a Slurm job all other rules run where it runs.
    """
    words = ["--local-cores", str(settings["nodes"] * (settings["drivers"] or 8))]
    words += ["--set-threads", *(f"{name}=1" for name in sorted(HEAVY))]
    return words + (["--executor", "local"] if settings["pool"] == "allocation" else [])


def _begin(run: Run, project: Project) -> dict:
    """The event that tells of the run itself."""
    again = ["lingqu", "run", run.workflow]
    again += ["--config", str(run.config)] * (run.config != Path(f"config/{run.workflow}.yaml"))
    again += ["--profile", run.profile] * (run.profile != "local")
    again += ["--cores", str(run.cores)] * bool(run.cores)
    again += ["--", *run.arguments] * bool(run.arguments)
    told = {"event": "begin", "workflow": run.workflow, "command": shlex.join(again)}
    told |= {"profile": run.profile, "samples": list(project.samples)}
    told |= {"results": project.config["results"], "version": __version__}
    return told | {"host": socket.gethostname(), "process": os.getpid()}


def _run(words: list[str], run: Run, more: dict[str, str], view: View, told: list[str]) -> int:
    """Run Snakemake, with the workers of its profile where that has some; its exit code.

    more: for Snakemake's environment. What the owner of the workers says is added to `told`.
    """
    settings = read_workers(profile_folder(run.profile, run.folder), run.folder)
    environment = _environment(run.folder)
    more = more | {FOLLOW_VARIABLE: EVERYTHING if run.verbose else EVENTS}
    if settings is None:
        return supervise(words, run.folder, environment | more, view)
    if "NUMBA_CACHE_DIR" not in environment:  # nodes may have no home, or another one
        environment["NUMBA_CACHE_DIR"] = str(run.folder / ".lingqu" / "kernels")
        lend(run.folder / ".lingqu" / "kernels")
    settings["dashboard"] = run.dashboard

    def tell(line: str) -> None:
        told.append(line)
        view.hear({"event": "told", "text": line.removeprefix("lingqu: ")}, show=False)
        view.line(line)

    with hired(run.folder / ".lingqu" / "cluster", settings, environment, tell) as connected:
        words = [*words, *_on_workers(settings)]
        return supervise(words, run.folder, connected | more, view)


def _recorded(words: list[str], run: Run, project: Project, pulse: Path, told: list[str]) -> int:
    """As _run, with the run's beginning and end on record."""
    forget(run.folder)
    view = View(run.folder)
    view.hear(_begin(run, project))
    try:
        code = _run(words, run, {PULSE_VARIABLE: str(pulse)}, view, told)
    except LingquError as error:
        view.hear({"event": "told", "text": str(error)}, show=False)
        view.hear({"event": "end", "code": 1})
        raise
    view.hear({"event": "end", "code": code})
    return code


def _faults_since(start: float, logs: Path) -> list[str]:
    """The one-line errors in the logs of the steps that failed after `start` (Unix time)."""
    found = []
    for log in sorted(logs.rglob("*.log")):
        if log.stat().st_mtime >= start:
            lines = log.read_text(errors="replace").splitlines()
            errors = [line for line in lines if line.startswith(ERROR)]
            found += [f"{log.relative_to(logs).with_suffix('')}: {errors[-1]}"] if errors else []
    return found


def _tell_faults(run: Run, results: Path, start: float, told: list[str]) -> None:
    """Say why steps failed, as far as that was not told, and where there is no room to work."""
    for line in _faults_since(start, results / "logs"):
        if not any(line.partition(ERROR)[2] in other for other in told):
            say(line)
    for folder in (run.folder, results):
        if why := no_room(folder):
            say(f"{ERROR}{folder}: {why}; free some space and run the same again")
            break


def _make_results(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise LingquError(
            f"{folder}: cannot be written ({error.strerror}); name another in config"
        ) from None


def launch(run: Run) -> tuple[int, Project]:
    """Validate, run, and return Snakemake's exit code with the project.

    LingquError before anything runs: faults of config and sheet, an unknown workflow or profile,
    a folder that another run holds. Exit codes of a stopped run are 128 + the signal's number.
    """
    workflow = workflow_folder(run.workflow)
    config = run.folder / run.config
    if not config.is_file():
        raise LingquError(
            f"{config}: no such file; make a project: lingqu init DIR, or use --config"
        )
    project = open_project(None, [config], workflow / "schemas", run.folder)
    find_lingqu()
    if run.dry:
        words, environment = command(run, workflow), _environment(run.folder)
        return supervise(words, run.folder, environment, View(run.folder)), project
    results = run.folder / project.config["results"]
    _make_results(results)
    start, told = time.time(), []
    with hold(run.folder) as pulse:
        words = command(run, _frozen(workflow, run.folder / ".lingqu"))
        try:
            code = _recorded(words, run, project, pulse, told)
        finally:
            end_leftovers(run.folder)
    if 0 < code < 128:
        _tell_faults(run, results, start, told)
    return code, project
