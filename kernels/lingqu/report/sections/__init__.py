"""The sections of a report, one module each; a workflow names those it wants, in its order.

A module has

    EACH     true where the section is drawn for every sample, false where once for the page
    gather   gather(numbers) -> what its part of the page needs, or None where there is nothing to
             tell; with EACH, gather(sample) of one of numbers["samples"]
    build    build(told) -> blocks (lingqu.report.blocks)

Its title is the word "sections.NAME". A section of another package is named "package.module".
"""

from importlib import import_module
from types import ModuleType

from lingqu.base.errors import LingquError


def section(name: str) -> ModuleType:
    """The module of a section; LingquError on a name that there is none of."""
    path = name if "." in name else f"{__name__}.{name}"
    try:
        return import_module(path)
    except ModuleNotFoundError as error:
        if error.name and path.startswith(error.name):
            raise LingquError(
                f"{name}: no section of a report; see lingqu/report/sections"
            ) from None
        raise


def blocks_of(name: str, told: dict) -> list[dict]:
    """The blocks of a section for the report's numbers, or for a sample's with EACH."""
    found = section(name)
    gathered = found.gather(told)
    return [] if gathered is None else found.build(gathered)
