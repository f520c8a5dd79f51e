"""Every record of whole runs against an oracle that reads the SAM specification, not our code."""

import re
from collections import defaultdict
from itertools import pairwise

import pysam

PAIRED, PROPER, UNMAPPED, MATE_UNMAPPED = 0x1, 0x2, 0x4, 0x8
REVERSE, MATE_REVERSE, FIRST, LAST = 0x10, 0x20, 0x40, 0x80
SECONDARY, SUPPLEMENTARY, DUPLICATE = 0x100, 0x800, 0x400
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
M, I, D, S, EQUAL, X = 0, 1, 2, 4, 7, 8  # noqa: E741  (the names of CIGAR operations)


def flipped(bases: str) -> str:
    """The reverse complement."""
    return bases.translate(COMPLEMENT)[::-1]


def columns(record, contig):
    """(operation, read base, reference base) of every aligned, inserted and deleted base."""
    q, t, read = 0, record.reference_start, record.query_sequence
    for op, size in record.cigartuples:
        for _ in range(size):
            has_read, has_reference = op != D, op not in (I, S)
            if op != S:
                yield op, read[q] if has_read else "", contig[t] if has_reference else ""
            q, t = q + has_read, t + has_reference


def edits(record, contig):
    """NM and MD by the definitions of the tags' specification; only ACGT can match."""
    nm, md, run, last = 0, "", 0, M
    for op, base, wanted in columns(record, contig):
        nm += op in (I, D)
        if op == D:
            md += wanted if last == D else f"{run}^{wanted}"
            run = 0
        elif op != I:
            if base == wanted != "N":
                run += 1
            else:
                md, run, nm = f"{md}{run}{wanted}", 0, nm + 1
        last = op
    return nm, f"{md}{run}"


def rebuilt(record, contig, given):
    """The read from the reference where CIGAR and MD say that it matches, else from `given`."""
    tokens = re.findall(r"\d+|\^[A-Z]+|[A-Z]", record.get_tag("MD"))
    assert "".join(tokens) == record.get_tag("MD")
    matches = []  # one a reference base that is not deleted
    at = record.reference_start
    for token in tokens:
        if token[0] == "^":
            assert contig[at : at + len(token) - 1] == token[1:]
            at += len(token) - 1
            continue
        if token.isdigit():
            matches += contig[at : at + int(token)]
            at += int(token)
        else:
            assert contig[at] == token
            matches.append("")
            at += 1
    assert at == record.reference_end
    bases, places = "", iter(matches)
    for op, size in record.cigartuples:
        for _ in range(size if op != D else 0):
            known = "" if op in (I, S) else next(places)
            bases += known or given[len(bases)]
    assert not list(places)
    return bases


def score(record, contig):
    """The alignment's score: bwa mem's, and -1 for an N of the read."""
    total = 0
    for op, base, wanted in columns(record, contig):
        if op not in (I, D):
            total += 1 if base == wanted != "N" else -1 if base == "N" else -4
    gaps = [size for op, size in record.cigartuples if op in (I, D)]
    return total - sum(6 + size for size in gaps)


def could_shift_left(record, contig):
    """Whether a gap between bases may go left by some and say the same of every base."""
    q, t, read = 0, record.reference_start, record.query_sequence
    previous, gaps = 0, (I, D)
    ops = [op for op, _ in record.cigartuples]
    for (op, size), after in zip(record.cigartuples, [*ops[1:], S], strict=True):
        if op in gaps and after not in gaps:
            text, at = (read, q) if op == I else (contig, t)
            for by in range(1, previous):
                if text[at - by : at] == text[at - by + size : at + size]:
                    return True
        previous = size if op in (M, EQUAL, X) else 0
        q += size if op != D else 0
        t += size if op not in (I, S) else 0
    return False


def check_cigar(record, contig, given):
    """The CIGAR, and what NM, MD and AS say of it."""
    ops = [op for op, _ in record.cigartuples]
    inner = ops[ops[0] == S : len(ops) - (ops[-1] == S)]
    aligned = (M, EQUAL, X)
    assert all(size > 0 for _, size in record.cigartuples)
    assert set(inner) <= {M, I, D, EQUAL, X}
    assert inner[0] in aligned and inner[-1] in aligned
    assert all(a != b and (a, b) != (D, I) for a, b in pairwise(ops))
    assert record.infer_read_length() == len(given) == len(record.query_sequence)
    assert record.reference_end <= len(contig)
    nm, md = edits(record, contig)
    assert (record.get_tag("NM"), record.get_tag("MD")) == (nm, md)
    assert record.get_tag("AS") == score(record, contig)
    assert rebuilt(record, contig, given) == given
    assert not could_shift_left(record, contig)
    for op, base, wanted in columns(record, contig) if EQUAL in ops or X in ops else ():
        assert op in (I, D) or op == (EQUAL if base == wanted != "N" else X)


def forward_quality(record):
    """The quality as sequenced (query_qualities_str mangles that of one base)."""
    scores = record.query_qualities or []
    return "".join(chr(33 + score) for score in scores)[:: -1 if record.is_reverse else 1]


def check_record(record, contigs, given):
    """What a record says of itself; given: (bases, quality) as sequenced."""
    bases, quality = given
    assert not (record.flag & SECONDARY and record.flag & SUPPLEMENTARY)
    assert (record.get_forward_sequence() or "") == bases
    assert forward_quality(record) == quality
    if record.is_unmapped:
        assert not record.flag & (PROPER | REVERSE | SECONDARY | SUPPLEMENTARY)
        assert record.mapping_quality == 0 and record.cigartuples is None
        assert not {"NM", "MD", "AS", "XS", "SA"} & {name for name, _ in record.get_tags()}
        return
    contig = contigs[record.reference_name]
    check_cigar(record, contig, flipped(bases) if record.is_reverse else bases)
    if record.has_tag("XT"):
        kept = record.get_tag("XT") - 1
        ends = record.cigartuples[:: 1 if record.is_reverse else -1]
        assert ends[0][0] == S and ends[0][1] >= len(bases) - kept


def place(record):
    """Contig and position, (-1, -1) of none."""
    return record.reference_id, record.reference_start


def template_length(one, two):
    """TLEN of both mates: distance between the template's mapped ends, + for the leftmost.

    The specification leaves ties open. CRAM readers say that of two which begin at one place the
    shorter is left, and R1 of two that also end at one.
    """
    if one.is_unmapped or two.is_unmapped or one.reference_id != two.reference_id:
        return 0, 0
    ends = (one.reference_start, one.reference_end), (two.reference_start, two.reference_end)
    length = max(ends[0][1], ends[1][1]) - min(ends[0][0], ends[1][0])
    return (length, -length) if ends[0] <= ends[1] else (-length, length)


def check_mates(ours, primaries):
    """What records say of their mate; ours: the records by read."""
    one, two = primaries
    lengths = template_length(one, two)
    assert (one.flag & PROPER) == (two.flag & PROPER)
    if one.flag & PROPER:
        assert not one.is_unmapped and not two.is_unmapped
        assert one.reference_id == two.reference_id and one.is_reverse != two.is_reverse
    for k, records in enumerate(ours):
        mate = primaries[1 - k]
        for record in records:
            assert record.flag & (FIRST | LAST) == (LAST if k else FIRST)
            assert record.flag & PROPER == one.flag & PROPER
            assert record.mate_is_unmapped == mate.is_unmapped
            assert record.mate_is_reverse == mate.is_reverse
            assert (record.next_reference_id, record.next_reference_start) == place(mate)
            assert record.template_length == lengths[k]
            told = {name: value for name, value in record.get_tags() if name in ("MC", "MQ")}
            assert told == (
                {} if mate.is_unmapped else {"MC": mate.cigarstring, "MQ": mate.mapping_quality}
            )
    if one.is_unmapped != two.is_unmapped:
        assert place(one) == place(two)


def check_supplementary(records):
    """SA of a read's records: each names all others, the primary first."""
    parts = [record for record in records if not record.flag & (SECONDARY | UNMAPPED)]
    parts.sort(key=lambda record: record.flag & SUPPLEMENTARY)
    told = [
        f"{r.reference_name},{r.reference_start + 1},{'-' if r.is_reverse else '+'},"
        f"{r.cigarstring},{r.mapping_quality},{r.get_tag('NM')};"
        for r in parts
    ]
    assert len(set(told)) == len(told)
    for k, record in enumerate(parts):
        others = told[:k] + told[k + 1 :]
        assert record.has_tag("SA") == bool(others)
        if others:
            found = re.findall("[^;]+;", record.get_tag("SA"))
            assert sorted(found) == sorted(others)
            assert k == 0 or found[0] == told[0]


def check_template(records, contigs, given):
    """All records of a template; given: (bases, quality) of its reads."""
    ours = [[r for r in records if bool(r.flag & LAST) == bool(k)] for k in range(len(given))]
    primaries = []
    for own, read in zip(ours, given, strict=True):
        lead = [r for r in own if not r.flag & (SECONDARY | SUPPLEMENTARY)]
        assert len(lead) == 1
        primaries += lead
        for record in own:
            check_record(record, contigs, read)
        check_supplementary(own)
    assert len({record.flag & DUPLICATE for record in records}) == 1
    assert len({record.get_tag("RG") for record in records}) == 1
    if len(given) == 2:
        assert all(record.is_paired for record in records)
        return check_mates(ours, primaries)
    for record in records:
        assert not record.flag & (PAIRED | PROPER | MATE_UNMAPPED | MATE_REVERSE | FIRST | LAST)
        assert (record.next_reference_id, record.next_reference_start) == (-1, -1)
        assert record.template_length == 0
        assert not record.has_tag("MC") and not record.has_tag("MQ")
    return None


def bin_of(start, end):
    """Section 5.3 of the SAM specification."""
    for shift, first in ((14, 4681), (17, 585), (20, 73), (23, 9), (26, 1)):
        if start >> shift == (end - 1) >> shift:
            return first + (start >> shift)
    return 0


def check_file(path, contigs, given, fasta=None):
    """Check all of a BAM or CRAM file; given: {name: [(bases, quality) of each read]}."""
    by_name, keys = defaultdict(list), []
    with pysam.AlignmentFile(str(path), reference_filename=fasta) as reader:
        assert reader.header["HD"]["SO"] == "coordinate"
        assert {s["SN"]: s["LN"] for s in reader.header["SQ"]} == {
            name: len(contig) for name, contig in contigs.items()
        }
        groups = {group["ID"] for group in reader.header["RG"]}
        for record in reader.fetch(until_eof=True):
            by_name[record.query_name].append(record)
            keys.append((record.reference_id % 2**32, record.reference_start))
            assert record.get_tag("RG") in groups
            start = record.reference_start
            if path.suffix == ".bam":
                assert record.bin == bin_of(start, max(record.reference_end or 0, start + 1))
    assert keys == sorted(keys)
    assert by_name.keys() == given.keys()
    for name, records in by_name.items():
        check_template(records, contigs, given[name])
    return len(keys)
