"""The folder in which a long run keeps what it has finished, so that the next run goes on.

`.lingqu/<output>.checkpoint/` beside the output holds one folder, that of the live epoch,
`<digest>.<token>`: the digest is of inputs, parameters and version, so that nothing is taken over
from other work; the token is new for each run. Who takes over renames the folder to a token of its
own: one atomic step, after which whatever a late process still writes by the old name fails. An
output gets its name by a rename out of this folder (`publish(..., within=folder)`), and so is safe
from late ones too, without clocks and without locks. What is being written there has a name that
begins with a dot; what has another name is whole, or its checksum tells that it is not.

The epoch ends with the work. `.lingqu/<output>.lock` is held meanwhile: who can see that lock waits
for its holder and does not take over, unless the holder is stopped, or of the same run and lost.
"""

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from lingqu.base import lock
from lingqu.base.atomic import remove
from lingqu.base.errors import LingquError
from lingqu.base.journal import RUN_VARIABLE
from lingqu.base.progress import say

_EPOCH = re.compile(r"([0-9a-f]{16})\.[0-9a-f]{8}")


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


def _hold(output: Path, path: Path) -> int:
    """The open, locked file `path`, taken from a holder that is stopped or lost."""
    try:
        return lock.lock(path)
    except BlockingIOError:
        other = lock.holder(path)
    except OSError as error:
        raise LingquError(
            f"{output.parent}: cannot write there ({error.strerror}); choose another output folder"
        ) from None
    run = os.environ.get(RUN_VARIABLE)
    if other and (other.stopped or (run and other.run == run)):  # a run is alone in its folder
        say(f"{output}: taken over from {other}, which is stopped or lost")
        return lock.seize(path)
    who = f" ({other})" if other else ""
    raise LingquError(f"{output}: another run is writing it{who}; wait for that one, or end it")


def _aside(home: Path) -> Path:
    """A name beside `home` for what is not yet, or no longer, of use."""
    return home.with_suffix(f".{secrets.token_hex(4)}.part")


def _begin(home: Path, key: str) -> Path | None:
    """The folder of a first epoch; None where another run was faster."""
    new = _aside(home)
    folder = home / f"{key}.{secrets.token_hex(4)}"
    (new / folder.name).mkdir(parents=True)
    try:
        os.rename(new, home)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise
        return None
    return folder


def _take_over(home: Path, old: Path, key: str) -> Path | None:
    """The folder of another epoch on the same facts, renamed; None where it is on others."""
    if not old.name.startswith(f"{key}."):
        remove(old, _aside(home))
        return None
    folder = home / f"{key}.{secrets.token_hex(4)}"
    os.rename(old, folder)
    for begun in folder.rglob(".*"):
        begun.unlink(missing_ok=True)
    return folder


def _look(home: Path, key: str) -> Path | None:
    """Remove what is of no use; the folder of a new epoch, or None where another look is due."""
    aside = re.compile(rf"{re.escape(home.stem)}\.[0-9a-f]{{8}}\.part")
    for path in home.parent.iterdir():
        if aside.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
    there = list(home.iterdir()) if home.exists() else []
    epochs = [path for path in there if _EPOCH.fullmatch(path.name)]
    if there and not epochs:
        remove(home, _aside(home))
    return _take_over(home, epochs[0], key) if epochs else _begin(home, key)


def _claim(home: Path, key: str) -> Path:
    """The folder of a new epoch of `home`: that of the last one, renamed, or an empty one."""
    while True:
        home.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another run was faster
            if folder := _look(home, key):
                return folder


def _end(output: Path, folder: Path, path: Path) -> None:
    """Remove what a finished run needs no longer."""
    remove(folder, _aside(folder.parent))
    path.unlink(missing_ok=True)
    for left in (folder.parent, path.parent):
        with contextlib.suppress(OSError):  # another epoch's or output's may be there
            left.rmdir()


@contextlib.contextmanager
def checkpoint(output: Path, facts: dict) -> Iterator[Path]:
    """Hold the checkpoint folder of `output` for work that `facts` tell; remove it on success.

    LingquError where the output's folder cannot be written, or another run writes the same output;
    also in place of what goes wrong after another run took over.
    """
    home = output.parent / ".lingqu" / f"{output.name}.checkpoint"
    path = home.with_suffix(".lock")
    handle = _hold(output, path)
    try:
        folder = _claim(home, digest(facts))
        try:
            yield folder
            _end(output, folder, path)
        except Exception:
            if folder.exists():
                raise
            other = lock.holder(path)
            who = other if other and other != lock.this_process() else "another run"
            raise LingquError(
                f"{output}: {who} took it over; this run ends and leaves it alone"
            ) from None
    finally:
        lock.release(handle)
