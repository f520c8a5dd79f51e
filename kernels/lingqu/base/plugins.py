"""Aligners and callers that other packages bring, found by entry point.

A package offers one by an entry point of its group, `lingqu.aligners` or `lingqu.callers`. What the
entry point names (an object; a module will do) has a `version`, text that changes with its results,
and one function:

    aligners   align_reads(index, reads, insert, first_template, most_secondary) -> AlignmentBatch
    callers    call_shard(shard) -> (covered bases, lines of a VCF)

as `lingqu.align.core` and `lingqu.call.shard` have them: those are the built-in ones.
"""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from lingqu.base.errors import LingquError

ALIGNERS, CALLERS = "lingqu.aligners", "lingqu.callers"

FUNCTIONS = {ALIGNERS: "align_reads", CALLERS: "call_shard"}
"""Entry-point group to the function that its plugins have."""

BUILT_IN = "lingqu"
"""Name of the built-in aligner and of the built-in caller; no plugin gets it."""


def _kind(group: str) -> str:
    return group.removeprefix("lingqu.").removesuffix("s")


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

    @property
    def kind(self) -> str:
        """What it is: aligner or caller."""
        return _kind(self.group)

    @property
    def pin(self) -> str:
        """NAME==VERSION, which tells the results of one plugin from those of any other."""
        return f"{self.name}=={self.version}"


def _fault(thing: Any, entry: EntryPoint, taken: set[str]) -> str:
    """What keeps a loaded entry point from being used, or ""."""
    version, needed = getattr(thing, "version", None), FUNCTIONS[entry.group]
    if entry.name in taken:
        return "the name is taken"
    if not isinstance(version, str) or version.split() != [version]:
        return "has no `version` (text, one word)"
    if not callable(getattr(thing, needed, None)):
        return f"has no function `{needed}`"
    return ""


def _loaded(entry: EntryPoint, taken: set[str]) -> Plugin:
    """The entry point loaded; whatever goes wrong in foreign code is its fault and no more."""
    known = entry.group, entry.name, entry.value, str(entry.dist.name)
    try:
        thing = entry.load()
    except (Exception, SystemExit) as error:
        told = " ".join(str(error).split())
        return Plugin(*known, fault=f"{type(error).__name__}: {told}"[:200])
    if fault := _fault(thing, entry, taken):
        return Plugin(*known, fault=fault)
    return Plugin(*known, thing.version, getattr(thing, FUNCTIONS[entry.group]))


def plugins(group: str) -> list[Plugin]:
    """All that is installed of a group, by name; of two of one name the first package's is used."""
    entries = entry_points(group=group)
    found, taken = [], {BUILT_IN}
    for entry in sorted(entries, key=lambda entry: (entry.name, str(entry.dist.name), entry.value)):
        found.append(_loaded(entry, taken))
        if not found[-1].fault:
            taken.add(entry.name)
    return found


def plugin(group: str, wanted: str) -> Plugin:
    """The plugin that NAME, or NAME==VERSION, means; LingquError where that cannot be had."""
    name, _, version = wanted.partition("==")
    kind = _kind(group)
    found = [one for one in plugins(group) if one.name == name]
    usable = [one for one in found if not one.fault]
    if not found:
        raise LingquError(f"{name}: no such {kind}; `lingqu kernels` lists what is installed")
    if not usable:
        raise LingquError(
            f"{name}: the {kind} of {found[0].package} is broken ({found[0].fault}); mend or"
            " uninstall that package"
        )
    if version and version != usable[0].version:
        raise LingquError(
            f"{wanted}: {usable[0].package} has version {usable[0].version} of it here; install"
            " the same everywhere"
        )
    return usable[0]


@cache
def function(group: str, wanted: str) -> Any:
    """The function of that plugin, looked up once."""
    return plugin(group, wanted).run
