"""The sample sheet: tab-separated, one row a lane, or one row a sample that has a BAM or CRAM."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lingqu.align.lanes import MARKS
from lingqu.call.pedigree import Person, parse_sex, problems
from lingqu.workflow.faults import Fault, did_you_mean
from lingqu.workflow.schema import violations


@dataclass(frozen=True)
class Lane:
    """One pair of FASTQ files (r2 is "" for single-end reads), its read group, and its UMIs."""

    sample: str
    lane: str
    r1: str
    r2: str
    library: str
    platform: str
    unit: str
    umi: str = ""

    @property
    def id(self) -> str:
        """The read group's ID."""
        return f"{self.sample}.{self.lane}"


@dataclass
class Sample:
    """A sample: its lanes, or the BAM or CRAM it starts from; its sex and parents; "" for none."""

    name: str
    lanes: list[Lane] = field(default_factory=list)
    alignment: str = ""
    sex: str = ""
    father: str = ""
    mother: str = ""


def people(samples: dict[str, Sample]) -> list[Person]:
    """The samples as people of a pedigree."""
    return [
        Person(one.name, one.father, one.mother, parse_sex(one.sex)) for one in samples.values()
    ]


@dataclass(frozen=True)
class Row:
    """The filled cells of one line, and the column (from 1) at which each cell starts."""

    line: int
    cells: dict[str, str]
    columns: dict[str, int]


class _Sheet:
    """Reads one file and gathers its faults."""

    def __init__(self, path: Path, schema: dict, folder: Path):
        self.path, self.schema, self.folder = path, schema, folder
        self.faults: list[Fault] = []
        self.parents: dict[tuple[str, str], Row] = {}

    def fault(self, line: int, column: int, message: str) -> None:
        self.faults.append(Fault(str(self.path), line, column, message))

    def cell_fault(self, row: Row, name: str, message: str) -> None:
        self.fault(row.line, row.columns.get(name, 1), message)

    # --- text to rows ---

    def lines(self) -> list[tuple[int, str]]:
        """(number, text) of the lines that are neither empty nor comments."""
        try:
            text = (self.folder / self.path).read_text(encoding="utf-8-sig")
        except OSError as error:
            self.fault(1, 1, f"cannot be read ({error.strerror}); name the sample sheet in config")
            return []
        except UnicodeDecodeError:
            self.fault(1, 1, "is no UTF-8 text; save the sheet as tab-separated text")
            return []
        numbered = enumerate(text.splitlines(), 1)
        kept = [(n, line) for n, line in numbered if line.strip() and not line.startswith("#")]
        if len(kept) < 2:
            self.fault(1, 1, "holds no sample; write a header line and a row for each lane")
        return kept

    def header(self, number: int, line: str) -> list[str] | None:
        """The column names, or None where rows cannot be read by them."""
        known = self.schema["properties"]
        if "\t" not in line and any(mark in line for mark in ",; "):
            self.fault(
                number, 1, "columns must be separated by tabs; save it as tab-separated text"
            )
            return None
        names = []
        for column, cell in _cells(line):
            name = cell.strip()
            if name not in known:
                self.fault(number, column, f"unknown column {name!r}; {did_you_mean(name, known)}")
            elif name in names:
                self.fault(number, column, f"column {name!r} twice; keep one")
            names.append(name)
        if "sample" not in names:
            self.fault(number, 1, "column 'sample' is missing; add it")
        if "alignment" not in names:
            for name in ("lane", "r1"):
                if name not in names:
                    self.fault(number, 1, f"column {name!r} is missing; add it")
        return names

    def rows(self) -> Iterator[Row]:
        """The rows whose cells can be told apart."""
        lines = self.lines()
        names = self.header(*lines[0]) if lines else None
        if names is None:
            return
        for number, line in lines[1:]:
            cells = list(_cells(line))
            while len(cells) > len(names) and not cells[-1][1].strip():
                cells.pop()
            if len(cells) > len(names):
                message = f"{len(cells)} cells under {len(names)} columns; separate them by one tab"
                self.fault(number, cells[len(names)][0], message)
                continue
            columns = {name: column for name, (column, _) in zip(names, cells, strict=False)}
            filled = {name: cell for name, (_, cell) in zip(names, cells, strict=False) if cell}
            yield Row(number, {n: c for n, c in filled.items() if c.strip()}, columns)

    # --- rows to samples ---

    def check_cells(self, row: Row) -> None:
        """Names by the schema, and which cells must be filled together."""
        known = {n: c for n, c in row.cells.items() if n in self.schema["properties"]}
        for name, cell in known.items():
            if cell != cell.strip():
                self.cell_fault(row, name, f"{cell!r}: a space at its start or end; remove it")
        stripped = {n: c.strip() for n, c in known.items()}
        if "sample" not in stripped:
            self.cell_fault(row, "sample", "sample is empty; name the sample")
        for keys, message in violations(self.schema, stripped):
            if keys:
                self.cell_fault(row, str(keys[0]), message)
        if "alignment" in known:
            mixed = [name for name in ("r1", "r2", "lane", "umi") if name in known]
            if mixed:
                message = f"{' and '.join(mixed)} beside an alignment; give one or the other"
                self.cell_fault(row, mixed[0], message)
            return
        for name in ("lane", "r1"):
            if name not in known:
                self.cell_fault(row, name, f"{name} is empty; fill it, or give an alignment")

    def check_files(self, row: Row, seen: dict[str, str]) -> None:
        """Every named file is there, readable, not empty and named once in the sheet."""
        for name in ("r1", "r2", "umi", "alignment"):
            cell = row.cells.get(name, "").strip()
            if not cell or (name == "umi" and cell in MARKS):
                continue
            message = file_problem(self.folder / cell)
            if message:
                self.cell_fault(row, name, f"{cell}: {message}")
            place = f"{name} of line {row.line}"
            first = seen.setdefault(os.path.realpath(self.folder / cell), place)
            if name == "r2" and first == f"r1 of line {row.line}":
                self.cell_fault(row, name, f"{cell}: R1 and R2 are the same file; mend one")
            elif first != place:
                self.cell_fault(row, name, f"{cell}: is {first} already; name each file once")

    def add(self, row: Row, samples: dict[str, Sample], places: dict[str, int]) -> None:
        """Put a row into its sample."""
        cells = {name: cell.strip() for name, cell in row.cells.items()}
        name = cells.get("sample")
        if not name:
            return
        sample = samples.setdefault(name, Sample(name))
        if sample.sex and cells.get("sex", sample.sex) != sample.sex:
            self.cell_fault(row, "sex", f"sex of {name!r} is {sample.sex!r} above; give one")
        sample.sex = sample.sex or cells.get("sex", "")
        self.add_parents(row, sample, cells)
        if "alignment" in cells:
            if sample.alignment:
                self.cell_fault(
                    row, "sample", f"sample {name!r} has an alignment already; merge them"
                )
            elif sample.lanes:
                self.cell_fault(row, "alignment", f"sample {name!r} has lanes and an alignment")
            sample.alignment = cells["alignment"]
            return
        if sample.alignment:
            self.cell_fault(row, "r1", f"sample {name!r} has an alignment and lanes; keep one kind")
        lane = Lane(
            name,
            cells.get("lane", ""),
            cells.get("r1", ""),
            cells.get("r2", ""),
            cells.get("library", name),
            cells.get("platform", "ILLUMINA"),
            cells.get("unit", f"{name}.{cells.get('lane', '')}"),
            cells.get("umi", ""),
        )
        if lane.lane and lane.id in places:
            message = f"lane {lane.lane!r} of sample {name!r} is on line {places[lane.id]} already"
            self.cell_fault(row, "lane", f"{message}; name each lane once")
        places.setdefault(lane.id, row.line)
        sample.lanes.append(lane)

    def add_parents(self, row: Row, sample: Sample, cells: dict[str, str]) -> None:
        """Father and mother of a sample, which one of its rows tells, or several alike."""
        for role in ("father", "mother"):
            parent = cells.get(role, "")
            told = getattr(sample, role)
            if parent and told and parent != told:
                message = f"{role} of {sample.name!r} is {told!r} above; give one"
                self.cell_fault(row, role, message)
            elif parent and not told:
                setattr(sample, role, parent)
                self.parents[sample.name, role] = row

    def check_parents(self, samples: dict[str, Sample]) -> None:
        """Parents are samples, and nobody is an own ancestor."""
        relatives = people(samples)
        for number, role, message in problems(relatives):
            self.cell_fault(self.parents[relatives[number].name, role], role, message)


def _cells(line: str) -> Iterator[tuple[int, str]]:
    column = 1
    for cell in line.split("\t"):
        yield column, cell
        column += len(cell) + 1


def file_problem(path: Path) -> str:
    """What keeps an input file from being read, and the mend; "" if nothing."""
    if not path.exists():
        return "no such file; mend the name (names are relative to the working folder)"
    if path.is_dir():
        return "is a folder; name a file"
    if not os.access(path, os.R_OK):
        return "may not be read; ask its owner, or chmod it"
    if path.is_file() and not path.stat().st_size:
        return "is empty; copy or download it again"
    return ""


def read_sheet(path: Path, schema: dict, folder: Path) -> tuple[dict[str, Sample], list[Fault]]:
    """Samples by name, in the order of the sheet, and all faults of the sheet.

    path and the files in the sheet are relative to `folder`; schema describes one row.
    """
    sheet = _Sheet(path, schema, folder)
    samples: dict[str, Sample] = {}
    files: dict[str, str] = {}
    places: dict[str, int] = {}
    for row in sheet.rows():
        sheet.check_cells(row)
        sheet.check_files(row, files)
        sheet.add(row, samples, places)
    sheet.check_parents(samples)
    return samples, sheet.faults
