#!/usr/bin/env python3
"""Lingqu's caller beside those of the peers that are on PATH: cost, accuracy, calibration.

    call.py REF.fa SAMPLE.bam TRUTH.vcf.gz 20:30,000,001-40,000,000 [--also DEPTH15.bam DEPTH60.bam]

All call the same region of the same BAM (by any aligner, with its index); calls are scored by
`lingqu compare`, genotypes included. freebayes' calls are normalised and kept above QUAL 20.
Extra calls are told twice: all, and those with an allele that fewer than two other tools have.
What QUAL and GQ of lingqu claim is held against what is wrong in this BAM and in those of --also.
Then the calls are judged by `rtg vcfeval` too, where that is on PATH, the pair-HMM is measured, and
what two cores make of the region is told.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import compare
import numpy as np
import pairhmm
from calls import STEP, alleles, claims, extra
from measure import Cost, run_in_turn, run_once, table
from plot import calibration_plot, phred

WARM_UP_BASES = 20_000

COMMANDS = {
    "lingqu": "lingqu call {ref} {bam} -r {region} --threads {threads} -o {out}",
    "bcftools": "bcftools mpileup -Ou -f {ref} -r {region} {bam} | bcftools call -mv -Ou"
    " | bcftools norm -Oz -f {ref} -o {out}",
    "freebayes": "freebayes -f {ref} -r {region} {bam} | bcftools norm -Ou -f {ref}"
    " | bcftools view -Oz -i 'QUAL>20' -o {out}",
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("ref")
    parser.add_argument("bam")
    parser.add_argument("truth")
    parser.add_argument("region")
    parser.add_argument("--also", nargs="*", default=[], help="BAMs of other depths")
    parser.add_argument("--plot", type=Path, default=Path("call-calibration.svg"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of lingqu; the peers have one")
    parser.add_argument("--tools", default=",".join(COMMANDS), help="of: %(default)s")
    return parser.parse_args()


def span(region: str) -> tuple[str, int, int]:
    """(contig, first base, last base) of CONTIG:FROM-TO."""
    contig, places = region.rsplit(":", 1)
    start, end = places.split("-")
    return contig, int(start), int(end)


def head_of(region: str) -> str:
    """The first bases of a region, to compile and to warm the page cache."""
    contig, start, _ = span(region)
    return f"{contig}:{start}-{start + WARM_UP_BASES}"


def score(options: argparse.Namespace, calls: Path, folder: Path, more: str = "") -> dict:
    """Rows of `lingqu compare` by type; what it judged is left in the folder."""
    result = folder.with_suffix(".json")
    run_once(
        f"lingqu compare {options.truth} {calls} --reference {options.ref} -r {options.region}"
        f" --json {result} --out {folder} {more}"
    )
    return json.loads(result.read_text())["rows"]


def command(name: str, options: argparse.Namespace, bam: str, region: str, out: Path) -> str:
    """The shell command of a tool."""
    return COMMANDS[name].format(
        ref=options.ref, bam=bam, threads=options.threads, region=region, out=out
    )


def beside_peers(options: argparse.Namespace, names: list[str], folder: Path) -> None:
    """Print the table of cost and accuracy; calls stay in the folder."""
    out = {name: folder / f"{name}.vcf.gz" for name in names}
    for name in names:
        run_once(command(name, options, options.bam, head_of(options.region), out[name]))
    costs: dict[str, Cost] = run_in_turn(
        {n: command(n, options, options.bam, options.region, out[n]) for n in names}, options.runs
    )
    found = {name: alleles(out[name], *span(options.region)) for name in names}
    rows = []
    for name in names:
        types = score(options, out[name], folder / name)
        others = [found[other] for other in names if other != name]
        cost = costs[name]
        rows.append(
            [
                name,
                *(f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.memory_mb:,.0f}"),
                *(str(types[kind][what]) for kind in ("SNV", "INDEL") for what in ("fn", "fp")),
                *(f"{types[kind]['f1']:.4f}" for kind in ("SNV", "INDEL")),
                *map(str, extra(folder / name, others)),
            ]
        )
    head = ["tool", "CPU s", "wall s", "memory MB", "SNV missed", "extra", "indel missed", "extra"]
    print(table([*head, "SNV F1", "indel F1", "all extra", "its own"], rows))


def on_two_cores(options: argparse.Namespace, folder: Path) -> str:
    """A table of what one core and two take for the region."""
    words = f"lingqu call {options.ref} {options.bam} -r {options.region}"
    runs = {f"{n} cores": f"{words} --threads {n} -o {folder / 'cores.vcf.gz'}" for n in (1, 2)}
    costs = run_in_turn(runs, options.runs)
    rows = [[name, f"{cost.wall:.2f}", f"{cost.cpu:.2f}"] for name, cost in costs.items()]
    ratio = costs["1 cores"].wall / costs["2 cores"].wall
    return table(["lingqu", "wall s", "CPU s"], [*rows, ["1 to 2", f"{ratio:.2f}", ""]])


def calibrated(options: argparse.Namespace, folder: Path) -> None:
    """Print what QUAL and GQ claim and what is observed, at each depth, and draw it."""
    series: dict[str, np.ndarray] = {}
    accuracy, rows = [], []
    for bam in (options.bam, *options.also):
        name = Path(bam).stem
        calls = folder / f"{name}.all.vcf.gz"
        run_once(command("lingqu", options, bam, options.region, calls))
        types = score(options, calls, folder / f"{name}.passed")
        accuracy.append([name, *(f"{types[kind]['f1']:.4f}" for kind in ("SNV", "INDEL"))])
        score(options, calls, folder / f"{name}.all", "--all-records")
        series |= {
            f"{name} {kind}": points for kind, points in claims(folder / f"{name}.all").items()
        }
    for name, points in series.items():
        for step, (claimed, calls, wrong) in enumerate(points):
            if calls:
                shares = f"{phred(claimed / calls):.1f}", f"{phred(wrong / calls):.1f}"
                counts = str(int(calls)), f"{claimed:.1f}", str(int(wrong))
                rows.append([name, str(step * STEP), *counts, *shares])
    print(table(["BAM", "SNV F1", "indel F1"], accuracy), "", sep="\n")
    print(table(["calls", "from", "n", "wrong claimed", "wrong", "claimed", "observed"], rows))
    calibration_plot({name: p[p[:, 1] > 0] for name, p in series.items()}, options.plot, "QUAL, GQ")
    print(f"drawn: {options.plot}")


def main() -> None:
    """Measure each tool, then what the qualities say."""
    options = arguments()
    options.region = options.region.replace(",", "")
    names = [name for name in options.tools.split(",") if shutil.which(name)]
    with tempfile.TemporaryDirectory() as tmp:
        beside_peers(options, names, Path(tmp))
        print()
        calibrated(options, Path(tmp))
        options.calls = Path(tmp) / "lingqu.vcf.gz"
        print("", compare.measured(options), sep="\n")
        print("", pairhmm.measured(pairhmm.TIMES)[0], sep="\n")
        print("", on_two_cores(options, Path(tmp)), sep="\n")


if __name__ == "__main__":
    main()
