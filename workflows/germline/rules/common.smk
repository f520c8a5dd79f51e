# What all rules share: the validated project, and functions that turn it into inputs and options.
#
# Indexes (.bai, .csi, .crai, .tbi) are written with their file but are no declared outputs: which
# one it is depends on the longest contig, and Snakemake must know names before it reads anything.
import json
import os
import re
import shlex
from dataclasses import asdict
from pathlib import Path

from lingqu.align.lanes import FIELDS, MARKS
from lingqu.base.errors import LingquError
from lingqu.call.pedigree import ped_lines, with_sexes
from lingqu.cluster import SCHEDULER_VARIABLE
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
    lanes = SAMPLES[wildcards.sample].lanes
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


def project_text():
    """What the report must know of the project, as JSON."""
    samples = [
        {
            "name": name,
            "alignment": alignment(name),
            "entry": sample.alignment,
            "lanes": [asdict(lane) for lane in sample.lanes],
        }
        for name, sample in SAMPLES.items()
    ]
    told = {"workflow": "germline", "config": PROJECT.config, "samples": samples}
    return json.dumps(told, indent=1)
