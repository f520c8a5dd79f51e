"""Compile kernels: nopython, without the GIL, cached under a digest of all sources.

Numba's own cache looks only at the file a function stands in, and so misses a changed callee
from another file. The cache folder is therefore named by the digest of every source of this
package, the Numba version and nothing else; stale folders are simply never looked at again.
"""

import hashlib
import os
import stat
import tempfile
from functools import cache
from pathlib import Path

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
def cache_folder() -> Path:
    """The folder of compiled kernels, made if missing.

    Below NUMBA_CACHE_DIR if set, else XDG_CACHE_HOME or ~/.cache; a temporary folder of the user
    where none of these can be written.
    """
    import numba

    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    base = os.environ.get("NUMBA_CACHE_DIR") or Path(home) / "lingqu"
    name = f"{source_digest()}-numba{numba.__version__}"
    if _writable(Path(base) / name):
        return Path(base) / name
    shared = Path(tempfile.gettempdir()) / f"lingqu-{os.getuid()}"
    if _private(shared) and _writable(shared / name):
        return shared / name
    return Path(tempfile.mkdtemp(prefix="lingqu-"))


def is_cold() -> bool:
    """True when no kernel of this version has been compiled on this machine yet."""
    return not any(cache_folder().rglob("*.nbi"))


def kernel(function=None, **options):
    """Decorate a kernel: `@kernel`, or `@kernel(inline="always")` and other Numba options.

    fastmath is refused: results must not depend on the CPU.
    """
    if function is None:
        return lambda decorated: kernel(decorated, **options)
    if options.get("fastmath"):
        raise ValueError(f"{function.__name__}: fastmath is not allowed in kernels")
    import numba

    numba.config.CACHE_DIR = str(cache_folder())
    return numba.njit(nogil=True, cache=True, error_model="numpy", **options)(function)
