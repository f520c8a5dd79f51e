"""Real input for every test: the demo's reads, its reference, and two small cuts of the reads."""

import contextlib
import gzip
import os
import secrets
import shutil
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from lingqu.base.errors import LingquError
from lingqu.base.resources import house
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import decode, encode, reverse_complement

FEW = 300
DEEP = (10_040_000, 10_050_000)
"""0-based, half-open region of contig "20" whose reads `deep_reads` holds."""


def records(fastq: Path) -> Iterator[list[str]]:
    """The records of a gzipped FASTQ file, four lines each."""
    with gzip.open(fastq, "rt") as lines:
        yield from zip(*[lines] * 4, strict=True)


def write_pairs(folder: Path, pairs: list) -> tuple[Path, Path]:
    """Plain FASTQ files of pairs of records."""
    paths = folder / "R1.fastq", folder / "R2.fastq"
    for mate, path in enumerate(paths):
        path.write_text("".join("".join(pair[mate]) for pair in pairs))
    return paths


# A first call compiles, so no deadline; CI draws the same examples each time.
hypothesis.settings.register_profile("suite", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("suite")


_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "os.scandir"}


class InChild:
    """Do some work in a forked child that sends itself a signal before a step on the disk.

    A step is an audit event of Python about a path below a folder.
    """

    def __init__(self, log: Path):
        self._log = log

    def __call__(self, work: Callable, folder: Path, at: int = -1, number: int = 9) -> int:
        """The child's number; exits with 1 after a LingquError. Without `at` tells its steps."""
        child = os.fork()
        if not child:
            try:
                self._work(work, folder, at, number)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(2)
        return child

    def _work(self, work: Callable, folder: Path, at: int, number: int) -> None:
        step = 0

        def count(event: str, arguments: tuple) -> None:
            nonlocal step
            if event in _STEPS and str(folder) in str(arguments[0]):
                step += 1
                if step - 1 == at:
                    os.kill(os.getpid(), number)

        os.dup2(os.open(self._log, os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_WRONLY), 2)
        sys.stderr = sys.__stderr__
        sys.addaudithook(count)
        try:
            work()
        except LingquError as error:
            os.write(2, f"{error}\n".encode())
            os._exit(1)
        if at < 0:
            os.write(2, str(step).encode())
        os._exit(0)

    def told(self) -> str:
        """What the last child printed."""
        return self._log.read_text()


STOPPED = """
import os, signal, sys
from lingqu.cli.main import main
{before}
rename, wanted = os.replace, sys.argv.pop(1)
def replace(source, target):
    if os.path.basename(target) == wanted:
        os.replace = rename
        os.kill(0, signal.SIGSTOP)
    rename(source, target)
os.replace = replace
main()
"""


@pytest.fixture
def stopped():
    """A function: start `lingqu` with some words; it stops before a file gets the name `name`.

    With it stop its workers, its process group. before: Python that runs first; other options are
    those of Popen. Returns the stopped process.
    """

    def start(name: str, *words, before: str = "", **options) -> subprocess.Popen:
        command = [sys.executable, "-c", STOPPED.format(before=before), name, *map(str, words)]
        process = subprocess.Popen(command, process_group=0, **options)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
        return process

    return start


@pytest.fixture
def in_child(tmp_path_factory) -> InChild:
    """How to stop or kill some work at each of its steps."""
    return InChild(tmp_path_factory.mktemp("child") / "log")


@pytest.fixture(scope="session")
def demo() -> Path:
    """The folder of the demo's data."""
    return house("demo")


@pytest.fixture(scope="session")
def lanes(demo) -> list[tuple[Path, Path]]:
    """R1 and R2 of the four lanes."""
    return [(one, Path(str(one).replace("_R1", "_R2"))) for one in sorted(demo.glob("*_R1.*"))]


@pytest.fixture(scope="session")
def reference(demo, tmp_path_factory) -> Path:
    """A copy of the demo's reference where an index may be built, once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "reference"
    folder.mkdir(exist_ok=True)
    copy = folder / "reference.fa.gz"
    own = folder / secrets.token_hex(4)
    shutil.copyfile(demo / "reference.fa.gz", own)
    with contextlib.suppress(FileExistsError):  # the index belongs to the first worker's copy
        os.link(own, copy)
    own.unlink()
    return copy


@pytest.fixture(scope="session")
def few_reads(lanes, tmp_path_factory) -> tuple[Path, Path]:
    """R1 and R2 (plain FASTQ) of the first 300 pairs of lane 1, spread over the region."""
    pairs = list(zip(*map(records, lanes[0]), strict=True))[:FEW]
    return write_pairs(tmp_path_factory.mktemp("few"), pairs)


@pytest.fixture(scope="session")
def deep_reads(demo, lanes, tmp_path_factory) -> tuple[Path, Path]:
    """R1 and R2 (plain FASTQ) of all pairs, at full depth, of 20:10,040,001-10,050,000."""
    with gzip.open(demo / "reference.fa.gz", "rt") as lines:
        next(lines)
        forward = encode("".join(line.strip() for line in lines)[slice(*DEEP)])
    words = set()
    for strand in (decode(forward), decode(reverse_complement(forward))):
        words.update(strand[at : at + 31] for at in range(len(strand) - 30))
    pairs = [
        pair
        for lane in lanes
        for pair in zip(*map(records, lane), strict=True)
        if any(read[1][at : at + 31] in words for read in pair for at in (0, 35, 70))
    ]
    return write_pairs(tmp_path_factory.mktemp("deep"), pairs)


@pytest.fixture(scope="session")
def demo_window(reference) -> np.ndarray:
    """Codes (uint8[200000]) of real sequence around the demo's region."""
    return open_reference(reference).contig(0)[9_950_000:10_150_000].copy()


@pytest.fixture(scope="session")
def outputs():
    """A function from a project's folder to what must be the same however its run went."""

    def read(folder: Path) -> dict[str, bytes]:
        results = folder / "results"
        paths = [path for path in results.rglob("*") if path.is_file()]
        found = {path.relative_to(results).as_posix(): path.read_bytes() for path in paths}
        own = ("logs/", "benchmarks/", "report.html", "run.json", "reference.json")
        return {name: content for name, content in found.items() if not name.startswith(own)}

    return read
