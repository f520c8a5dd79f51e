"""The known hard cases of variant calling, each planted in a stretch of its own.

A case says what stands between two random flanks: in the reference, and on both haplotypes. The
reads of all cases are made together, aligned by Lingqu, called once, and judged by `compare`.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pysam
import pytest

from lingqu.align.driver import align
from lingqu.align.lanes import Lane, read_group
from lingqu.call.compare import compare
from lingqu.call.driver import call
from lingqu.call.records import shorten
from lingqu.cluster import open_cluster
from lingqu.formats.vcf import COLUMNS
from lingqu.sequence.codes import decode, encode, reverse_complement

FLANK = 350
READ, INSERT = 150, 400
RUN = re.compile(r"(A{8,}|C{8,}|G{8,}|T{8,})")
LETTERS = np.frombuffer(b"ACGT", np.uint8)

NEAR_TRUTH = (
    "CAGCTTCGGCTCGGCATGAGAGGGAGACCGTGGAAAGAGAGGGAGAGGGAGACCGTGGAAAGAGAGGGAGAGGGAGAGGGAGAGGG"
    "AGACCGTGGAAAGAGAGGGAGAGGGAGAGGGAGACCGTGGAAAGAGGGGAGAGGGAGAGGGGGAGGGTGAGGGAGAGGGAGAGGGA"
    "GAGAGAGAGGGAGCGAGTGTGC"
)
"""GRCh37 20:35,606,017-35,606,210: NA12878 lacks 37 bases of it on one haplotype."""


GA_REPEAT = (
    "CCTCCAGAAGAGAGAAAGAAAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAAGAAGGAAGGAAGGA",
    "CCTCCAGAAGAGAGAAAGAAAGAAAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGAGGGAGGGAGGGAGGGAAGAAGGAAGGAAGGA",
    "CCTCCAGAAGAGAGAAAGAAAGAAAGAGAGAGAGAGAGAGAGAGAGAGAGGGAGGGAGGGAGGGAAGAAGGAAGGAAGGA",
)
"""GRCh37 20:10,009,821-10,009,900 and two haplotypes such as NA12878 has there."""
GA_SPELLED = [(22, "G", "GAA"), (24, "G", "A"), (51, "A", "G"), (55, "A", "AGGGAGG"),
              (55, "A", "G"), (59, "A", "G"), (63, "A", "G")]  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What stands between the flanks: in the reference, on the one and on the other haplotype.

    left, right: bases of the flanks; N: the reference does not know what the sample has there.
    starts: where pairs may start, else anywhere. alien: what 3 % of the pairs have instead.
    """

    name: str
    ref: str
    one: str
    two: str
    left: int = FLANK
    right: int = FLANK
    depth: float = 40
    starts: tuple[int, ...] = ()
    alien: str = ""


def bases(rng: np.random.Generator, length: int) -> str:
    """Random bases."""
    return LETTERS[rng.integers(0, 4, length)].tobytes().decode()


def other(base: str, by: int = 1) -> str:
    """Another base."""
    return "ACGT"[("ACGT".index(base) + by) % 4]


def mutated(rng: np.random.Generator, text: str, least: int, most: int) -> str:
    """The text with a substitution every `least` to `most` bases."""
    letters, at = list(text), int(rng.integers(least, most + 1))
    while at < len(letters):
        letters[at] = other(letters[at], int(rng.integers(1, 4)))
        at += int(rng.integers(least, most + 1))
    return "".join(letters)


def homopolymers() -> list[Case]:
    """Runs of A that lose or win bases, on one haplotype or on both."""
    found = []
    for length in (8, 12, 16, 20):
        for change in (-2, -1, 1, 3):
            run, new = (f"C{'A' * n}G" for n in (length, length + change))
            found.append(Case(f"run {length}{change:+d} het", run, run, new))
            found.append(Case(f"run {length}{change:+d} hom", run, new, new))
    return found


def cases() -> list[Case]:
    """All cases that need nothing but a reference and two haplotypes."""
    rng = np.random.default_rng(2)
    unit, word = "GATTACA", bases(rng, 45)
    swap = word[:20] + other(word[20]) + word[21:]
    tandem, far = bases(rng, 37), bases(rng, 900)
    ends = (FLANK + 20 - 145, FLANK + 20 - 140, 300), (FLANK + 13, FLANK + 16, 300)
    alien = mutated(rng, word, 9, 15)
    return [
        *homopolymers(),
        Case("SNV beside a deletion", word, word, swap[:21] + swap[24:]),
        Case("SNV beside an insertion", word, word, f"{swap[:21]}GCT{swap[21:]}"),
        Case("SNV and deletion apart by 2", word, word, swap[:23] + swap[25:]),
        Case("SNV and deletion, each on its own", word, swap, word[:21] + word[24:]),
        Case("overlapping deletions", word, word[:15] + word[25:], word[:20] + word[32:]),
        Case("nested deletions", word, word[:10] + word[35:], word[:20] + word[24:]),
        Case("deletion over a SNV", word, word[:15] + word[27:], swap),
        Case("two SNVs at one base", word, swap, word[:20] + other(word[20], 2) + word[21:]),
        Case("two insertions at one place", word, f"{word[:20]}AC{word[20:]}",
             f"{word[:20]}GTTG{word[20:]}"),
        Case("deletion and insertion at one place", word, word[:20] + word[23:],
             f"{word[:20]}GTT{word[20:]}"),
        Case("repeat of 2 grows and shrinks", f"G{'CA' * 10}T", f"G{'CA' * 8}T", f"G{'CA' * 13}T"),
        Case("repeat of 4 in two lengths", f"C{'AGAT' * 8}C", f"C{'AGAT' * 11}C",
             f"C{'AGAT' * 12}C"),
        Case("deletion of a unit of 7", unit * 4, unit * 3, unit * 4),
        Case("substituted block", word, word, f"{word[:20]}{'TGCATC'}{word[27:]}"),
        Case("inversion of 12 bases", word, word,
             word[:20] + decode(reverse_complement(encode(word[20:32]))) + word[32:]),
        Case("insertion of 40, het", word, word, word[:20] + bases(rng, 40) + word[20:]),
        Case("insertion of 40, hom", word, *[word[:20] + bases(rng, 40) + word[20:]] * 2),
        Case("insertion of 90, het", word, word, word[:20] + bases(rng, 90) + word[20:]),
        Case("duplication of 37", tandem, tandem, tandem * 2),
        Case("duplication of 60, hom", word + unit, *[(word + unit) * 2] * 2),
        Case("deletion of 37 in a tandem repeat", tandem * 3, tandem * 2, tandem * 3),
        Case("deletion of 37 in GAGAGG of chr20", NEAR_TRUTH, NEAR_TRUTH,
             NEAR_TRUTH.replace("AGAGAGGGAGAGGGAGACCGTGGAAAGAGAGGGAGAGG", "A", 1)),
        Case("haplotypes in GA of chr20", *GA_REPEAT),
        Case("base lost before AC of two lengths", f"TTT{'A' * 3}{'CA' * 22}TT",
             f"TTTA{'CA' * 17}TT", f"TTTA{'CA' * 22}TT"),
        Case("deletion of 60, het", word + far[:60], word + far[:60], word),
        Case("deletion of 100, hom", word + far[:100], word, word),
        Case("deletion of 100 in a repeat of 20", far[:20] * 7, far[:20] * 7, far[:20] * 2),
        Case("deletion of 200, het", word + far[:200], word + far[:200], word),
        Case("haplotypes that are 5 % apart", far, mutated(rng, far, 10, 30),
             mutated(rng, far, 10, 30)),
        *(
            Case(f"indel where reads {verb}, {name}", word, one, two, starts=starts)
            for verb, starts in zip(("end", "begin"), ends, strict=True)
            for name, one, two in (
                ("het -3", word, word[:20] + word[23:]),
                ("hom -3", *[word[:20] + word[23:]] * 2),
                ("het +4", word, f"{word[:20]}GTTA{word[20:]}"),
                ("hom +4", *[f"{word[:20]}GTTA{word[20:]}"] * 2),
            )
        ),
        Case("3 % of another sample", word, word, word, depth=120, alien=alien),
        Case("3 % of another sample, het", word, word, swap, depth=120, alien=alien),
        Case("3 % of another sample, hom", word, swap, swap, depth=120, alien=alien),
        Case("3 % of another sample, its indel", word, word, swap, depth=120,
             alien=word[:20] + word[23:]),
        Case("panel, contaminated", word, word, swap, depth=1500, alien=alien),
        Case("panel, two deletions", word, word[:20] + word[23:], word[:20] + word[25:],
             depth=1500),
        Case("homopolymer of 60", "A" * 60, "A" * 60, "A" * 60),
        Case("SNV beside a homopolymer", f"CG{'T' * 14}G", f"CG{'T' * 14}G", f"CT{'T' * 14}G"),
        Case("SNV within a homopolymer", "T" * 15, "T" * 15, f"{'T' * 8}G{'T' * 6}"),
        Case("N at a SNV", f"{word[:20]}N{word[21:]}", *[f"{word[:20]}N{word[21:]}"] * 2),
        Case("N beside a SNV", f"{word[:18]}N{word[19:]}", f"{word[:18]}N{word[19:]}",
             f"{swap[:18]}N{swap[19:]}"),
        Case("N beside a deletion", f"{word[:18]}NN{word[20:]}", f"{word[:18]}NN{word[20:]}",
             f"{word[:18]}NN{word[20:24]}{word[28:]}"),
        Case("SNV near the contig's start", word, word, swap, left=0),
        Case("SNV near the contig's end", word, swap, swap, right=0),
        Case("deletion near the contig's start", word, word, word[:20] + word[23:], left=0),
        Case("insertion near the contig's end", word, word, f"{word[:20]}GTT{word[20:]}", right=0),
        Case("SNV at the contig's first base", word, *[other(word[0]) + word[1:]] * 2, left=0),
        Case("SNV at the contig's last base", word, *[word[:-1] + other(word[-1])] * 2, right=0),
        Case("contig that begins with N", "N" * 60 + word, "N" * 60 + word, "N" * 60 + swap,
             left=0),
    ]  # fmt: skip


CASES = cases()


def records(case: Case, before: str) -> list[tuple[int, str, list[str]]]:
    """(0-based place, REF, both alleles) of a case; by base where it changes no length."""
    texts = case.ref, case.one, case.two
    if len(set(map(len, texts))) > 1:
        same = 0
        while len({text[same : same + 1] for text in texts}) == 1:
            same += 1
        texts = [before[-1:] * (not same) + text[max(same - 1, 0) :] for text in texts]
        return [(max(len(before) + same - 1, 0), texts[0], texts[1:])]
    return [
        (len(before) + at, ref, both)
        for at, (ref, *both) in enumerate(zip(*texts, strict=True))
        if set(both) != {ref}
    ]


def line(contig: str, at: int, ref: str, both: list[str]) -> str:
    """The VCF line of both alleles at a place."""
    alts = sorted(set(both) - {ref})
    genotype = "/".join(str([ref, *alts].index(allele)) for allele in both)
    fields = (contig, at + 1, ".", ref, ",".join(alts), ".", "PASS", ".", "GT", genotype)
    return "\t".join(map(str, fields))


def stutter(rng: np.random.Generator, text: str) -> str:
    """The text with errors in its homopolymers: the longer a run, the more."""
    for run in RUN.finditer(text):
        if rng.random() < min(0.001 * 1.25 ** (len(run[0]) - 8), 0.05):
            return text[: run.start()] + run[0][1:] + text[run.end() :]
    return text


def sequenced(rng: np.random.Generator, text: str) -> str:
    """Bases and qualities, two lines of a FASTQ file and the one between them."""
    letters, quals = list(text), ["E"] * len(text)
    for at in np.flatnonzero(rng.random(len(text)) < 0.003).tolist():
        letters[at], quals[at] = "ACGT"[rng.integers(0, 4)], "0"
    return f"{''.join(letters)}\n+\n{''.join(quals)}"


def reversed_(text: str) -> str:
    """The other strand."""
    return decode(reverse_complement(encode(text)))


def read_pairs(
    rng: np.random.Generator, name: str, haplotypes: list[str], depth: float, starts=(), alien=""
) -> list[tuple[str, str]]:
    """Records of pairs from the haplotypes in turns; at the ends of a contig they are shorter."""
    pairs = []
    for number in range(int(depth * max(map(len, haplotypes)) / (2 * READ))):
        text = alien if alien and number % 33 == 0 else haplotypes[number % len(haplotypes)]
        start = int(
            rng.choice(starts) if starts else rng.integers(2 * READ - INSERT, len(text) - READ)
        )
        piece = stutter(rng, text[max(start, 0) : start + INSERT + int(rng.integers(-50, 50))])
        ends = piece[:READ], reversed_(piece[-READ:])
        pairs.append(tuple(f"@{name}:{number}\n{sequenced(rng, end)}\n" for end in ends))
    return pairs


def aligned(folder: Path, fasta: Path, pairs: list[tuple[str, str]]) -> Path:
    """The pairs in a BAM of our aligner."""
    files = folder / "R1.fq", folder / "R2.fq"
    for mate, path in enumerate(files):
        path.write_text("".join(pair[mate] for pair in pairs))
    with open_cluster(1) as cluster:
        align(
            fasta,
            [Lane(files, read_group({"ID": "L1"}, "S1"))],
            "S1",
            folder / "reads.bam",
            cluster,
        )
    return folder / "reads.bam"


def write_vcf(path: Path, contigs, lines: list[str]) -> Path:
    """A VCF of these lines."""
    head = ["##fileformat=VCFv4.3", *(f"##contig=<ID={name}>" for name in contigs)]
    path.write_text("\n".join([*head, "\t".join([*COLUMNS, "FORMAT", "S1"]), *lines]) + "\n")
    return path


def differences(folder: Path, truth: Path, calls: Path, fasta: Path) -> dict[str, list[str]]:
    """By contig: the records of truth that were missed, and the calls that are wrong."""
    compare(truth, calls, fasta, out=folder)
    found = defaultdict(list)
    for name in ("fn", "fp"):
        with pysam.VariantFile(str(folder / f"{name}.vcf.gz")) as wrong:
            for record in wrong:
                found[record.chrom].append(f"{name}: {record}")
    return found


@pytest.fixture(scope="module")
def planted(tmp_path_factory, simulation):
    """What is wrong with the calls of the cases, by name; and fasta, bam, calls."""
    folder = tmp_path_factory.mktemp("hard")
    rng = np.random.default_rng(7)
    contigs, truth, pairs = {}, [], []
    for number, case in enumerate(CASES):
        name, before, behind = f"c{number}", bases(rng, case.left), bases(rng, case.right)
        contigs[name] = before + case.ref + behind
        truth += [line(name, *record) for record in records(case, before)]
        *haplotypes, alien = (
            (before + text + behind).replace("N", "C") for text in (case.one, case.two, case.alien)
        )
        alien = alien if case.alien else ""
        pairs += read_pairs(rng, name, haplotypes, case.depth, case.starts, alien)
    runs = [bases(rng, 120) + "ACGT"[k % 4] * (4 + k // 8 % 20) for k in range(320)]
    contigs["plain"] = "".join(runs)
    pairs += read_pairs(rng, "plain", [contigs["plain"]], 20)
    fasta = simulation.write_fasta(folder / "ref.fa", contigs)
    bam = aligned(folder, fasta, pairs)
    call(fasta, bam, folder / "calls.vcf.gz", threads=1)
    expected = write_vcf(folder / "truth.vcf", contigs, truth)
    wrong = differences(folder / "compared", expected, folder / "calls.vcf.gz", fasta)
    return SimpleNamespace(fasta=fasta, bam=bam, calls=folder / "calls.vcf.gz", wrong=wrong)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_case(planted, number):
    assert not planted.wrong[f"c{number}"]


def test_haplotypes_are_spelled_by_simple_edits(planted):
    """Whatever the reads' CIGARs and the assembly show: detours there are of many pieces."""
    number = [case.name for case in CASES].index("haplotypes in GA of chr20")
    with pysam.VariantFile(str(planted.calls)) as calls:
        found = [
            (one.pos - FLANK, *shorten(one.ref, [alt]))
            for one in calls
            if one.chrom == f"c{number}"
            for alt in one.alts
        ]
    assert sorted((pos, ref, alt) for pos, ref, (alt,) in found) == GA_SPELLED


def test_nothing_is_called_where_nothing_is(planted):
    assert not planted.wrong["plain"]


# Cases that are about alignments: reads with given CIGARs


def planted_snvs(ref: str, text: str) -> list[tuple[int, int, str]]:
    """The substitutions that make one text of the other, as edits of `simulate`."""
    return [(k, 1, base) for k, base in enumerate(text) if base != ref[k]]


@pytest.fixture(scope="module")
def place(tmp_path_factory, simulation):
    """A function: reads of two haplotypes (edits) of a random contig, changed one by one by
    `change` (None: leave it out), called; what is wrong, and the calls.
    """

    def of(ref: str, edits, change=lambda read: read, depth: float = 40):
        folder = tmp_path_factory.mktemp("placed")
        fasta = simulation.write_fasta(folder / "ref.fa", {"c": ref})
        plain = simulation.simulate(folder / "plain.bam", {"c": ref}, {"c": edits}, depth=depth)
        with (
            pysam.AlignmentFile(str(plain)) as reads,
            pysam.AlignmentFile(str(folder / "reads.bam"), "wb", header=reads.header) as out,
        ):
            changed = [read for read in map(change, reads) if read is not None]
            for read in sorted(changed, key=lambda read: read.reference_start):
                out.write(read)
        pysam.index(str(folder / "reads.bam"))
        calls = folder / "calls.vcf.gz"
        call(fasta, folder / "reads.bam", calls, threads=1)
        truth = []
        for number, one in enumerate(edits):
            for start, removed, put in one:
                same = len(put) == removed
                at = start if same else start - 1
                alleles = [ref[at : start + removed], ref[at:start] + put]
                genotype = [alleles[number == 1], alleles[number == 0]]
                truth.append((at, alleles[0], genotype))
        lines = [line("c", *record) for record in sorted(truth)]
        expected = write_vcf(folder / "truth.vcf", ["c"], lines)
        wrong = differences(folder / "compared", expected, calls, fasta)["c"]
        with pysam.VariantFile(str(calls)) as found:
            return wrong, list(found)

    return of


@pytest.mark.parametrize("both", [False, True])
def test_dense_region(place, both):
    """As in HLA: a substitution every 5 to 15 bases for 1.5 kb, on one haplotype or on both."""
    rng = np.random.default_rng(3)
    ref = bases(rng, 2500)
    texts = [
        ref[:500] + mutated(rng, ref[500:2000], 5, 15) + ref[2000:] if planted else ref
        for planted in (True, both)
    ]
    wrong, calls = place(ref, [planted_snvs(ref, text) for text in texts])
    assert len(calls) > 120
    assert not wrong


def clip_at_indels(read: pysam.AlignedSegment) -> pysam.AlignedSegment:
    """The read with its longest aligned run alone; all else is clipped."""
    runs, place, at = [], read.reference_start, 0
    for op, size in read.cigartuples:
        if op == 0:
            runs.append((size, at, place))
        at += size if op != 2 else 0
        place += size if op in (0, 2) else 0
    size, first, read.reference_start = max(runs)
    around = (4, first), (0, size), (4, read.query_length - first - size)
    quals = read.query_qualities
    read.cigartuples = [(op, n) for op, n in around if n]
    read.query_qualities = quals
    return read


@pytest.mark.parametrize("ploidy", ["het", "hom"])
@pytest.mark.parametrize("kind", ["deletion", "insertion", "duplication"])
def test_clipped_ends_are_all_there_is(place, kind, ploidy):
    rng = np.random.default_rng(4)
    ref = bases(rng, 1500)
    edit = {
        "deletion": (700, 60, ""),
        "insertion": (700, 0, bases(rng, 40)),
        "duplication": (700, 0, ref[660:700]),
    }[kind]
    wrong, _ = place(ref, [[edit], [edit] * (ploidy == "hom")], clip_at_indels)
    assert not wrong


def forward_only(read: pysam.AlignedSegment) -> pysam.AlignedSegment | None:
    return None if read.is_reverse else read


def test_all_reads_on_one_strand(place):
    ref = bases(np.random.default_rng(5), 1500)
    edits = [[(700, 1, other(ref[700])), (800, 3, "")], []]
    wrong, calls = place(ref, edits, forward_only, depth=80)
    assert not wrong
    assert [record.info["FS"] for record in calls] == [0, 0]


def test_alt_on_one_strand_is_filtered(place):
    ref = bases(np.random.default_rng(5), 1500)
    alt = other(ref[700])

    def change(read):
        seen = {place: at for at, place in read.get_aligned_pairs(True)}
        has_alt = 700 in seen and read.query_sequence[seen[700]] == alt
        return None if has_alt and read.is_reverse else read

    _, calls = place(ref, [[(700, 1, alt)], []], change, depth=100)
    (record,) = calls
    assert record.info["FS"] > 40
    assert list(record.filter) == ["StrandBias"]


# The same calls from other files and for other intervals


def calls_of(path: Path) -> list[str]:
    """The records of a VCF as lines."""
    with pysam.VariantFile(str(path)) as found:
        return [str(record) for record in found]


def test_cram(planted, tmp_path):
    cram = tmp_path / "reads.cram"
    with (
        pysam.AlignmentFile(str(planted.bam)) as reads,
        pysam.AlignmentFile(
            str(cram), "wc", header=reads.header, reference_filename=str(planted.fasta)
        ) as out,
    ):
        for read in reads:
            out.write(read)
    pysam.index(str(cram))
    call(planted.fasta, cram, tmp_path / "calls.vcf.gz", threads=1)
    assert calls_of(tmp_path / "calls.vcf.gz") == calls_of(planted.calls)


def _unphased(record: str) -> list[str]:
    """A record without its phase: sets are those of the records in a file."""
    *columns, keys, sample = record.split()
    gt, *values = sample.split(":")[:5]
    return [*columns, keys[: len("GT:GQ:DP:AD:PL")], *sorted(gt.replace("|", "/")), *values]


def test_tiny_and_adjacent_intervals(planted, tmp_path):
    whole = calls_of(planted.calls)
    rows = []
    for number, record in enumerate(whole):
        contig, pos = record.split("\t")[:2]
        if number % 3 == 0:  # the place of the record alone
            rows.append((contig, int(pos) - 1, int(pos)))
        elif number % 3 == 1 and int(pos) > 3:  # what lies before it, cut in two
            rows.append((contig, int(pos) - 3, int(pos) - 2))
            rows.append((contig, int(pos) - 2, int(pos) - 1))
    kept = {(row[0], at) for row in rows for at in range(row[1], row[2])}
    wanted = [
        record
        for record in whole
        if (record.split("\t")[0], int(record.split("\t")[1]) - 1) in kept
    ]
    bed = tmp_path / "panel.bed"
    bed.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    call(planted.fasta, planted.bam, tmp_path / "calls.vcf.gz", bed=bed, threads=1)
    found = calls_of(tmp_path / "calls.vcf.gz")
    assert [_unphased(record) for record in found] == [_unphased(record) for record in wanted]
