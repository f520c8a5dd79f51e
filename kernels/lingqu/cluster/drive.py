"""The driver of a command on a node: `python -m lingqu.cluster.drive WORDS`, the words of lingqu.

It works as the command does anywhere, over the workers of the run's scheduler file.
"""

import atexit
import sys

from lingqu.cluster import usage
from lingqu.cluster.parent import die_with_parent


def main() -> None:
    """Run the command; never longer than the node's program lives."""
    die_with_parent()
    atexit.register(usage.leave)
    sys.argv[0] = "lingqu"
    from lingqu.cli.main import main as command

    command()


if __name__ == "__main__":
    main()
