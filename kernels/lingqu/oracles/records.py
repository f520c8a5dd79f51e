"""BAM records read back by the SAM specification, and what they should say."""

import struct
from types import SimpleNamespace

import numpy as np

from lingqu.align.batch import AlignmentBatch, ReadBatch
from lingqu.align.records import encode_records
from lingqu.oracles.trial import Trial
from lingqu.sequence.codes import decode, reverse_complement

_CONTIGS, _LENGTH, _PAD = ("one", "chr2"), 1000, 100
_GROUP = b"L1"
_UNMAPPED, _REVERSE, _SECONDARY, _SUPPLEMENTARY = 0x4, 0x10, 0x100, 0x800
_SIZES = {"C": 1, "c": 1, "S": 2, "s": 2, "I": 4, "i": 4}
_FIXED = "<iiBBHHHiiii"


def _cigar(rng, length: int) -> list[tuple[int, int]]:
    """Operations (length, kind) of a read: clips at times, at most one gap."""
    head, tail = (int(rng.integers(0, 5)) * int(rng.integers(0, 2)) for _ in range(2))
    inner, gap = length - head - tail, int(rng.integers(-4, 5))
    first = int(rng.integers(2, inner - 6))
    body = [(inner, 0)]
    if gap:
        kind, used = (1, -gap) if gap < 0 else (2, 0)
        body = [(first, 0), (abs(gap), kind), (inner - first - used, 0)]
    return [(n, kind) for n, kind in [(head, 4), *body, (tail, 4)] if n]


def _read_of(rng, genome: np.ndarray, pos: int, cigar) -> np.ndarray:
    """Bases that the CIGAR aligns at pos, one in 20 another or N."""
    pieces, at = [], pos
    for n, kind in cigar:
        pieces.append(genome[at : at + n] if kind == 0 else rng.integers(0, 4, n * (kind != 2)))
        at += n if kind in (0, 2) else 0
    read = np.concatenate(pieces).astype(np.uint8)
    wrong = rng.random(len(read)) < 0.05
    read[wrong] = rng.integers(0, 5, int(wrong.sum()))
    return read


def _row(rng, flag: int, length: int) -> dict:
    mapped = not flag & _UNMAPPED
    return {
        "flag": flag,
        "tid": int(rng.integers(2)) if mapped else -1,
        "pos": int(rng.integers(0, _LENGTH - 150)) if mapped else -1,
        "mapq": int(rng.integers(0, 61)) if mapped else 0,
        "cigar": _cigar(rng, length) if mapped else [],
        "score": int(rng.integers(0, 300)),
        "sub_score": int(rng.integers(-1, 300)),
    }


def _template(rng, number: int, genomes):
    """The records of a pair, as dicts, and its two reads forward."""
    records, reads, lengths = [], [], rng.integers(30, 90, 2).tolist()
    for mate, length in enumerate(lengths):
        strand = _REVERSE * int(rng.integers(2))
        lost = _UNMAPPED if rng.random() < 0.15 else 0
        row = _row(rng, 1 | (0x40 << mate) | (lost or strand), length)
        codes = rng.integers(0, 4, length).astype(np.uint8)
        if not lost:
            codes = _read_of(rng, genomes[row["tid"]], row["pos"], row["cigar"])
        reads.append(reverse_complement(codes) if row["flag"] & _REVERSE else codes)
        records.append(row | {"read": 2 * number + mate})
    for mate, length in enumerate(lengths):
        if not records[mate]["flag"] & _UNMAPPED and rng.random() < 0.3:
            kind = _SUPPLEMENTARY if rng.random() < 0.6 else _SECONDARY
            row = _row(rng, 1 | (0x40 << mate) | kind | _REVERSE * int(rng.integers(2)), length)
            records.append(row | {"read": 2 * number + mate})
    for row in records:
        other = records[1 - row["read"] % 2]
        row |= {"mate_tid": other["tid"], "mate_pos": other["pos"]}
        row["tlen"] = int(rng.integers(-500, 500))
    return records, reads


def _pairs(rng, size):
    """`size` pairs of made-up alignments: unmapped mates, clips, gaps, split reads."""
    genomes = rng.integers(0, 4, (2, _LENGTH)).astype(np.uint8)
    templates = [_template(rng, number, genomes) for number in range(size)]
    reads = [read for _, both in templates for read in both]
    return {
        "genomes": genomes,
        "templates": [records for records, _ in templates],
        "reads": reads,
        "quals": [rng.integers(0, 42, len(read)).astype(np.uint8) for read in reads],
        "keep": [len(read) - int(rng.integers(0, 9)) * int(rng.integers(2)) for read in reads],
    }


def _read_batch(reads, quals, keep) -> ReadBatch:
    """Names are r and the template's number."""
    names = [b"r%d" % (r // 2) for r in range(len(reads))]
    parts = [part for r, name in enumerate(names) for part in (name, bytes(quals[r] + 33))]
    begin = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    length = np.array([len(read) for read in reads], np.int32)
    return ReadBatch(
        True, np.frombuffer(bytearray(b"".join(parts)), np.uint8), begin[:-1:2],
        np.array([len(name) for name in names], np.int32), begin[1::2],
        np.concatenate(reads), np.cumsum([0, *length[:-1]]).astype(np.int64), length,
        np.array(keep, np.int32),
    )  # fmt: skip


def _alignment_batch(templates) -> AlignmentBatch:
    rows = [row for records in templates for row in records]
    sizes = [len(row["cigar"]) for row in rows]
    kinds = {"flag": np.uint16, "mapq": np.uint8}
    named = ("read", "flag", "tid", "pos", "mapq", "mate_tid", "mate_pos", "tlen", "score")
    columns = {
        name: np.array([row[name] for row in rows], kinds.get(name, np.int32))
        for name in (*named, "sub_score")
    }
    return AlignmentBatch(
        record_start=np.cumsum([0, *map(len, templates)]).astype(np.int64),
        cigar_start=np.cumsum([0, *sizes[:-1]]).astype(np.int64),
        cigar_len=np.array(sizes, np.int32),
        cigar=np.array([n << 4 | kind for row in rows for n, kind in row["cigar"]], np.uint32),
        **columns,
    )


def _bind(genomes, templates, reads, quals, keep):
    offsets = np.array([_PAD, 2 * _PAD + _LENGTH], np.int64)
    codes = np.full(3 * _PAD + 2 * _LENGTH, 4, np.uint8)
    for offset, genome in zip(offsets.tolist(), genomes, strict=True):
        codes[offset : offset + _LENGTH] = genome
    reference = SimpleNamespace(names=_CONTIGS, offsets=offsets, codes=codes)
    batch, found = _read_batch(reads, quals, keep), _alignment_batch(templates)
    return lambda: encode_records(batch, found, reference, _GROUP)


def _tags_at(record: bytes, at: int) -> dict[str, int | str]:
    tags = {}
    while at < len(record):
        name, kind = record[at : at + 2].decode(), chr(record[at + 2])
        if kind == "Z":
            end = record.index(b"\0", at)
            tags[name], at = record[at + 3 : end].decode(), end + 1
        else:
            end = at + 3 + _SIZES[kind]
            tags[name] = int.from_bytes(record[at + 3 : end], "little", signed=kind.islower())
            at = end
    return tags


def read_record(record: bytes) -> dict:
    """The fields of a BAM record without its block_size (SAM specification, section 4.2)."""
    fixed = struct.unpack_from(_FIXED, record)
    tid, pos, named, mapq, bin_, ops, flag, bases, mate_tid, mate_pos, tlen = fixed
    at = struct.calcsize(_FIXED)
    name, at = record[at : at + named - 1].decode(), at + named
    cigar, at = struct.unpack_from(f"<{ops}I", record, at), at + 4 * ops
    packed, at = record[at : at + (bases + 1) // 2], at + (bases + 1) // 2
    letters = "".join("=ACMGRSVTWYHKDBN"[b >> 4] + "=ACMGRSVTWYHKDBN"[b & 15] for b in packed)
    return {
        "name": name, "flag": flag, "tid": tid, "pos": pos, "mapq": mapq, "bin": bin_,
        "cigar": _text([(op >> 4, op & 15) for op in cigar]), "mate_tid": mate_tid,
        "mate_pos": mate_pos, "tlen": tlen, "bases": letters[:bases],
        "quals": list(record[at : at + bases]), **_tags_at(record, at + bases),
    }  # fmt: skip


def _text(cigar) -> str:
    return "".join(f"{n}{'MIDNSHP=X'[kind]}" for n, kind in cigar)


def _bin(begin: int, end: int) -> int:
    """Section 5.3: the smallest bin that holds [begin, end)."""
    for shift, first in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
        if begin >> shift == (end - 1) >> shift:
            return first + (begin >> shift)
    return 0


def edits_of(genome, pos: int, cigar, read) -> tuple[int, str, int]:
    """(NM, MD, reference bases covered) of a read in the genome's orientation."""
    nm, md, run, q, t = 0, "", 0, 0, pos
    for n, kind in cigar:
        if kind == 0:
            for i in range(n):
                if read[q + i] == genome[t + i]:
                    run += 1
                else:
                    nm, md, run = nm + 1, f"{md}{run}{decode(genome[t + i : t + i + 1])}", 0
        elif kind == 2:
            md, run = f"{md}{run}^{decode(genome[t : t + n])}", 0
        nm += n if kind in (1, 2) else 0
        q += n if kind != 2 else 0
        t += n if kind in (0, 2) else 0
    return nm, f"{md}{run}", t - pos


def _expected(genomes, templates, reads, quals, keep) -> list[dict]:
    told = []
    for number, records in enumerate(templates):
        own = [_fields(row, number, genomes, reads, quals, keep) for row in records]
        for i, (row, fields) in enumerate(zip(records, own, strict=True)):
            mate, partner = records[1 - row["read"] % 2], own[1 - row["read"] % 2]
            if not mate["flag"] & _UNMAPPED:
                fields |= {"MC": partner["cigar"], "MQ": mate["mapq"]}
            others = "".join(
                f"{_CONTIGS[o['tid']]},{o['pos'] + 1},{'-+'[not o['flag'] & _REVERSE]},"
                f"{p['cigar']},{o['mapq']},{p['NM']};"
                for j, (o, p) in enumerate(zip(records, own, strict=True))
                if j != i and o["read"] == row["read"]
                and not (o["flag"] | row["flag"]) & (_SECONDARY | _UNMAPPED)
            )  # fmt: skip
            fields |= {"SA": others} if others else {}
        told += own
    return told


def _fields(row, number, genomes, reads, quals, keep) -> dict:
    """The fields of a record and those tags that it does not owe to others."""
    r, turned = row["read"], row["flag"] & _REVERSE
    read = reverse_complement(reads[r]) if turned else reads[r]
    same = ("flag", "tid", "pos", "mapq", "mate_tid", "mate_pos", "tlen")
    fields = {name: row[name] for name in same}
    fields |= {"name": f"r{number}", "cigar": _text(row["cigar"]), "RG": _GROUP.decode()}
    fields["bases"] = decode(read)
    fields["quals"] = quals[r].tolist()[:: -1 if turned else 1]
    fields |= {"XT": keep[r] + 1} if keep[r] < len(read) else {}
    covered = 0
    if not row["flag"] & _UNMAPPED:
        nm, md, covered = edits_of(genomes[row["tid"]], row["pos"], row["cigar"], read)
        fields |= {"NM": nm, "MD": md, "AS": row["score"]}
        fields |= {"XS": row["sub_score"]} if row["sub_score"] >= 0 else {}
    return fields | {"bin": _bin(row["pos"], row["pos"] + max(covered, 1))}


def _same_fields(_inputs, ours, wanted):
    data, offset, _ = ours
    if len(offset) != len(wanted) + 1:
        return f"{len(offset) - 1} records, wanted {len(wanted)}"
    for i, right in enumerate(wanted):
        record = data[offset[i] : offset[i + 1]].tobytes()
        if struct.unpack_from("<I", record)[0] != len(record) - 4:
            return f"record {i}: block_size is not that of the record"
        found = read_record(record[4:])
        for name in sorted(found.keys() | right.keys()):
            if found.get(name) != right.get(name):
                return f"record {i}: {name} {found.get(name)!r}, wanted {right.get(name)!r}"
    return ""


ENCODE = Trial(
    make=_pairs,
    bind=_bind,
    oracle=_expected,
    differ=_same_fields,
    unit="record",
    units=lambda templates, **_: sum(map(len, templates)),
    largest=40,
    timed=2_000,
)
