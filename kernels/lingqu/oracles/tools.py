"""Whole aligners and callers, built in or brought by a plugin, on reads with a known truth."""

import itertools
import tempfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pysam

from lingqu.align.batch import AlignmentBatch, InsertModel, ReadBatch
from lingqu.align.core import align_reads
from lingqu.align.index import open_index
from lingqu.base.plugins import BUILT_IN, plugin
from lingqu.call.model import default_gaps
from lingqu.call.shard import Shard, call_shard
from lingqu.oracles.trial import Inputs, Trial
from lingqu.sequence.codes import decode, reverse_complement

_OWN = {"lingqu.aligners": align_reads, "lingqu.callers": call_shard}

_READ = 100
_STRAY = 8
"""One pair in so many is of another genome."""
_NEAR = 20
_PLACED = 0.95
"""Share of the genome's reads that must come back to within _NEAR bases."""
_INSERT = InsertModel(True, 300.0, 30.0, 150, 450)
_READ_CIGAR = (0, 1, 4, 7, 8)


def _spoilt(rng, codes: np.ndarray, rate: float) -> np.ndarray:
    read = codes.copy()
    wrong = np.nonzero(rng.random(len(read)) < rate)[0]
    read[wrong] = (read[wrong] + rng.integers(1, 4, len(wrong))) % 4
    return read


def _pairs(rng, size):
    """`size` pairs of a random genome, 1 % of bases wrong, some of them from elsewhere."""
    genome = rng.integers(0, 4, 20_000).astype(np.uint8)
    reads, places = [], []
    for number in range(size):
        stray = number % _STRAY == _STRAY - 1
        insert = int(np.clip(rng.normal(300, 30), 160, 440))
        at = int(rng.integers(0, len(genome) - insert))
        whole = rng.integers(0, 4, insert) if stray else genome[at : at + insert]
        ends = [whole[:_READ], reverse_complement(whole[-_READ:])]
        where = [-1, -1] if stray else [at, at + insert - _READ]
        swap = 1 if rng.random() < 0.5 else -1
        reads += [_spoilt(rng, end, 0.01) for end in ends[::swap]]
        places += where[::swap]
    return {"genome": genome, "reads": np.array(reads, np.uint8), "places": places}


def _batch(reads: np.ndarray) -> ReadBatch:
    """The reads as a paired chunk; names are r, qualities 30."""
    n, size = reads.shape
    text = np.frombuffer(bytearray(b"r" + b"?" * _READ), np.uint8)
    length = np.full(n, size, np.int32)
    return ReadBatch(
        True, text, np.zeros(n, np.int64), np.ones(n, np.int32), np.ones(n, np.int64),
        reads.ravel(), np.arange(n, dtype=np.int64) * size, length, length.copy(),
    )  # fmt: skip


def _bind_aligner(run):
    def bind(genome, reads, places):
        with tempfile.TemporaryDirectory(prefix="lingqu-") as folder:
            fasta = Path(folder) / "genome.fa"
            fasta.write_text(f">genome\n{decode(genome)}\n")
            index = open_index(fasta)
        half = len(reads) // 4 * 2
        chunks = [(0, _batch(reads)), (0, _batch(reads[:half])), (half // 2, _batch(reads[half:]))]

        def call():
            return [
                run(index, batch, _INSERT, first, 0) if batch.n else None for first, batch in chunks
            ]

        return call

    return bind


def _wrong_shape(found: AlignmentBatch, wanted: AlignmentBatch, reads: int) -> str:
    """What of a batch is not as AlignmentBatch says; `wanted` shows the types."""
    for field in fields(AlignmentBatch):
        ours, theirs = getattr(found, field.name), getattr(wanted, field.name)
        if ours.dtype != theirs.dtype:
            return f"{field.name} is {ours.dtype}, wanted {theirs.dtype}"
    primary = found.read[(found.flag & 0x900) == 0]
    if sorted(primary.tolist()) != list(range(reads)):
        return "not every read has just one primary record"
    for i in np.nonzero((found.flag & 0x904) == 0)[0]:
        steps = found.cigar[found.cigar_start[i] :][: found.cigar_len[i]]
        bases = sum(int(step >> 4) for step in steps if int(step & 15) in _READ_CIGAR)
        if bases != _READ:
            return f"record {i}: the CIGAR covers {bases} of {_READ} bases"
    return ""


def _primary(found: AlignmentBatch | None) -> list[tuple[int, int, int, int]]:
    """(flag, contig, place, MAPQ) of each read's primary record, in the order of the reads."""
    if found is None:
        return []
    rows = np.nonzero((found.flag & 0x900) == 0)[0]
    rows = rows[np.argsort(found.read[rows], kind="stable")]
    columns = found.flag, found.tid, found.pos, found.mapq
    return list(zip(*(column[rows].tolist() for column in columns), strict=True))


def _well_aligned(inputs: Inputs, ours, wanted) -> str:
    whole, *halves = ours
    if told := _wrong_shape(whole, wanted, len(inputs["places"])):
        return told
    records = _primary(whole)
    if records != list(itertools.chain(*map(_primary, halves))):
        return "in chunks of half the size the reads come out otherwise"
    here = [(r, place) for r, place in zip(records, inputs["places"], strict=True) if place >= 0]
    near = [not flag & 4 and abs(pos - place) <= _NEAR for (flag, _, pos, _), place in here]
    if sum(near) < _PLACED * len(here) - 1:
        return f"{sum(near)} of {len(here)} reads come back to their place"
    stray = [r for r, place in zip(records, inputs["places"], strict=True) if place < 0]
    sure = sum(not flag & 4 and mapq >= 20 for flag, _, _, mapq in stray)
    return f"{sure} of {len(stray)} foreign reads have MAPQ >= 20" if sure else ""


def _types_of_batch(**_inputs) -> AlignmentBatch:
    kinds = {"record_start": "i8", "flag": "u2", "mapq": "u1", "cigar_start": "i8", "cigar": "u4"}
    return AlignmentBatch(
        **{f.name: np.empty(0, kinds.get(f.name, "i4")) for f in fields(AlignmentBatch)}
    )


def aligner_trial(run) -> Trial:
    """Planted pairs come back to their places, the same in any chunks; foreign ones do not."""
    return Trial(
        make=_pairs,
        bind=_bind_aligner(run),
        oracle=_types_of_batch,
        differ=_well_aligned,
        unit="read",
        units=lambda genome, reads, places: 2 * len(reads),
        largest=100,
        rounds=10,
        timed=4_000,
    )


_SPACING = 250
_DEPTH = 40


def _carrier(rng, size):
    """A reference of 200 bases a unit, and of each SNV planted: place, new base, copies."""
    genome = rng.integers(0, 4, 1_500 + 200 * size).astype(np.uint8)
    planted = [
        (at, int(genome[at] + rng.integers(1, 4)) % 4, int(rng.integers(1, 3)))
        for at in range(500, len(genome) - 500, _SPACING)
    ]
    return {"genome": genome, "planted": planted, "seed": int(rng.integers(2**31))}


def _record(header, at: int, codes: np.ndarray, number: int) -> pysam.AlignedSegment:
    record = pysam.AlignedSegment(header)
    record.query_name, record.query_sequence = f"r{number}", decode(codes)
    record.flag, record.reference_id, record.reference_start = 16 * (number % 2), 0, at
    record.cigartuples, record.mapping_quality = [(0, len(codes))], 60
    record.query_qualities = [36] * len(codes)
    record.set_tag("RG", "L1")
    return record


def _write_reads(path: Path, genome: np.ndarray, planted, rng) -> None:
    """A sorted, indexed BAM of reads of both copies of the genome, 1 base in 500 wrong."""
    copies = np.array([genome, genome])
    for at, base, count in planted:
        copies[:count, at] = base
    header = pysam.AlignmentHeader.from_dict(
        {
            "HD": {"VN": "1.6", "SO": "coordinate"},
            "SQ": [{"SN": "genome", "LN": len(genome)}],
            "RG": [{"ID": "L1", "SM": "S"}],
        }
    )
    starts = np.sort(rng.integers(0, len(genome) - _READ, len(genome) * _DEPTH // _READ))
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for number, at in enumerate(starts.tolist()):
            read = _spoilt(rng, copies[int(rng.integers(2)), at : at + _READ], 0.002)
            out.write(_record(header, at, read, number))
    pysam.index(str(path))


def _bind_caller(run):
    def bind(genome, planted, seed):
        keep = tempfile.TemporaryDirectory(prefix="lingqu-")
        fasta, bam = Path(keep.name) / "genome.fa", Path(keep.name) / "reads.bam"
        fasta.write_text(f">genome\n{decode(genome)}\n")
        _write_reads(bam, genome, planted, np.random.default_rng(seed))
        size = len(genome)
        shard = Shard(
            fasta, bam, 0, 0, size, 2, ((0, size),), None, default_gaps().astype(np.float32),
            Path(keep.name) / "shard",
        )  # fmt: skip

        def call():
            assert keep  # the files live as long as the call
            return run(shard)

        return call

    return bind


def _as_planted(genome, planted, seed):
    return {(at, decode(genome[at : at + 1]), "ACGT"[base]): count for at, base, count in planted}


def _well_called(_inputs: Inputs, ours, wanted) -> str:
    _, lines = ours
    found = {}
    for line in lines:
        columns = line.split("\t")
        if len(columns) not in (10, 11):  # one more where it can be phased
            return f"{len(columns)} columns, wanted 10: {line[:60]!r}"
        if columns[6] == "PASS":
            genotype = columns[9].split(":")[0]
            found[int(columns[1]) - 1, columns[3], columns[4]] = genotype.count("1")
    if found == wanted:
        return ""
    missed, extra = sorted(wanted.items() - found.items()), sorted(found.items() - wanted.items())
    return f"missed {missed[:2]}, extra {extra[:2]} of {len(wanted)}"


def caller_trial(run) -> Trial:
    """Planted SNVs, on one copy or both, pass with their genotype, and nothing else does."""
    return Trial(
        make=_carrier,
        bind=_bind_caller(run),
        oracle=_as_planted,
        differ=_well_called,
        unit="base",
        units=lambda genome, planted, seed: len(genome),
        largest=20,
        rounds=10,
        timed=50,
    )


_TRIALS = {"lingqu.aligners": aligner_trial, "lingqu.callers": caller_trial}


def trial_of(group: str, name: str) -> Trial:
    """The trial of an aligner or a caller; LingquError where there is none of that name."""
    run = _OWN[group] if name == BUILT_IN else plugin(group, name).run
    return _TRIALS[group](run)
