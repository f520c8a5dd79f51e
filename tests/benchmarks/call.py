#!/usr/bin/env python3
"""Lingqu's caller beside those of the peers that are on PATH: cost and accuracy.

    python tests/benchmarks/call.py REF.fa SAMPLE.bam TRUTH.vcf.gz 20:30,000,001-40,000,000

All call the same region of the same BAM (by any aligner, with its index); calls are scored by
`lingqu compare`, genotypes included. freebayes' calls are normalised and kept above QUAL 20.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from measure import Cost, run, run_once, table

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
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of lingqu; the peers have one")
    parser.add_argument("--tools", default=",".join(COMMANDS), help="of: %(default)s")
    return parser.parse_args()


def head_of(region: str) -> str:
    """The first bases of a region, to compile and to warm the page cache."""
    contig, span = region.rsplit(":", 1)
    start = int(span.split("-")[0])
    return f"{contig}:{start}-{start + WARM_UP_BASES}"


def score(options: argparse.Namespace, calls: Path) -> dict[str, dict]:
    """Rows of `lingqu compare` by type."""
    result = calls.with_name("compare.json")
    run_once(
        f"lingqu compare {options.truth} {calls} --reference {options.ref} -r {options.region}"
        f" --json {result}"
    )
    return json.loads(result.read_text())["rows"]


def measure(name: str, options: argparse.Namespace, out: Path) -> tuple[Cost, dict[str, dict]]:
    """What a tool costs, and how right its calls are."""
    places = {"ref": options.ref, "bam": options.bam, "threads": options.threads, "out": out}
    run_once(COMMANDS[name].format(**places, region=head_of(options.region)))
    cost = run(COMMANDS[name].format(**places, region=options.region), options.runs)
    return cost, score(options, out)


def main() -> None:
    """Measure each tool and print the table."""
    options = arguments()
    options.region = options.region.replace(",", "")
    rows = []
    for name in options.tools.split(","):
        if not shutil.which(name):
            continue
        with tempfile.TemporaryDirectory() as tmp:
            cost, types = measure(name, options, Path(tmp) / "calls.vcf.gz")
        accuracy = [
            cell
            for row in (types["SNV"], types["INDEL"])
            for cell in (str(row["fn"]), str(row["fp"]), f"{row['f1']:.4f}")
        ]
        costs = [f"{cost.cpu:.1f}", f"{cost.wall:.1f}", f"{cost.memory_mb:,.0f}"]
        rows.append([name, *costs, *accuracy])
    kinds = [f"{kind} {what}" for kind in ("SNV", "indel") for what in ("missed", "extra", "F1")]
    print(table(["tool", "CPU s", "wall s", "memory MB", *kinds], rows))


if __name__ == "__main__":
    main()
