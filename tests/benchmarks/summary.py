"""All in one table: a row a tool."""

from argparse import Namespace

from accuracy import ACCURACY_HEAD, accuracy, accuracy_cells
from downstream import CALLERS, KINDS, downstream
from measure import table
from speed import COST_HEAD, cost_cells, speed, survey
from tools import OURS

PLAIN = "2x150"
"""The scenario that the table tells of."""


def everything(options: Namespace) -> None:
    """The command."""
    costs, curves, calls = speed(options), accuracy(options), downstream(options)
    reads = 2 * survey(options.r1)[0]
    base = costs.get(OURS) or next(iter(costs.values()))
    f1 = [(caller, kind) for caller in CALLERS for kind in KINDS]
    head = [f"{KINDS[kind]} F1, {caller}" for caller, kind in f1]
    rows = [
        [
            name,
            *cost_cells(costs[name], base, reads),
            *accuracy_cells(curves[PLAIN][name]),
            *(f"{by_caller[caller][kind]['f1']:.4f}" for caller, kind in f1),
        ]
        for name, by_caller in calls.items()
    ]
    print("\nall: cost on the given reads, accuracy on simulated ones, calls on the given ones")
    print(table(["tool", *COST_HEAD, *ACCURACY_HEAD, *head], rows))
