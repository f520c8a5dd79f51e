"""Where compiled kernels are kept: a folder for each state of the sources.

Numba's own cache looks only at the file a function stands in, and so misses a changed callee
from another file. The cache folder is therefore named by the digest of every source of this
package, the Numba version and nothing else; stale folders are simply never looked at again. Files
in it are `lingqu.base.kernel_cache`'s.
"""

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

SUFFIX = ".kernel"
"""Of a file that holds a compiled kernel."""

_SOURCES = Path(__file__).resolve().parent.parent


@cache
def source_digest() -> str:
    """Hexadecimal digest (16 characters) of all Python sources of the package."""
    digest = hashlib.sha256()
    for path in sorted(_SOURCES.rglob("*.py")):
        digest.update(str(path.relative_to(_SOURCES)).encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _writable(folder: Path) -> bool:
    """Whether the folder can be made and written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _private(folder: Path) -> bool:
    """Whether the folder, made if missing, is this user's and nobody else may write it.

    What is compiled is loaded again as code: not from where another user could have put it.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o022


@cache
def cache_folders() -> tuple[Path, Path | None]:
    """The folder that compiled kernels are written to, made if missing, and one that is unfit.

    Below NUMBA_CACHE_DIR if set, else XDG_CACHE_HOME or ~/.cache; where none of these can be
    written that is the unfit one, which may be read, and a temporary folder of the user stands in.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    base = os.environ.get("NUMBA_CACHE_DIR") or f"{home}/lingqu"
    name = f"{source_digest()}-numba{version('numba')}"
    wanted = Path(base) / name
    if not base.startswith("~") and _writable(wanted):
        return wanted.absolute(), None
    shared = Path(tempfile.gettempdir()) / f"lingqu-{os.getuid()}"
    if _private(shared) and _writable(shared / name):
        return shared / name, wanted
    return Path(tempfile.mkdtemp(prefix="lingqu-")), wanted


def lend(base: Path) -> None:
    """Copy what is compiled already to where others look for it: below `base`, NUMBA_CACHE_DIR.

    A full or failing disk is no fault: they compile then.
    """
    own = cache_folders()[0]
    theirs = base / own.name
    with contextlib.suppress(OSError):
        theirs.mkdir(parents=True, exist_ok=True)
        for path in own.glob(f"*{SUFFIX}"):
            if not (theirs / path.name).exists():
                beside = theirs / f".{path.name}.{os.getpid()}"
                shutil.copyfile(path, beside)
                os.replace(beside, theirs / path.name)


def is_cold() -> bool:
    """True when no kernel of this version has been compiled on this machine yet."""
    return not any(any(folder.glob(f"*{SUFFIX}")) for folder in cache_folders() if folder)
