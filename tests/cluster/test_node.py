"""A node's program: what becomes of it when a part of it fails."""

import asyncio
import subprocess
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock

import pytest

from lingqu.cluster.node import Program, Workers
from lingqu.cluster.rendezvous import Rendezvous


def test_a_worker_that_has_just_ended_can_be_killed():
    with subprocess.Popen(["true"]) as ended:
        pass
    process = SimpleNamespace(pid=ended.pid, is_alive=lambda: True)  # not yet noticed
    workers = Workers(MagicMock(), "n1", Path())
    nanny = SimpleNamespace(worker_address="w", process=SimpleNamespace(process=process))
    workers._nannies = [nanny]
    asyncio.run(workers.kill("w"))


@pytest.mark.parametrize("part", ["_listen", "_beat", "_watch"])
def test_a_program_that_has_lost_a_part_of_itself_ends(part, monkeypatch):
    """Or it would be there for the desk, and do nothing of what that asks for."""
    told = Rendezvous(Path("s.json"), "tls://a:1", "run", "a:2", "host", 1, {"margin": 20})
    program = Program(told, until=1e12)
    monkeypatch.setattr(program, part, AsyncMock(side_effect=KeyError("op")))
    program._line = MagicMock(__aiter__=lambda _line: forever())
    program._workers = SimpleNamespace(keep=asyncio.Event().wait)
    program._drivers = SimpleNamespace(watch=lambda _patience: asyncio.Event().wait())
    with pytest.raises(KeyError):
        asyncio.run(asyncio.wait_for(program._serve(), 5))


async def forever():
    await asyncio.Event().wait()
    yield
