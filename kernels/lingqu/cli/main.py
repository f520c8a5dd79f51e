"""`lingqu`: find the command, run it, turn faults into one line."""

import atexit
import contextlib
import errno
import importlib
import os
import sys

import click

from lingqu import __version__
from lingqu.base.errors import LingquError
from lingqu.base.lock import make_way
from lingqu.cluster.thin import hand_in, handed_in

COMMANDS = {
    "demo": "lingqu.cli.demo",
    "init": "lingqu.cli.init",
    "run": "lingqu.cli.run",
    "status": "lingqu.cli.status",
    "index": "lingqu.cli.index",
    "align": "lingqu.cli.align",
    "call": "lingqu.cli.call",
    "compare": "lingqu.cli.compare",
    "joint": "lingqu.cli.joint",
    "adopt": "lingqu.cli.adopt",
    "digest": "lingqu.cli.digest",
    "look": "lingqu.cli.look",
    "report": "lingqu.cli.report",
    "kernels": "lingqu.cli.kernels",
    "doctor": "lingqu.cli.doctor",
}
"""Command name to the module whose `command` it is; loaded only when asked for."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Lazy(click.Group):
    """A group that imports a command's module when the command is used."""

    def list_commands(self, _context) -> list[str]:
        """The names, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, _context, name: str) -> click.Command | None:
        """The command of that name."""
        if name not in COMMANDS:
            return None
        return importlib.import_module(COMMANDS[name]).command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lingqu")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def lingqu(debug: bool) -> None:
    """Reads in, variants out: a sequence analysis workflow engine with kernels of its own.

    \b
    Try it:          lingqu demo
    Your own data:   lingqu init my-project, edit samples.tsv, lingqu run germline
    """


def main() -> None:
    """Run the command line; exit 1 with one line on a fault, 2 on wrong usage."""
    code = _run()
    if not code:
        _leave()
    make_way()
    sys.exit(code)


def _leave() -> None:
    """End a process whose work is done; the interpreter would take apart each kernel before."""
    with contextlib.suppress(OSError):  # of a closed pipe or a full disk sys.exit tells
        sys.stdout.flush()
        atexit._run_exitfuncs()
        os._exit(0)


def _run() -> int | None:
    """What the command line comes to: an exit code."""
    debug = "--debug" in sys.argv
    try:
        if handed_in(sys.argv[1:]):
            return hand_in(sys.argv[1:])
        return lingqu(standalone_mode=False)  # of a stopped command click returns its exit code
    except click.UsageError as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        print("lingqu: stopped", file=sys.stderr)
        return 130
    except LingquError as error:
        if debug:
            raise
        print(f"lingqu: error: {error}", file=sys.stderr)
    except OSError as error:
        if debug:
            raise
        named = f"{error.filename}: " if error.filename else ""
        mend = "; free some space and run the same again" if error.errno in _FULL else ""
        print(f"lingqu: error: {named}{error.strerror or error}{mend}", file=sys.stderr)
    return 1
