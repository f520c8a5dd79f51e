# What all rules share: the validated project, and functions that turn it into inputs and options.
#
# Indexes (.bai, .csi, .crai, .tbi) are written with their file but are no declared outputs: which
# one it is depends on the longest contig, and Snakemake must know names before it reads anything.
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from lingqu.align.lanes import FIELDS, MARKS
from lingqu.base.errors import LingquError
from lingqu.call.pedigree import ped_lines, with_sexes
from lingqu.cluster import SCHEDULER_VARIABLE
from lingqu.workflow.follow import follow
from lingqu.workflow.launcher import find_lingqu
from lingqu.workflow.project import as_list, is_bed, open_project
from lingqu.workflow.sheet import people

find_lingqu()

if workflow.remote_exec:  # a job on another machine, where the home may be read-only or not there
    os.environ.setdefault("NUMBA_CACHE_DIR", str(Path(".lingqu/kernels").absolute()))

try:
    PROJECT = open_project(
        config, workflow.configfiles, Path(workflow.basedir) / "schemas", Path.cwd()
    )
except LingquError as fault:
    raise WorkflowError(fault)

ON_WORKERS = SCHEDULER_VARIABLE in os.environ
SAMPLES = PROJECT.samples
REFERENCE = PROJECT.config["reference"]
REGIONS = as_list(PROJECT.config["regions"])
TRUTH = PROJECT.config["truth"]
ALIGNED = [name for name, sample in SAMPLES.items() if sample.lanes]
ADOPTED = [name for name, sample in SAMPLES.items() if sample.alignment]


def one_of(names):
    """A wildcard constraint; (?!) matches no name at all."""
    return "|".join(map(re.escape, names)) or "(?!)"


def alignment(sample):
    """The alignment of a sample, below the results."""
    entry = SAMPLES[sample].alignment
    suffix = entry.rpartition(".")[2] if entry else PROJECT.config["format"]
    return f"{PROJECT.config['results']}/align/{sample}.{suffix}"


def fastqs(wildcards):
    """All FASTQ files of a sample."""
    return fastqs_of(wildcards.sample)


def fastqs_of(sample):
    """All FASTQ files of a sample, by its name."""
    lanes = SAMPLES[sample].lanes
    names = [name for lane in lanes for name in (lane.r1, lane.r2, lane.umi)]
    return [name for name in names if name and name not in MARKS]


def from_results(name):
    """The name of an input as seen from the folder of the alignments, also where that is a link."""
    if not name or name in MARKS or os.path.isabs(name):
        return name
    folder = os.path.realpath(os.path.dirname(name) or ".")
    return os.path.relpath(
        os.path.join(folder, os.path.basename(name)),
        os.path.realpath(f"{PROJECT.config['results']}/align"),
    )


def lane_rows(wildcards):
    """The lines of a sample's lanes file; its names are relative to the file's own folder."""
    lanes = SAMPLES[wildcards.sample].lanes
    rows = [
        (*map(from_results, (x.r1, x.r2)), x.id, x.library, x.platform, x.unit, from_results(x.umi))
        for x in lanes
    ]
    return ["\t".join(row) for row in [FIELDS, *rows]]


def beds(regions):
    """The BED files among the regions: inputs of a rule."""
    return [region for region in regions if is_bed(region)]


def region_options(regions):
    """The regions as options of call and compare."""
    pairs = [("-R" if is_bed(region) else "-r", region) for region in regions]
    return shlex.join(word for pair in pairs for word in pair)


def par(sample):
    """The BED file of the pseudoautosomal regions, for a sample with a sex: an input of a rule."""
    name = PROJECT.config["par"]
    return [name] if name and SAMPLES[sample].sex else []


def ploidy_options(sample):
    """The copies of a sample's contigs as options of call."""
    sex = SAMPLES[sample].sex
    if not sex:
        return f"--ploidy {PROJECT.config['ploidy']}"
    return shlex.join(["--sex", sex, *(word for name in par(sample) for word in ("--par", name))])


def family_rows():
    """The lines of the PED file of the samples; none where the sheet tells no sex and no parent."""
    relatives = people(SAMPLES)
    is_told = any(one.father or one.mother or one.sex for one in relatives)
    return ped_lines(with_sexes(relatives)) if is_told else []


def known():
    """The VCF of known variants, where config names one: an input of a rule."""
    return [PROJECT.config["known"]] if PROJECT.config["known"] else []


def known_options():
    """The VCF of known variants as an option of call and joint."""
    return shlex.join(word for name in known() for word in ("--known", name))


def qc_files(*keys):
    """The files that config names for quality control, by their keys: inputs of a rule."""
    return [PROJECT.config["qc"][key] for key in keys if PROJECT.config["qc"][key]]


def qc_options(*keys):
    """The same as options of call and joint."""
    named = ((f"--qc-{key}", PROJECT.config["qc"][key]) for key in keys)
    return shlex.join(word for option, name in named if name for word in (option, name))


def truth_regions(sample):
    """Where a sample's truth is complete: its own regions, else those that are called."""
    own = TRUTH[sample].get("regions")
    return REGIONS if own is None else as_list(own)


def memory(base, per_base):
    """Megabytes for `base` MB and `per_base` bytes for each byte of the reference."""

    def mem_mb(wildcards, input):
        factor = 4 if REFERENCE.endswith(".gz") else 1
        return int(base + per_base * factor * os.path.getsize(REFERENCE) / 1e6)

    return mem_mb


def refresh_indices():
    """Give indices a time after their files': Snakemake sets the times of outputs at a job's end."""
    for path in Path(PROJECT.config["results"]).rglob("*"):
        if path.suffix in (".bai", ".csi", ".crai", ".tbi") and not path.is_symlink():
            path.touch()


def digest_parts():
    """What is digested together: the files of each sample, and those that all share."""
    parts = ["shared", *(f"samples/{name}" for name in SAMPLES)]
    return parts if PROJECT.config["qc"]["digests"] else []


def digested(wildcards):
    """Inputs and outputs of a part."""
    results, kind, name = PROJECT.config["results"], *wildcards.part.partition("/")[::2]
    if kind == "shared":
        qc = qc_files("sites", "genes", "thresholds")
        truth = [told["vcf"] for told in TRUTH.values()]
        named = [PROJECT.config["samples"], *known(), PROJECT.config["par"], *qc, *truth]
        own = [REFERENCE, *beds(REGIONS), f"{results}/cohort/cohort.vcf.gz"]
        return list(dict.fromkeys([*own, *filter(None, named)]))
    entry = SAMPLES[name].alignment
    inputs = [entry] if entry else fastqs_of(name)
    calls = f"{results}/calls/{name}"
    return [*dict.fromkeys(inputs), alignment(name), f"{calls}.vcf.gz", f"{calls}.g.vcf.gz"]


SECTIONS = """
summary failures overview variants coverage alignment reads truth cohort methods time provenance
""".split()
"""The sections of the report in their order: modules of lingqu/report/sections."""


def project_text():
    """What the report must know of the project, as JSON."""
    samples = [
        {
            "name": name,
            "alignment": alignment(name),
            "entry": sample.alignment,
            **{key: getattr(sample, key) for key in ("sex", "father", "mother")},
            "lanes": [asdict(lane) for lane in sample.lanes],
        }
        for name, sample in SAMPLES.items()
    ]
    told = {"workflow": "germline", "sections": SECTIONS, "config": PROJECT.config}
    return json.dumps(told | {"samples": samples, "steps": steps()}, indent=1)


def steps():
    """The steps whose lack a report tells: what they make and their logs, below the results."""
    found = [("index", "", "reference.json", "index")]
    for name, sample in SAMPLES.items():
        made = os.path.basename(alignment(name))
        if sample.alignment:
            found.append(("adopt", name, f"align/{made}", f"adopt/{made}"))
        else:
            found.append(("align", name, f"align/{made}", f"align/{name}"))
        found.append(("call", name, f"calls/{name}.vcf.gz", f"call/{name}"))
        found.append(("look", name, f"look/{name}.json", f"look/{name}"))
    found.append(("joint", "", "cohort/cohort.vcf.gz", "joint"))
    found += [("compare", name, f"compare/{name}.json", f"compare/{name}") for name in TRUTH]
    keys = ("rule", "sample", "output", "log")
    return [dict(zip(keys, (*step, f"logs/{log}.log"))) for *step, log in found]


def unfinished():
    """The folder of the report about a run that failed."""
    return Path(PROJECT.config["results"]) / "unfinished"


def tell_unfinished():
    """Report what is there of a run that failed, and why the rest is not."""
    project = Path(PROJECT.config["results"]) / "project.json"
    if project.exists():
        words = ["lingqu", "report", str(project), "-o", str(unfinished() / "report.html")]
        if subprocess.run(words).returncode == 0:
            print(f"{unfinished() / 'report.html'} tells what is there", file=sys.stderr)


def forget_unfinished():
    """Remove that report once the run is whole."""
    shutil.rmtree(unfinished(), ignore_errors=True)
