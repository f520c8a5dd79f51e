"""Depth, GC and genes of a stretch against plain Python, and against samtools on real reads."""

import shutil
import subprocess
from collections import Counter, defaultdict

import numpy as np
import pysam
import pytest

from lingqu.align.driver import align
from lingqu.align.lanes import Lane, read_group
from lingqu.call.kernels.templates import number_templates
from lingqu.call.measured import Asked, Measured, intersect
from lingqu.cluster import open_cluster
from lingqu.formats.bam import UNCOUNTED, open_alignments, read_with_spans
from lingqu.formats.reference import open_reference

LENGTH = 4000
NONE = np.zeros((0, 2), np.int64)
NO_GENES = np.zeros((0, 3), np.int64)
HERE = 9_990_000, 10_110_000
"""Where the demo's reads are."""


def random_cigar(rng) -> list[tuple[int, int]]:
    """M, I, D, N, =, X between soft clips."""
    inner = [(int(rng.choice([0, 7, 8])), int(rng.integers(1, 60)))]
    for _ in range(rng.integers(0, 4)):
        inner.append((int(rng.choice([1, 2, 3])), int(rng.integers(1, 12))))
        inner.append((int(rng.choice([0, 7, 8])), int(rng.integers(1, 60))))
    clips = [[(4, int(rng.integers(1, 9)))] if rng.random() < 0.3 else [] for _ in range(2)]
    return [*clips[0], *inner, *clips[1]]


def random_record(rng, header, name, flag) -> pysam.AlignedSegment:
    read = pysam.AlignedSegment(header)
    read.query_name, read.flag, read.mapping_quality = name, flag, int(rng.integers(0, 60))
    read.reference_id = read.next_reference_id = 0
    read.cigartuples = random_cigar(rng)
    read.reference_start = int(rng.integers(0, LENGTH - 700))
    size = sum(n for op, n in read.cigartuples if op in (0, 1, 4, 7, 8))
    bare = flag & 0x900 and rng.random() < 0.5
    if not bare:
        read.query_sequence = "".join("ACGT"[k] for k in rng.integers(0, 4, size))
        if rng.random() < 0.9 or not flag & 0x900:
            read.query_qualities = [30] * size
    return read


@pytest.fixture(scope="module")
def random_reads(tmp_path_factory, simulation):
    """Pairs that overlap or do not, proper or not, with other records of all kinds between."""
    folder, rng = tmp_path_factory.mktemp("depth"), np.random.default_rng(5)
    sequence = simulation.random_sequence(rng, LENGTH)
    sequence = sequence[:900] + "N" * 150 + sequence[1050:]
    fasta = simulation.write_fasta(folder / "ref.fa", {"one": sequence})
    header = pysam.AlignmentHeader.from_dict(
        {"HD": {"SO": "coordinate"}, "SQ": [{"SN": "one", "LN": LENGTH}]}
    )
    made = []
    for number in range(500):
        proper = 2 if rng.random() < 0.8 else 0
        pair = [
            random_record(rng, header, f"p{number}", flag | proper)
            for flag in (0x1 | 0x40 | 0x20, 0x1 | 0x80 | 0x10)
        ]
        pair[1].reference_start = pair[0].reference_start + int(rng.integers(0, 150))
        for one, two in (pair, pair[::-1]):
            one.next_reference_start = two.reference_start
        made += pair
    for number in range(200):
        flag = int(rng.choice([0x10, 0x100, 0x200, 0x400, 0x800, 0x803, 0]))
        made.append(random_record(rng, header, f"p{number}", flag))
    made.sort(key=lambda read: read.reference_start)
    path = folder / "a.bam"
    with pysam.AlignmentFile(str(path), "wb", header=header) as out:
        for read in made:
            out.write(read)
    pysam.index(str(path))
    return fasta, path


@pytest.fixture(scope="module")
def real_reads(tmp_path_factory, reference, lanes):
    """The demo's first lane, aligned."""
    path = tmp_path_factory.mktemp("real") / "a.bam"
    name = "NA12878"
    with open_cluster(1) as cluster:
        align(reference, [Lane(lanes[0], read_group({}, name))], name, path, cluster)
    return reference, path


def aligned(read) -> list[int]:
    """Places under M, = and X, by walking the CIGAR."""
    places, at = [], read.reference_start
    for op, size in read.cigartuples:
        if op in (0, 7, 8):
            places += range(at, at + size)
        if op in (0, 2, 3, 7, 8):
            at += size
    return places


def counting(path) -> list:
    with pysam.AlignmentFile(str(path)) as reads:
        return [read for read in reads if not read.flag & UNCOUNTED and read.cigartuples]


def plain_depth(path) -> Counter:
    """Depth by place: both mates of a proper pair once."""
    depth, pairs = Counter(), defaultdict(set)
    for read in counting(path):
        if read.is_proper_pair and not read.is_supplementary:
            pairs[read.query_name].update(aligned(read))
        else:
            depth.update(aligned(read))
    for places in pairs.values():
        depth.update(places)
    return depth


def measure(fasta, path, cuts, *, before=0, window=1000, par=NONE, genes=NO_GENES):
    """The arrays of stretches, lists of intervals each, one behind the other."""
    reference = open_reference(fasta)
    file, codes = open_alignments(path, reference), reference.contig(0)
    told = []
    for pairs in cuts:
        asked = Asked(before, window, par, genes, None, 0)
        measured = Measured(asked, tuple(pairs))
        start, end = max(pairs[0][0] - 1000, 0), min(pairs[-1][1] + 1000, len(codes))
        reads, spans = read_with_spans(file, reference, 0, start, end)
        template = np.empty(len(reads.pos), np.int32)
        slots = np.empty(1 << (2 * len(template)).bit_length(), np.int32)
        number_templates(reads.name_hash, slots, template)
        place = reference.names[0], codes
        measured.add_reads(np.array(pairs, np.int64), reads, spans, template, place)
        told.append(measured.arrays())
        before += sum(b - a for a, b in pairs)
    return told, codes


def as_counter(histogram) -> Counter:
    return Counter({d: n for d, n in enumerate(histogram.tolist()) if n})


def summed(told, name) -> Counter:
    return sum((as_counter(arrays[name]) for arrays in told), Counter())


CUTS = [
    [[(0, LENGTH)]],
    [[(0, 1)], [(1, 977)], [(977, 978)], [(978, 1500)], [(1500, LENGTH)]],
    [[(100, 150), (160, 161), (900, 1100)], [(1100, 1105), (2000, 2300)]],
]


@pytest.mark.parametrize("cuts", CUTS)
def test_depth_is_that_of_plain_python(random_reads, cuts):
    fasta, path = random_reads
    depth = plain_depth(path)
    par = np.array([[940, 1200], [2100, 2101]])
    told, codes = measure(fasta, path, cuts, par=par, window=70)
    places = [p for pairs in cuts for a, b in pairs for p in range(a, b)]
    assert summed(told, "depth") == Counter(depth[p] for p in places)
    inside = {p for a, b in par.tolist() for p in range(a, b)}
    known = Counter(depth[p] for p in places if codes[p] < 4 and p not in inside)
    assert summed(told, "known") == known
    sums = sum(arrays["sums"] for arrays in told).tolist()
    assert sums == [sum(depth[p] for p in places), sum(depth[p] ** 2 for p in places)]
    windows, before = Counter(), 0
    for pairs, arrays in zip(cuts, told, strict=True):
        for k, total in enumerate(arrays["windows"].tolist(), before // 70):
            windows[k] += total
        before += sum(b - a for a, b in pairs)
    expected = [sum(depth[p] for p in places[k : k + 70]) for k in range(0, len(places), 70)]
    assert [windows[k] for k in range(len(expected))] == expected


def gc_of(codes, start) -> int:
    """GC of the window of 100 bases there, -1 for more than four N; Picard's places."""
    window = codes[start : start + 100].tolist()
    if not 1 <= start < len(codes) - 100 or window.count(4) > 4:
        return -1
    return sum(code in (1, 2) for code in window)


@pytest.mark.parametrize("cuts", CUTS)
def test_gc_bias_is_that_of_plain_python(random_reads, cuts):
    fasta, path = random_reads
    told, codes = measure(fasta, path, cuts)
    places = {p for pairs in cuts for a, b in pairs for p in range(a, b)}
    windows = Counter(gc_of(codes, p) for p in places)
    starts = Counter()
    for read in counting(path):
        begin = read.reference_end - 100 if read.is_reverse else read.reference_start + 1
        if begin in places:
            starts[gc_of(codes, begin)] += 1
    found = sum(arrays["gc"] for arrays in told)
    del windows[-1], starts[-1]
    assert as_counter(found[0]) == windows
    assert as_counter(found[1]) == starts


def test_genes(random_reads):
    fasta, path = random_reads
    depth = plain_depth(path)
    genes = {3: [(10, 20), (950, 1010)], 5: [(970, 990)], 8: [(3990, 4000)]}
    rows = np.array([(g, a, b) for g, pairs in genes.items() for a, b in pairs])
    cuts = [[(0, 977)], [(977, LENGTH)]]
    told = []
    for (pair,), before in zip(cuts, (0, 977), strict=True):
        own = [(g, *inner) for g, a, b in rows.tolist()
               for inner in intersect(np.array([[a, b]]), np.array([pair])).tolist()]  # fmt: skip
        told += measure(fasta, path, [[pair]], before=before, genes=np.array(own))[0]
    found: dict[int, list] = {}
    for arrays in told:
        for gene, row in zip(arrays["gene"].tolist(), arrays["genes"].tolist(), strict=True):
            one = found.setdefault(gene, [0, 0, 10**9, 0, 0])
            found[gene] = [min(a, b) if k == 2 else a + b
                           for k, (a, b) in enumerate(zip(one, row, strict=True))]  # fmt: skip
    for gene, pairs in genes.items():
        own = [depth[p] for a, b in pairs for p in range(a, b)]
        levels = [sum(d >= level for d in own) for level in (20, 30)]
        assert found[gene] == [len(own), sum(own), min(own), *levels]


def test_intersect():
    one, two = np.array([[0, 10], [20, 30], [40, 41]]), np.array([[5, 21], [22, 23], [29, 50]])
    expected = [[5, 10], [20, 21], [22, 23], [29, 30], [40, 41]]
    assert intersect(one, two).tolist() == intersect(two, one).tolist() == expected
    assert intersect(one, NONE).tolist() == intersect(NONE, one).tolist() == []


def test_real_reads(real_reads):
    fasta, path = real_reads
    depth = plain_depth(path)
    assert 9 < sum(depth.values()) / 110_000 < 15
    (told,), _ = measure(fasta, path, [[HERE]])
    assert as_counter(told["depth"]) == Counter(depth[p] for p in range(*HERE))


def runs(*command) -> bool:
    """Whether a tool is installed with all that it needs."""
    return (
        bool(shutil.which(command[0]))
        and not subprocess.run(command, capture_output=True, check=False).returncode
    )


@pytest.mark.skipif(not runs("samtools", "--version"), reason="samtools is not installed")
def test_real_reads_as_samtools_depth_has_them(real_reads, tmp_path):
    """Of proper pairs: it counts any pair once. Without supplementary reads: it may take these for
    the mate.
    """
    fasta, path = real_reads[0], tmp_path / "proper.bam"
    with (
        pysam.AlignmentFile(str(real_reads[1])) as reads,
        pysam.AlignmentFile(str(path), "wb", template=reads) as out,
    ):
        for read in reads:
            if read.is_proper_pair and not read.is_supplementary:
                out.write(read)
    pysam.index(str(path))
    region = f"20:{HERE[0] + 1}-{HERE[1]}"
    command = ["samtools", "depth", "-a", "-s", "-r", region, str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    (told,), _ = measure(fasta, path, [[HERE]])
    assert as_counter(told["depth"]) == Counter(int(line.split("\t")[2]) for line in lines)


@pytest.mark.skipif(not runs("mosdepth", "--version"), reason="mosdepth is not installed")
def test_real_reads_as_mosdepth_has_them(real_reads, tmp_path):
    fasta, path = real_reads
    bed = tmp_path / "here.bed"
    bed.write_text(f"20\t{HERE[0]}\t{HERE[1]}\n")
    subprocess.run(
        ["mosdepth", "-b", str(bed), str(tmp_path / "m"), str(path)], check=True,
        capture_output=True,
    )  # fmt: skip
    (told,), _ = measure(fasta, path, [[HERE]])
    expected = Counter()
    with pysam.BGZFile(str(tmp_path / "m.per-base.bed.gz")) as lines:
        for line in lines:
            _, start, end, depth = line.decode().split("\t")
            size = min(int(end), HERE[1]) - max(int(start), HERE[0])
            expected[int(depth)] += max(size, 0)
    assert as_counter(told["depth"]) == +expected
