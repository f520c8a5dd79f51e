"""Aligners and callers that other packages bring, found by entry point.

A package offers one by an entry point of its group, `lingqu.aligners` or `lingqu.callers`. What the
entry point names (an object; a module will do) has a `version`, text that changes with its results,
and one function:

    aligners   align_reads(index, reads, insert, first_template, most_secondary) -> AlignmentBatch
    callers    call_shard(shard) -> (covered bases, lines of a VCF)

as `lingqu.align.core` and `lingqu.call.shard` have them: those are the built-in ones.
"""

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import SimpleNamespace
from typing import Any

from lingqu.base.errors import LingquError

FUNCTIONS = {"lingqu.aligners": "align_reads", "lingqu.callers": "call_shard"}
"""Entry-point group to the function that its plugins have."""

BUILT_IN = "lingqu"
"""Name of the built-in aligner and of the built-in caller; no plugin gets it."""


@dataclass(frozen=True)
class Plugin:
    """One entry point, and why it cannot be used ("" where it can).

    version: the plugin's own. run: its function.
    """

    group: str
    name: str
    where: str
    package: str
    version: str = ""
    run: Any = None
    fault: str = ""


def _loaded(entry: EntryPoint, taken: set[str]) -> Plugin:
    """The entry point loaded; whatever goes wrong in foreign code is its fault and no more."""
    package = entry.dist.name if entry.dist else "?"
    known = SimpleNamespace(
        group=entry.group, name=entry.name, where=entry.value, package=package
    ).__dict__
    if entry.name in taken:
        return Plugin(**known, fault="the name is taken")
    try:
        thing = entry.load()
    except (Exception, SystemExit) as error:
        told = " ".join(str(error).split())
        return Plugin(**known, fault=f"{type(error).__name__}: {told}"[:200])
    function, version = FUNCTIONS[entry.group], getattr(thing, "version", None)
    if not isinstance(version, str) or not version:
        return Plugin(**known, fault="has no `version` (text)")
    if not callable(getattr(thing, function, None)):
        return Plugin(**known, fault=f"has no function `{function}`")
    return Plugin(**known, version=version, run=getattr(thing, function))


def plugins(group: str) -> list[Plugin]:
    """All that is installed of a group, by name; of two of one name the first package's is used."""
    entries = entry_points(group=group)
    found, taken = [], {BUILT_IN}
    for entry in sorted(entries, key=lambda entry: (entry.name, str(entry.dist.name), entry.value)):
        found.append(_loaded(entry, taken))
        if not found[-1].fault:
            taken.add(entry.name)
    return found


def plugin(group: str, name: str) -> Plugin:
    """The plugin of that name; LingquError where there is none, or it is broken."""
    found = [one for one in plugins(group) if one.name == name]
    usable = [one for one in found if not one.fault]
    if usable:
        return usable[0]
    kind = group.removeprefix("lingqu.").removesuffix("s")
    if found:
        raise LingquError(
            f"{name}: the {kind} of {found[0].package} is broken: {found[0].fault}; mend or"
            " uninstall that package"
        )
    raise LingquError(f"{name}: no such {kind}; `lingqu kernels` lists what is installed")
