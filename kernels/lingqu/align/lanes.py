"""What a sample's reads are: files of lanes, and the read groups they become."""

import os
from dataclasses import dataclass
from pathlib import Path

from lingqu.base.errors import LingquError

FIELDS = ("R1", "R2", "ID", "LB", "PL", "PU", "UMI")
"""Columns of a table of lanes; R1 must be filled, the others may be empty or missing."""


MARKS = (":", "_")
"""What may stand before a UMI in a read's name: ':' as by Illumina, fastp, '_' as by UMI-tools."""


@dataclass(frozen=True)
class Lane:
    """One or two FASTQ files, or one BAM or CRAM file, and the fields of their @RG line.

    group: ID first. Of BAM and CRAM, an empty group says that the file's own are kept. umi: a
    FASTQ file of UMIs, or one of MARKS, the last of which in a read's name stands before its UMI;
    "" for none (of BAM and CRAM, for what their records' RX tags hold).
    """

    files: tuple[Path, ...]
    group: dict[str, str]
    umi: Path | str = ""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """All files of the lane, that of UMIs last."""
        return (*self.files, self.umi) if isinstance(self.umi, Path) else self.files


def parse_read_group(text: str) -> dict[str, str]:
    r"""Fields of a line as in `bwa mem -R`: '@RG\tID:L1\tSM:NA12878', backslash t or tabs."""
    parts = text.replace("\\t", "\t").split("\t")
    fields = dict(part.split(":", 1) for part in parts[1:] if ":" in part)
    if parts[0] != "@RG" or len(fields) != len(parts) - 1 or not fields.get("ID"):
        raise LingquError(f"-R {text}: no read group line; write '@RG\\tID:lane1\\tSM:sample'")
    return {"ID": fields.pop("ID")} | fields


def read_group(given: dict[str, str], sample: str) -> dict[str, str]:
    """A complete @RG: ID and library are the sample's name where nothing else is said."""
    fields = {key: value for key, value in given.items() if value}
    if fields.setdefault("SM", sample) != sample:
        raise LingquError(
            f"read group {fields.get('ID')}: SM is {fields['SM']!r} but --sample is {sample!r};"
            " one run aligns one sample"
        )
    for key, value in fields.items():
        if not (value.isascii() and value.isprintable()):
            raise LingquError(
                f"read group {fields.get('ID', sample)!r}: {key} {value!r} has characters that a"
                " SAM header cannot hold; use printable ASCII"
            )
    defaults = {"ID": sample, "SM": sample, "LB": sample, "PL": "ILLUMINA"}
    ordered = {key: fields.get(key, value) for key, value in defaults.items()}
    return ordered | {key: value for key, value in fields.items() if key not in ordered}


def _seen_from_here(folder: Path, name: str) -> Path:
    """The shortest name of a file of a table in `folder`, for messages too."""
    whole = os.path.normpath(folder.resolve() / name)
    absolute = folder.is_absolute() or os.path.isabs(name)
    return Path(whole if absolute else os.path.relpath(whole))


def _row(path: Path, number: int, header: list[str], line: str, sample: str) -> Lane:
    cells = line.split("\t")
    if len(cells) > len(header):
        raise LingquError(f"{path}: line {number}: more cells than the header has columns")
    row = {key: cell.strip() for key, cell in zip(header, cells, strict=False)}
    if not row.get("R1"):
        raise LingquError(f"{path}: line {number}: column R1 is empty; name a FASTQ file")
    files = tuple(_seen_from_here(path.parent, row[key]) for key in ("R1", "R2") if row.get(key))
    fields = {key: row.get(key, "") for key in ("ID", "LB", "PL", "PU")}
    fields["ID"] = fields["ID"] or fields["PU"] or f"{sample}.{number - 1}"
    umi = row.get("UMI", "")
    umi = _seen_from_here(path.parent, umi) if umi and umi not in MARKS else umi
    return Lane(files, read_group(fields, sample), umi)


def read_lanes(path: Path, sample: str) -> list[Lane]:
    """Lanes of a tab-separated table with a header line of FIELDS.

    Relative file names are taken from the table's folder. LingquError, with the line, on columns
    that are no FIELDS, missing cells, and IDs or files given twice.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise LingquError(f"{path}: {why}; name a table of lanes") from None
    header = lines[0].split("\t") if lines else []
    unknown = [name for name in header if name not in FIELDS]
    if "R1" not in header or unknown or len(set(header)) < len(header):
        raise LingquError(
            f"{path}: line 1: columns must be {', '.join(FIELDS)} (tab-separated), R1 at least"
        )
    lanes, ids, files = [], set(), set()
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        lane = _row(path, number, header, line, sample)
        if lane.group["ID"] in ids:
            raise LingquError(f"{path}: line {number}: ID {lane.group['ID']!r} twice; rename one")
        if twice := files & set(lane.inputs):
            raise LingquError(f"{path}: line {number}: {sorted(twice)[0]} is listed twice")
        ids.add(lane.group["ID"])
        files |= set(lane.inputs)
        lanes.append(lane)
    if not lanes:
        raise LingquError(f"{path}: no lanes in it; give one line a lane")
    return lanes
