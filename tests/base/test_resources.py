import subprocess
import sys
import zipfile

import pytest

from lingqu.base import resources
from lingqu.base.errors import LingquError
from lingqu.base.resources import house


@pytest.mark.parametrize("name", ["workflows", "config", "envs", "demo"])
def test_every_folder_of_the_house_is_found(name):
    assert any(house(name).iterdir())


def test_the_wheel_wins_over_a_checkout_around_it(tmp_path, monkeypatch):
    for root in ("wheel", "checkout"):
        (tmp_path / root / "envs").mkdir(parents=True)
    (tmp_path / "checkout" / "config").mkdir()
    monkeypatch.setattr(resources, "_ROOTS", (tmp_path / "wheel", tmp_path / "checkout"))
    assert house("envs") == tmp_path / "wheel" / "envs"
    assert house("config") == tmp_path / "checkout" / "config"


def test_a_broken_installation_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(resources, "_ROOTS", (tmp_path, tmp_path))
    with pytest.raises(LingquError, match="no workflows in this installation; reinstall"):
        house("workflows")


def test_the_wheel_carries_the_house(demo, tmp_path):
    pytest.importorskip("hatchling", reason="the build backend is not installed")
    checkout = demo.parents[2]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    for name in ("workflows", "config", "envs", "demo"):
        folder = house(name)
        inside = f"lingqu/_house/{folder.relative_to(checkout)}"
        wanted = {
            f"{inside}/{path.relative_to(folder)}"
            for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".whl", ".pyc")
        }
        assert wanted <= carried
    assert not any(name.endswith(".whl") for name in carried)
