import importlib.util
import re
import shutil
import tomllib
from itertools import chain

import pytest
from packaging.requirements import Requirement

from lingqu.base.resources import house

LOCKS = ("build.lock", "judges.lock", "requirements.lock")


@pytest.fixture
def bootstrap():
    spec = importlib.util.spec_from_file_location("bootstrap", house("envs") / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def locked(name: str) -> dict[str, list[str]]:
    """Package to its lines in a lock file: the requirement, then its hashes."""
    text = (house("envs") / name).read_text().replace(" \\\n", "\n")
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {Requirement(block.splitlines()[0]).name: block.split("\n") for block in blocks}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_is_pinned_and_hashed_and_no_place_is_named(name):
    packages = locked(name)
    assert len(packages) > 5
    for requirement, *hashes in packages.values():
        assert re.match(r"[\w.-]+==[\w.]+( ; .+)?$", requirement)
        assert hashes
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", line) for line in hashes)
    assert "://" not in (house("envs") / name).read_text()


@pytest.mark.parametrize("name", ["requirements.lock", "judges.lock"])
def test_the_locks_satisfy_pyproject(name):
    project = tomllib.loads((house("envs").parent / "pyproject.toml").read_text())["project"]
    extras = dict(project["optional-dependencies"])
    judges = extras.pop("judges")
    extras = [judges] if name == "judges.lock" else extras.values()
    packages = locked(name)
    for wanted in map(Requirement, chain(project["dependencies"], *extras)):
        pinned = Requirement(packages[wanted.name][0])
        (version,) = (spec.version for spec in pinned.specifier)
        assert wanted.specifier.contains(version), wanted


def test_the_judges_need_no_other_versions():
    ours, judges = locked("requirements.lock"), locked("judges.lock")
    for name in set(ours) & set(judges):
        assert ours[name][0].split(" ; ")[0] == judges[name][0].split(" ; ")[0]


def test_the_pip_wheel_is_the_one_that_is_locked(bootstrap):
    version = locked("build.lock")["pip"][0].removeprefix("pip==")
    assert bootstrap.pip_wheel().name.startswith(f"pip-{version}-")


def test_a_changed_pip_wheel_is_refused(bootstrap, tmp_path, monkeypatch):
    copy = shutil.copy(bootstrap.pip_wheel(), tmp_path)
    with open(copy, "ab") as wheel:
        wheel.write(b"x")
    monkeypatch.setattr(bootstrap, "ENVS", tmp_path)
    with pytest.raises(SystemExit, match="its hash is not in build.lock"):
        bootstrap.pip_wheel()


def test_nothing_is_installed_twice_and_a_changed_lock_installs_anew(
    bootstrap, tmp_path, monkeypatch
):
    steps = []
    monkeypatch.setattr(bootstrap, "run", lambda what, *command: steps.append(what))
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "ready")
    bootstrap.main()
    bootstrap.main()
    assert len(steps) == 3
    changed = tmp_path / "requirements.lock"
    changed.write_text("")
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", changed)
    bootstrap.main()
    assert len(steps) == 6


def test_a_failed_step_leaves_no_stamp(bootstrap, tmp_path, monkeypatch):
    def fail(*_):
        raise SystemExit("setup: failed")

    monkeypatch.setattr(bootstrap, "run", fail)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "ready")
    with pytest.raises(SystemExit):
        bootstrap.main()
    assert not bootstrap.STAMP.exists()


def test_another_python_is_told(bootstrap, monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 10, 4, "final", 0))
    with pytest.raises(SystemExit, match=r"Python 3.11, 3.12 or 3.13 is needed, this is 3.10.4"):
        bootstrap.main()
