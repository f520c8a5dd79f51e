"""Every record of whole runs against an oracle that reads the SAM specification, not our code."""

import gzip
import random
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lingqu.align.driver import align
from lingqu.align.options import Options
from lingqu.cluster import open_cluster
from lingqu.sequence.codes import decode

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


def rebuilt(record, contig, sequenced):
    """The read from the reference where CIGAR and MD say that it matches, else from `sequenced`."""
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
            bases += known or sequenced[len(bases)]
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


def check_cigar(record, contig, sequenced):
    """The CIGAR, and what NM, MD and AS say of it."""
    ops = [op for op, _ in record.cigartuples]
    inner = ops[ops[0] == S : len(ops) - (ops[-1] == S)]
    aligned = (M, EQUAL, X)
    assert all(size > 0 for _, size in record.cigartuples)
    assert set(inner) <= {M, I, D, EQUAL, X}
    assert inner[0] in aligned and inner[-1] in aligned
    assert all(a != b and (a, b) != (D, I) for a, b in pairwise(ops))
    assert record.infer_read_length() == len(sequenced) == len(record.query_sequence)
    assert record.reference_end <= len(contig)
    nm, md = edits(record, contig)
    assert (record.get_tag("NM"), record.get_tag("MD")) == (nm, md)
    assert record.get_tag("AS") == score(record, contig)
    assert rebuilt(record, contig, sequenced) == sequenced
    assert not could_shift_left(record, contig)
    for op, base, wanted in columns(record, contig) if EQUAL in ops or X in ops else ():
        assert op in (I, D) or op == (EQUAL if base == wanted != "N" else X)


def forward_quality(record):
    """The quality as sequenced (query_qualities_str mangles that of one base)."""
    scores = record.query_qualities or []
    return "".join(chr(33 + score) for score in scores)[:: -1 if record.is_reverse else 1]


def check_record(record, contigs, read):
    """What a record says of itself; read: (bases, quality) as sequenced."""
    bases, quality = read
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


def check_template(records, contigs, reads):
    """All records of a template; reads: (bases, quality) of its reads."""
    ours = [[r for r in records if bool(r.flag & LAST) == bool(k)] for k in range(len(reads))]
    primaries = []
    for own, read in zip(ours, reads, strict=True):
        lead = [r for r in own if not r.flag & (SECONDARY | SUPPLEMENTARY)]
        assert len(lead) == 1
        primaries += lead
        for record in own:
            check_record(record, contigs, read)
        check_supplementary(own)
    assert len({record.flag & DUPLICATE for record in records}) == 1
    assert len({record.get_tag("RG") for record in records}) == 1
    if len(reads) == 2:
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


def check_file(path, contigs, reads, fasta=None):
    """Check all of a BAM or CRAM file; reads: {name: [(bases, quality) of each read]}."""
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
    assert by_name.keys() == reads.keys()
    for name, records in by_name.items():
        check_template(records, contigs, reads[name])
    return len(keys)


def fasta_of(path, contigs):
    path.write_text("".join(f">{name}\n{contig}\n" for name, contig in contigs.items()))
    return path


def fastq_of(folder, templates):
    """FASTQ files of templates, each a list of one or two reads; what `check_file` is to find."""
    rng, names, texts = random.Random(len(templates)), {}, ["", ""]
    for number, reads in enumerate(templates):
        names[f"t{number}"] = []
        for k, bases in enumerate(reads):
            quality = "".join(rng.choices("#,5:FI", k=len(bases)))
            names[f"t{number}"].append((bases, quality))
            texts[k] += f"@t{number}\n{bases}\n+\n{quality}\n"
    files = [folder / f"R{k + 1}.fq" for k in range(len(templates[0]))]
    for path, text in zip(files, texts, strict=False):
        path.write_text(text)
    return files, names


def read_fastq(*files):
    """Reads of FASTQ files, as `check_file` takes them."""
    names = defaultdict(list)
    for path in files:
        for record in pysam.FastxFile(str(path)):
            names[record.name.removesuffix("/1").removesuffix("/2")].append(
                (record.sequence, record.quality)
            )
    return names


def lingqu(*arguments):
    command = [sys.executable, "-m", "lingqu", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def picard_finds_nothing(path, fasta):
    """Picard's ValidateSamFile, strict, nothing ignored, in the presence of the reference."""
    sequences = fasta.with_suffix(".dict")
    if not sequences.exists():
        pysam.faidx(str(fasta))
        command = ["PicardCommandLine", "CreateSequenceDictionary", f"R={fasta}", f"O={sequences}"]
        subprocess.run(command, check=True, capture_output=True)
    command = ["PicardCommandLine", "ValidateSamFile", f"I={path}", f"R={fasta}", "MODE=VERBOSE"]
    found = subprocess.run([*command, "VALIDATION_STRINGENCY=STRICT"], capture_output=True)
    assert found.stdout.strip().endswith(b"No errors found"), found.stdout[-2000:]
    subprocess.run(["samtools", "quickcheck", path], check=True)


@pytest.fixture(scope="module")
def genome(tmp_path_factory, demo_window):
    """Real sequence, a copy of some of it, repeats of short words, N, and very short contigs."""
    rng = random.Random(5)
    real = decode(demo_window[:24_000])
    words = ["A", "T", "AC", "CAG", "GATA", "TTAGGG", "".join(rng.choices("ACGT", k=31))]
    repeats = "".join(
        rng.choice(words) * rng.randint(3, 12) + "".join(rng.choices("ACGT", k=rng.randint(9, 90)))
        for _ in range(60)
    )
    contigs = {
        "real": real[:16_000],
        "copy": real[16_000:18_000] + real[4_000:5_500] + real[18_000:20_000],
        "repeats": repeats,
        "unknown": f"{real[20_000:20_300]}{'N' * 60}{real[20_300:20_800]}NCNN{real[20_800:21_200]}",
        "tiny": real[22_000:22_060],
        "nothing": "N" * 200,
    }
    return fasta_of(tmp_path_factory.mktemp("genome") / "genome.fa", contigs), contigs


PIECES = st.tuples(
    st.sampled_from(["real", "copy", "repeats", "repeats", "unknown", "tiny"]),
    st.floats(-0.01, 1.01),
    st.booleans(),
)
"""Contig, where in it (beyond its ends too), and whether it is turned over."""

EDITS = st.lists(
    st.tuples(
        st.integers(0, 999),
        st.sampled_from(["base", "base", "N", "insert", "repeat", "delete", "delete"]),
        st.integers(1, 24),
        st.integers(0, 10_000),
    ),
    max_size=5,
)


def piece(contigs, where, size):
    """A stretch of a contig with known bases alone, random bases beyond its ends."""
    name, share, turned = where
    contig, rng = contigs[name], random.Random(share)
    begin = int(share * (len(contig) - size)) if len(contig) > size else 0
    inside = contig[max(begin, 0) : begin + size]
    bases = "".join(rng.choices("ACGT", k=size))
    bases = (bases[:-begin] + inside)[:size] if begin < 0 else inside + bases[: size - len(inside)]
    bases = "".join(rng.choice("ACGT") if base == "N" else base for base in bases)
    return flipped(bases) if turned else bases


def edited(bases, edits):
    for at, kind, size, seed in edits:
        at %= len(bases)
        rng = random.Random(seed)
        if kind in ("base", "N"):
            new = "N" if kind == "N" else rng.choice("ACGT")
            bases = bases[:at] + new + bases[at + 1 :]
        elif kind == "delete":
            bases = bases[:at] + bases[at + size :] or "A"
        else:
            word = bases[at : at + 1 + size % 4] if kind == "repeat" else rng.choice("ACGT")
            bases = bases[:at] + (word * size)[:size] + bases[at:]
    return bases[:1000]


LENGTHS = st.one_of(st.integers(1, 60), st.sampled_from([75, 100, 101, 150, 150, 250, 300, 1000]))


@st.composite
def sequenced(draw, contigs):
    """A read: of one place, of two, of nothing known."""
    size, kind = draw(LENGTHS), draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.sampled_from("ACGTN")) * size
    if kind == 1:
        return "".join(random.Random(draw(st.integers(0, 999))).choices("ACGT", k=size))
    if kind < 4:
        cut = draw(st.integers(1, 200))
        return edited(
            piece(contigs, draw(PIECES), cut) + piece(contigs, draw(PIECES), size), draw(EDITS)
        )
    return edited(piece(contigs, draw(PIECES), size), draw(EDITS))


@st.composite
def pairs(draw, contigs):
    """Two reads: of one fragment, in any orientation and with adapters, or of two places."""
    if draw(st.integers(0, 4)) == 0:
        return [draw(sequenced(contigs)), draw(sequenced(contigs))]
    fragment = edited(piece(contigs, draw(PIECES), draw(st.integers(20, 500))), draw(EDITS))
    size = draw(LENGTHS)
    one = (fragment + "AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC")[:size]
    two = (flipped(fragment) + "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT")[: draw(LENGTHS)]
    turn = draw(st.sampled_from(["", "", "", "one", "two", "both"]))
    one = flipped(one) if turn in ("one", "both") else one
    return [edited(one, draw(EDITS)), flipped(two) if turn in ("two", "both") else two]


def aligned_as_told(fasta, contigs, templates, options, lane_of, folder):
    files, reads = fastq_of(folder, templates)
    out = folder / "x.bam"
    with open_cluster(1) as cluster:
        align(fasta, [lane_of(*files)], "NA12878", out, cluster, options)
    return check_file(out, contigs, reads)


OPTIONS = st.builds(
    Options, mark=st.just(True), secondary=st.sampled_from([0, 5]), eqx=st.booleans()
)


@settings(max_examples=25)
@given(st.data(), OPTIONS)
def test_pairs_of_all_kinds(genome, lane_of, tmp_path_factory, data, options):
    fasta, contigs = genome
    templates = data.draw(st.lists(pairs(contigs), min_size=1, max_size=40))
    folder = tmp_path_factory.mktemp("pairs")
    assert aligned_as_told(fasta, contigs, templates, options, lane_of, folder) >= len(templates)


@settings(max_examples=15)
@given(st.data(), OPTIONS)
def test_single_reads_of_all_kinds(genome, lane_of, tmp_path_factory, data, options):
    fasta, contigs = genome
    templates = [[read] for read in data.draw(st.lists(sequenced(contigs), min_size=1))]
    folder = tmp_path_factory.mktemp("single")
    assert aligned_as_told(fasta, contigs, templates, options, lane_of, folder) >= len(templates)


def test_real_reads(aligned, demo, deep_reads):
    with gzip.open(demo / "reference.fa.gz", "rt") as lines:
        contigs = {next(lines)[1:].split()[0]: "".join(map(str.rstrip, lines)).upper()}
    assert check_file(aligned, contigs, read_fastq(*deep_reads)) > 1_000


def hand_made(contigs):
    """Pairs that try what a mate's fields can be."""
    real, copied, repeats = contigs["real"], contigs["copy"], contigs["repeats"]
    noise = "".join(random.Random(3).choices("ACGT", k=300))
    one, two = real[1_000:1_150], flipped(real[1_250:1_400])
    many = [
        [real[at : at + 100], flipped(real[at + 200 : at + 300])] for at in range(500, 9_000, 60)
    ]
    return [
        *many,
        [one, two],
        [two, one],
        [flipped(one), flipped(two)],  # facing away
        [one, flipped(two)],  # the same strand
        [one, copied[100:250]],  # another contig
        [one, noise[:150]],  # a lost mate, either way
        [noise[:150], flipped(one)],
        [noise[:150], noise[150:]],
        ["N" * 150, two],
        ["N" * 150, "N" * 150],
        ["A", "C"],
        [one[:90] + copied[300:360], two],  # split reads
        [copied[200:260] + flipped(one[:90]), two[:75] + repeats[200:275]],
        [one[:60] + noise[:30] + real[9_000:9_060], flipped(one[:60]) + real[12_000:12_090]],
        [noise[:40] + real[:110], flipped(real[200:350])],  # over contig ends
        [real[-250:-100], flipped(real[-110:] + noise[:40])],
        [contigs["tiny"] + noise[:60], flipped(contigs["tiny"])],
        [one, one],  # begin and end together, or but one of them
        [one, one[:120]],
        [one[:120], one],
        [one[30:], one],
        [one[:120], flipped(one)],
        [one, flipped(one[:120])],
        [one[:70] + one[75:], two[:50] + "CATTAG" + two[50:]],
        [real[3_000:4_000], flipped(real[3_300:4_300])],
        [copied[2_100:2_250], flipped(copied[2_400:2_550])],  # two places
    ]


@pytest.mark.parametrize("options", [["--secondary", 5], ["--secondary", 5, "--eqx"]])
def test_hand_made_pairs(genome, options, tmp_path):
    fasta, contigs = genome
    files, reads = fastq_of(tmp_path, hand_made(contigs))
    out = tmp_path / "x.bam"
    found = lingqu("align", fasta, *files, "--sample", "S", *options, "-o", out)
    assert found.returncode == 0, found.stderr
    assert check_file(out, contigs, reads) > 2 * len(reads)
    if not shutil.which("PicardCommandLine") or not shutil.which("samtools"):
        pytest.skip("not installed: PicardCommandLine, samtools")
    picard_finds_nothing(out, fasta)


def test_cram_says_the_same(genome, tmp_path):
    fasta, contigs = genome
    files, reads = fastq_of(tmp_path, hand_made(contigs))
    out = tmp_path / "x.cram"
    arguments = ("align", fasta, *files, "--sample", "S", "--secondary", 5, "-o", out)
    assert lingqu(*arguments).returncode == 0
    assert check_file(out, contigs, reads, str(fasta)) > 2 * len(reads)
    refused = lingqu(*arguments, "--eqx")
    assert refused.returncode == 1
    assert "x.cram: CRAM has no =/X; write .bam, or leave out --eqx" in refused.stderr
