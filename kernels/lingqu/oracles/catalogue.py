"""The kernels that are described: what each does, where it is, and how it is put to the test."""

from importlib import import_module
from typing import Any, NamedTuple

from lingqu.base.errors import LingquError
from lingqu.oracles.trial import Trial


class Described(NamedTuple):
    """A kernel: its name, what it does, its module:function, and the module:TRIAL that tests it."""

    name: str
    what: str
    where: str
    trial: str


_ALIGN = "lingqu.align.kernels"
_CALL = "lingqu.call.kernels"
_ORACLES = "lingqu.oracles"

KERNELS = tuple(
    Described(*row)
    for row in (
        ("syncmers", "find the seeds of a sequence",
         "lingqu.sequence.kmers:syncmers", f"{_ORACLES}.seeds:SYNCMERS"),
        ("look-up", "find where seeds lie in the reference",
         f"{_ALIGN}.seed:look_up", f"{_ORACLES}.seeds:LOOK_UP"),
        ("chain", "join a read's seed hits into chains",
         f"{_ALIGN}.chain:score_anchors", f"{_ORACLES}.chains:CHAIN"),
        ("diagonal", "align reads along a diagonal, or two with one gap between them",
         f"{_ALIGN}.diagonal:align_simply", f"{_ORACLES}.diagonals:DIAGONAL"),
        ("extend", "align reads side by side in a band, with gaps",
         f"{_ALIGN}.extend:align_lanes", f"{_ORACLES}.extension:EXTEND"),
        ("rescue", "find a lost mate beside its partner",
         f"{_ALIGN}.rescue:rescue_mates", f"{_ORACLES}.chains:RESCUE"),
        ("mapq", "say how sure a place is",
         f"{_ALIGN}.pair:mapq_of", f"{_ORACLES}.pairing:MAPQ"),
        ("duplicates", "tell duplicates among templates that share their ends",
         f"{_ALIGN}.dedup:resolve", f"{_ORACLES}.pairing:DUPLICATES"),
        ("encode", "write alignments as BAM records",
         f"{_ALIGN}.encode:encode", f"{_ORACLES}.records:ENCODE"),
        ("detour", "align an assembled haplotype to the reference",
         f"{_CALL}.spelling:align", f"{_ORACLES}.likelihood:DETOUR"),
        ("pair-hmm", "weigh reads under haplotypes",
         f"{_CALL}.pairhmm:forward", f"{_ORACLES}.likelihood:PAIR_HMM"),
        ("genotype", "weigh pairs of haplotypes",
         f"{_CALL}.genotype:all_pairs", f"{_ORACLES}.likelihood:GENOTYPE"),
        ("phase", "tell which alleles of two sites lie on one haplotype",
         f"{_CALL}.phase:link", f"{_ORACLES}.likelihood:PHASE"),
        ("kinship", "count what pairs of samples share",
         f"{_CALL}.kinship:count_pairs", f"{_ORACLES}.relatives:KINSHIP"),
    )
)  # fmt: skip
"""In the order of the data's way."""

TOOLS = {
    "lingqu.aligners": "lingqu.align.core:align_reads",
    "lingqu.callers": "lingqu.call.shard:call_shard",
}
"""Entry-point group to what is built in; `lingqu.oracles.tools` puts these to the test."""


def load(reference: str) -> Any:
    """The object that "module:name" refers to."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)


def trial_of(name: str) -> Trial:
    """The trial of a described kernel, or of "module:TRIAL"; LingquError where there is none."""
    for described in KERNELS:
        if described.name == name:
            return load(described.trial)
    if ":" not in name:
        raise LingquError(f"{name}: no such kernel; `lingqu kernels` lists them")
    try:
        trial = load(name)
    except (ImportError, AttributeError) as error:
        raise LingquError(
            f"{name}: {error}; name a module that Python finds, and its Trial"
        ) from None
    if not isinstance(trial, Trial):
        raise LingquError(f"{name}: is no lingqu.oracles.trial.Trial")
    return trial
