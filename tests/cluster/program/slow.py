"""Chunks and a driver for tests of the cluster: they do little, and can be made to wait.

As a driver, `python -m slow COMMAND FOLDER COUNT`: maps `note` over COUNT items; each leaves a line
in FOLDER/chunks.log with the process that worked on it.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.cluster import open_cluster, usage
from lingqu.cluster.parent import die_with_parent


def square(value: int) -> int:
    return value * value


def fail_at_three(value: int) -> int:
    if value == 3:
        raise LingquError("reads.fq: record 3: broken")
    return value


def who(_item) -> int:
    time.sleep(0.05)
    return os.getpid()


def total(item: tuple[int, np.ndarray]) -> int:
    return int(item[0] + item[1].sum())


def deadly(_item) -> None:
    os._exit(1)


def note(item: tuple[Path, int]) -> int:
    """Wait while FOLDER/hold is there; leave a line."""
    folder, number = item
    time.sleep(0.02)
    while (folder / "hold").exists():
        time.sleep(0.05)
    with (folder / "chunks.log").open("a") as log:
        log.write(f"{number} {os.getpid()}\n")
    return number


def main() -> None:
    die_with_parent()
    _, command, folder, count = sys.argv
    with (Path(folder) / "drivers.log").open("a") as log:
        log.write(f"{os.getpid()}\n")
    print(f"{command} of {count}", flush=True)
    print("a word on the side", file=sys.stderr, flush=True)
    if command == "adopt":
        sys.exit(int(count))
    with open_cluster() as cluster:
        done = list(cluster.map(note, [(Path(folder), k) for k in range(int(count))]))
    print(f"sum {sum(done)}", flush=True)
    usage.leave()


if __name__ == "__main__":
    main()
