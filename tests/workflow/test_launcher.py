"""What the launcher makes of its arguments and of the machine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lingqu.base.errors import LingquError
from lingqu.base.resources import house
from lingqu.workflow import launcher
from lingqu.workflow.launcher import Run


def test_commands_of_this_python_are_found_first(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    launcher.find_lingqu()
    launcher.find_lingqu()
    assert os.environ["PATH"] == f"{Path(sys.executable).parent}:/usr/bin"


def test_profiles_by_name_and_folder(tmp_path):
    packaged = house("config") / "profiles" / "local"
    assert launcher.profile_folder("local", tmp_path) == packaged.resolve()
    for own in ("config/profiles/local", "mine"):
        (tmp_path / own).mkdir(parents=True)
        (tmp_path / own / "config.yaml").write_text("cores: 1\n")
    assert launcher.profile_folder("local", tmp_path) == tmp_path / "config/profiles/local"
    assert launcher.profile_folder("mine", tmp_path) == tmp_path / "mine"
    with pytest.raises(LingquError, match="no profile 'lokal'.*did you mean 'local'"):
        launcher.profile_folder("lokal", tmp_path)


def test_command_hands_on_what_was_asked_for(tmp_path):
    asked = Run("germline", tmp_path, Path("c.yaml"), "local", 3, True, ("--until", "align"))
    words = launcher.command(asked, tmp_path / "code")
    assert words[:5] == [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        f"{tmp_path}/code/Snakefile",
    ]
    assert words[-2:] == ["--until", "align"]
    assert "--rerun-incomplete" in words
    assert "--dry-run" in words
    assert words[words.index("--cores") + 1] == "3"


PARTIAL = """
rule half:
    output: "out.txt"
    shell: "echo half > {output}; test -e mended && echo whole > {output}"
"""


def test_what_a_failed_rule_of_another_tool_has_left_is_not_trusted(tmp_path):
    (tmp_path / "Snakefile").write_text(PARTIAL)
    (tmp_path / "c.yaml").write_text("{}\n")
    words = launcher.command(Run("germline", tmp_path, Path("c.yaml"), "local", 1), tmp_path)
    for code in (1, 0):
        assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == code
        (tmp_path / "mended").touch()
    assert (tmp_path / "out.txt").read_text() == "whole\n"


@pytest.mark.parametrize("taken", [False, True])
def test_a_command_that_fails_after_another_run_took_over_ends_its_snakemake(taken, tmp_path):
    pulse = tmp_path / "run.1.pulse"
    if not taken:
        pulse.touch()
    (tmp_path / "Snakefile").write_text(
        f'rule late:\n    output: "out.txt"\n    shell: "echo newer > {{output}};'
        f' {sys.executable} -m lingqu index none.fa"\n'
    )
    words = (sys.executable, "-m", "snakemake", "--cores", "1", "--nolock", "out.txt")
    ran = subprocess.run(
        words,
        cwd=tmp_path,
        env={**os.environ, "LINGQU_PULSE": str(pulse)},
        capture_output=True,
        process_group=0,
    )
    assert ran.returncode == (-9 if taken else 1)
    assert (tmp_path / "out.txt").exists() == taken


def test_a_home_that_cannot_be_written_is_not_needed(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    found = launcher._environment(tmp_path)
    assert found["XDG_CACHE_HOME"] == str(tmp_path / ".lingqu" / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert launcher._environment(tmp_path)["XDG_CACHE_HOME"] == str(tmp_path)


def test_unknown_workflow_and_missing_config(tmp_path):
    with pytest.raises(LingquError, match="no workflow 'germ'"):
        launcher.launch(Run("germ", tmp_path, Path("config/germ.yaml")))
    with pytest.raises(LingquError, match="lingqu init DIR"):
        launcher.launch(Run("germline", tmp_path, Path("config/germline.yaml")))
