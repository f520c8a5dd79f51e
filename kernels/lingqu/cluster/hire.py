"""A cluster for the time of a run: starts its owner, and ends it."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from lingqu.base.errors import LingquError
from lingqu.base.progress import say
from lingqu.cluster import rendezvous, security
from lingqu.cluster.slurm import job_name

_PATIENCE = 60.0
_ENDING = 60.0
_LAST_WORDS = 5.0


def _fresh(folder: Path) -> None:
    """A private folder with nothing of the run before, whose jobs are cancelled."""
    file = folder / rendezvous.NAME
    if file.exists():
        with contextlib.suppress(LingquError):
            end_jobs(rendezvous.read(file))
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "log").mkdir(parents=True)
    folder.chmod(0o700)


def end_jobs(told: rendezvous.Rendezvous) -> None:
    """Cancel the jobs of a run whose owner is gone."""
    if told.run and told.workers.get("pool") == "slurm" and shutil.which("scancel"):
        words = ["scancel", "--quiet", f"--user={os.getuid()}", f"--name={job_name(told.run)}"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(words, timeout=_PATIENCE, check=False, stderr=subprocess.DEVNULL)


def _pass_on(lines: BinaryIO, tell: Callable[[str], None]) -> threading.Thread:
    """Tell each line, in a thread, until there are no more."""

    def read() -> None:
        for line in lines:
            tell(line.decode(errors="replace").rstrip("\n"))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _start(file: Path, settings: dict, environment: dict, tell: Callable) -> tuple:
    """(the owner, which answers by now; the thread that tells what it says)."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lingqu.cluster.owner", str(file)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        process_group=0,  # a Ctrl-C at the terminal is the launcher's to hand on
    )
    process.stdin.write(json.dumps(settings).encode())
    process.stdin.close()
    telling = _pass_on(process.stderr, tell)
    deadline = time.monotonic() + _PATIENCE
    while not file.exists():
        if process.poll() is not None:
            telling.join(_LAST_WORDS)
            raise LingquError(f"{file.parent}: the cluster's owner did not start; see above")
        if time.monotonic() > deadline:
            process.kill()
            raise LingquError(
                f"{file.parent}: the cluster's owner does not start; look at the host"
            )
        time.sleep(0.02)
    return process, telling


@contextlib.contextmanager
def hired(
    folder: Path, settings: dict, environment: dict, tell: Callable[[str], None] = say
) -> Iterator[dict]:
    """Own a cluster with its state in `folder`; yields `environment` with the way to it.

    settings: as `lingqu.workflow.workers` reads them; tell: is called with each line that the owner
    says, in a thread. LingquError where it cannot be.
    """
    _fresh(folder)
    run = secrets.token_hex(6)
    security.make_credentials(folder, run)
    file = folder / rendezvous.NAME
    process, telling = _start(file, settings | {"run": run}, environment, tell)
    told = rendezvous.read(file)
    try:
        yield {**environment, rendezvous.SCHEDULER_VARIABLE: str(file)}
    finally:
        if process.poll() is not None:
            tell(f"lingqu: the cluster's owner has ended (code {process.returncode}): see above")
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        telling.join(_LAST_WORDS)
        if code:
            end_jobs(told)
        file.unlink(missing_ok=True)
        for name in (security.KEY, security.CERTIFICATE):
            (folder / name).unlink(missing_ok=True)
