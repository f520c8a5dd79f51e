"""Calling of a sample: shards over the cluster, finished ones remembered, one VCF at the end."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from lingqu import __version__
from lingqu.base.atomic import publish
from lingqu.base.cache_folder import source_digest
from lingqu.base.checkpoint import checkpoint, file_facts
from lingqu.base.errors import LingquError
from lingqu.base.plugins import CALLERS, function
from lingqu.base.progress import progress
from lingqu.call import gvcf, model, records
from lingqu.call.known import check_known, identify
from lingqu.call.measured import Measured
from lingqu.call.mnv import Joiner
from lingqu.call.phase import GLUE, Phaser
from lingqu.call.ploidy import Segment, ploidies
from lingqu.call.quality import Options, Quality, as_text
from lingqu.call.records import GivenSite
from lingqu.call.shard import MARGIN, SIZE, Shard, call_shard, measure_shard, tally_windows
from lingqu.cluster import Cluster, open_cluster
from lingqu.formats.arrays import finished, heard, open_arrays, write_arrays
from lingqu.formats.bam import AlignmentFile, compressed_size, open_alignments
from lingqu.formats.bed import Intervals, parse_regions, read_bed
from lingqu.formats.reference import Reference, open_reference
from lingqu.formats.vcf import VcfWriter, header_lines, open_vcf

_MANY, _FEW = 256, 8
"""Lines that are written, and windows that are learned from, at once."""
WINDOW = 20_000
MOST_WINDOWS = 4000
ENOUGH = 50_000_000
"""Gaps are learned from windows of WINDOW bases, until the reads over them hold ENOUGH."""


def _lengths(reference: Reference) -> dict[str, int]:
    return dict(zip(reference.names, map(int, reference.lengths), strict=True))


def wanted_intervals(
    reference: Reference, regions: tuple[str, ...], bed: str | Path | None
) -> Intervals | None:
    """Intervals of -r and -R (either, not both), None where all of the genome is wanted."""
    lengths = _lengths(reference)
    if regions and bed:
        raise LingquError("-r and -R: give one of the two")
    if bed:
        return read_bed(bed, lengths)
    return parse_regions(regions, lengths) if regions else None


def sample_name(file: AlignmentFile, given: str | None) -> str:
    """The given name, else the one SM of the read groups, else the name of the file."""
    if given:
        return given
    if len(file.samples) > 1:
        raise LingquError(
            f"{file.path}: reads of several samples ({', '.join(file.samples[:3])}); one file holds"
            " one sample: split it (samtools split), or say --sample NAME to take all as one"
        )
    return file.samples[0] if file.samples else file.path.name.removesuffix(file.path.suffix)


def _clip(pairs, start: int, end: int) -> tuple[tuple[int, int], ...]:
    cut = ((max(int(a), start), min(int(b), end)) for a, b in pairs)
    return tuple((a, b) for a, b in cut if a < b)


def _given(path: Path, reference: Reference) -> Iterator[tuple[int, list[GivenSite]]]:
    """(contig, its sites) of a VCF, contig by contig."""
    tid, sites = -1, []
    with open_vcf(path, reference) as reader:
        for record in reader:
            own = reference.tid(record.contig)
            if own != tid and sites:
                yield tid, sites
                sites = []
            tid = own
            sites.append(GivenSite(record.pos, record.ref, record.alts))
    if sites:
        yield tid, sites


def _near(sites: list[GivenSite], start: int, end: int) -> tuple[GivenSite, ...]:
    return tuple(site for site in sites if start - MARGIN <= site.pos < end + MARGIN)


def _stretches(length: int, segments: list[Segment]) -> Iterator[Segment]:
    """The segments of a contig, cut at multiples of SIZE."""
    for begin, stop, ploidy in segments:
        for start in range(begin // SIZE * SIZE, stop, SIZE):
            yield max(start, begin), min(start + SIZE, stop, length), ploidy


def _shards(
    reference: Reference,
    file: AlignmentFile,
    intervals: Intervals | None,
    copies: dict[str, list[Segment]],
    sites: Path | None,
    gaps: np.ndarray,
    folder: Path,
    with_quality: bool,
) -> Iterator[Shard]:
    """The shards in the order of the reference, cut at multiples of SIZE and where ploidy changes.

    Where it is 0, only given sites are told, and depth for quality control.
    """
    given = dict(_given(sites, reference)) if sites else None
    for tid, name in enumerate(reference.names):
        length = int(reference.lengths[tid])
        whole = [(0, length)] if intervals is None else intervals.get(name, [])
        if (given is None and file.tid_of[tid] < 0) or (given is not None and tid not in given):
            continue
        for start, end, ploidy in _stretches(length, copies[name]):
            if not ploidy and given is None and not with_quality:
                continue
            pairs = _clip(whole, start, end)
            near = None if given is None else _near(given[tid], start, end)
            if pairs and near != ():
                out = folder / f"shard-{tid}.{start}"
                yield Shard(
                    reference.path, file.path, tid, start, end, ploidy, pairs, near, gaps, out
                )


def _batches(items: Iterator, size: int) -> Iterator[list]:
    """The items, so many at a time."""
    while some := list(itertools.islice(items, size)):
        yield some


def _windows(reference: Reference, file: AlignmentFile) -> Iterator[tuple]:
    """Windows all over the genome, by steps of the golden section, to learn errors from."""
    starts = [
        (tid, start)
        for tid in range(len(reference.names))
        if file.tid_of[tid] >= 0
        for start in range(0, int(reference.lengths[tid]), WINDOW)
    ]
    order = sorted(range(len(starts)), key=lambda k: k * 0.6180339887498949 % 1)
    for k in order[:MOST_WINDOWS]:
        tid, start = starts[k]
        end = min(start + WINDOW, int(reference.lengths[tid]))
        if compressed_size(file, tid, start, end):
            yield reference.path, file.path, tid, start, end


def learn_gaps(reference: Reference, file: AlignmentFile, cluster: Cluster) -> np.ndarray:
    """Gap chances (see model.gap_table) from windows with reads, until these are enough.

    The same for any region that is called: they are taken from all of the file.
    """
    total = np.zeros(model.TALLY, np.int64)
    some = _batches(_windows(reference, file), _FEW)
    for tally in itertools.chain.from_iterable(cluster.map(tally_windows, some)):
        total += tally
        if total[..., 0].sum() >= ENOUGH:
            break
    return model.gap_table(total)


def _finish(shard: Shard) -> dict:
    """Call a shard unless that is done, leave its lines; {"under": its covered bases}."""
    return finished(shard.out, lambda: _call(shard))


def _call(shard: Shard) -> dict:
    measured = Measured(shard.asked, shard.intervals) if shard.asked else None
    if shard.caller and _tells(shard):
        under, lines = function(CALLERS, shard.caller)(shard)
        if measured:
            measure_shard(shard, measured)
    else:
        under, lines = call_shard(shard, measured)
    if shard.known:
        ref = open_reference(shard.fasta).contig(shard.tid)
        named = identify([x for x in lines if gvcf.is_record(x)], shard.known, shard.contig, ref)
        rest = iter(named)
        lines = [next(rest) if gvcf.is_record(x) else x for x in lines]
    facts = {"under": int(under)}
    arrays = measured.arrays() if measured else {}
    arrays["lines"] = np.frombuffer(as_text(lines), np.uint8)
    write_arrays(shard.out, facts, arrays)
    return facts


def _lines(lines: np.ndarray) -> list[str]:
    """The lines that `_call` left."""
    return lines.tobytes().decode("utf-8", "surrogateescape").split("\n")[:-1]


def _learned(folder: Path, *sources) -> np.ndarray:
    """The learned gap chances, from the checkpoint where they are there."""
    path = folder / "gaps"

    def learn() -> dict:
        write_arrays(path, {}, {"gaps": learn_gaps(*sources)})
        return {}

    heard(finished(path, learn))
    return np.array(open_arrays(path)[1]["gaps"])


def _called(
    shards: list[Shard], cluster: Cluster, quality: Quality, facts: dict, advance: Callable
) -> Iterator[str]:
    """The lines of the shards, in order and phased; reads under the shards are added to facts."""
    phaser = Phaser()
    for shard, fact in zip(shards, cluster.map(_finish, shards), strict=True):
        facts["under"] += heard(fact)["under"]
        _, arrays = open_arrays(shard.out, check=True)
        if shard.asked:
            quality.add(shard, arrays)
        if _tells(shard):
            yield from phaser.feed(shard.tid, shard.end, _lines(arrays["lines"]))
        advance(sum(b - a for a, b in shard.intervals))
    yield from phaser.flush()


def _tells(shard: Shard) -> bool:
    """Whether a shard may have lines."""
    return shard.ploidy > 0 or shard.sites is not None


class _Vcf:
    """The VCF of a sample: what `_write` puts into it, counted by `quality`."""

    def __init__(self, writer: VcfWriter | None, mnv: bool, quality: Quality):
        self._writer, self._joiner, self._quality = writer, Joiner() if mnv else None, quality

    def put(self, lines: list[str], last: bool = False) -> None:
        """Add lines; with the last, what was held back is written too."""
        if self._joiner:
            lines = self._joiner.feed(lines) + (self._joiner.flush() if last else [])
        if lines:
            text = as_text(lines)
            self._quality.read(lines, text)
            if self._writer:
                self._writer.write_bytes(text)


def _write(
    writers: dict[Path, VcfWriter],
    shards: list[Shard],
    cluster: Cluster,
    mnv: bool,
    quality: Quality,
) -> dict:
    """Call the shards and write their lines, counted by `quality`; facts of the coverage."""
    facts, sizes = {"under": 0}, [sum(b - a for a, b in shard.intervals) for shard in shards]
    bases = sum(size for shard, size in zip(shards, sizes, strict=True) if _tells(shard))
    with_blocks = [writer for path, writer in writers.items() if gvcf.is_gvcf(path)]
    plain = [writer for path, writer in writers.items() if not gvcf.is_gvcf(path)]
    vcf = _Vcf(plain[0] if plain else None, mnv, quality)
    with progress("call", "bases", sum(sizes)) as shown:
        lines = _called(shards, cluster, quality, facts, shown.advance)
        for some in _batches(gvcf.join(lines) if with_blocks else lines, _MANY):
            for writer in with_blocks:
                writer.write("\n".join(some).replace(GLUE, "\n"))
            if with_blocks:
                some = [gvcf.without_non_ref(line) for line in some if gvcf.is_record(line)]
            vcf.put(some)
        vcf.put([], last=True)
    return {"bases": bases, "mean_depth": round(facts["under"] / max(bases, 1), 4)}


def _absolute(path: str | Path | None) -> Path | None:
    """The path as a worker in another folder finds it."""
    return Path(path).absolute() if path else None


def _outputs(out: Path, also: Path | None, by_others: bool) -> list[Path]:
    """The outputs; LingquError where they do not go together, or with what is called otherwise."""
    outs = [path for path in (out, also) if path]
    if by_others and any(map(gvcf.is_gvcf, outs)):
        raise LingquError(f"{out}: a gVCF holds what Lingqu's own caller finds; leave out --sites"
                          " and --caller, or name a VCF")  # fmt: skip
    if len({gvcf.is_gvcf(path) for path in outs}) < len(outs):
        raise LingquError(f"{also}: of two outputs one is a VCF and one a gVCF (.g.vcf.gz)")
    for path in outs:
        if not path.parent.is_dir():
            raise LingquError(f"{path}: its folder does not exist; make it")
    return outs


def _writers(
    outs: list[Path], reference: Reference, caller: str | None, sample: str
) -> dict[Path, VcfWriter]:
    """A writer for each output."""
    meta = [f"##lingqu_caller={caller}", *records.META] if caller else records.META
    heads = [[*meta, *gvcf.META] if gvcf.is_gvcf(path) else meta for path in outs]
    return {
        path: VcfWriter(path, header_lines(reference, head, [sample]))
        for path, head in zip(outs, heads, strict=True)
    }


def call(
    fasta: str | Path,
    bam: str | Path,
    out: str | Path,
    *,
    also: str | Path | None = None,
    regions: tuple[str, ...] = (),
    bed: str | Path | None = None,
    ploidy: int = 2,
    sex: str | None = None,
    par: str | Path | None = None,
    sites: str | Path | None = None,
    known: str | Path | None = None,
    mnv: bool = False,
    qc_sites: str | Path | None = None,
    qc_genes: str | Path | None = None,
    sample: str | None = None,
    caller: str | None = None,
    threads: int | None = None,
    backend: str = "processes",
    scheduler: str | Path | None = None,
) -> dict:
    """Call one sample and write `out` (.vcf.gz, .vcf, .bcf) and `out`.stats.json; beside a VCF that
    is not of given sites also VCF.qc.json, quality control of reads and calls (see `Quality`).

    A name that ends in .g.vcf.gz (.g.vcf, .g.bcf) gets a gVCF. also: a second output of the same
    calling, so that a VCF and a gVCF cost no more than the gVCF.
    sex, par: see `ploidies`. sites: a VCF whose alleles are genotyped, and no others. known: a VCF
    from which records get their IDs. mnv: adjacent SNVs of one haplotype become one record of the
    VCF, not of the gVCF. qc_sites, qc_genes: a VCF of common SNVs with their frequencies, to tell
    contamination from, and genes (BED, GFF3, GTF) to tell the depth of. caller: NAME==VERSION of
    one that another package brings. Returns what `out`.stats.json holds.
    Finished shards are kept in a folder beside `out` until it is whole: a killed run goes on.
    LingquError where the inputs are missing, damaged or do not belong together.
    """
    parameters = {
        "regions": list(regions), "bed": bed and str(bed), "ploidy": ploidy, "sex": sex,
        "par": par and str(par), "known": known and str(known), "mnv": mnv,
    }  # fmt: skip
    told_regions = (str(bed),) if bed else tuple(regions)
    told = {"version": __version__, "reference": str(fasta), "alignments": str(bam)}
    fasta, bam, out, also, bed, par, sites, known, qc_sites, qc_genes = map(
        _absolute, (fasta, bam, out, also, bed, par, sites, known, qc_sites, qc_genes)
    )
    outs = _outputs(out, also, bool(sites or caller))
    blocks = any(map(gvcf.is_gvcf, outs))
    reference = open_reference(fasta)
    file = open_alignments(bam, reference)
    intervals = wanted_intervals(reference, regions, bed)
    if known:
        check_known(known, reference)
    if mnv and sites:
        raise LingquError("--mnv and --sites: give one of the two; given alleles stay as they are")
    copies = ploidies(_lengths(reference), ploidy, sex, par)
    name = sample_name(file, sample)
    told_sex = sex if sex in ("XX", "XY") else None
    asked = Options(qc_sites, qc_genes, par, told_sex, told_regions, bool(bed), bool(known))
    quality = Quality(asked, reference)
    plain = [] if sites else [path for path in outs if not gvcf.is_gvcf(path)]
    identity = {
        "version": [__version__, source_digest()],
        "reference": list(reference.md5s),
        "inputs": [path and file_facts(path) for path in (bam, sites, known, qc_sites, qc_genes)],
        "intervals": {contig: pairs.tolist() for contig, pairs in (intervals or {}).items()},
        "everywhere": intervals is None,
        "ploidy": copies,
        "caller": caller,
        "blocks": blocks,
        "quality": bool(plain),
    }
    writers = _writers(outs, reference, caller, name)
    with contextlib.ExitStack() as held:
        folders = [held.enter_context(checkpoint(path, identity)) for path in outs]
        folder = folders[0]
        with contextlib.ExitStack() as stack:
            for writer, own in zip(writers.values(), folders, strict=True):
                stack.enter_context(writer.within(own))
            cluster = stack.enter_context(open_cluster(threads, backend, scheduler))
            gaps = _learned(folder, reference, file, cluster)
            shards = [
                replace(shard, caller=caller or "", known=known, blocks=blocks)
                for shard in _shards(
                    reference, file, intervals, copies, sites, gaps, folder, bool(plain)
                )
            ]
            shards = quality.ask(shards) if plain else shards
            coverage = _write(writers, shards, cluster, mnv, quality)
        facts = told | {"sample": name, "parameters": parameters, **coverage}
        facts["records"] = quality.variants.stats()
        for path, own in zip(outs, folders, strict=True):
            if path in plain:
                with publish(f"{path}.qc.json", own) as beside:
                    beside.write_text(json.dumps(quality.told(name, bam)) + "\n")
        with publish(f"{out}.stats.json", folder) as beside:
            beside.write_text(json.dumps(facts, indent=1) + "\n")
    return facts
