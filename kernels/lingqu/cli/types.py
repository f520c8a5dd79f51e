"""Types of arguments that several commands share."""

from pathlib import Path

import click

# What cannot be read is told in one line by whoever opens it, and not as wrong usage.
FILE = click.Path(readable=False)
PATH = click.Path(readable=False, path_type=Path)
