"""One shard: a stretch of a contig, from its reads to the lines of its records."""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lingqu.base.scratch import empty, scratch
from lingqu.call import candidates, gvcf, model, phase, records
from lingqu.call.assembly import Assembler, windows
from lingqu.call.kernels.evaluate import evaluate
from lingqu.call.kernels.limits import MAX_READS
from lingqu.call.kernels.pairhmm import new_workspace
from lingqu.call.kernels.spelling import prior_of
from lingqu.call.kernels.tell import FLOATS, INTS
from lingqu.call.kernels.templates import number_templates
from lingqu.call.kernels.weigh import Tables
from lingqu.call.measured import Asked, Measured
from lingqu.call.records import GivenSite
from lingqu.formats.bam import (
    Alignments,
    Spans,
    compressed_size,
    open_alignments,
    read_alignments,
    read_with_spans,
)
from lingqu.formats.reference import open_reference

SIZE = 100_000
"""Bases of a shard; cuts are at multiples of it."""
MARGIN = 1000
"""Bases read beyond both ends, so that what lies across a cut is seen from both sides alike."""


MOST_BYTES = 12_000_000
"""Compressed bytes of reads that are taken into memory at once: a tenfold of it, unpacked."""


@dataclass(frozen=True)
class Shard:
    """What a worker needs to call one shard.

    intervals: (start, end) pairs within [start, end) whose records are wanted. sites: None, or
    the given sites of the shard and its margin, sorted. known: a VCF that records get IDs from.
    Where ploidy is 0 nothing is called and depth still counts.
    """

    fasta: Path
    bam: Path
    tid: int
    start: int
    end: int
    ploidy: int
    intervals: tuple[tuple[int, int], ...]
    sites: tuple[GivenSite, ...] | None
    gaps: np.ndarray  # float32, see model.gap_table
    out: Path
    caller: str = ""  # NAME==VERSION of one that another package brings
    known: Path | None = None
    blocks: bool = False  # a gVCF is wanted, see call/gvcf.py
    asked: Asked | None = None  # what quality control wants to know

    @property
    def contig(self) -> str:
        """Name of the contig."""
        return open_reference(self.fasta).names[self.tid]


def tally_window(window: tuple[Path, Path, int, int, int]) -> np.ndarray:
    """Reads and indels by repeat (see `tally_gaps`) of a window (fasta, bam, tid, start, end).

    In halves where the reads are too heavy to be held in memory (see MOST_BYTES), and nothing where
    those over MARGIN bases still are.
    """
    fasta, bam, tid, start, end = window
    reference = open_reference(fasta)
    file = open_alignments(bam, reference)
    if compressed_size(file, tid, start, end) > MOST_BYTES:
        if end - start <= MARGIN:
            return np.zeros(model.TALLY, np.int64)
        middle = (start + end) // 2
        halves = (start, middle), (middle, end)
        return sum(tally_window((fasta, bam, tid, *half)) for half in halves)
    with scratch():
        reads = read_alignments(file, reference, tid, start, end)
        if not len(reads.pos):
            return np.zeros(model.TALLY, np.int64)
        ref = reference.contig(tid)
        return candidates.tally_indels(candidates.scan_window(reads, ref, start, end), ref)


def tally_windows(windows: list[tuple]) -> list[np.ndarray]:
    """`tally_window` of some."""
    return [tally_window(window) for window in windows]


@lru_cache(maxsize=1)
def _tables():
    return *model.base_tables(), model.mismap_table()


def _pack_found(reads: Alignments, ref: np.ndarray, start: int, end: int):
    """Edits that the reads of a window show, each site being a place."""
    seen = candidates.scan_window(reads, ref, start, end)
    known = {edit.key: edit for edit in sorted(candidates.observed(seen, reads, ref))}
    assembler = Assembler(reads, ref)
    for begin, last in windows(candidates.clip_places(seen), list(known.values())):
        depth = int(seen.depth[max(begin - start, 0) : last - start].mean())
        for edit in sorted(assembler.edits(begin, last, depth)):
            known.setdefault(edit.key, edit)
    edits = sorted(known.values())
    priors = [
        prior_of(ref, edit.start, edit.removed, np.frombuffer(edit.put, np.uint8)) for edit in edits
    ]
    return edits, candidates.pack(edits, [edit.anchor for edit in edits], priors)


def _pack_given(sites: tuple[GivenSite, ...], ref: np.ndarray):
    """The edits of given sites, each record a site."""
    numbered = []
    for number, site in enumerate(sites):
        for start, removed, put in site.edits():
            left, right = candidates.reach(ref, start, removed, put)
            numbered.append((candidates.Edit(start, removed, put, left, right), number))
    numbered.sort()
    edits = [edit for edit, _ in numbered]
    packed = candidates.pack(
        edits, [number for _, number in numbered], [model.GIVEN_PRIOR] * len(edits)
    )
    anchors = np.array([sites[number].pos for _, number in numbered], np.int32)
    return edits, packed._replace(anchor=anchors)


def _templates(reads: Alignments) -> np.ndarray:
    """int32[reads]: the number of each read's template."""
    template = empty(len(reads.pos), np.int32)
    slots = empty(1 << (2 * len(template)).bit_length(), np.int32)
    number_templates(reads.name_hash, slots, template)
    return template


def _rows(reads, template, ref, edits, packed, shard: Shard):
    """Rows of `evaluate` of the regions that can hold records of the shard, and these regions."""
    span = int((reads.end - reads.pos).max()) if len(reads.pos) else 0
    sites = packed.site.tolist() if shard.sites is not None else None
    regions = [
        (*region, 0)
        for region in candidates.group(edits, sites)
        if region[1] > shard.start and region[0] <= shard.end
    ]
    regions = np.array(regions, np.int64).reshape(-1, 5)
    regions[:, 4] = np.searchsorted(reads.pos, (regions[:, 0] - span).astype(np.int32))
    spelled = candidates.room_for(packed, len(regions))
    spans = np.zeros((len(regions), 2), np.int64)
    most = len(spelled.start)
    ints, floats = np.empty((most, INTS), np.int64), np.empty((most, FLOATS))
    told = np.zeros((most, 2), np.int64)
    room = most * MAX_READS  # pages that nothing is written to cost nothing
    names, shares = np.empty(room, np.uint64), np.empty(room, np.float32)
    tables = Tables(*_tables(), shard.gaps, new_workspace())
    written = evaluate(
        reads, template, int(template.max(initial=0)) + 1, ref, packed, regions, model.MIN_MAPQ,
        shard.ploidy, shard.sites is not None, tables, spelled, spans, ints, floats, told, names,
        shares,
    )  # fmt: skip
    evidence = _by_record(told[:written, 1], names, shares)
    plain = _plain(spelled)
    return [
        records.read_row(
            ints[k], floats[k], spans, plain, ref, templates=templates, evidence=evidence[k]
        )
        for k, templates in enumerate(told[:written, 0].tolist())
    ]


def _plain(edits: candidates.Edits) -> candidates.Edits:
    """With lists for what records are spelled by: reading arrays number by number takes long."""
    return edits._replace(
        **{
            name: getattr(edits, name).tolist()
            for name in ("start", "removed", "put", "at", "anchor", "site")
        }
    )


def _by_record(ends: np.ndarray, names: np.ndarray, shares: np.ndarray) -> list[phase.Evidence]:
    """The evidence of each record, sorted by name."""
    parts = []
    for begin, end in pairwise([0, *ends.tolist()]):
        order = np.argsort(names[begin:end])
        parts.append(phase.Evidence(names[begin:end][order], shares[begin:end][order]))
    return parts


def _wanted(pos: int, shard: Shard) -> bool:
    return any(start <= pos < end for start, end in shard.intervals)


def covered(reads: Alignments, intervals: tuple[tuple[int, int], ...]) -> int:
    """Bases of the intervals under each read's span, summed over the reads: depth times bases."""
    spans = (np.minimum(reads.end, end) - np.maximum(reads.pos, start) for start, end in intervals)
    return sum(int(span.clip(0).sum(dtype=np.int64)) for span in spans)


def _light(shard: Shard) -> list[Shard]:
    """The shard, cut in halves until none is too heavy to be held in memory; see MOST_BYTES."""
    reference = open_reference(shard.fasta)
    file = open_alignments(shard.bam, reference)
    start, end = shard.intervals[0][0], shard.intervals[-1][1]
    weight = compressed_size(file, shard.tid, max(start - MARGIN, 0), end + MARGIN)
    if weight <= MOST_BYTES or end - start <= MARGIN:
        return [shard]
    middle = (start + end) // 2
    halves = []
    for first, last in ((shard.start, middle), (middle, shard.end)):
        pairs = tuple((max(a, first), min(b, last)) for a, b in shard.intervals)
        pairs = tuple((a, b) for a, b in pairs if a < b)
        if pairs:
            halves += _light(replace(shard, start=first, end=last, intervals=pairs))
    return halves


class _Read(NamedTuple):
    """The records over a shard and its margins, [start, end); template: see `_templates`."""

    start: int
    end: int
    ref: np.ndarray
    reads: Alignments
    spans: Spans
    template: np.ndarray


def _read(shard: Shard) -> _Read:
    reference = open_reference(shard.fasta)
    ref, file = reference.contig(shard.tid), open_alignments(shard.bam, reference)
    start = max(shard.intervals[0][0] - MARGIN, 0)
    end = min(shard.intervals[-1][1] + MARGIN, len(ref))
    reads, spans = read_with_spans(file, reference, shard.tid, start, end)
    return _Read(start, end, ref, reads, spans, _templates(reads))


def _measure(shard: Shard, found: _Read, measured: Measured) -> None:
    pairs, place = np.array(shard.intervals, np.int64), (shard.contig, found.ref)
    measured.add_reads(pairs, found.reads, found.spans, found.template, place)


def measure_shard(shard: Shard, measured: Measured) -> None:
    """Measure what is asked of a shard that is not called, or by others."""
    for part in _light(shard):
        with scratch():
            _measure(part, _read(part), measured)


def call_shard(shard: Shard, measured: Measured | None = None) -> tuple[int, list[str]]:
    """What `covered` tells of a shard, and its VCF lines, sorted by position.

    Lines that can be phased have one column more, see `phase.link_lines`; blocks at the ends of the
    shard are such as `gvcf.join` takes. measured: gets what is asked of the shard.
    """
    under, lines = 0, []
    if not shard.ploidy:
        if measured:
            measure_shard(shard, measured)
        return under, [
            records.given_line(None, site, shard.contig, 1)
            for site in shard.sites or ()
            if _wanted(site.pos, shard)
        ]
    for part in _light(shard):
        with scratch():
            found = _read(part)
            if measured:
                _measure(part, found, measured)
            under += covered(found.reads, part.intervals)
            lines += _call_part(part, found, measured)
    return under, phase.link_lines(lines, shard.start, shard.end)


def _call_part(
    shard: Shard, found: _Read, measured: Measured | None
) -> list[tuple[str, phase.Evidence | None]]:
    """The lines of `call_shard`, each with what its templates say of its phase."""
    start, end, ref, reads, _, template = found
    contig = shard.contig
    if shard.sites is None:
        edits, packed = _pack_found(reads, ref, start, end)
        calls = _rows(reads, template, ref, edits, packed, shard)
        told = {}
        for call in sorted(calls, key=lambda call: call.log_none):  # the surest of a place
            if records.worth_telling(call):
                told.setdefault(call.pos, call)
        lines = [
            (records.call_line(call, contig, shard.ploidy), call)
            for call in records.keep_stars([told[pos] for pos in sorted(told)])
            if shard.blocks or _wanted(call.pos, shard)
        ]
        if measured:
            measured.add_calls(pair for pair in lines if _wanted(pair[1].pos, shard))
        if not shard.blocks:
            return [(line, records.phase_evidence(call, line)) for line, call in lines]
        told = [
            (gvcf.with_non_ref(line, call, shard.ploidy), records.phase_evidence(call, line),
             _wanted(call.pos, shard))
            for line, call in lines
        ]  # fmt: skip
        sums = gvcf.evidence(reads, template, ref, start, end, shard.gaps)
        return gvcf.lines_with_blocks(told, sums, ref, shard, start)
    edits, packed = _pack_given(shard.sites, ref)
    calls = _rows(reads, template, ref, edits, packed, shard)
    by_site = {call.site: call for call in sorted(calls, key=lambda call: call.weighed)}
    return [
        (records.given_line(by_site.get(number), site, contig, shard.ploidy), None)
        for number, site in enumerate(shard.sites)
        if _wanted(site.pos, shard)
    ]
