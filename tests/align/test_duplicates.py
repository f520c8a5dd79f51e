"""Duplicate marks beside samtools markdup and Picard MarkDuplicates: each difference has a cause.

Real reads (NA12878 shotgun, SARS-CoV-2 amplicons) and planted duplicates of every kind, without and
with UMIs (two letters apart: the others join none).
"""

import random
import shutil
import subprocess
from collections import defaultdict
from dataclasses import dataclass, replace

import pysam
import pytest

from lingqu.align.driver import align
from lingqu.align.options import Options
from lingqu.cluster import open_cluster
from lingqu.sequence.codes import decode, reverse_complement

READ = 100


class Planted:
    """Molecules of a window, sequenced several times into three paired lanes and a single one."""

    def __init__(self, window, seed):
        self.window, self.random = window, random.Random(seed)
        self.lanes = {name: [] for name in ("L1", "L2", "L3", "S4")}
        self.last = {}

    def forward(self, at):
        return decode(self.window[at : at + READ])

    def reverse(self, end):
        return decode(reverse_complement(self.window[end - READ : end]))

    def noise(self, size):
        return "".join(self.random.choices("ACGT", k=size))

    def name(self, lane):
        """A new spot: now and then beside the last one of the lane."""
        if lane in self.last and self.random.random() < 0.4:
            tile, x, y = self.last[lane]
            place = tile, x + self.random.randint(1, 130), y + self.random.randint(1, 130)
        else:
            place = 1101 + self.random.randrange(3), *(self.random.randrange(20_000) for _ in "xy")
        self.last[lane] = place
        umi = self.random.choice(("ACGT", "TGCA", "TNCC"))
        return f"M:1:F:{lane[1]}:{':'.join(map(str, place))}:{umi}"

    def read(self, name, bases):
        """A record with a few errors, its quality one of few levels: scores tie often."""
        letters = list(bases)
        for i in range(30, READ):
            if self.random.random() < 0.004:
                letters[i] = self.random.choice("ACGT")
        level = self.random.choice((30, 35, 35, 38))
        quality = "".join(self.random.choices((chr(33 + level), "#"), (30, 1), k=READ))
        return f"@{name}\n{''.join(letters)}\n+\n{quality}\n"

    def clip(self, bases):
        """The read, sometimes with foreign bases at its start or its end."""
        if self.random.random() < 0.7:
            return bases
        size = self.random.randint(6, 25)
        noise = self.noise(size)
        return noise + bases[size:] if self.random.random() < 0.5 else bases[:-size] + noise

    def sequence(self, one, two):
        """Sequence a molecule that begins `one` and ends `two` one to five times."""
        for _ in range(self.random.choice((1, 2, 2, 3, 5))):
            lane = self.random.choice(("L1", "L1", "L2", "L3", "S4"))
            ends = [self.clip(one), self.clip(two)]
            if self.random.random() < 0.4:
                ends.reverse()
            if self.random.random() < 0.15:
                ends[self.random.randrange(2)] = self.noise(READ)
            name = self.name(lane)
            reads = [self.read(name, bases) for bases in ends]
            self.lanes[lane].append(reads[:1] if lane == "S4" else reads)

    def molecule(self):
        """One molecule: usual, split, turned, of one strand, or with an end that another shares."""
        at = self.random.randrange(1_000, len(self.window) - 3_000)
        end = at + self.random.randint(150, 500)
        kind = self.random.choice(("usual", "usual", "shared", "split", "outward", "same", "far"))
        one, two = self.forward(at), self.reverse(end)
        if kind == "split":
            other = self.random.randrange(1_000, len(self.window) - 1_000)
            one = one[:55] + self.forward(other)[:45]
        elif kind == "outward":
            one, two = self.reverse(at + READ), self.forward(end)
        elif kind == "same":
            two = self.forward(end)
            if self.random.random() < 0.5:
                one, two = self.reverse(at + READ), self.reverse(end + READ)
        elif kind == "far":
            two = self.reverse(self.random.randrange(1_000, len(self.window)))
        elif kind == "shared":
            self.sequence(one, self.reverse(end + 60))
        self.sequence(one, two)


def plant(window, folder, molecules):
    """FASTQ files of the lanes L1 and L2 (one library), L3 (another), and S4 (single-end)."""
    planted = Planted(window, seed=7)
    for _ in range(molecules):
        planted.molecule()
    files = {}
    for lane, found in planted.lanes.items():
        files[lane] = [folder / f"{lane}_{mate}.fq" for mate in range(1, 1 + len(found[0]))]
        for path, reads in zip(files[lane], zip(*found, strict=True), strict=True):
            path.write_text("".join(reads))
    return files


@dataclass
class Template:
    """What one BAM says of a template, by its mapped primary records."""

    molecule: tuple  # (library, UMI)
    ends: tuple  # (unclipped 5' end, is reverse) of each, sorted
    turned: bool  # whether the lower end is R2's
    score: int
    spot: tuple
    verdict: str  # "" for kept ones, else LB or SQ
    records: set  # verdicts of all its records: (kind of record, whether marked)


def five_prime(record):
    """(contig, unclipped 5' end, strand)."""
    ops = record.cigartuples
    if not record.is_reverse:
        end = record.reference_start - (ops[0][1] if ops[0][0] == 4 else 0)
    else:
        end = record.reference_end - 1 + (ops[-1][1] if ops[-1][0] == 4 else 0)
    return record.reference_id, end, record.is_reverse


def kind_of(record):
    """Which sort of record it is."""
    kinds = {"unmapped": 0x4, "secondary": 0x100, "supplementary": 0x800}
    return next((name for name, bit in kinds.items() if record.flag & bit), "primary")


def template_of(records, libraries):
    """A Template of its records, or None where no end is mapped."""
    ends = sorted(
        (five_prime(record), record.is_read2, record)
        for record in records
        if kind_of(record) == "primary"
    )
    if not ends:
        return None
    first = ends[0][2]
    spot = first.query_name.split(":")
    tag = next((first.get_tag(name) for name in ("DT", "dt") if first.has_tag(name)), "LB")
    return Template(
        (libraries[first.get_tag("RG")], first.get_tag("RX") if first.has_tag("RX") else ""),
        tuple(end for end, _, _ in ends),
        bool(ends[0][1]),
        sum(q for _, _, record in ends for q in record.query_qualities if q >= 15),
        (first.get_tag("RG"), spot[4], int(spot[5]), int(spot[6])),
        tag if first.is_duplicate else "",
        {(kind_of(record), record.is_duplicate) for record in records},
    )


def templates(path):
    """Templates with a mapped end, by name."""
    found = defaultdict(list)
    with pysam.AlignmentFile(str(path), check_sq=False) as reader:
        libraries = {group["ID"]: group["LB"] for group in reader.header.to_dict()["RG"]}
        for record in reader:
            found[record.query_name].append(record)
    told = {name: template_of(records, libraries) for name, records in found.items()}
    return {name: template for name, template in told.items() if template}


def tool(*command):
    """Run a tool."""
    subprocess.run([*map(str, command)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def picard(marked):
    """Templates as Picard marks them; of reads in order of name it marks all records."""
    if not shutil.which("PicardCommandLine"):
        pytest.skip("Picard (PicardCommandLine) is not installed")
    _, bam, folder = marked
    out = folder / "picard.bam"
    tool(
        "PicardCommandLine", "MarkDuplicates", f"I={bam}", f"O={out}", f"M={folder / 'metrics'}",
        "TAGGING_POLICY=All", "ASSUME_SORT_ORDER=queryname", "BARCODE_TAG=RX",
        "READ_NAME_REGEX=(?:[^:]*:){4}([0-9]+):([0-9]+):([0-9]+).*",  # its own: 5 or 7 fields only
    )  # fmt: skip
    return templates(out)


@pytest.fixture(scope="module")
def samtools(marked):
    """Templates as samtools marks them, each library by itself: it marks across libraries."""
    if not shutil.which("samtools"):
        pytest.skip("samtools is not installed")
    _, bam, folder = marked
    with pysam.AlignmentFile(str(bam), check_sq=False) as reader:
        libraries = {group["LB"] for group in reader.header.to_dict()["RG"]}
    found = {}
    for library in sorted(libraries):
        steps = [folder / f"{library}.{step}.bam" for step in ("own", "mates", "sorted", "marked")]
        tool("samtools", "view", "-b", "-l", library, "-o", steps[0], bam)
        tool("samtools", "fixmate", "-m", steps[0], steps[1])
        tool("samtools", "sort", "-o", steps[2], steps[1])
        tool("samtools", "markdup", "-S", "-d", 100, "--barcode-tag", "RX", steps[2], steps[3])
        found |= templates(steps[3])
    return found


def unmarked(bam, folder):
    """The records without marks, in order of name."""
    named = folder / "named.bam"
    with pysam.AlignmentFile(str(bam), check_sq=False) as reader:
        records, header = list(reader), reader.header.to_dict()
    header["HD"]["SO"] = "queryname"
    with pysam.AlignmentFile(str(named), "wb", header=header) as out:
        for record in sorted(records, key=lambda record: (record.query_name, record.flag & 0xC0)):
            record.is_duplicate = False
            record.set_tag("DT", None)
            out.write(record)
    return named


@pytest.fixture(scope="module", params=["genome", "amplicons", "planted", "umis"])
def marked(request, tmp_path_factory):
    """(our BAM, the same without marks in order of name, folder) of each set of reads."""
    folder = tmp_path_factory.mktemp(request.param)
    lane_of, bam = request.getfixturevalue("lane_of"), folder / "x.bam"
    reference, options = request.getfixturevalue("reference"), Options()
    demo = request.getfixturevalue("demo")
    if request.param == "genome":
        files = request.getfixturevalue("lanes")
        lanes = [lane_of(*pair, ID=f"L{i}", LB="x") for i, pair in enumerate(files, 1)]
    elif request.param == "amplicons":
        twist = demo.parent / "twist"
        reference = folder / "reference.fa"
        shutil.copyfile(twist / "reference.fa", reference)
        lanes = [lane_of(*sorted(twist.glob("twist_R?.fastq.gz")), ID="T", LB="x")]
    else:
        options = Options(secondary=2)
        files = plant(request.getfixturevalue("demo_window"), folder, 700)
        of = {"L1": "one", "L2": "one", "L3": "two", "S4": "one"}
        lanes = [lane_of(*files[name], ID=name, LB=of[name]) for name in of]
        if request.param == "umis":
            lanes = [replace(lane, umi=":") for lane in lanes]
    with open_cluster(1, "processes") as cluster:
        align(reference, lanes, "NA12878", bam, cluster, options)
    return bam, unmarked(bam, folder), folder


@pytest.fixture(scope="module")
def ours(marked):
    """Templates as we mark them."""
    found = templates(marked[0])
    assert sum(bool(template.verdict) for template in found.values()) > 50
    return found


def sets_of(found):
    """Names of the templates of each set that may be duplicates, where there are two or more."""
    sets = defaultdict(list)
    for name, template in found.items():
        sets[template.molecule, template.ends].append(name)
    return {ends: names for ends, names in sets.items() if len(names) > 1}


def kept_in(found, names):
    """Those of `names` that are kept."""
    return {name for name in names if not found[name].verdict}


def tied(found, one, other):
    """Whether two sets of kept templates differ by choices between equal scores only."""
    return sorted(found[name].score for name in one) == sorted(found[name].score for name in other)


def one_strand_turned(found, names):
    """Whether these are pairs of one strand, some with R1 below R2 and some above."""
    ends = found[names[0]].ends
    one_strand = len(ends) == 2 and ends[0][2] == ends[1][2]
    return one_strand and len({found[name].turned for name in names}) == 2


def near(a, b):
    """Whether two templates lie within 100 pixels of each other, of one read group and tile."""
    return a.spot[:2] == b.spot[:2] and all(
        abs(p - q) <= 100 for p, q in zip(a.spot[2:], b.spot[2:], strict=True)
    )


def test_picard_agrees_but_for_ties(ours, picard):
    assert ours.keys() == picard.keys()
    in_sets = set()
    for names in sets_of(ours).values():
        kept, other = kept_in(ours, names), kept_in(picard, names)
        in_sets.update(names)
        # of equal scores Picard keeps the first by tile, x and y, we the first of the input
        assert kept == other or tied(ours, kept, other)
    for name in ours.keys() - in_sets:
        assert bool(ours[name].verdict) == bool(picard[name].verdict)


def test_picard_agrees_on_every_kind_of_record(ours, picard):
    for name, template in ours.items():
        assert len({is_marked for _, is_marked in template.records}) == 1
        if template.verdict and picard[name].verdict:
            assert template.records == picard[name].records


def test_picard_agrees_on_optical_ones(ours, picard):
    for names in sets_of(ours).values():
        if kept_in(ours, names) != kept_in(picard, names):
            continue
        differ = [name for name in names if ours[name].verdict != picard[name].verdict]
        if not differ:
            continue
        if len(ours[names[0]].ends) == 1:
            # Picard looks at pairs only
            assert all((ours[x].verdict, picard[x].verdict) == ("SQ", "LB") for x in differ)
        else:
            # of pairs of one strand Picard does not see which mate is the lower one: no neighbour
            # of the same cluster, whose R1 would be the same
            assert one_strand_turned(ours, names)


def test_samtools_agrees_but_for_ties_and_pairs_of_one_strand(ours, samtools):
    assert ours.keys() == samtools.keys()
    in_sets = set()
    for names in sets_of(ours).values():
        in_sets.update(names)
        kept, other = kept_in(ours, names), kept_in(samtools, names)
        if kept == other or tied(ours, kept, other):
            continue  # of equal scores samtools keeps the first by name
        # samtools keeps pairs of one strand apart by which mate is the lower one
        assert one_strand_turned(ours, names)
        for turned in (False, True):
            part = [name for name in names if ours[name].turned == turned]
            (left,) = other & set(part)
            assert ours[left].score == max(ours[name].score for name in part)
    for name in ours.keys() - in_sets:
        assert bool(ours[name].verdict) == bool(samtools[name].verdict)


def test_samtools_agrees_on_optical_ones(ours, samtools):
    sharing = defaultdict(list)
    for name, template in ours.items():
        for end in template.ends:
            sharing[template.molecule, end].append(name)
    for (molecule, ends), names in sets_of(ours).items():
        if kept_in(ours, names) != kept_in(samtools, names):
            continue
        differ = {name for name in names if ours[name].verdict != samtools[name].verdict}
        for name in differ:
            others = sharing[molecule, ends[0]] if len(ends) == 1 else names
            others = [x for x in others if x != name and near(ours[x], ours[name])]
            if len(ends) == 1:
                # samtools takes a pair that shares the end for a neighbour, too
                assert others
                continue
            # samtools does not ask which mate is the lower one; of duplicates that lie together
            # without the kept one it may spare another
            turned = any(ours[x].turned != ours[name].turned for x in others)
            assert turned or differ & set(others)
