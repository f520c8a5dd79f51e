#!/usr/bin/env python3
"""What joining a cohort costs: adding samples, writing the VCF, and one sample more.

    python tests/benchmarks/joint.py REF.fa SAMPLE.g.vcf.gz [--samples 200 1000] [--work FOLDER]

The cohorts are made by make_cohort.py out of a gVCF of a few 100 kb, and serve again. Kernels are
compiled by a run on the first samples, which does not count.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from measure import Cost, run_once, table


def joint(fasta: str, gvcfs: list[Path], work: Path, cohort: Path) -> Cost:
    """Cost of `lingqu joint` on one core."""
    words = [sys.executable, "-m", "lingqu", "joint", fasta, *gvcfs]
    words += ["--cohort", cohort, "-o", work / "joint.vcf.gz", "-t", 1]
    return run_once(" ".join(map(str, words)))


def measure(fasta: str, made: Path, samples: int, work: Path) -> list[str]:
    """A row of the table."""
    gvcfs = sorted(made.glob("*.g.vcf.gz"))[:samples]
    cohort = work / f"cohort{samples}"
    shutil.rmtree(cohort, ignore_errors=True)
    whole = joint(fasta, gvcfs[:-1], work, cohort)
    more = joint(fasta, gvcfs[-1:], work, cohort)
    again = joint(fasta, [], work, cohort)
    records = json.loads((work / "joint.vcf.gz.stats.json").read_text())["records"]
    kept = sum(path.stat().st_size for path in cohort.rglob("*.cut"))
    row = (
        samples, records, f"{1e3 * (whole.cpu - again.cpu) / (samples - 1):.1f}",
        f"{1e6 * again.cpu / records / samples:.2f}", f"{more.cpu:.2f}", f"{again.cpu:.2f}",
        f"{max(whole.memory_mb, again.memory_mb):.0f}",
        f"{kept / sum(path.stat().st_size for path in gvcfs):.2f}",
    )  # fmt: skip
    return list(map(str, row))


HEAD = ["samples", "records", "add: ms/sample", "join: us/record and sample", "one more: s",
        "join: s", "MB", "store/gVCFs"]  # fmt: skip


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("reference")
    parser.add_argument("gvcf")
    parser.add_argument("--samples", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--work", type=Path, default=Path("joint-benchmark"))
    given = parser.parse_args()
    most = max(given.samples)
    made = given.work / f"gvcfs{most}"
    if len(list(made.glob("*.g.vcf.gz"))) < most:
        maker = Path(__file__).with_name("make_cohort.py")
        words = [sys.executable, maker, given.reference, given.gvcf, most, made]
        subprocess.run(list(map(str, words)), check=True)
    measure(given.reference, made, 3, given.work)
    rows = [measure(given.reference, made, samples, given.work) for samples in given.samples]
    print(table(HEAD, rows))


if __name__ == "__main__":
    main()
