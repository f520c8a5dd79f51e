"""What callers find on each aligner's BAM, held against a truth set."""

from argparse import Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import call
from measure import run_once, table
from speed import FINISH, survey
from tools import OURS, TOOLS, command, found

CALLERS = ("bcftools", "lingqu")
KINDS = {"SNV": "SNV", "INDEL": "indel"}
GROUP = "samtools addreplacerg -u -r '@RG\\tID:bench\\tSM:bench' -o {grouped} {sam}"


def aligned_by(name: str, options: Namespace, tmp: Path) -> Path:
    """The sorted, marked, indexed BAM of a tool."""
    files = [options.r1, options.r2]
    raw = tmp / f"raw{TOOLS[name].ending}"
    length = survey(options.r1)[1]
    run_once(command(name, options.ref, files, length, options.threads, raw))
    if name == OURS:
        return raw
    grouped = tmp / "grouped.bam"
    run_once(GROUP.format(sam=raw, grouped=grouped))
    raw.unlink()
    run_once(FINISH.format(sam=grouped, out=tmp / "sorted"))
    run_once(f"samtools index {tmp / 'sorted.bam'}")
    return tmp / "sorted.bam"


def scores(name: str, options: Namespace) -> dict[str, dict]:
    """By caller, what `lingqu compare` counts on a tool's alignments."""
    with TemporaryDirectory(dir=options.work) as tmp:
        bam, out = aligned_by(name, options, Path(tmp)), Path(tmp) / "calls.vcf.gz"
        places = {"ref": options.ref, "bam": bam, "region": options.region}
        found_by = {}
        for caller in CALLERS:
            line = call.COMMANDS[caller].format(**places, threads=options.threads, out=out)
            run_once(line)
            found_by[caller] = call.score(options, out)
        return found_by


def downstream(options: Namespace) -> dict[str, dict]:
    """The command; by tool and caller, what `lingqu compare` counts."""
    options.region = options.region.replace(",", "")
    result = {name: scores(name, options) for name in found(options.tools)}
    rows = [
        [name, caller]
        + [
            cell
            for kind in KINDS
            for cell in (str(row[kind]["fn"]), str(row[kind]["fp"]), f"{row[kind]['f1']:.4f}")
        ]
        for name, by_caller in result.items()
        for caller, row in by_caller.items()
    ]
    head = [f"{kind} {what}" for kind in KINDS.values() for what in ("missed", "extra", "F1")]
    print(f"\n{options.region}: calls on the alignments of {options.r1.name}")
    print(table(["aligner", "caller", *head], rows))
    return result
