"""Snakemake's output in brief: a line for each finished step, and all of it once one fails."""

import re
from collections.abc import Iterable, Iterator

_FINISHED = re.compile(r"^Finished jobid: \d+ \(Rule: (\w+)\)")
_STEPS = re.compile(r"^(\d+) of (\d+) steps")
_TROUBLE = re.compile("Error|Exception")


def brief(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines to show of all `lines`; those not understood are left out."""
    rule, trouble = "", False
    for line in lines:
        trouble = trouble or bool(_TROUBLE.search(line))
        if trouble:
            yield line.rstrip("\n")
        elif found := _FINISHED.match(line):
            rule = found[1]
        elif (found := _STEPS.match(line)) and rule != "all":
            yield f"[{found[1]}/{found[2]}] {rule}"
