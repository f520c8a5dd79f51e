"""Messages between desk, nodes and thin commands: one JSON object a line, over TLS."""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator

from lingqu.cluster import security
from lingqu.cluster.rendezvous import Rendezvous

_LONGEST = 1 << 24
_PATIENCE = 20.0

ENCODING = ("utf-8", "surrogateescape")
"""Bytes of any kind survive as text and back."""


def encode(message: dict) -> bytes:
    """A message as a line."""
    return json.dumps(message).encode() + b"\n"


class Line:
    """One end of a connection, in an event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self._reader, self._writer = reader, writer

    def send(self, message: dict) -> None:
        """Send soon; to an end that is gone, nothing."""
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def sent(self) -> None:
        """Wait until what is to be sent is not much."""
        await self._writer.drain()

    async def __aiter__(self):
        """The other end's messages, until it is gone."""
        try:
            while line := await self._reader.readline():
                yield json.loads(line)
        except (OSError, ValueError):  # broken, or no message of ours
            return

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def listen(folder, host: str, answer) -> asyncio.Server:
    """Serve connections at a free port; `answer(Line)` has each of them."""

    async def handle(line: Line) -> None:
        try:
            await answer(line)
        finally:
            line.close()

    served: set[asyncio.Task] = set()

    def connected(reader, writer) -> None:  # a task of asyncio's own would cry when it is cancelled
        task = asyncio.create_task(handle(Line(reader, writer)))
        served.add(task)
        task.add_done_callback(served.discard)

    context = security.context(folder, server=True)
    return await asyncio.start_server(connected, host, 0, ssl=context, limit=_LONGEST)


def _place(told: Rendezvous) -> tuple[str, int]:
    host, _, port = told.desk.rpartition(":")
    return host, int(port)


async def dial(told: Rendezvous) -> Line:
    """Connect to the desk from an event loop; LingquError where nobody answers."""
    context = security.context(told.file.parent, server=False)
    try:
        opening = asyncio.open_connection(*_place(told), ssl=context, limit=_LONGEST)
        return Line(*await asyncio.wait_for(opening, _PATIENCE))
    except (OSError, TimeoutError):
        raise told.gone() from None


class Call:
    """A connection to the desk without an event loop: for thin commands, which start often."""

    def __init__(self, told: Rendezvous):
        self._told = told
        try:
            context = security.context(told.file.parent, server=False)
            plain = socket.create_connection(_place(told), _PATIENCE)
            self._socket = context.wrap_socket(plain)
        except (OSError, ssl.SSLError):
            raise told.gone() from None
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def send(self, message: dict) -> None:
        """Send a message."""
        self._socket.sendall(encode(message))

    def __iter__(self) -> Iterator[dict]:
        """The desk's messages; ends where it is gone."""
        try:
            with self._socket.makefile("rb") as lines:
                for line in lines:
                    yield json.loads(line)
        except (OSError, ValueError):
            return
