"""A validated project: what the Snakefile and the launcher know of config and sample sheet."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lingqu.report.verdicts import faults as threshold_faults
from lingqu.workflow.faults import Fault, refuse
from lingqu.workflow.schema import read_schema, violations, with_defaults
from lingqu.workflow.sheet import Sample, file_problem, read_sheet
from lingqu.workflow.yaml_file import YamlFile, read_yaml

_REGION = re.compile(r"^[^\s:]+(:[\d,]+(-[\d,]+)?)?$")


@dataclass(frozen=True)
class Project:
    """config with all defaults filled in, and the samples by name in the order of the sheet."""

    config: dict
    samples: dict[str, Sample]


def is_bed(region: str) -> bool:
    """Whether an entry of `regions` names a BED file, by its ending."""
    return region.endswith((".bed", ".bed.gz"))


def as_list(value: str | list[str] | None) -> list[str]:
    """`regions` as a list, however it was written."""
    return [value] if isinstance(value, str) else list(value or [])


@dataclass(frozen=True)
class _Source:
    """The merged config, and the files from which it came."""

    config: dict
    files: list[YamlFile]

    @property
    def qc(self) -> dict:
        """The block of that name."""
        block = self.config.get("qc")
        return block if isinstance(block, dict) else {}

    def fault(self, keys: tuple, message: str) -> Fault:
        """A fault at the last file that holds the value; values of --config have no place."""
        for file in reversed(self.files):
            data = file.data if isinstance(file.data, dict) else {}
            if not keys or (keys[0] in data and data[keys[0]] == self.config.get(keys[0])):
                return file.fault(keys, message)
        return Fault("--config", 0, 0, message)


def _config_faults(source: _Source, schema: dict, folder: Path) -> Iterator[Fault]:
    config = source.config
    for keys, message in violations(schema, config):
        yield source.fault(keys, message)
    files = ("reference", "par", "known")
    named: list[tuple[tuple, object]] = [((key,), config.get(key)) for key in files]
    regions = [(("regions",), config.get("regions"))]
    truth = config.get("truth")
    for sample, told in truth.items() if isinstance(truth, dict) else ():
        if isinstance(told, dict):
            named.append((("truth", sample, "vcf"), told.get("vcf")))
            regions.append((("truth", sample, "regions"), told.get("regions")))
    for keys, value in regions:
        if not isinstance(value, str | list):
            continue
        if len(as_list(value)) > 1 and any(is_bed(str(region)) for region in as_list(value)):
            yield source.fault(keys, "a BED file stands alone; put all regions into it")
        for number, region in enumerate(as_list(value)):
            inner = (*keys, number) if isinstance(value, list) else keys
            if isinstance(region, str) and is_bed(region):
                named.append((inner, region))
            elif isinstance(region, str) and not _REGION.match(region):
                message = f"{region!r} is no region; write chr:from-to or name a .bed file"
                yield source.fault(inner, message)
    named += [(("qc", key), source.qc.get(key)) for key in ("thresholds", "sites", "genes")]
    for keys, name in named:
        if isinstance(name, str) and name and (problem := file_problem(folder / name)):
            yield source.fault(keys, f"{name}: {problem}")


def _truth_faults(source: _Source, samples: Mapping[str, Sample]) -> Iterator[Fault]:
    truth = source.config.get("truth")
    for name in truth if isinstance(truth, dict) else ():
        if name not in samples:
            message = f"truth of {name!r}, which is no sample of the sheet; mend the name"
            yield source.fault(("truth", name), message)


def _sex_faults(source: _Source, samples: Mapping[str, Sample]) -> Iterator[Fault]:
    sexed = [sample.name for sample in samples.values() if sample.sex]
    if sexed and source.config.get("ploidy") == 1:
        message = f"1, but the sheet tells the sex of {sexed[0]!r}; take one of the two away"
        yield source.fault(("ploidy",), message)


def _threshold_faults(source: _Source, folder: Path) -> Iterator[Fault]:
    """Those of the file of thresholds, at their places in it."""
    name = source.qc.get("thresholds")
    if not isinstance(name, str) or file_problem(folder / name):
        return
    file = read_yaml(name, folder)
    yield from file.faults
    if file.whole:
        for keys, message in threshold_faults({} if file.data is None else file.data):
            yield file.fault(keys, message)


def open_project(
    config: Mapping | None, config_files: Iterable[str | Path], schemas: Path, folder: Path
) -> Project:
    """Check config and sample sheet; LingquError tells all faults, one a line, with their places.

    config: what Snakemake merged, or None to take the files' own; config_files: where it came from,
    the last one wins; schemas: the workflow's folder of JSON Schemas; folder: the working folder,
    to which all names are relative.
    """
    files = [read_yaml(path, folder) for path in config_files]
    faults = [fault for file in files for fault in file.faults]
    if any(not file.whole for file in files):
        refuse(faults)
    if config is None:
        config = {}
        for file in files:
            config |= file.data if isinstance(file.data, dict) else {}
    no_keys = "must be keys and values, as in `reference: genome.fa`"
    faults += [file.fault((), no_keys) for file in files if not isinstance(file.data, dict)]
    source = _Source(dict(config), files)
    schema = read_schema(schemas / "config.schema.json")
    faults += _config_faults(source, schema, folder)
    faults += _threshold_faults(source, folder)
    sheet = source.config.get("samples") or schema["properties"]["samples"]["default"]
    samples: dict[str, Sample] = {}
    if isinstance(sheet, str):
        rows = read_schema(schemas / "samples.schema.json")
        samples, sheet_faults = read_sheet(Path(sheet), rows, folder)
        faults += sheet_faults or [*_truth_faults(source, samples), *_sex_faults(source, samples)]
    refuse(faults)
    return Project(with_defaults(schema, source.config), samples)
