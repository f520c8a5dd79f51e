"""The workers of a profile, and what is wrong with them."""

import shutil

import pytest

from lingqu.base.errors import LingquError
from lingqu.base.resources import house
from lingqu.workflow.workers import read_workers


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """A function that writes workers.yaml, and reads it."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    (tmp_path / "config.yaml").write_text(
        "default-resources:\n  slurm_partition: long\n  slurm_account: lab\n"
    )

    def read(text: str):
        (tmp_path / "workers.yaml").write_text(text)
        return read_workers(tmp_path, tmp_path)

    return read


def test_a_profile_without_workers_has_none():
    assert read_workers(house("config") / "profiles" / "local", house("config")) is None


def test_the_packaged_profile_is_right(profile):
    text = (house("config") / "profiles" / "slurm" / "workers.yaml").read_text()
    settings = profile(text)
    assert (settings["nodes"], settings["walltime"]) == (4, 86400)
    assert (settings["partition"], settings["account"]) == ("long", "lab")
    uncommented = "\n".join(line.removeprefix("# ") for line in text.splitlines() if ": " in line)
    every = profile("\n".join(line for line in uncommented.splitlines() if line[:1].islower()))
    assert every["sbatch"] == ["--constraint=skylake", "--qos=long"]
    assert every["processes"] == 16


def test_partition_and_account_of_a_list(profile, tmp_path):
    (tmp_path / "config.yaml").write_text(
        'default-resources: ["slurm_partition=\'short\'", "mem_mb=1"]\n'
    )
    assert profile("nodes: 2\n")["partition"] == "short"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nodes: 0\n", "workers.yaml:1:1: 'nodes' must be at least 1, not 0"),
        ("node: 3\n", "unknown key 'node'; did you mean 'nodes'?"),
        ("cores: 4\n", "key 'nodes' is missing; add it (nodes at most)"),
        ("nodes: 1\nwalltime: soon\n", "workers.yaml:2:1: 'walltime' must be a time like 12:00:00"),
        (
            "nodes: 1\nwalltime: 3\nmargin: 100\n",
            "workers.yaml:3:1: 'margin' must be less than half",
        ),
        ("nodes: [\n", "mend the YAML"),
    ],
)
def test_faults_are_told_with_their_place(profile, text, told):
    with pytest.raises(LingquError) as caught:
        profile(text)
    assert told in str(caught.value)


def test_slurm_must_be_there(profile, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(LingquError, match="sbatch is not on this machine; use --profile local"):
        profile("nodes: 1\n")
