"""Tells of workers that Dask's scheduler has given up."""

from collections.abc import Callable

from distributed import SchedulerPlugin


class LostWorkers(SchedulerPlugin):
    """Calls `lost` with the address and name of each worker that is removed."""

    def __init__(self, lost: Callable[[str, str], None]):
        self._lost = lost
        self._names: dict[str, str] = {}

    def add_worker(self, scheduler, worker: str) -> None:
        """Note its name, which is forgotten with it."""
        self._names[worker] = str(scheduler.workers[worker].name)

    def remove_worker(self, scheduler, worker: str, **_kwargs) -> None:
        """Tell of it."""
        self._lost(worker, self._names.pop(worker, ""))
