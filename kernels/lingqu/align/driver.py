"""Reads to one sorted, duplicate-marked, indexed BAM or CRAM: a stream of chunks, then shards.

Chunks are aligned as they are read and their records spilled; duplicates are judged when all are
there; shards of the genome are then sorted, compressed and indexed on their own, and joined.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from lingqu import __version__
from lingqu.align import plan
from lingqu.align.batch import InsertModel
from lingqu.align.index import open_index
from lingqu.align.join import join
from lingqu.align.lanes import MARKS, Lane
from lingqu.align.options import Options
from lingqu.align.qc import qc_of
from lingqu.align.sources import Source, open_source
from lingqu.align.spill import WINDOW_BITS, total_weights, write_cuts
from lingqu.align.stats import insert_path, stats_of
from lingqu.align.steps import (
    ChunkTask,
    StretchTask,
    align_chunk,
    insert_of,
    judge_duplicates,
    write_shard,
)
from lingqu.base.atomic import publish
from lingqu.base.cache_folder import source_digest
from lingqu.base.checkpoint import checkpoint, file_facts
from lingqu.base.json_text import json_text
from lingqu.base.progress import progress
from lingqu.cluster import Cluster
from lingqu.formats.arrays import finished, heard, write_arrays
from lingqu.formats.bam_header import header_text
from lingqu.formats.reference import Reference

USUAL = Options()
UNKNOWN = InsertModel(False, 0.0, 0.0, 0, 0)


@dataclass
class _Run:
    """What the steps of one run share."""

    fasta: Path
    folder: Path
    cluster: Cluster
    source: Source
    reference: Reference
    options: Options


def _insert_models(run: _Run) -> Callable:
    """A function from a chunk to its read group's insert sizes, asked of the group's first chunk.

    What is found is kept in the folder, so that a run that goes on goes on with the same.
    """
    known = {}

    def of(chunk) -> InsertModel:
        if len(chunk.texts) == 1:
            return UNKNOWN
        path = insert_path(run.folder, chunk.group)

        def ask() -> dict:
            model = next(iter(run.cluster.map(insert_of, [(run.fasta, chunk)])))
            write_arrays(path, model, {})
            return model

        if chunk.group not in known:
            known[chunk.group] = InsertModel(**heard(finished(path, ask)))
        return known[chunk.group]

    return of


def _chunk_tasks(run: _Run) -> Iterator[ChunkTask]:
    insert, templates = _insert_models(run), 0
    for number, chunk in enumerate(run.source.chunks()):
        name = run.source.groups[chunk.group]["ID"].encode()
        yield ChunkTask(
            run.fasta,
            run.folder,
            number,
            templates,
            name,
            insert(chunk),
            run.options.secondary,
            run.options.eqx,
            run.options.aligner,
            chunk,
        )
        templates += chunk.records


def _align_chunks(run: _Run) -> list[dict]:
    facts = []
    files = [path for lane in run.source.lanes for path in lane.inputs]
    with progress("align", "reads", files=files) as shown:
        for fact in run.cluster.map(align_chunk, _chunk_tasks(run)):
            facts.append(heard(fact))
            shown.advance(fact["counts"]["reads"])
    return facts


def _write_table(run: _Run, facts: list[dict]) -> None:
    """Per chunk: first template, read group, library (numbers), optical distance."""
    groups = run.source.groups
    libraries = sorted({group["LB"] for group in groups})
    templates = np.array([fact["templates"] for fact in facts], np.int64)
    columns = {
        "first_template": np.cumsum(templates) - templates,
        "group": np.array([fact["group"] for fact in facts], np.int64),
        "library": np.array(
            [libraries.index(groups[fact["group"]]["LB"]) for fact in facts], np.int64
        ),
        "distance": np.array([fact["distance"] for fact in facts], np.int64),
    }
    told = {"templates": int(templates.sum()), "umis": any(fact["umis"] for fact in facts)}
    write_arrays(run.folder / "chunks", told, columns)


@dataclass
class _Plan:
    """The tasks behind the chunks: what to judge, what to write."""

    judge: list[StretchTask]
    write: list[StretchTask]


def _cut(run: _Run, facts: list[dict]) -> _Plan:
    """Cut the genome into stretches by what the chunks weigh, and find these in the chunks."""
    windows = (len(run.reference.codes) >> (WINDOW_BITS - 1)) + 1
    size, rows = total_weights(run.folder, len(facts), windows)
    if not run.options.mark:
        rows[:] = 0
    limit = plan.fair(size, *plan.SHARD_BYTES)
    shards, judged = plan.cut(size, limit), plan.cut(rows, plan.fair(rows, *plan.JUDGED_ROWS))
    write_cuts(run.folder, len(facts), shards, judged)
    whole = run.fasta, run.folder
    write = plan.stretches(*whole, len(facts), shards)
    unplaced = [fact["unplaced_bytes"] for fact in facts]
    write += plan.unplaced_stretches(*whole, len(write), unplaced, limit)
    return _Plan(plan.stretches(*whole, len(facts), judged), write)


def _mark_duplicates(run: _Run, facts: list[dict], tasks: list[StretchTask]) -> None:
    """Leave one verdict a template (uint8) in the folder."""
    path = run.folder / "duplicates"

    def judge() -> dict:
        kind = np.zeros(sum(fact["templates"] for fact in facts), np.uint8)
        for ordinals, kinds in run.cluster.map(judge_duplicates, tasks):
            kind[ordinals] = kinds
        write_arrays(path, {}, {"kind": kind})
        return {}

    heard(finished(path, judge))


def _write_shards(run: _Run, tasks: list[StretchTask]) -> Iterator[dict]:
    """Write the shards; the facts of each, in order, as soon as it is there."""
    with progress("sort and compress", "shards", len(tasks)) as shown:
        for fact in run.cluster.map(write_shard, tasks):
            yield heard(fact)
            shown.advance(1)


def align(
    fasta: Path,
    lanes: list[Lane],
    sample: str,
    out: Path,
    cluster: Cluster,
    options: Options = USUAL,
) -> dict:
    """Align the lanes of a sample to a reference; write `out` (.bam or .cram), and beside it its
    index, stats and quality control (.stats.json, .qc.json).

    Returns the stats (`lingqu.align.stats`). The bytes depend on the reads, the reference, the
    lanes' read groups, the options and the version, and not on the cluster. A run that was stopped
    is taken up where it was. Raises LingquError on input that is at fault, OSError where the disk
    is.
    """
    inputs = [file_facts(path) for lane in lanes for path in lane.inputs]
    index = open_index(fasta)
    source = open_source(lanes, sample, index.reference)
    command = source.command(fasta, sample, options)
    identity = {
        "version": [__version__, source_digest()],
        "reference": list(index.reference.md5s),
        "inputs": inputs,
        "groups": source.groups,
        "umis": [lane.umi if lane.umi in MARKS else bool(lane.umi) for lane in lanes],
        "options": asdict(options),
    }
    with checkpoint(out, identity) as folder:
        whole = fasta.absolute(), folder.absolute()  # workers may be in another folder
        run = _Run(*whole, cluster, source, index.reference, options)
        facts = _align_chunks(run)
        _write_table(run, facts)
        tasks = _cut(run, facts)
        _mark_duplicates(run, facts, tasks.judge)
        header = header_text(index.reference, source.groups, command)
        join(out, folder, index.reference, header, _write_shards(run, tasks.write))
        stats = stats_of(folder, facts, source.groups, sample, command)
        quality = json_text(qc_of(folder, facts, source.groups, sample))
        for name, text in ((".qc.json", quality), (".stats.json", json.dumps(stats, indent=2))):
            with publish(f"{out}{name}", folder) as beside:
                beside.write_text(f"{text}\n")
    return stats
