"""Named arrays in one file with checksums: what a run leaves on disk between its steps.

Layout: 8 bytes of magic, length and crc32 of the head (two uint32), the head (JSON: name -> dtype,
shape, start, crc32, and the facts), then the arrays, each at a multiple of 64 bytes.
"""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from isal import isal_zlib

from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.base.progress import say

_MAGIC = b"LINGQU\0\2"
_ALIGN = 64


def write_arrays(path: Path, facts: dict, arrays: dict[str, np.ndarray]) -> None:
    """Publish `arrays`, with `facts` (what JSON can say), under `path`.

    Not synced to the disk: what a crash of the machine leaves damaged, its checksums tell.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    table, at = {}, 0
    for name, array in arrays.items():
        check = isal_zlib.crc32(array.view(np.uint8)) if array.size else 0
        table[name] = [array.dtype.str, list(array.shape), at, check]
        at += -(-array.nbytes // _ALIGN) * _ALIGN
    head = json.dumps({"arrays": table, "facts": facts}).encode()
    head += b" " * (-(len(head) + 16) % _ALIGN)
    with publish(path, durable=False) as beside, beside.open("wb") as out:
        out.write(_MAGIC + len(head).to_bytes(4, "little"))
        out.write(isal_zlib.crc32(head).to_bytes(4, "little") + head)
        for array in arrays.values():
            out.write(array)
            out.write(bytes(-array.nbytes % _ALIGN))


def array_starts(path: Path) -> dict[str, int]:
    """Where in the file the bytes of each array begin."""
    head, begin = _head(path)
    return {name: begin + at for name, (_, _, at, _) in head["arrays"].items()}


def read_exactly(path: Path, start: int, into: np.ndarray) -> None:
    """Fill `into` (uint8[n]) with the bytes of the file from `start` on."""
    handle = os.open(path, os.O_RDONLY)
    try:
        rest = memoryview(into)
        while len(rest):
            size = os.preadv(handle, [rest], start)
            if not size:
                raise OSError(errno.EIO, "ends too early", str(path))
            rest, start = rest[size:], start + size
    finally:
        os.close(handle)


def _head(path: Path) -> tuple[dict, int]:
    with path.open("rb") as stream:
        start = stream.read(16)
        if start[:8] != _MAGIC:
            raise ValueError(f"{path}: not a file of arrays")
        head = stream.read(int.from_bytes(start[8:12], "little"))
    if isal_zlib.crc32(head) != int.from_bytes(start[12:], "little"):
        raise ValueError(f"{path}: damaged")
    return json.loads(head), 16 + len(head)


def _map(path: Path) -> tuple[dict, dict[str, np.ndarray], dict[str, int]]:
    """(facts, arrays as read-only memory maps, what their CRC32 should be)."""
    head, begin = _head(path)
    flat = np.memmap(path, np.uint8, "r").view(np.ndarray)
    arrays, checks = {}, {}
    for name, (kind, shape, at, check) in head["arrays"].items():
        size = int(np.prod(shape)) * np.dtype(kind).itemsize
        arrays[name] = flat[begin + at :][:size].view(kind).reshape(shape)
        checks[name] = check
    return head["facts"], arrays, checks


def open_arrays(path: Path, check: bool = False) -> tuple[dict, dict[str, np.ndarray]]:
    """(facts, arrays as read-only memory maps).

    LingquError where head or size tell of damage; with `check`, also where a checksum does.
    """
    try:
        facts, arrays, checks = _map(path)
        for name, array in arrays.items() if check else ():
            if array.size and isal_zlib.crc32(array.view(np.uint8)) != checks[name]:
                raise ValueError(name)
    except ValueError:
        raise LingquError(f"{path}: damaged since it was written; run the same again") from None
    return facts, arrays


def whole_facts(path: Path) -> dict | None:
    """The facts of a file whose checksums all hold; None where it is missing or damaged."""
    try:
        return open_arrays(path, check=True)[0]
    except (OSError, LingquError):
        return None


def finished(path: Path, make: Callable[[], dict]) -> dict:
    """The facts of the file that an earlier run left whole, else of what `make` leaves there.

    With `damaged`, the file's name, where an earlier one was not whole: see `heard`.
    """
    facts = whole_facts(path)
    if facts is not None:
        return facts
    damaged = {"damaged": path.name} if path.exists() else {}
    return make() | damaged


def heard(facts: dict) -> dict:
    """Facts of `finished`, as the driver gets them: what was damaged is told in a line."""
    if name := facts.pop("damaged", None):
        say(f"{name}: left by an earlier run and damaged on the disk; done again")
    return facts
