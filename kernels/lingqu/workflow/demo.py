"""The demo: a project of the bundled reads, run like any other, and its result as a short table."""

import json
import time
from pathlib import Path

from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.base.resources import house
from lingqu.workflow.launcher import Run, launch
from lingqu.workflow.template import copy, init

REGION = "20:10,000,001-10,100,000"
"""Where the bundled reads are, and the truth is scored."""

_CONFIG = f"""\
# The demo: real reads of NA12878 from 100 kb of chromosome 20, scored against their truth.
# A config of your own, with every key explained: lingqu init DIR
reference: data/reference.fa.gz
samples: config/samples.tsv
results: results
regions:
  - {REGION}
truth:
  NA12878:
    vcf: data/truth.vcf.gz
"""


def _sheet(data: Path) -> str:
    rows = ["sample\tlane\tr1\tr2"]
    for first in sorted(data.glob("*_R1.fastq.gz")):
        sample, lane, _ = first.name.split("_")
        second = first.name.replace("_R1.", "_R2.")
        rows.append(f"{sample}\t{lane}\tdata/{first.name}\tdata/{second}")
    return "\n".join(rows) + "\n"


def _write_project(folder: Path) -> None:
    """Data, config and sheet; files that are there already are kept."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "config").mkdir(exist_ok=True)
    for source in sorted(house("demo").iterdir()):
        if source.is_file() and not (data / source.name).exists():
            copy(source, data / source.name)
    for name, content in (("germline.yaml", _CONFIG), ("samples.tsv", _sheet(data))):
        if not (folder / "config" / name).exists():
            with publish(folder / "config" / name) as beside:
                beside.write_text(content, encoding="utf-8")
    init(folder, "germline")


def _table(results: Path, seconds: float) -> list[tuple[str, str]]:
    numbers = json.loads((results / "report.json").read_text(encoding="utf-8"))
    (sample,) = numbers["samples"]
    counts, variants = sample["alignment_stats"], sample["variants"]
    reads = counts["reads"]
    rows = [
        ("reads", f"{reads:,}"),
        ("mapped", f"{counts['mapped']:,} ({100 * counts['mapped'] / reads:.2f} %)"),
        ("duplicates", f"{counts['duplicates']:,} ({100 * counts['duplicates'] / reads:.2f} %)"),
        ("mean depth", f"{sample['call_stats']['mean_depth']:.1f}"),
        ("variants", f"{variants['passed']:,}"),
    ]
    for name, title in (("SNV", "SNVs"), ("INDEL", "indels")):
        row = sample["compare"]["rows"][name]
        truth = row["tp_truth"] + row["fn"]
        told = f"{row['tp_truth']} of {truth} found, {row['fn']} missed, {row['fp']} extra"
        rows.append((title, told))
    return [*rows, ("time", f"{seconds:.0f} s")]


def demo(folder: Path) -> tuple[int, list[str]]:
    """Write the project into `folder` (made if missing), run it; (exit code, lines to print).

    A folder with a demo in it goes on where that was. LingquError where it holds something else.
    """
    if (folder / "config").exists() and not (folder / "data" / "COPYRIGHT.vt-examples").exists():
        raise LingquError(f"{folder}: holds another project; name a new folder")
    start = time.monotonic()
    _write_project(folder)
    run = Run("germline", folder.resolve(), Path("config/germline.yaml"))
    code, _ = launch(run)
    if code:
        return code, []
    results = folder / "results"
    rows = _table(results, time.monotonic() - start)
    files = [
        ("alignments", results / "align" / "NA12878.bam"),
        ("variants", results / "calls" / "NA12878.vcf.gz"),
        ("report", results / "report.html"),
    ]
    lines = [f"NA12878, {REGION}", ""]
    lines += [f"  {name:<12}{value}" for name, value in rows]
    return 0, [*lines, "", *(f"  {name:<12}{path}" for name, path in files)]
