"""Where commands are handed in: each is given to a node, and told what becomes of it.

A node that is lost, or whose time is up, gives its commands back; they go to another one, and go on
there from their checkpoints. A command whose own process was killed is given out again, too.
"""

import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lingqu import __version__
from lingqu.base.journal import subject
from lingqu.cluster.usage import Usage
from lingqu.cluster.wire import Line

ERROR = "lingqu: error: "
"""How the line begins in which a command tells why it failed."""

_DEATHS = 3
_GOES_ON = "goes on elsewhere from what is finished"
_OTHERS = "others take its chunks"


@dataclass
class Order:
    """A command that was handed in; `line` leads to who did."""

    number: int
    words: list[str]
    folder: str
    environment: dict[str, str]
    line: Line
    since: float = field(default_factory=time.time)
    tries: int = 0
    deaths: int = 0
    error: str = ""

    @property
    def name(self) -> str:
        """The try of it that counts: what an earlier one still says is of no interest."""
        return f"{self.number}.{self.tries}"

    @property
    def command(self) -> str:
        """The lingqu command."""
        return subject(self.words)[0]

    @property
    def makes(self) -> str:
        """The file that it makes."""
        return subject(self.words)[1]

    @property
    def title(self) -> str:
        """The command and what it makes."""
        return f"{self.command} {Path(self.makes).name}".strip()

    def pass_on(self, stream: int, text: str) -> None:
        """Give what its driver says to who waits; keep the error among it."""
        self.line.send({"stream": stream, "text": text})
        for line in text.splitlines():
            if line.startswith(ERROR):
                self.error = line.removeprefix(ERROR)

    def note(self, text: str) -> None:
        """Tell who waits what happens."""
        self.line.send({"stream": 2, "text": f"lingqu: {text}\n"})


@dataclass
class Node:
    """A node that works for the run; deadline: Unix time at which its job ends."""

    line: Line
    name: str
    host: str
    job: str
    cores: int
    slots: int
    deadline: float
    orders: dict[str, Order] = field(default_factory=dict)
    since: float = field(default_factory=time.time)
    seen: float = field(default_factory=time.monotonic)
    leaving: bool = False


class Desk:
    """Orders that wait, and the nodes that take them.

    left: called with a node that is no more there, its orders still with it; drain: with one whose
    time is nearly up; say: with a line for who started the run.
    """

    def __init__(
        self,
        left: Callable[[Node], None],
        drain: Callable[[Node], None],
        say: Callable[[str], None],
    ):
        self.waiting: deque[Order] = deque()
        self.nodes: dict[str, Node] = {}
        self.costs: dict[str, Usage] = {}
        self.asked = False
        self.fault = ""
        self._left, self._drain, self._say = left, drain, say
        self._numbers = itertools.count(1)

    async def answer(self, line: Line) -> None:
        """Serve one connection: of a command or of a node, by the first thing it says."""
        messages = line.__aiter__()
        async for hello in messages:
            if hello.get("version") != __version__:
                told = f"lingqu {hello.get('version')} met lingqu {__version__} of the run"
                line.send({"fault": f"{told}; use one version everywhere"})
            elif hello.get("kind") == "command":
                await self._serve_command(line, messages, hello)
            elif hello.get("kind") == "node":
                await self._serve_node(line, messages, hello)
            return

    async def _serve_command(self, line: Line, messages, hello: dict) -> None:
        what = hello["words"], hello["folder"], hello["environment"]
        order = Order(next(self._numbers), *what, line)
        if self.fault:
            line.send({"fault": self.fault})
            return
        self.asked = True
        self.waiting.append(order)
        self.give_out()
        async for _ in messages:  # until it hangs up
            pass
        self._withdraw(order)

    def _withdraw(self, order: Order) -> None:
        if order in self.waiting:
            self.waiting.remove(order)
        for node in self.nodes.values():
            if node.orders.pop(order.name, None):
                node.line.send({"op": "stop", "order": order.name})
        self.give_out()

    def give_out(self) -> None:
        """Give waiting orders to nodes with room: least busy first, then with the most time."""
        while self.waiting:
            free = [
                node
                for node in self.nodes.values()
                if not node.leaving and len(node.orders) < node.slots
            ]
            if not free:
                return
            node = min(free, key=lambda node: (len(node.orders) / node.slots, -node.deadline))
            order = self.waiting.popleft()
            order.tries += 1
            node.orders[order.name] = order
            node.line.send(
                {
                    "op": "run",
                    "order": order.name,
                    "words": order.words,
                    "folder": order.folder,
                    "environment": order.environment,
                }
            )

    async def _serve_node(self, line: Line, messages, hello: dict) -> None:
        told = {name: hello[name] for name in ("name", "host", "job", "cores", "slots", "deadline")}
        node = self.nodes[hello["name"]] = Node(line, **told)
        self.give_out()
        try:
            async for message in messages:
                node.seen = time.monotonic()
                self._heard(node, message)
        finally:
            self._lost(node, "" if node.leaving else f"node {node.host} is lost")

    def _heard(self, node: Node, message: dict) -> None:
        order = node.orders.get(message.get("order", ""))
        match message["op"]:
            case "alive":
                node.line.send({"op": "alive"})
            case "text" if order:
                order.pass_on(message["stream"], message["text"])
            case "ended" if order:
                del node.orders[order.name]
                self._ended(node, order, message)
                self.give_out()
            case "back" if order:
                del node.orders[order.name]
                self._given_back(node, order, message)
            case "leaving":
                node.leaving = True
                self._say(f"the time of {node.host} is nearly up; others take its work")
                self._drain(node)

    def _given_back(self, node: Node, order: Order, message: dict) -> None:
        """A driver was ended by its node: with all others there, or for a reason of its own."""
        why = message.get("why")
        if why:
            self._say(f"{order.title}: {why}; {_GOES_ON}")
        self._again(order, why or f"the time of {node.host} is up")

    def _ended(self, node: Node, order: Order, message: dict) -> None:
        """A driver has ended by itself, or was killed by a signal (a negative code)."""
        self.costs.setdefault(order.command, Usage()).add(Usage(**message["usage"]))
        code = message["code"]
        if code >= 0:
            if code and order.error:
                self._say(f"error: {order.title}: {order.error}")
            order.line.send({"code": code})
            return
        order.deaths += 1
        if order.deaths < _DEATHS:
            why = f"its driver on {node.host} was killed (signal {-code})"
            self._say(f"{order.title}: {why}; {_GOES_ON}")
            self._again(order, why)
            return
        order.line.send(
            {
                "fault": f"{order.command}: its driver was killed {_DEATHS} times, last on"
                f" {node.host} (signal {-code}); if memory is short, give nodes more"
            }
        )

    def _again(self, order: Order, why: str) -> None:
        order.note(f"{order.command}: {why}; {_GOES_ON}")
        self.waiting.appendleft(order)
        self.give_out()

    def _lost(self, node: Node, why: str) -> None:
        """Take a node off the list; say why, where who started the run should know."""
        if self.nodes.get(node.name) is not node:
            return
        del self.nodes[node.name]
        self._left(node)
        orders = [node.orders.pop(name) for name in list(node.orders)]
        if why:
            titles = ", ".join(order.title for order in orders)
            self._say(f"{why}; {titles}: {_GOES_ON}" if orders else f"{why}; {_OTHERS}")
        for order in orders:
            self._again(order, f"node {node.host} is lost")

    def silent(self, patience: float) -> list[Node]:
        """The nodes that were not heard of for `patience` seconds."""
        now = time.monotonic()
        return [node for node in self.nodes.values() if now - node.seen > patience]

    def dismiss(self, node: Node, why: str = "") -> None:
        """Part with a node, whatever it still does, and say why."""
        node.line.send({"op": "end"})
        self._lost(node, why)
        node.line.close()

    def refuse(self, fault: str) -> None:
        """End all orders, and those to come, with this fault."""
        self.fault = fault
        orders = [*self.waiting, *(o for node in self.nodes.values() for o in node.orders.values())]
        for order in orders:
            order.line.send({"fault": fault})
        self.waiting.clear()
