"""Outputs that appear under their name only when they are whole."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_ROOM = 1 << 20


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable."""
    _sync(folder, os.O_RDONLY)


def _sync(path: Path, mode: int) -> None:
    handle = os.open(path, mode)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def no_room(folder: str | Path) -> str:
    """Why not even a small file can be written into the folder; empty where it can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as out:
            out.write(bytes(_ROOM))
            out.flush()
            os.fsync(out.fileno())  # a quota may show no earlier
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, unless that is taken."""
    with contextlib.suppress(FileExistsError):
        try:
            os.link(source, target)
        except PermissionError:  # EPERM: a file system without such names
            if not target.exists():
                os.replace(source, target)


@contextlib.contextmanager
def publish(
    path: str | Path,
    within: Path | None = None,
    outdated: Iterable[str | Path] = (),
    durable: bool = True,
    over: bool = True,
) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and renamed to `path`.

    On any failure the temporary file is removed and `path` is left as it was. `within` is another
    folder of the same file system for the temporary file: that of a checkpoint, which is cleaned
    after a crash, and out of which nothing is published once another run has taken it over.
    `outdated` are files about the former `path`, as its index: taken away right before the rename,
    so that no kill leaves them beside a `path` that they are not of. What is not `durable` is not
    synced: for files that tell by themselves whether they are whole. With `over` false, a file that
    stands under `path` by then stays.
    """
    path = Path(path)
    name = f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part"
    beside = (within or path.parent) / name
    old = beside.with_suffix(".old")
    try:
        yield beside
        if durable:
            _sync(beside, os.O_RDWR)
        for outdone in outdated:
            with contextlib.suppress(FileNotFoundError):
                os.replace(outdone, old)  # no unlink: that would work for a late run too
        (os.replace if over else _link)(beside, path)
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        if error.filename is None:  # a write that fails does not say where
            error.filename = str(path)
        raise
    finally:
        beside.unlink(missing_ok=True)
        old.unlink(missing_ok=True)


def remove(folder: Path, gone: Path) -> None:
    """Remove a folder by way of the free name `gone`: at once, so that late writes there fail.

    FileNotFoundError where it is not there (any more).
    """
    os.rename(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)
