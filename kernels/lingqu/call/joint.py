"""Joint calling: gVCFs into a cohort, shard by shard, and one VCF of all its samples."""

import io
import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from isal import igzip

from lingqu import __version__
from lingqu.base.atomic import publish
from lingqu.base.cache_folder import source_digest
from lingqu.base.checkpoint import checkpoint, digest, file_facts
from lingqu.base.errors import LingquError
from lingqu.base.progress import progress
from lingqu.call import store
from lingqu.call.cohort_lines import FAMILY_META, META, Kin, site_line
from lingqu.call.cohort_quality import CohortQuality
from lingqu.call.genotypes import Genotypes
from lingqu.call.known import check_known, identify
from lingqu.call.pedigree import read_ped
from lingqu.call.pieces import SIZE, first_shards
from lingqu.call.refinement import Families, Refined, arrange, refine, stack, summary, tally, ways
from lingqu.call.sites import Site, sites_of
from lingqu.call.store import Sample
from lingqu.cluster import Cluster, default_workers, open_cluster
from lingqu.formats.arrays import finished, heard, open_arrays, write_arrays
from lingqu.formats.reference import Reference, open_reference
from lingqu.formats.vcf import VcfWriter, header_lines

MOST_CELLS = 4_000_000
"""Genotypes of all samples and sites that are refined at once, of families."""
_LEVEL = 1  # of what is written to be read once
_BLOCK = 1 << 20
_MANY = 256  # sites, or batches of them, whose lines are held at once


class Shard(NamedTuple):
    """Places [start, end) of a contig, number `number` of a cohort's pieces."""

    fasta: Path
    samples: tuple[Path, ...]
    number: int
    tid: int
    start: int
    end: int
    families: Families | None
    known: Path | None
    markers: Path | None
    out: Path


def _sites(shard: Shard) -> Iterator[Site]:
    """The sites of a shard."""
    samples = [store.open_sample(path) for path in shard.samples]
    pieces = [store.read_records(sample, shard.number) for sample in samples]
    yield from sites_of(
        pieces, lambda s: store.read_blocks(samples[s], shard.number), shard.start, shard.end
    )


def _batches(found: Iterator[Site]) -> Iterator[list[Site]]:
    """The sites, as many at a time as make MOST_CELLS of genotypes and samples, or one."""
    batch, wide = [], 0
    for site in found:
        wide = max(wide, site.pl.size)
        if batch and wide * (len(batch) + 1) > MOST_CELLS:
            yield batch
            batch, wide = [], site.pl.size
        batch.append(site)
    if batch:
        yield batch


def _family_lines(
    batch: list[Site], contig: str, families: Families, genotypes: Genotypes
) -> tuple[list[bytes], np.ndarray]:
    """The lines of a batch of sites, and `tally` of the families at those that have one."""
    pl, alleles, indel = stack([site.pl for site in batch], [site.alleles for site in batch])
    ploidy = np.stack([site.ploidy for site in batch]).astype(np.int8)
    told = refine(families, pl, ploidy, alleles, ways(families, contig, ploidy), indel)
    lines = [
        site_line(site, contig, Kin(families, told, k), genotypes) for k, site in enumerate(batch)
    ]
    written = np.array([line is not None for line in lines])
    counts = tally(families, Refined._make(column[written] for column in told))
    return [line for line in lines if line], counts


def _lines(shard: Shard, genotypes: Genotypes) -> Iterator[tuple[list[bytes], np.ndarray | None]]:
    """Lines of the sites of a shard, some at a time, and `tally` of the families at them.

    The genotypes are put into `genotypes`.
    """
    contig, families = open_reference(shard.fasta).names[shard.tid], shard.families
    if families:
        for batch in _batches(_sites(shard)):
            yield _family_lines(batch, contig, families, genotypes)
    else:
        for site in _sites(shard):
            line = site_line(site, contig, None, genotypes)
            yield [line] if line else [], None


def join_shard(shard: Shard) -> dict:
    """Join a shard into the file `out` (its lines, deflated) unless that is done; its facts."""
    return finished(shard.out, lambda: _join_shard(shard))


def _named(lines: list[bytes], shard: Shard) -> list[bytes]:
    """The lines with the IDs of known alleles."""
    if not shard.known:
        return lines
    reference = open_reference(shard.fasta)
    place = reference.names[shard.tid], reference.contig(shard.tid)
    text = [line.decode("utf-8", "surrogateescape") for line in lines]
    named = identify(text, shard.known, *place)
    return [line.encode("utf-8", "surrogateescape") for line in named]


def _join_shard(shard: Shard) -> dict:
    place = open_reference(shard.fasta), shard.tid, shard.start, shard.end
    genotypes = Genotypes(len(shard.samples), *place, shard.markers)
    held, records, counts, told = io.BytesIO(), 0, 0, _lines(shard, genotypes)
    with igzip.GzipFile(fileobj=held, mode="wb", compresslevel=_LEVEL) as text:
        while some := list(islice(told, _MANY)):
            lines = _named([line for batch, _ in some for line in batch], shard)
            text.write(b"".join(line + b"\n" for line in lines))
            records += len(lines)
            counts += sum(more for _, more in some if more is not None)
    facts = {"records": records, "counts": np.asarray(counts).tolist(), **genotypes.facts()}
    arrays = {"lines": np.frombuffer(held.getbuffer(), np.uint8), **genotypes.arrays()}
    write_arrays(shard.out, facts, arrays)
    return facts


def _take(shard: Shard, writer: VcfWriter, quality: CohortQuality) -> None:
    """Write the lines of a joined shard, and sum up its genotypes."""
    facts, arrays = open_arrays(shard.out, check=True)
    quality.add(shard.tid, shard.start, facts, arrays)
    with igzip.GzipFile(fileobj=io.BytesIO(arrays["lines"])) as text:
        while some := text.read(_BLOCK):
            writer.write_bytes(some)


def _shards(
    reference: Reference,
    samples: list[Sample],
    families: Families | None,
    known: Path | None,
    markers: Path | None,
    folder: Path,
) -> Iterator[Shard]:
    """The shards of which a sample tells something, joined into a folder of just these samples."""
    home = folder / digest({"samples": [(sample.name, sample.digest) for sample in samples]})
    home.mkdir(exist_ok=True)
    firsts = first_shards(reference)
    filled = store.filled(samples, int(firsts[-1]))
    paths = tuple(sample.path for sample in samples)
    for tid, length in enumerate(map(int, reference.lengths)):
        for k in range(int(firsts[tid + 1] - firsts[tid])):
            number = int(firsts[tid]) + k
            if filled[number]:
                end = min((k + 1) * SIZE, length)
                out = home / f"shard-{number:06d}"
                place = reference.path, paths, number, tid, k * SIZE, end
                yield Shard(*place, families, known, markers, out)


class _Addition(NamedTuple):
    gvcf: Path
    fasta: Path
    folder: Path


def _add(one: _Addition) -> Sample:
    return store.add_sample(one.gvcf, open_reference(one.fasta), one.folder)


def _new(gvcfs: list[Path], known: dict[str, Sample]) -> list[Path]:
    """The gVCFs that are to be added: those that the cohort does not hold yet."""
    twice = [name for name, n in Counter(map(store.sample_of, gvcfs)).items() if n > 1]
    if twice:
        again = [path for path in gvcfs if store.sample_of(path) == twice[0]][1]
        raise LingquError(f"{again}: sample {twice[0]!r} twice; rename or leave out one")
    new = []
    for path in gvcfs:
        old = known.get(store.sample_of(path))
        if old is None:
            new.append(path)
        elif not old.is_of(path):
            raise store.other_file(path, old)
    return new


def _gathered(
    reference: Reference, gvcfs: list[Path], folder: Path, passing: bool, cluster: Cluster
) -> tuple[list[Sample], int]:
    """The samples of the cohort in the order of their names, and how many were added to it."""
    known = store.open_cohort(folder, reference, passing)
    new = _new(gvcfs, known)
    additions = [_Addition(path, reference.path, folder) for path in new]
    with progress("add", "samples", len(new)) as shown:
        for sample in cluster.map(_add, additions):
            known[sample.name] = sample
            shown.advance(1)
    if not known:
        raise LingquError(f"{folder}: a cohort without samples; name gVCFs to put into it")
    return [known[name] for name in sorted(known)], len(new)


def _write(
    out: Path,
    folder: Path,
    reference: Reference,
    samples: list[Sample],
    pedigree: Path | None,
    known: Path | None,
    markers: Path | None,
    cluster: Cluster,
) -> tuple[dict, dict]:
    """Write the VCF by way of the checkpoint's folder; its statistics, and the cohort's quality."""
    names = [sample.name for sample in samples]
    people = read_ped(pedigree) if pedigree else None
    has_parents = any(one.father or one.mother for one in people or ())
    families = arrange(people, names) if has_parents else None
    shards = list(_shards(reference, samples, families, known, markers, folder))
    head = header_lines(reference, META + (FAMILY_META if families else []), names)
    records, counts = 0, np.zeros((len(families.children), 4), np.int64) if families else None
    threads = min(cluster.workers, default_workers())
    quality = CohortQuality(names, threads)
    with (
        VcfWriter(out, head, threads).within(folder) as writer,
        progress("join", "bases", sum(shard.end - shard.start for shard in shards)) as shown,
    ):
        for shard, told in zip(shards, cluster.map(join_shard, shards), strict=True):
            facts = heard(told)
            _take(shard, writer, quality)
            records += facts["records"]
            if families:
                counts += facts["counts"]
            shown.advance(shard.end - shard.start)
    told = {"version": __version__, "samples": names, "records": records}
    told |= {"mendelian": summary(families, counts)} if families else {}
    return told, quality.told(people, markers is not None)


def joint(
    fasta: str | Path,
    gvcfs: list[str | Path],
    out: str | Path,
    *,
    cohort: str | Path | None = None,
    pedigree: str | Path | None = None,
    known: str | Path | None = None,
    qc_sites: str | Path | None = None,
    threads: int | None = None,
    backend: str = "processes",
    scheduler: str | Path | None = None,
) -> dict:
    """Write one VCF of all samples of `gvcfs`, and of those that the folder `cohort` holds.

    The gVCFs are put into `cohort`, so that later samples can be added to them; without one, into a
    folder beside `out` that goes when `out` stands. The VCF is the same whatever the order in which
    samples came. Samples that were added and shards that were joined are kept beside `out` until it
    is whole: a killed run goes on. pedigree: a PED file; genotypes of relatives are then found
    together. known: a VCF from which records get their IDs. qc_sites: a VCF; samples are told apart
    by its SNVs alone. What genotypes tell of samples and relatives stands in OUT.qc.json (see
    lingqu.call.cohort_quality). Returns samples (names in the order of
    the columns), records, and with a pedigree the Mendelian conflicts, as they stand in
    OUT.stats.json; and the number of samples added.
    LingquError where an input is damaged, no gVCF, of another reference, or a sample comes twice.
    """
    reference = open_reference(Path(fasta).absolute())
    paths, out = [Path(path).absolute() for path in gvcfs], Path(out).absolute()
    pedigree, known, qc_sites = (
        path and Path(path).absolute() for path in (pedigree, known, qc_sites)
    )
    if not paths and not cohort:
        raise LingquError(f"{out}: no samples; name gVCFs, or a cohort with --cohort")
    if not out.parent.is_dir():
        raise LingquError(f"{out}: its folder does not exist; make it")
    for listed in (known, qc_sites):
        if listed:
            check_known(listed, reference)
    identity = {
        "version": [__version__, source_digest()],
        "reference": list(reference.md5s),
        "inputs": [file_facts(path) for path in paths],
        "cohort": cohort and str(Path(cohort).absolute()),
        "pedigree": pedigree and file_facts(pedigree),
        "known": known and file_facts(known),
        "qc_sites": qc_sites and file_facts(qc_sites),
    }
    with checkpoint(out, identity) as folder, open_cluster(threads, backend, scheduler) as cluster:
        home = Path(cohort).absolute() if cohort else folder / "cohort"
        samples, added = _gathered(reference, paths, home, not cohort, cluster)
        told, quality = _write(out, folder, reference, samples, pedigree, known, qc_sites, cluster)
        for name, facts in (("qc", quality), ("stats", told)):
            with publish(f"{out}.{name}.json", folder) as beside:
                beside.write_text(json.dumps(facts, indent=1) + "\n")
    return told | {"added": added}
