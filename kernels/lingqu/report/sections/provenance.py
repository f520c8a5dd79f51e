"""How it was made: reference, parameters, inputs, commands and versions."""

from lingqu.report.blocks import Block, code, column, facts, folded, heading, table
from lingqu.report.rows import flat

EACH = False


def gather(numbers: dict) -> dict:
    """Reference, parameters, the samples' lanes, and the facts of the run."""
    lanes = [
        [sample["name"], *(lane.get(key) or None for key in _LANE)]
        for sample in numbers["samples"]
        for lane in sample["lanes"] or [{"r1": sample["entry"]}]
    ]
    return {
        "reference": numbers["reference"] or {"file": numbers["config"]["reference"]},
        "config": numbers["config"],
        "lanes": lanes,
        "run": numbers.get("run") or {},
        "digests": _digests(numbers),
    }


_LANE = ("lane", "library", "platform", "unit", "r1", "r2")


def build(told: dict) -> list[Block]:
    """Reference and versions at sight, the long lists folded."""
    reference, run = told["reference"], told["run"]
    rows = [
        ("@made.reference", reference["file"], "code"),
        ("@made.contigs", reference.get("contigs"), "count"),
        ("@column.bases", reference.get("bases"), "count"),
        ("SHA-256", reference.get("sha256"), "code"),
    ]
    versions = [(name, version, "code") for name, version in (run.get("versions") or {}).items()]
    columns = [column("@column.sample"), *(column(f"@column.{name}") for name in _LANE)]
    parameters = [[name, _plain(value)] for name, value in flat(told["config"])]
    settings = [column("@made.parameter"), column("@column.value", "code")]
    commands, digests = run.get("commands"), told["digests"]
    return [
        facts(rows),
        *([heading("@made.versions"), facts(versions)] if versions else []),
        folded("@made.parameters", [table(settings, parameters)]),
        folded("@made.lanes", [table(columns, told["lanes"], search=len(told["lanes"]) > 20)]),
        *([folded("@made.digests", [_files(digests)])] if digests else []),
        *([folded("@made.commands", [code("\n\n".join(commands))])] if commands else []),
    ]


def _plain(value: object) -> object:
    return str(value) if isinstance(value, bool) else value


def _digests(numbers: dict) -> dict[str, str]:
    """SHA-256 by file, of what is shared first."""
    found = dict(numbers.get("digests") or {})
    for sample in numbers["samples"]:
        found |= sample.get("digests") or {}
    return found


def _files(digests: dict[str, str]) -> Block:
    columns = [column("@column.file", "code"), column("SHA-256", "code")]
    return table(columns, digests.items(), search=len(digests) > 20)
