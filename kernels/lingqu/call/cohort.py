"""Cohort of samples that were called one by one: the union of their sites, and their columns."""

import contextlib
import heapq
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from lingqu.base.errors import LingquError
from lingqu.call import fields
from lingqu.formats.reference import Reference, open_reference
from lingqu.formats.vcf import VcfReader, VcfRecord, VcfWriter, header_lines, open_vcf

SITES_META = fields.lines(fields.SITES)
COHORT_META = fields.lines((*fields.FILTERS, *fields.COHORT, *fields.SAMPLE))


@contextlib.contextmanager
def _opened(paths: Iterable[Path], reference: Reference | None) -> Iterator[list[VcfReader]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(open_vcf(path, reference)) for path in paths]


def _ordered(reader: VcfReader, reference: Reference) -> Iterator[tuple[int, int, VcfRecord]]:
    last = -1
    for record in reader:
        tid = reference.tid(record.contig)
        if tid < last:
            raise LingquError(
                f"{reader.path}: line {record.number}: contig {record.contig!r} is not in the order"
                " of the reference; sort the file"
            )
        last = tid
        yield tid, record.pos, record


def _lengthen(alt: str, ref: str, longest: str) -> str:
    return alt if alt == "*" else alt + longest[len(ref) :]


def _union_line(records: list[VcfRecord]) -> str | None:
    """One site of the records of one place: the longest REF, each ALT once, in sorted order."""
    longest = max((record.ref for record in records), key=len)
    alts = {
        _lengthen(alt, record.ref, longest)
        for record in records
        for alt in record.alts
        if alt.isalpha()
    }
    if not alts:
        return None
    spelled = ",".join(sorted(alts, key=lambda alt: (len(alt), alt)))
    first = records[0]
    columns = (first.contig, str(first.pos + 1), ".", longest, spelled, ".", ".")
    return "\t".join((*columns, f"NS={len(records)}"))


def union_sites(
    vcfs: Iterable[str | Path], reference: str | Path, out: str | Path, every: bool = False
) -> int:
    """Write the sites of several VCFs (PASS records; all of them if `every`); returns their number.

    Records of one place become one, with all their alleles. LingquError on a file that is damaged,
    unsorted or of another reference.
    """
    opened_reference = open_reference(reference)
    sites = 0
    with (
        _opened(map(Path, vcfs), opened_reference) as readers,
        VcfWriter(out, header_lines(opened_reference, SITES_META)) as writer,
    ):
        streams = [_ordered(reader, opened_reference) for reader in readers]
        merged = heapq.merge(*streams, key=lambda item: item[:2])
        for _, items in groupby(merged, key=lambda item: item[:2]):
            records = [record for _, _, record in items if every or record.passes]
            line = _union_line(records) if records else None
            if line:
                writer.write(line)
                sites += 1
    return sites


def _sample_names(readers: list[VcfReader]) -> list[str]:
    names = []
    for reader in readers:
        if len(reader.samples) != 1:
            raise LingquError(f"{reader.path}: {len(reader.samples)} samples; give one a file")
        if reader.samples[0] in names:
            raise LingquError(f"{reader.path}: sample {reader.samples[0]!r} twice; rename one")
        names.append(reader.samples[0])
    return names


def _cohort_line(records: tuple[VcfRecord, ...]) -> str:
    """One line of the records of one site, samples in the order of `records`."""
    first = records[0]
    columns = [record.fields[9] for record in records]
    alleles = [allele for column in columns for allele in column.split(":", 1)[0].split("/")]
    counts = [alleles.count(str(a)) for a in range(1, len(first.alts) + 1)]
    depth = sum(int(column.split(":")[2]) for column in columns)
    told = sum(not column.startswith(".") for column in columns)
    qual = sum(float(record.fields[5]) for record in records)
    failed = "PASS" if any(record.passes for record in records) else first.fields[6]
    spelled = ",".join(map(str, counts))
    known = len(alleles) - alleles.count(".")
    info = f"NS={told};DP={depth};AC={spelled};AN={known}"
    return "\t".join((*first.fields[:5], f"{qual:.1f}", failed, info, fields.FORMAT, *columns))


def merge_samples(vcfs: Iterable[str | Path], out: str | Path) -> list[str]:
    """Write one VCF of samples genotyped at the same sites (`lingqu call --sites`), one a file.

    Sample columns are in the order of the names, which are returned. A site passes if it does in
    one sample. LingquError where the files do not hold the same sites or a sample comes twice.
    """
    with _opened(map(Path, vcfs), None) as readers:
        names = _sample_names(readers)
        readers = [readers[i] for i in sorted(range(len(names)), key=names.__getitem__)]
        head = [line for line in readers[0].header[:-1] if "##INFO" not in line]
        head = [line for line in head if not line.startswith(("##FORMAT", "##FILTER"))]
        head += COHORT_META
        head.append("\t".join([*readers[0].header[-1].split("\t")[:9], *sorted(names)]))
        with VcfWriter(out, head) as writer:
            missing = object()
            streams = [iter(reader) for reader in readers]
            while True:
                records = tuple(next(stream, missing) for stream in streams)
                if all(record is missing for record in records):
                    break
                _check_same(readers, records, missing)
                writer.write(_cohort_line(records))
    return sorted(names)


def _check_same(readers: list[VcfReader], records: tuple, missing) -> None:
    for reader, record in zip(readers, records, strict=True):
        if record is missing or records[0] is missing:
            same = False
        else:
            same = record.fields[:5] == records[0].fields[:5]
        if not same:
            where = "its end" if record is missing else f"line {record.number}"
            raise LingquError(
                f"{reader.path}: {where}: not the sites of {readers[0].path}; genotype all samples"
                " at one VCF: lingqu call --sites"
            )
