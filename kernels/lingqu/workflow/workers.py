"""The workers of a profile: workers.yaml beside its config.yaml, checked as a config is."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from lingqu.base.errors import LingquError
from lingqu.cluster.slurm import seconds
from lingqu.workflow.faults import Fault, refuse
from lingqu.workflow.schema import violations, with_defaults
from lingqu.workflow.yaml_file import read_yaml

NAME = "workers.yaml"
POOL_VARIABLE = "LINGQU_POOL"
"""Environment variable that says what nodes are, whatever the profile says; see lingqu-run.sh."""

_COUNT = {"type": ["integer", "null"], "minimum": 1}
_TEXT = {"type": ["string", "null"]}
_LINES = {"type": "array", "items": {"type": "string"}, "default": []}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["nodes"],
    "properties": {
        "pool": {"enum": ["slurm", "allocation", "processes"], "default": "slurm"},
        "nodes": {"type": "integer", "minimum": 1, "description": "nodes at most"},
        "cores": _COUNT,
        "memory": {"type": ["string", "integer", "null"]},
        "walltime": {
            "type": ["string", "integer"],
            "pattern": r"^(\d+-)?\d+(:\d\d){0,2}$",
            "$comment": "must be a time like 12:00:00 or 2-00:00:00",
            "default": "24:00:00",
        },
        "margin": {"type": "integer", "minimum": 20, "default": 120},
        "processes": _COUNT,
        "threads": _COUNT,
        "drivers": _COUNT,
        "scratch": _TEXT,
        "stage": {"type": "boolean", "default": False},
        "interface": _TEXT,
        "patience": {"type": "integer", "minimum": 5, "default": 60},
        "look": {"type": "integer", "minimum": 1, "default": 5},
        "sbatch": _LINES,
        "setup": _LINES,
    },
}

_BORROWED = {"slurm_partition": "partition", "slurm_account": "account"}


def _default_resources(config: object) -> Iterator[tuple[str, str]]:
    """Those of a Snakemake profile, which may be a block or a list of NAME=VALUE."""
    found = config.get("default-resources") if isinstance(config, dict) else None
    if isinstance(found, dict):
        yield from ((str(name), str(value)) for name, value in found.items())
    for entry in found if isinstance(found, list) else ():
        name, _, value = str(entry).partition("=")
        yield name, value.strip("'\"")


def _hosts() -> list[str]:
    """The nodes of the Slurm job that this process runs in."""
    names = os.environ.get("SLURM_JOB_NODELIST")
    if not names:
        raise LingquError(
            f"{POOL_VARIABLE}=allocation: this is no Slurm job; give it to sbatch: lingqu-run.sh"
        )
    words = ["scontrol", "show", "hostnames", names]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def _allocation(settings: dict) -> dict:
    """What the job that this process runs in settles."""
    hosts, limit = _hosts(), settings["walltime"]
    words = ["squeue", "--noheader", "--format=%L", f"--jobs={os.environ['SLURM_JOB_ID']}"]
    left = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    if left[:1].isdigit():
        limit = seconds(left)
    return {"hosts": hosts, "nodes": len(hosts), "until": time.time() + limit}


def read_workers(profile: Path, folder: Path) -> dict | None:
    """The settings of a profile's workers; None where it has none: work is then done here.

    LingquError tells all that is wrong with them.
    """
    path = profile / NAME
    if not path.is_file():
        return None
    file = read_yaml(path, folder)
    faults = list(file.faults)
    if file.whole:
        data = file.data or {}
        faults += [file.fault(keys, message) for keys, message in violations(SCHEMA, data)]
    refuse(faults)
    settings = with_defaults(SCHEMA, data)
    settings["pool"] = os.environ.get(POOL_VARIABLE, settings["pool"])
    settings |= {"time": settings["walltime"], "walltime": seconds(settings["walltime"])}
    if settings["walltime"] <= 2 * settings["margin"]:
        told = "must be less than half of walltime, or nothing but leaving is done"
        refuse([file.fault(("margin",), f"'margin' {told}")])
    for name, value in _default_resources(read_yaml(profile / "config.yaml", folder).data):
        if name in _BORROWED:
            settings[_BORROWED[name]] = value
    if settings["pool"] == "allocation":
        settings |= _allocation(settings)
    if settings["pool"] == "slurm" and not shutil.which("sbatch"):
        refuse([Fault(file.file, 0, 0, "sbatch is not on this machine; use --profile local")])
    return settings
