#!/usr/bin/env python3
"""`lingqu compare` beside `rtg vcfeval`, where that is on PATH: cost and counts.

    python tests/benchmarks/compare.py REF.fa TRUTH.vcf.gz CALLS.vcf.gz

vcfeval gets --ref-overlap, which lets records overlap where they change nothing, as Lingqu does;
its SDF is built beforehand and not counted. Both then count the same.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import run, run_once, table

COLUMNS = ("TP.truth", "FN", "TP.calls", "FP")


def lingqu(options: argparse.Namespace, folder: Path) -> tuple[str, Callable]:
    """The command, and what reads its counts."""
    result = folder / "compare.json"

    def counts() -> list:
        row = json.loads(result.read_text())["rows"]["ALL"]
        return [row["tp_truth"], row["fn"], row["tp_calls"], row["fp"]]

    return (
        f"lingqu compare {options.truth} {options.calls} --reference {options.ref} --json {result}"
        f" --out {folder / 'lingqu'}"
    ), counts


def rtg(options: argparse.Namespace, folder: Path) -> tuple[str, Callable]:
    """The command, and what reads its counts."""
    sdf, out = folder / "sdf", folder / "rtg"
    run_once(f"rtg format -o {sdf} {options.ref}")

    def counts() -> list:
        words = (out / "summary.txt").read_text().splitlines()[-1].split()
        return [words[1], words[4], words[2], words[3]]

    return (
        f"rm -rf {out} && rtg vcfeval --ref-overlap -T 1 -b {options.truth} -c {options.calls}"
        f" -t {sdf} -o {out}"
    ), counts


def main() -> None:
    """Measure both and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("ref", "truth", "calls"):
        parser.add_argument(name)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as tmp:
        for name, tool in (("lingqu", lingqu), ("rtg", rtg)):
            if not shutil.which(name):
                continue
            command, counts = tool(options, Path(tmp))
            run_once(command)  # compiles, warms the page cache
            cost = run(command, options.runs)
            costs = [f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.memory_mb:.0f}"]
            rows.append([name, *costs, *map(str, counts())])
    print(table(["tool", "CPU s", "wall s", "MB", *COLUMNS], rows))


if __name__ == "__main__":
    main()
