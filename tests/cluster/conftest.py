"""A real Slurm of three nodes on this machine, where that can be."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "lab"))  # tests here import its modules by bare names

import slurm_lab


@pytest.fixture(scope="session")
def slurm():
    """A slurm_lab.Slurm, for all tests of a process; skips where there can be none."""
    if told := slurm_lab.obstacle():
        pytest.skip(told)
    with slurm_lab.slurm() as lab:
        yield lab
