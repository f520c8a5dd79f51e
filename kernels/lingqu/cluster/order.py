"""The order in which any backend gives its results."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator


def in_order(submit: Callable, items: Iterable, full: Callable[[deque], bool]) -> Iterator:
    """Yield the results of submit(item).result() in item order.

    `full` says of the futures that are waited for whether they are enough for now.
    """
    waiting: deque = deque()
    try:
        for item in items:
            waiting.append(submit(item))
            while full(waiting):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
