"""Big items on their way to a worker: kept by the driver, fetched by who works on them.

A chunk of reads holds some 10 MB. Through the scheduler all of that would pass one process; on the
shared file system it would be written once and read once, by the disks that spills already load.
So the scheduler gets a ticket, and the worker that takes the task fetches the item from its driver:
by mapping the driver's own memory where both are on one machine, else over TLS. Where a worker is
lost the scheduler gives the ticket to another one, and the item is still there: it goes when its
result has come.

The wire: the ticket's number (8 bytes) one way, the item's bytes the other, as `memory` keeps them.
"""

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lingqu.cluster import security
from lingqu.cluster.memory import Kept, Place, keep, look, unpacked

_PATIENCE = 60.0
_SILENCE = 15.0
"""Seconds for which a driver keeps a line open that nobody uses, and for which a worker waits for
the next word of a driver, which may hang."""

_HELD = 1 << 30
_MOST = 500
_LINES = 4
_NUMBER = struct.Struct("<Q")


class LostError(Exception):
    """An item could not be fetched; its driver may still have it."""


@dataclass(frozen=True)
class Ticket:
    """Names an item that waits at the driver that listens at `place`; keys: folder, or empty.

    memory: where it is kept, for workers on the driver's machine.
    """

    place: tuple[str, int]
    keys: str
    number: int
    memory: Place


@cache
def _context(keys: str, server: bool):
    return security.context(Path(keys), server)


def _secured(plain: socket.socket, keys: str, server: bool) -> socket.socket:
    plain.settimeout(_PATIENCE if server else _SILENCE)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return _context(keys, server).wrap_socket(plain, server_side=server) if keys else plain


class Parcels:
    """The items of a driver, served to workers by threads of it."""

    def __init__(self, host: str, keys: str):
        """host: where workers reach this driver; keys: folder of the run's keys, or empty."""
        self._host, self._keys = host, keys
        self._items: dict[int, Kept] = {}
        self._next = self.held = 0
        self._socket: socket.socket | None = None

    @property
    def full(self) -> bool:
        """Whether what is held is enough for now, in bytes and in open files."""
        return self.held > _HELD or len(self._items) > _MOST

    def hand_in(self, item: Any) -> Any:
        """The item itself where it is small, else a ticket for it."""
        kept = keep(item)
        if kept is None:
            return item
        number, self._next = self._next, self._next + 1
        self._items[number] = kept
        self.held += kept.size
        return Ticket(self._place(), self._keys, number, kept.place)

    def drop(self, handed: Any) -> None:
        """Forget what `hand_in` gave."""
        if isinstance(handed, Ticket) and handed.number in self._items:
            self.held -= self._items.pop(handed.number).size

    def close(self) -> None:
        """Serve no more."""
        self._items.clear()
        if self._socket:
            self._socket.close()

    def _place(self) -> tuple[str, int]:
        if self._socket is None:
            self._socket = socket.create_server((self._host, 0), backlog=128)
            threading.Thread(target=self._accept, daemon=True).start()
        return self._socket.getsockname()[:2]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        """One worker's thread, until it hangs up or asks for what is not there any more."""
        with contextlib.suppress(OSError, KeyError), plain:
            line = _secured(plain, self._keys, server=True)
            with line:  # until nothing is asked for a while, too
                while asked := _exactly(line, _NUMBER.size):
                    # not to be closed: where the line breaks, its error still holds the bytes
                    line.sendall(self._items[_NUMBER.unpack(asked)[0]].mapped())


def _exactly(line: socket.socket, size: int) -> memoryview:
    """So many bytes; empty where the other end has hung up."""
    room = memoryview(np.empty(size, np.uint8))
    at = 0
    while at < size:
        got = line.recv_into(room[at:])
        if not got:
            return room[:0]
        at += got
    return room


class _Lines(threading.local):
    """A worker thread's connections to drivers."""

    def __init__(self):
        self.open: dict[tuple[str, int], socket.socket] = {}


_lines = _Lines()


def _ask(ticket: Ticket) -> Any:
    """The item, over the network."""
    if ticket.place not in _lines.open:
        if len(_lines.open) >= _LINES:  # of drivers that have ended since
            for line in _lines.open.values():
                line.close()
            _lines.open.clear()
        plain = socket.create_connection(ticket.place, _SILENCE)
        _lines.open[ticket.place] = _secured(plain, ticket.keys, server=False)
    line = _lines.open[ticket.place]
    line.sendall(_NUMBER.pack(ticket.number))
    whole = _exactly(line, sum(ticket.memory.sizes))
    if not whole:
        raise OSError("it hung up")
    return unpacked(whole, ticket.memory.sizes)


def fetch(handed: Any) -> Any:
    """On a worker: the item of a ticket, or the item that was handed in as it is.

    LostError where its driver does not answer.
    """
    if not isinstance(handed, Ticket):
        return handed
    if (item := look(handed.memory)) is not None:
        return item
    for _ in range(2):  # a connection that was open may have been cut since
        try:
            return _ask(handed)
        except OSError as error:
            why = error
            if line := _lines.open.pop(handed.place, None):
                line.close()
            if isinstance(error, TimeoutError):
                break
    raise LostError(f"{handed.place}: {why}")
