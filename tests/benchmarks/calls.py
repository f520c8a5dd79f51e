"""Calls that `lingqu compare` judged: what their qualities claim, and extra calls of one tool."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pysam

STEP, MOST = 10, 70
"""Qualities are told by steps; those of MOST and more are one."""


def _records(folder: Path, name: str) -> Iterator[pysam.VariantRecord]:
    with pysam.VariantFile(str(folder / f"{name}.vcf.gz")) as file:
        yield from file


def calibration(quality: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """float64[steps, 3]: wrong calls that the qualities claim, calls, wrong ones observed."""
    step, steps = (np.minimum(quality, MOST) // STEP).astype(np.int64), MOST // STEP + 1
    weights = 10 ** (-quality / 10), np.ones(len(quality)), wrong
    return np.transpose([np.bincount(step, weight, steps) for weight in weights])


def is_snv(record: pysam.VariantRecord) -> bool:
    """Whether no allele is of another length than REF."""
    return all(len(alt) == len(record.ref) for alt in record.alts if alt != "*")


def claims(folder: Path) -> dict[str, np.ndarray]:
    """`calibration` of what was judged in a folder of `lingqu compare --all-records`, by kind.

    QUAL: a call is wrong where the truth has none of its alleles. GQ: or another genotype.
    """
    rows = []
    for name in ("tp", "fp"):
        for record in _records(folder, name):
            absent = name == "fp" and record.info["COMPARE"] == "absent"
            genotype = record.samples[0].get("GQ") or 0
            rows.append((is_snv(record), record.qual, genotype, absent, name == "fp"))
    snv, qual, gq, absent, wrong = np.array(rows, np.float64).reshape(-1, 5).T
    return {
        f"{kind} {name}": calibration(quality[which], bad[which])
        for kind, which in (("SNV", snv == 1), ("indel", snv == 0))
        for name, quality, bad in (("QUAL", qual, absent), ("GQ", gq, wrong))
    }


def alleles(path: Path, contig: str, start: int, end: int) -> set[tuple[int, str, str]]:
    """(place, bases removed, bases put in) of each allele that a genotype of a file holds."""
    found = set()
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            if record.contig == contig and start < record.pos <= end:
                found |= own_alleles(record)
    return found


def own_alleles(record: pysam.VariantRecord) -> set[tuple[int, str, str]]:
    """The same of one record."""
    found = set()
    for alt in {record.alleles[a] for a in record.samples[0].allele_indices if a} - {"*"}:
        pos, ref = record.pos, record.ref
        while ref and alt and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        while ref and alt and ref[0] == alt[0]:
            pos, ref, alt = pos + 1, ref[1:], alt[1:]
        found.add((pos, ref, alt))
    return found


def extra(folder: Path, others: list[set]) -> tuple[int, int]:
    """(calls that the truth lacks, those with an allele that fewer than two of the others have)."""
    records = list(_records(folder, "fp"))
    own = [
        any(sum(allele in other for other in others) < 2 for allele in own_alleles(record))
        for record in records
    ]
    return len(records), sum(own)
