"""The scheduler file: where the cluster of a run is, and by which keys it is known.

    {"address": "tls://10.0.0.5:34567",                         Dask's scheduler
     "run": "1f0c...", "desk": "10.0.0.5:45678",                only of a cluster that lingqu owns
     "host": "login1", "pid": 4711, "workers": {...}}

Beside it lie `key.pem` and `cert.pem`, for the owner's eyes only: who has them belongs to the run.
A plain Dask scheduler's own file holds an address, and that is enough to map over its workers.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError

SCHEDULER_VARIABLE = "LINGQU_SCHEDULER"
"""Environment variable that names the scheduler file of a running Dask cluster."""

DRIVER_VARIABLE = "LINGQU_DRIVER"
"""Environment variable of a driver, which does the work itself: its order at the desk."""

NAME = "scheduler.json"


@dataclass(frozen=True)
class Rendezvous:
    """What a scheduler file tells; run and desk are empty for a cluster that is not lingqu's."""

    file: Path
    address: str
    run: str = ""
    desk: str = ""
    host: str = ""
    pid: int = 0
    workers: dict = field(default_factory=dict)

    def gone(self) -> LingquError:
        """The error that nobody answers there."""
        of = f" (process {self.pid} on {self.host})" if self.pid else ""
        return LingquError(
            f"{self.file}: no scheduler answers at {self.desk or self.address}; the file is stale,"
            f" its run{of} is gone: give `lingqu run` again, or unset {SCHEDULER_VARIABLE}"
        )


def write(told: Rendezvous) -> None:
    """Publish the scheduler file."""
    facts = asdict(told)
    del facts["file"]
    with publish(told.file) as beside:
        beside.write_text(json.dumps(facts, indent=1) + "\n")


def read(file: str | Path) -> Rendezvous:
    """What the file tells; LingquError where it is missing or no scheduler file."""
    file = Path(file)
    try:
        facts = json.loads(file.read_text())
        known = {name: facts[name] for name in Rendezvous.__dataclass_fields__ if name in facts}
        return Rendezvous(file.absolute(), **known)
    except FileNotFoundError:
        raise LingquError(
            f"{file}: no scheduler file; start the cluster, or unset {SCHEDULER_VARIABLE}"
        ) from None
    except (OSError, ValueError, TypeError):
        raise LingquError(f"{file}: no scheduler file; name one that a cluster wrote") from None
