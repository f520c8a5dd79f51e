"""Big items in memory of their own, which other processes of this machine map."""

import mmap
import os
import pickle
import secrets
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

_SMALL = 1 << 14
"""Bytes of an item that may go by itself: several must fit into a line that nobody reads yet."""


@dataclass(frozen=True)
class Place:
    """Where an item is kept: machine, process, its open file and that one's name.

    sizes: bytes of the item's parts, its pickle and its arrays, one behind the other.
    """

    machine: str
    process: int
    handle: int
    name: str
    sizes: tuple[int, ...]


@cache
def _machine() -> str:
    """What tells this machine, since it was started, from all others."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class Kept:
    """The parts of an item, for as long as this object lives."""

    def __init__(self, parts: list[memoryview]):
        name, sizes = f"lingqu-{secrets.token_hex(8)}", tuple(part.nbytes for part in parts)
        self.size = sum(sizes)
        self.place = Place(_machine(), os.getpid(), os.memfd_create(name), name, sizes)
        for part in parts:
            while part:
                part = part[os.write(self.place.handle, part) :]

    def __del__(self):
        os.close(self.place.handle)

    def mapped(self) -> mmap.mmap:
        """All of it, to be read."""
        return mmap.mmap(self.place.handle, self.size, access=mmap.ACCESS_READ)


def keep(item: Any) -> Kept | None:
    """Keep an item; None where it is small and may as well go as it is."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(item, protocol=5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    return Kept(parts) if sum(part.nbytes for part in parts) > _SMALL else None


def unpacked(whole: memoryview, sizes: tuple[int, ...]) -> Any:
    """The item of its parts' bytes; its arrays lie in them."""
    ends = list(accumulate(sizes))
    head, *buffers = [whole[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    return pickle.loads(head, buffers=buffers)


def look(place: Place) -> Any:
    """The item that is kept there; None where it is not to be seen from here, or gone.

    What is changed in it is changed for the one who looks only.
    """
    if place.machine != _machine():
        return None
    path = f"/proc/{place.process}/fd/{place.handle}"
    try:
        own = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        if os.readlink(f"/proc/self/fd/{own}").split()[0] != f"/memfd:{place.name}":
            return None  # of another process, or of another item by now
        whole = mmap.mmap(own, sum(place.sizes), access=mmap.ACCESS_COPY)
    finally:
        os.close(own)
    return unpacked(memoryview(whole), place.sizes)
