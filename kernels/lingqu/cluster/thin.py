"""A heavy command where it was started: hands itself in at the run's desk, and waits.

Its driver runs on a node. Lines and exit code come through; who ends this command ends its driver.
"""

import contextlib
import os

from lingqu import __version__
from lingqu.base.errors import LingquError
from lingqu.base.lock import PULSE_VARIABLE
from lingqu.cluster import rendezvous

HEAVY = frozenset({"index", "adopt", "align", "call", "joint", "compare", "digest", "look"})
"""Commands whose work is for nodes."""

_PASSED = ("LINGQU_", "NUMBA_", "REF_", "HTS_", "PYTHON", "XDG_CACHE_HOME", "LANG", "LC_")
_HELP = {"-h", "--help"}


def handed_in(words: list[str]) -> bool:
    """Whether lingqu's `words` are to be done by a node, and not here."""
    if rendezvous.SCHEDULER_VARIABLE not in os.environ or rendezvous.DRIVER_VARIABLE in os.environ:
        return False
    command = next((word for word in words if not word.startswith("-")), "")
    if command not in HEAVY or _HELP & set(words):
        return False
    return bool(rendezvous.read(os.environ[rendezvous.SCHEDULER_VARIABLE]).desk)


def _show(stream: int, text: bytes) -> None:
    """Write to standard output (1) or error, which may be a log on a disk that is full."""
    with contextlib.suppress(OSError) if stream == 2 else contextlib.nullcontext():
        while text:
            text = text[os.write(stream, text) :]


def hand_in(words: list[str]) -> int:
    """Have a node run lingqu with `words`, and pass on its lines; its exit code.

    LingquError where the desk does not answer, or goes away meanwhile.
    """
    from lingqu.cluster import wire

    told = rendezvous.read(os.environ[rendezvous.SCHEDULER_VARIABLE])
    call = wire.Call(told)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_PASSED) and name != PULSE_VARIABLE  # Snakemake's, which runs here
    }
    call.send(
        {
            "kind": "command",
            "version": __version__,
            "words": words,
            "folder": os.getcwd(),
            "environment": environment,
        }
    )
    for message in call:
        if "text" in message:
            _show(message["stream"], message["text"].encode(*wire.ENCODING))
        elif "fault" in message:
            raise LingquError(message["fault"])
        elif "code" in message:
            return message["code"]
    raise told.gone()
