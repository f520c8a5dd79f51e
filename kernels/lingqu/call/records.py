"""Rows of the genotyper -> lines of a VCF."""

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from lingqu.call import fields
from lingqu.call.fields import FORMAT, INDEL_BIAS, LEAST_QUAL, PASS_MAPQ, PASS_QUAL, SNV_BIAS
from lingqu.call.kernels.genotype import IMPOSSIBLE
from lingqu.call.kernels.limits import MAX_ALLELES, MAX_EDITS, MAX_TEMPLATES
from lingqu.call.kernels.numbers import log10
from lingqu.call.kernels.tell import STAR, UNSEEN
from lingqu.call.phase import Evidence
from lingqu.sequence.codes import decode, encode

MAX_PL = 9999
META = fields.lines((*fields.FILTERS, *fields.INFO, *fields.SAMPLE, *fields.PHASE))


@dataclass(frozen=True)
class Call:
    """One row of the genotyper at a site; pos is 0-based; alts[i] is allele i + 1.

    weighed: edits of the site that haplotypes were built of. fragments, forward, reverse: by
    allele. likelihoods: log10, by (a, b) with a <= b. unseen: see `_weigh_unseen`. templates: those
    of the region before any was left out. evidence: what templates say of the two alleles of a
    heterozygous call.
    """

    site: int
    pos: int
    ref: str
    alts: tuple[str, ...]
    alleles: tuple[int, int]
    depth: int
    squares: int
    weighed: int
    fragments: tuple[int, ...]
    forward: tuple[int, ...]
    reverse: tuple[int, ...]
    log_none: float
    log_other: float
    likelihoods: dict[tuple[int, int], float]
    unseen: tuple[float, ...] = ()
    templates: int = 0
    evidence: Evidence | None = field(default=None, compare=False)


def _spell(ref: np.ndarray, edits, chosen: list[int], start: int, end: int) -> str:
    """The letters of ref[start:end] with the edits in it."""
    pieces, pos = [], start
    for e in chosen:
        pieces.append(decode(ref[pos : int(edits.start[e])]))
        at = int(edits.at[e])
        pieces.append(decode(edits.bases[at : at + int(edits.put[e])]))
        pos = int(edits.start[e] + edits.removed[e])
    pieces.append(decode(ref[pos:end]))
    return "".join(pieces)


def read_row(ints: np.ndarray, floats: np.ndarray, spans, edits, ref: np.ndarray, **more) -> Call:
    """A row of `evaluate` with all alleles it tells of, those of the genotype and others.

    spans, edits: what it filled, the edits of each region. more: what no row holds, see Call.
    """
    first, count = spans[ints[0]].tolist()
    rows = ints[8:].reshape(MAX_ALLELES, 5)[: int(ints[2])]
    order = sorted(range(count), key=lambda e: (edits.start[first + e], edits.removed[first + e]))
    chosen = [
        [first + e for e in order if mask > 0 and mask >> e & 1] for mask in rows[:, 0].tolist()
    ]
    everywhere = sorted({e for edits_of_one in chosen for e in edits_of_one})
    own = [e for e in range(first, first + count) if edits.site[e] == ints[1]]
    pos = int(edits.anchor[own[0]])
    end = max([pos + 1, *(int(edits.start[e] + edits.removed[e]) for e in everywhere)])
    alts = tuple(
        "*" if mask == STAR else _spell(ref, edits, edits_of_one, pos, end)
        for mask, edits_of_one in zip(rows[1:, 0].tolist(), chosen[1:], strict=True)
    )
    n = len(rows)
    logs = iter(floats[2 : 2 + n * (n + 1) // 2].tolist())
    return Call(
        site=int(ints[1]),
        pos=pos,
        ref=decode(ref[pos:end]),
        alts=alts,
        alleles=(int(ints[3]), int(ints[4])),
        depth=int(ints[5]),
        squares=int(ints[6]),
        weighed=sum(int(ints[7]) >> e - first & 1 for e in own),
        fragments=tuple(rows[:, 1].tolist()),
        forward=tuple(rows[:, 2].tolist()),
        reverse=tuple(rows[:, 3].tolist()),
        log_none=float(floats[0]),
        log_other=float(floats[1]),
        likelihoods={(a, b): next(logs) for b in range(n) for a in range(b + 1)},
        unseen=tuple(floats[UNSEEN : UNSEEN + 2 * n].tolist()),
        **more,
    )


def _picked(values: tuple[int, ...], kept: list[int]) -> list[int]:
    return [values[a] if a >= 0 else 0 for a in kept]


def shorten(ref: str, alts: list[str]) -> tuple[str, list[str]]:
    """Without the bases at the end that all alleles share (a longer allele may have left them)."""
    strings = [ref, *(alt for alt in alts if alt != "*")]
    while min(map(len, strings)) > 1 and len({text[-1] for text in strings}) == 1:
        strings = [text[:-1] for text in strings]
    rest = iter(strings[1:])
    return strings[0], [alt if alt == "*" else next(rest) for alt in alts]


@lru_cache(maxsize=1 << 16)
def strand_bias(ref_forward: int, ref_reverse: int, alt_forward: int, alt_reverse: int) -> float:
    """Phred of the two-sided p-value of Fisher's exact test, in whole numbers to the end."""
    row, column = ref_forward + ref_reverse, ref_forward + alt_forward
    total = row + alt_forward + alt_reverse
    if row in (0, total) or column in (0, total):
        return 0.0
    weights = [
        math.comb(row, k) * math.comb(total - row, column - k)
        for k in range(max(0, column - total + row), min(row, column) + 1)
    ]
    seen = weights[ref_forward - max(0, column - total + row)]
    share = sum(weight for weight in weights if weight <= seen) / sum(weights)
    return max(0.0, -10 * log10.py_func(share))


def _phred(log: float, most: int) -> float:
    return min(max(-10 * log, 0.0), most) + 0.0  # never -0.0


def _format(call: Call, kept: list[int], ploidy: int, genotype: list[int]) -> str:
    """The sample column GT:GQ:DP:AD:PL for the alleles `kept` (indices of the call).

    -1: one that was weighed and dropped; as likely as the least likely of the others, at most.
    """
    if not call.depth:
        return "/".join("." * ploidy) + ":.:0:.:."
    pairs = [(b, b) for b in range(len(kept))]
    if ploidy == 2:
        pairs = [(a, b) for b in range(len(kept)) for a in range(b + 1)]
    least = min(log for log in call.likelihoods.values() if log > IMPOSSIBLE)
    logs = []
    for a, b in pairs:
        a, b = sorted((kept[a], kept[b]))
        logs.append(call.likelihoods[a, b] if a >= 0 else least)
    top = max(logs)
    seen = [round(min(10 * (top - log), MAX_PL)) for log in logs]
    told = (
        "/".join(map(str, sorted(genotype))),
        str(int(_phred(call.log_other, 99))),
        str(call.depth),
        ",".join(map(str, _picked(call.fragments, kept))),
        ",".join(map(str, seen)),
    )
    return ":".join(told)


def _facts(call: Call, kept: list[int]) -> tuple[float, str, str]:
    """(QUAL, FILTER, INFO) of a call for its alleles `kept`."""
    qual = _phred(call.log_none, 3000)
    mq = math.sqrt(call.squares / call.depth) if call.depth else 0.0
    forward, reverse = _picked(call.forward, kept), _picked(call.reverse, kept)
    bias = strand_bias(forward[0], reverse[0], sum(forward[1:]), sum(reverse[1:]))
    is_snv = all(len(alt) == len(call.ref) for alt in call.alts if alt != "*")
    failed = []
    if qual < PASS_QUAL:
        failed.append("LowQual")
    if bias > (SNV_BIAS if is_snv else INDEL_BIAS):
        failed.append("StrandBias")
    if mq < PASS_MAPQ:
        failed.append("LowMapQual")
    info = f"DP={call.depth};MQ={mq:.1f};FS={bias:.1f}"
    if call.templates > MAX_TEMPLATES:
        info += f";DS={call.templates}"
    return qual, ";".join(failed) or "PASS", info


def _covers(call: Call, pos: int) -> bool:
    """Whether a deletion of the call's genotype takes away the base at `pos`."""
    for a in set(call.alleles) - {0}:
        shift, removed, put = trimmed(call.ref, call.alts[a - 1])
        start = call.pos + shift
        if start + len(put) <= pos < start + len(removed):
            return True
    return False


def _without_star(call: Call) -> Call:
    """The call with what is told of `*` told of REF."""
    star = call.alts.index("*") + 1
    likelihoods = {}
    for (a, b), log in call.likelihoods.items():
        if log > IMPOSSIBLE:
            pair = tuple(sorted(0 if x == star else x for x in (a, b)))
            likelihoods[pair] = max(log, likelihoods.get(pair, IMPOSSIBLE))
    counts = [
        tuple(n + (values[star] if a == 0 else 0) for a, n in enumerate(values))
        for values in (call.fragments, call.forward, call.reverse)
    ]
    alleles = tuple(sorted(0 if a == star else a for a in call.alleles))
    return replace(
        call, alleles=alleles, likelihoods=call.likelihoods | likelihoods, fragments=counts[0],
        forward=counts[1], reverse=counts[2], evidence=None,
    )  # fmt: skip


def keep_stars(calls: list[Call]) -> list[Call]:
    """Sorted calls: each `*` in a genotype has the record of a deletion before it, or is no `*`."""
    kept: list[Call] = []
    for call in calls:
        if any(a > 0 and call.alts[a - 1] == "*" for a in call.alleles):
            before = [one for one in kept[-MAX_EDITS:] if _covers(one, call.pos)]
            call = call if before else _without_star(call)
        kept.append(call)
    return kept


def told_alleles(call: Call) -> list[int]:
    """The alleles of a call that its line holds: the reference's and those of the genotype."""
    return [0, *sorted({a for a in call.alleles if a > 0})]


def phase_evidence(call: Call, line: str) -> Evidence | None:
    """What a heterozygous call that passes all filters (see its line) is phased by; None for
    others.
    """
    is_phased = call.alleles[0] != call.alleles[1] and line.split("\t", 7)[6] == "PASS"
    return call.evidence if is_phased else None


def call_line(call: Call, contig: str, ploidy: int) -> str:
    """The line of a call with the alleles of its genotype."""
    kept = told_alleles(call)
    ref, alts = shorten(call.ref, [call.alts[a - 1] for a in kept[1:]])
    genotype = [kept.index(a) for a in call.alleles][:ploidy]
    qual, failed, info = _facts(call, kept)
    columns = (
        contig, str(call.pos + 1), ".", ref, ",".join(alts), f"{qual:.1f}", failed, info,
        FORMAT, _format(call, kept, ploidy, genotype),
    )  # fmt: skip
    return "\t".join(columns)


def given_line(call: Call | None, given: "GivenSite", contig: str, ploidy: int) -> str:
    """The line of a site that was asked for, with the alleles that were given, in their order.

    Where one of these could not be weighed, what the others get would be wrong: no genotype.
    """
    head = (contig, str(given.pos + 1), ".", given.ref, ",".join(given.alts))
    weighed = call is not None and call.weighed == len(given.edits()) and given.is_spelled
    if not weighed or not call.depth:
        empty = "/".join("." * ploidy) + ":.:0:.:."
        return "\t".join((*head, "0.0", "LowQual", "DP=0", FORMAT, empty))
    spelled = {trimmed(call.ref, alt): a for a, alt in enumerate(call.alts, 1)}
    kept = [0, *(spelled.get(trimmed(given.ref, alt), -1) for alt in given.alts)]
    genotype = [kept.index(a) if a in kept else 0 for a in call.alleles][:ploidy]
    qual, failed, info = _facts(call, kept)
    sample = _format(call, kept, ploidy, genotype)
    return "\t".join((*head, f"{qual:.1f}", failed, info, FORMAT, sample))


def trimmed(ref: str, alt: str) -> tuple[int, str, str]:
    """An allele without what it shares with REF at its end and then at its start."""
    if alt == "*":
        return (0, "", "*")
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    start = 0
    while start < min(len(ref), len(alt)) and ref[start] == alt[start]:
        start += 1
    return (start, ref[start:], alt[start:])


@dataclass(frozen=True)
class GivenSite:
    """A record of the VCF whose alleles are to be genotyped; pos is 0-based."""

    pos: int
    ref: str
    alts: tuple[str, ...]

    @property
    def is_spelled(self) -> bool:
        """Whether all alleles are bases, or the `*` that an upstream deletion leaves."""
        return all(alt == "*" or set(alt) <= set("ACGTN") for alt in self.alts)

    def edits(self) -> list[tuple[int, int, bytes]]:
        """(start, removed, bases put in) of each allele that is spelled out and not REF."""
        found = []
        for alt in self.alts:
            if set(alt) <= set("ACGTN") and alt != self.ref:
                shift, removed, put = trimmed(self.ref, alt)
                found.append((self.pos + shift, len(removed), encode(put).tobytes()))
        return found


def worth_telling(call: Call) -> bool:
    """Whether a call that was found (not given) is written: QUAL of LEAST_QUAL or more."""
    return _phred(call.log_none, 3000) >= LEAST_QUAL
