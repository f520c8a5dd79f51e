"""Copies of big files on a disk of this machine, to be mapped in their place."""

import errno
import os
import secrets
import shutil
from pathlib import Path

from lingqu.base import lock
from lingqu.base.checkpoint import digest
from lingqu.base.progress import say

STAGE_VARIABLE = "LINGQU_STAGE"
"""Environment variable that names the folder of the copies; without it there are none."""

_SPARE = 1 << 28
"""Bytes of the disk that are left to others."""


def staged(path: Path) -> Path:
    """The copy of a file, made by the first process that asks for it; else the file itself.

    That is so where no folder is named, and, told in a line, where there is no room in it.
    """
    folder = os.environ.get(STAGE_VARIABLE)
    if not folder:
        return path
    state = path.stat()
    key = digest({"file": [str(path.resolve()), state.st_size, state.st_mtime_ns]})
    copy = Path(folder) / f"{key}-{path.name}"
    try:
        handle = lock.wait(copy.with_name(f".{copy.name}.lock"))
        try:
            if not copy.exists():
                _copy(path, copy, state.st_size)
        finally:
            lock.release(handle)
    except OSError as error:
        say(f"{folder}: no copy of {path.name} there ({error.strerror}); the original is used")
        return path
    return copy


def _copy(path: Path, copy: Path, size: int) -> None:
    if shutil.disk_usage(copy.parent).free < size + _SPARE:
        raise OSError(errno.ENOSPC, f"needs {size / 1e9:.1f} GB and some more")
    beside = copy.with_name(f".{copy.name}.{secrets.token_hex(4)}")
    try:
        shutil.copyfile(path, beside)
        os.replace(beside, copy)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    say(f"{path.name}: {size / 1e9:.1f} GB copied to {copy.parent}")
