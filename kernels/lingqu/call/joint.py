"""Joint calling: gVCFs into a cohort, shard by shard, and one VCF of all its samples."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lingqu import __version__
from lingqu.base.atomic import publish
from lingqu.base.checkpoint import checkpoint, file_facts
from lingqu.base.errors import LingquError
from lingqu.base.jit import source_digest
from lingqu.base.progress import progress
from lingqu.call import sites, store
from lingqu.call.pedigree import read_ped
from lingqu.call.refinement import Families, Refined, arrange, refine, stack, summary, tally, ways
from lingqu.call.sites import Kin, Seen, Site
from lingqu.call.store import SIZE, Sample
from lingqu.cluster import Cluster, open_cluster
from lingqu.formats.reference import Reference, open_reference
from lingqu.formats.vcf import VcfWriter, header_lines


class Shard(NamedTuple):
    """Places [start, end) of a contig, number `number` of a cohort's pieces."""

    fasta: Path
    samples: tuple[Path, ...]
    number: int
    tid: int
    start: int
    end: int
    families: Families | None


class _Column:
    """What one sample tells of a shard."""

    def __init__(self, sample: Sample, shard: int):
        self.blocks, lines = store.read_piece(sample, shard)
        seen = [sites.read_record(line) for line in lines]
        self.records: dict[int, Seen] = {}
        for one in seen:
            self.records.setdefault(one.pos, one)
        self.wide = [one for one in seen if len(one.ref) > 1]

    def over(self, pos: int) -> Seen | None:
        """The record that begins before `pos` and covers it; one that deletes it, if there is."""
        found = [one for one in self.wide if one.pos < pos < one.end]
        return next((one for one in found if one.gone(pos)), found[-1] if found else None)

    def reference(self, places: np.ndarray) -> np.ndarray:
        """int32[places, 4]: ploidy, depth and PLs of the block of each place, see `gather`."""
        told = np.zeros((len(places), 4), np.int32)
        told[:, 0] = self.ploidy()
        if len(self.blocks):
            row = np.searchsorted(self.blocks[:, 0], places, side="right") - 1
            inside = (row >= 0) & (places < self.blocks[row, 1])
            told[inside] = self.blocks[row[inside], 2:]
        return told

    def ploidy(self) -> int:
        """Copies where nothing is told: as elsewhere in the shard."""
        if len(self.blocks):
            return int(self.blocks[0, 2])
        return next((one.ploidy for one in self.records.values()), 2)


def _sites(shard: Shard) -> Iterator[Site]:
    """The sites of a shard at which a sample has an allele that is spelled out."""
    columns = [_Column(store.open_sample(path), shard.number) for path in shard.samples]
    places = np.array(
        sorted({p for column in columns for p in column.records if shard.start <= p < shard.end}),
        np.int64,
    )
    blocks = np.stack([column.reference(places) for column in columns], axis=1)
    for k, pos in enumerate(places.tolist()):
        here, over = {}, {}
        for s, column in enumerate(columns):
            if pos in column.records:
                here[s] = column.records[pos]
            elif (one := column.over(pos)) is not None:
                over[s] = one
        site = sites.gather(pos, here, over, blocks[k])
        if site:
            yield site


def join_shard(shard: Shard) -> tuple[str, np.ndarray | None]:
    """The lines of the sites of a shard, each with its line end, and `tally` of the families."""
    contig = open_reference(shard.fasta).names[shard.tid]
    found, families = list(_sites(shard)), shard.families
    if not families or not found:
        lines = [sites.site_line(site, contig) for site in found]
        return "".join(f"{line}\n" for line in lines if line), None
    pl, alleles, indel = stack([site.pl for site in found], [site.alleles for site in found])
    ploidy = np.stack([site.ploidy for site in found]).astype(np.int8)
    told = refine(families, pl, ploidy, alleles, ways(families, contig, ploidy), indel)
    lines = [sites.site_line(site, contig, Kin(families, told, k)) for k, site in enumerate(found)]
    written = np.array([line is not None for line in lines])
    counts = tally(families, Refined._make(column[written] for column in told))
    return "".join(f"{line}\n" for line in lines if line), counts


def _shards(
    reference: Reference, samples: list[Sample], families: Families | None
) -> Iterator[Shard]:
    firsts = store.first_shards(reference)
    filled = store.filled(samples, int(firsts[-1]))
    paths = tuple(sample.path for sample in samples)
    for tid, length in enumerate(map(int, reference.lengths)):
        for k in range(int(firsts[tid + 1] - firsts[tid])):
            number = int(firsts[tid]) + k
            if filled[number]:
                end = min((k + 1) * SIZE, length)
                yield Shard(reference.path, paths, number, tid, k * SIZE, end, families)


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
        elif old.digest != store.digest_of(path):
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
    cluster: Cluster,
) -> dict:
    """Write the VCF by way of the checkpoint's folder; what its statistics tell."""
    names = [sample.name for sample in samples]
    families = arrange(read_ped(pedigree), names) if pedigree else None
    shards = list(_shards(reference, samples, families))
    head = header_lines(reference, sites.META + (sites.FAMILY_META if families else []), names)
    records, counts = 0, np.zeros((len(families.children), 4), np.int64) if families else None
    with (
        VcfWriter(out, head).within(folder) as writer,
        progress("join", "bases", sum(shard.end - shard.start for shard in shards)) as shown,
    ):
        for shard, (text, more) in zip(shards, cluster.map(join_shard, shards), strict=True):
            if text:
                writer.write(text[:-1])
                records += text.count("\n")
            if more is not None:
                counts += more
            shown.advance(shard.end - shard.start)
    told = {"version": __version__, "samples": names, "records": records}
    return told | ({"mendelian": summary(families, counts)} if families else {})


def joint(
    fasta: str | Path,
    gvcfs: list[str | Path],
    out: str | Path,
    *,
    cohort: str | Path | None = None,
    pedigree: str | Path | None = None,
    threads: int | None = None,
    backend: str = "threads",
    scheduler: str | Path | None = None,
) -> dict:
    """Write one VCF of all samples of `gvcfs`, and of those that the folder `cohort` holds.

    The gVCFs are put into `cohort`, so that later samples can be added to them; without one, into a
    folder beside `out` that goes when `out` stands. The VCF is the same whatever the order in which
    samples came. pedigree: a PED file; genotypes of relatives are then found together. Returns
    samples (names in the order of the columns), records, and with a pedigree the Mendelian
    conflicts, as they stand in OUT.stats.json; and the number of samples added.
    LingquError where an input is damaged, no gVCF, of another reference, or a sample comes twice.
    """
    reference = open_reference(Path(fasta).absolute())
    paths, out = [Path(path).absolute() for path in gvcfs], Path(out).absolute()
    pedigree = pedigree and Path(pedigree).absolute()
    if not paths and not cohort:
        raise LingquError(f"{out}: no samples; name gVCFs, or a cohort with --cohort")
    if not out.parent.is_dir():
        raise LingquError(f"{out}: its folder does not exist; make it")
    identity = {
        "version": [__version__, source_digest()],
        "reference": list(reference.md5s),
        "inputs": [file_facts(path) for path in paths],
        "cohort": cohort and str(Path(cohort).absolute()),
        "pedigree": pedigree and file_facts(pedigree),
    }
    with checkpoint(out, identity) as folder, open_cluster(threads, backend, scheduler) as cluster:
        home = Path(cohort).absolute() if cohort else folder / "cohort"
        samples, added = _gathered(reference, paths, home, not cohort, cluster)
        told = _write(out, folder, reference, samples, pedigree, cluster)
        with publish(f"{out}.stats.json", folder) as beside:
            beside.write_text(json.dumps(told, indent=1) + "\n")
    return told | {"added": added}
