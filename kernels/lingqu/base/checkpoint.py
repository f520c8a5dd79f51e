"""The folder in which a long run keeps what it has finished, so that the next run goes on.

`.lingqu/<digest>/` beside the output; the digest is of inputs, parameters and version, so that
nothing is taken over from other work. Removed when the output stands.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
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
        with path.open("rb"):
            pass
    except OSError as error:
        raise LingquError(f"{path}: {error.strerror}; name an existing file") from None
    return [str(path.resolve()), state.st_size, state.st_mtime_ns]


@contextlib.contextmanager
def checkpoint(output: Path, facts: dict) -> Iterator[Path]:
    """Hold the checkpoint folder of `output` for work that `facts` tell; remove it on success.

    LingquError where the output's folder cannot be written, or another run holds the checkpoint.
    """
    folder = output.parent / ".lingqu" / digest(facts | {"output": output.name})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lease", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise LingquError(
            f"{output.parent}: cannot write there ({error.strerror}); choose another output folder"
        ) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LingquError(f"{output}: another run is writing it; wait for that one") from None
        yield folder
        shutil.rmtree(folder)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()
    finally:
        os.close(handle)
