"""What this machine offers to Lingqu, what is missing, and the command that mends it."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lingqu import __version__
from lingqu.base.resources import house

_GB = 1e9
_PEERS = ("samtools", "bcftools", "bwa", "bwa-mem2", "minimap2", "strobealign", "freebayes")
_FEATURES = ("sse4_2", "avx2", "fma", "bmi2", "avx512bw", "asimd")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: `mend` is a command, empty where nothing is to be done.

    needed: without it Lingqu does not work.
    """

    what: str
    value: str
    mend: str = ""
    needed: bool = False

    @property
    def sick(self) -> bool:
        """Whether something needed is missing."""
        return bool(self.mend) and self.needed


def examine(folder: Path) -> Iterator[Finding]:
    """All findings, in the order in which they are told; work would be done in `folder`."""
    yield _python()
    yield Finding("lingqu", f"{__version__} in {Path(__file__).resolve().parent.parent}")
    yield from _packages()
    yield from _house()
    yield _cores()
    yield _memory()
    yield _cpu()
    yield _disk("working folder", folder)
    yield _disk("temporary files", Path(tempfile.gettempdir()))
    yield _kernels()
    yield from _surroundings()


def _python() -> Finding:
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    mend = "" if good else "make PYTHON=python3.12"
    return Finding("Python", f"{platform.python_version()} at {sys.executable}", mend, True)


def _packages() -> Iterator[Finding]:
    """What the package requires, by its own metadata."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        yield Finding("packaging", "missing", f"{sys.executable} -m pip install packaging", True)
        return
    try:
        lines = metadata.requires("lingqu") or []
    except metadata.PackageNotFoundError:
        yield Finding("packages", "lingqu is not installed", "pip install -e .", True)
        return
    for line in lines:
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        mend = f"{sys.executable} -m pip install '{wanted.name}{wanted.specifier}'"
        try:
            found = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield Finding(wanted.name, "missing", mend, True)
            continue
        good = wanted.specifier.contains(found, prereleases=True)
        told = f"{found} ({wanted.specifier} is needed)"
        yield Finding(wanted.name, told, "" if good else mend, True)


def _house() -> Iterator[Finding]:
    from lingqu.base.errors import LingquError

    for name in ("workflows", "config", "envs", "demo"):
        try:
            house(name)
        except LingquError:
            mend = f"{sys.executable} -m pip install --force-reinstall lingqu"
            yield Finding(name, "not in this installation", mend, True)


def _cores() -> Finding:
    usable, all_cores = len(os.sched_getaffinity(0)), os.cpu_count()
    return Finding("cores", f"{usable}" + (f" of {all_cores}" if usable != all_cores else ""))


def _memory() -> Finding:
    sizes = {}
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, amount = line.partition(":")
        sizes[name] = int(amount.split()[0]) * 1024 / _GB
    free, total = sizes["MemAvailable"], sizes["MemTotal"]
    mend = "" if free >= 2 else "free some: 2 GB are needed, 32 GB for a human genome"
    return Finding("memory", f"{free:.1f} GB free of {total:.1f} GB", mend)


def _cpu() -> Finding:
    words = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    facts = dict(line.split(":", 1) for line in words.splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    flags = (facts.get("flags") or facts.get("Features") or "").split()
    model = facts.get("model name", platform.machine())
    has = ", ".join(name for name in _FEATURES if name in flags)
    return Finding("CPU", f"{model}; {has or 'no vector units known'}")


def _disk(what: str, folder: Path) -> Finding:
    told = f"{shutil.disk_usage(folder).free / _GB:.1f} GB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Finding(what, f"{told}, not writable", f"chmod u+w {folder}", True)
    scarce = shutil.disk_usage(folder).free < _GB
    return Finding(what, told, "make room, or choose another folder (TMPDIR)" if scarce else "")


def _kernels() -> Finding:
    try:
        from lingqu.base.cache_folder import cache_folders, is_cold
    except ImportError:
        return Finding("kernels", "Numba is missing")
    folder, _ = cache_folders()
    state = "not compiled yet: the first run does it" if is_cold() else "compiled"
    if Path(tempfile.gettempdir()) in folder.parents:
        mend = "export NUMBA_CACHE_DIR=a folder that you may write"
        return Finding("kernels", f"{state}, in {folder}: not kept for long", mend)
    return Finding("kernels", f"{state}, in {folder}")


def _surroundings() -> Iterator[Finding]:
    scheduler = os.environ.get("LINGQU_SCHEDULER")
    yield Finding("Dask cluster", scheduler or "none; processes of one machine (LINGQU_SCHEDULER)")
    yield Finding("Slurm", shutil.which("sbatch") or "not here; workflows run on this machine")
    peers = [name for name in _PEERS if shutil.which(name)]
    yield Finding("other tools", f"{', '.join(peers) or 'none'} (never needed)")
