#!/usr/bin/env python3
"""Lingqu's aligner beside the peers that are on PATH: cost, accuracy, and what is found downstream.

    align.py all REF R1 R2 TRUTH REGION          the next three, and one table of them
    align.py speed REF R1 [R2]                   CPU seconds on these reads and on other shapes
    align.py accuracy REF                        simulated reads: right, wrong at MAPQ, calibration
    align.py downstream REF R1 R2 TRUTH REGION   variants called on each aligner's BAM
    align.py genome REF LARGE                    a large reference beside a small one

Nothing is fetched. Simulated reads and what the peers made of them stay in --work, to serve again.
"""

import argparse
from pathlib import Path

from accuracy import accuracy
from downstream import downstream
from genome import genome
from simulate import SCENARIOS
from speed import speed
from summary import everything

FILES = {
    "ref": "reference; prebuilt indexes of the peers are sought beside it",
    "r1": "reads, FASTQ",
    "r2": "their mates",
    "truth": "VCF of what is there",
    "region": "where it is complete, as 20:30,000,001-40,000,000",
    "large": "FASTA of a large reference that holds the contigs of REF",
}
MODES = {
    "all": (everything, ("ref", "r1", "r2", "truth", "region")),
    "speed": (speed, ("ref", "r1", "r2?")),
    "accuracy": (accuracy, ("ref",)),
    "downstream": (downstream, ("ref", "r1", "r2", "truth", "region")),
    "genome": (genome, ("ref", "large")),
}


def numbers(text: str) -> list[int]:
    """Whole numbers between commas."""
    return [int(part) for part in text.split(",")]


def names(text: str) -> list[str]:
    """Names of scenarios between commas."""
    unknown = set(text.split(",")) - set(SCENARIOS)
    if unknown:
        raise argparse.ArgumentTypeError(f"no scenario {', '.join(unknown)}")
    return text.split(",")


def arguments() -> argparse.Namespace:
    """The command line."""
    common = argparse.ArgumentParser(add_help=False)
    add = common.add_argument
    add("--tools", help="names between commas (default: all that are on PATH)")
    add("--runs", type=int, default=3, help="of each command; medians are told (%(default)s)")
    add("--pairs", type=int, default=500_000, help="to simulate, per seed (%(default)s)")
    add("--seeds", type=numbers, default=[1, 2, 3, 4, 5], help="pooled (1,2,3,4,5)")
    add("--scenarios", type=names, default=list(SCENARIOS), help=f"of {','.join(SCENARIOS)}")
    add("--foreign", type=Path, help="FASTA of another organism, for the foreign reads")
    add("--threads", type=int, default=1, help="where it is accuracy that is told (%(default)s)")
    add(
        "--work",
        type=Path,
        default=Path("align-benchmark"),
        help="folder for one REF (%(default)s)",
    )
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    modes = parser.add_subparsers(required=True, metavar="MODE")
    for name, (run, files) in MODES.items():
        mode = modes.add_parser(name, parents=[common])
        mode.set_defaults(run=run)
        for file in files:
            kind = str if file == "region" else Path
            many = "?" if file.endswith("?") else None
            mode.add_argument(file.rstrip("?"), type=kind, nargs=many, help=FILES[file.rstrip("?")])
    return parser.parse_args()


def main() -> None:
    """Run a mode."""
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    options.run(options)


if __name__ == "__main__":
    main()
