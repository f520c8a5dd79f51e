"""Big items on their way to a worker: kept by the driver, fetched by who works on them.

A chunk of reads holds some 10 MB. Through the scheduler all of that would pass one process; on the
shared file system it would be written once and read once, by the disks that spills already load.
So the scheduler gets a ticket, and the worker that takes the task fetches the item from the driver
straight into its memory. Where a worker is lost the scheduler gives the ticket to another one, and
the item is still there: it goes when its result has come.
"""

import pickle
from dataclasses import dataclass
from typing import Any

_SMALL = 1 << 16


@dataclass(frozen=True)
class Ticket:
    """Names an item that waits at the driver that listens at `address`."""

    address: str
    number: int


def weight(item: Any) -> int:
    """The bytes of an item, without copying its arrays."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(item, protocol=5, buffer_callback=buffers.append)
    return len(head) + sum(buffer.raw().nbytes for buffer in buffers)


class Parcels:
    """The items of a driver; served to workers from the event loop of its client."""

    def __init__(self, client):
        self._client = client
        self._items: dict[int, Any] = {}
        self._weights: dict[int, int] = {}
        self._next = 0
        self._server = None

    @property
    def held(self) -> int:
        """Bytes of the items that wait."""
        return sum(self._weights.values())

    def hand_in(self, item: Any) -> Any:
        """The item itself where it is small, else a ticket for it."""
        size = weight(item)
        if size <= _SMALL:
            return item
        if self._server is None:
            self._client.sync(self._start)
        number, self._next = self._next, self._next + 1
        self._items[number], self._weights[number] = item, size
        return Ticket(self._server.address, number)

    def drop(self, handed: Any) -> None:
        """Forget what `hand_in` gave."""
        if isinstance(handed, Ticket):
            self._items.pop(handed.number, None)
            self._weights.pop(handed.number, None)

    def close(self) -> None:
        """Serve no more."""
        if self._server is not None:
            self._client.sync(self._server.close)

    async def _start(self) -> None:
        from distributed.comm import get_address_host
        from distributed.core import Server

        own = self._client.scheduler_comm.comm
        protocol = own.local_address.partition("://")[0]
        security = self._client.security
        self._server = Server({"parcel": self._parcel}, connection_args={})
        # where the scheduler is reached from, workers can be reached from, too
        host = get_address_host(own.local_address)
        await self._server.listen(f"{protocol}://{host}:0", **security.get_listen_args("worker"))

    async def _parcel(self, number: int) -> Any:
        from distributed.protocol import to_serialize

        return to_serialize(self._items[number])


def fetch(handed: Any) -> Any:
    """On a worker: the item of a ticket, or the item that was handed in as it is."""
    if not isinstance(handed, Ticket):
        return handed
    from distributed import get_worker
    from distributed.utils import sync

    worker = get_worker()

    async def ask():
        return await worker.rpc(handed.address).parcel(number=handed.number)

    return sync(worker.loop, ask)
