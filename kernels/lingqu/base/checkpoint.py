"""The folder in which a long run keeps what it has finished, so that the next run goes on.

`.lingqu/<output>.<digest>/` beside the output; the digest is of inputs, parameters and version, so
that nothing is taken over from other work. Removed when the output stands. `.lingqu/<output>.lock`
keeps any two runs on one output apart, whatever their inputs.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from lingqu.base.errors import LingquError


def digest(facts: dict) -> str:
    """16 hexadecimal characters that name these facts (what JSON can say)."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def file_facts(path: Path) -> list:
    """What tells one state of a file from another without reading it."""
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise LingquError(
                f"{path}: not a regular file (a pipe or folder), which cannot be read twice;"
                " write it to a file and name that"
            )
        with path.open("rb"):
            pass
    except OSError as error:
        raise LingquError(f"{path}: {error.strerror}; name an existing file") from None
    return [str(path.resolve()), state.st_size, state.st_mtime_ns]


def _same_file(handle: int, path: Path) -> bool:
    """Whether the open file is still what stands under `path`."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _lock(output: Path, path: Path) -> int:
    """The open, locked file `path`; a file that its last holder has removed is no lock."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            except FileNotFoundError:
                continue  # a run that ended has just removed the folder
        except OSError as error:
            raise LingquError(
                f"{output.parent}: cannot write there ({error.strerror});"
                " choose another output folder"
            ) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise LingquError(f"{output}: another run is writing it; wait for that one") from None
        if _same_file(handle, path):
            return handle
        os.close(handle)


def _sweep(output: Path, folder: Path) -> None:
    """Remove what earlier runs on `output`, killed or given up, have left; only under the lock."""
    name = re.escape(output.name)
    kept = re.compile(rf"{name}\.[0-9a-f]{{16}}")
    for path in folder.parent.iterdir():
        if kept.fullmatch(path.name) and path != folder:
            shutil.rmtree(path)
    part = re.compile(rf"\.{name}(\.(bai|csi|crai|tbi|stats\.json))?\.\d+\.[0-9a-f]{{8}}\.part")
    for path in output.parent.iterdir():
        if part.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def checkpoint(output: Path, facts: dict) -> Iterator[Path]:
    """Hold the checkpoint folder of `output` for work that `facts` tell; remove it on success.

    LingquError where the output's folder cannot be written, or another run writes the same output.
    """
    home = output.parent / ".lingqu"
    folder, lock = home / f"{output.name}.{digest(facts)}", home / f"{output.name}.lock"
    handle = _lock(output, lock)
    try:
        _sweep(output, folder)
        folder.mkdir(exist_ok=True)
        yield folder
        shutil.rmtree(folder)
        lock.unlink()
        with contextlib.suppress(OSError):  # another output's may be there
            home.rmdir()
    finally:
        os.close(handle)
