"""A new project: the config, sample sheet and profiles of a workflow, to edit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.base.resources import house
from lingqu.workflow.launcher import workflow_folder


def template_files(workflow: str) -> Iterator[Path]:
    """The files of a new project, relative to the packaged config folder."""
    workflow_folder(workflow)
    yield Path(f"{workflow}.yaml")
    yield Path("samples.tsv")
    yield Path("qc.yaml")
    for path in sorted((house("config") / "profiles").rglob("*")):
        if path.is_file():
            yield path.relative_to(house("config"))


def copy(source: Path, target: Path) -> None:
    """Copy a file, to be there whole or not at all."""
    with publish(target) as beside:
        shutil.copyfile(source, beside)


def init(folder: Path, workflow: str) -> list[tuple[Path, bool]]:
    """Write a project's files below `folder`/config; (file, whether it is new) of each.

    A file that is there already is left as it is. LingquError for an unknown workflow.
    """
    written = []
    for name in template_files(workflow):
        target = folder / "config" / name
        new = not target.exists()
        if new:
            target.parent.mkdir(parents=True, exist_ok=True)
            copy(house("config") / name, target)
        written.append((target, new))
    return written
