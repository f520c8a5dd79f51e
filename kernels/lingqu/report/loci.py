"""The variants of a sample worth a look: a bounded choice by a stated rule, from one pass.

By turns: the longest indels that pass; the passing calls of REF and an ALT whose share of ALT reads
is farthest from a half (at DP >= 10); the passing calls of lowest QUAL; the filtered calls of
highest QUAL. Ties go to the first in the file.
"""

import heapq
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from lingqu.formats.vcf import VcfRecord, open_vcf

REASONS = ("length", "balance", "quality", "filter")
"""Why a variant was chosen; the words "why.REASON" say it."""
LEAST_DEPTH = 10
_LONG = 24


def room(samples: int) -> tuple[int, int]:
    """(variants in a sample's table, its pile-ups) in a report of so many, so that it stays small.

    One sample has 2,000 and 24; a hundred have 200 and 6 each.
    """
    return min(2000, max(40, 20_000 // samples)), min(24, max(2, 600 // samples))


def trimmed(found: dict | None, samples: int) -> dict | None:
    """What of `found` has room in a report of so many samples."""
    if found is None:
        return None
    rows, piles = room(samples)
    return {**found, "rows": found["rows"][:rows], "piles": found["piles"][:piles]}


def loci(path: Path, limit: int, piles: int) -> dict:
    """{"records": of the file, "rows": at most `limit` of them, "piles": the first `piles`}.

    A row is place, REF, ALT, GT, DP, share of ALT reads, QUAL, FILTER, reason; a pile is
    (contig, 0-based position, REF, ALT, row). Rows stand in the order of choice. LingquError where
    the VCF cannot be read.
    """
    records, turns = 0, {reason: [] for reason in REASONS}
    with open_vcf(path) as vcf:
        for record in vcf:
            records += 1
            for reason, worth in _worth(record):
                _keep(turns[reason], limit, (worth, -records, record))
    chosen: dict[int, tuple[VcfRecord, str]] = {}
    best = [[(reason, *kept) for kept in sorted(turns[reason], reverse=True)] for reason in REASONS]
    for turn in zip_longest(*best):
        for reason, _, number, record in filter(None, turn):
            if len(chosen) < limit:
                chosen.setdefault(-number, (record, reason))
    picked = list(chosen.values())
    drawn = [
        (record.contig, record.pos, record.ref, _first(record.alts), number)
        for number, (record, _) in enumerate(picked[:piles])
    ]
    return {
        "records": records,
        "rows": [_row(record, reason) for record, reason in picked],
        "piles": drawn,
    }


def _first(alts: tuple[str, ...]) -> str:
    return next((alt for alt in alts if alt[0] in "ACGTNacgtn"), alts[0])


def _keep(heap: list, limit: int, item: tuple) -> None:
    if len(heap) < limit:
        heapq.heappush(heap, item)
    else:
        heapq.heappushpop(heap, item)


def _worth(record: VcfRecord) -> Iterator[tuple[str, float]]:
    """The reasons for which a record may be chosen, and how strong each is."""
    quality = _float(record.fields[5])
    if not record.alts:
        return
    if not record.passes:
        yield "filter", quality or 0.0
        return
    if quality is not None:
        yield "quality", -quality
    if longest := max(abs(len(alt) - len(record.ref)) for alt in record.alts):
        yield "length", float(longest)
    told = format_of(record)
    share = told["share"]
    if share is not None and told["heterozygous"] and (told["depth"] or 0) >= LEAST_DEPTH:
        yield "balance", abs(share - 0.5)


def format_of(record: VcfRecord) -> dict:
    """Genotype, depth and share of ALT reads of the first sample; None where not told."""
    if len(record.fields) < 10:
        return {"genotype": None, "depth": None, "share": None, "heterozygous": False}
    keys, values = record.fields[8].split(":"), record.fields[9].split(":")
    told = dict(zip(keys, values, strict=False))
    genotype = told.get("GT")
    called = set((genotype or ".").replace("|", "/").split("/"))
    reads = [int(n) for n in told.get("AD", "").split(",") if n.isdecimal()]
    whole = sum(reads)
    depth = told.get("DP", "")
    return {
        "genotype": genotype,
        "depth": int(depth) if depth.isdecimal() else whole or None,
        "share": round(1 - reads[0] / whole, 3) if whole and len(reads) > 1 else None,
        "heterozygous": len(called) == 2 and "0" in called,
    }


def _float(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _row(record: VcfRecord, reason: str) -> list:
    told = format_of(record)
    return [
        f"{record.contig}:{record.pos + 1}",
        _cut(record.ref),
        ",".join(map(_cut, record.alts)),
        told["genotype"],
        told["depth"],
        told["share"],
        _float(record.fields[5]),
        record.fields[6],
        reason,
    ]


def _cut(allele: str) -> str:
    """An allele, long ones by their ends."""
    if len(allele) <= _LONG:
        return allele
    return f"{allele[:8]}…{allele[-4:]} ({len(allele)})"
