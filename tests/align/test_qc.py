"""OUT.qc.json beside plain Python, FastQC, samtools and Picard, on the demo's real reads."""

import json
import math
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import jsonschema
import pysam
import pytest

import lingqu.report
from lingqu.align import driver
from lingqu.align.prefixes import source_of
from lingqu.cluster import open_cluster
from lingqu.formats import bam
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import open_reference
from lingqu.workflow.adopt import adopt

SCHEMA = Path(lingqu.report.__file__).with_name("schemas") / "alignment.schema.json"
ADAPTER = "AGATCGGAAGAGCACACGTCTGAACTCCAGTCAC"


def needs(tool):
    """Skip where a foreign tool is not installed."""
    return pytest.mark.skipif(not shutil.which(tool), reason=f"{tool} is not installed")


def read_qc(path) -> dict:
    """The numbers beside an alignment, which must be as their schema says."""
    told = json.loads(Path(f"{path}.qc.json").read_text())
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    return told


@pytest.fixture(scope="module")
def qc(aligned) -> dict:
    return read_qc(aligned)


@pytest.fixture(scope="module")
def fasta(reference) -> str:
    """The reference as other tools read it."""
    return str(htslib_fasta(open_reference(reference)))


def records(fastq) -> list[tuple[str, str]]:
    """Sequence and quality of each record."""
    lines = Path(fastq).read_text().splitlines()
    return list(zip(lines[1::4], lines[3::4], strict=True))


def gc_of_reads(reads) -> list[float]:
    """FastQC's PerSequenceGCContent, by its description."""
    found = [0.0] * 101

    def percents(size, count):
        low, high = max(count - 0.5, 0), min(count + 0.5, size)
        first, last = (math.floor(100 * end / size + 0.5) for end in (low, high))
        return range(first, last + 1)

    for sequence, _ in reads:
        size = len(sequence) if len(sequence) <= 100 else len(sequence) // 100 * 100
        claimed = Counter(p for count in range(size + 1) for p in percents(size, count))
        for p in percents(size, sum(sequence[:size].count(base) for base in "GC")):
            found[p] += 1 / claimed[p]
    return found


def percentile(scores, percent):
    """FastQC's: counts grow score by score until they reach so many per cent, rounded down."""
    return sorted(scores)[max(len(scores) * percent // 100, 1) - 1]


@pytest.mark.parametrize("mate", ["1", "2"])
def test_reads_beside_plain_python(qc, deep_reads, mate):
    told, reads = qc["mates"][mate], records(deep_reads[int(mate) - 1])
    sizes = Counter(len(sequence) for sequence, _ in reads)
    longest = max(sizes)
    assert (told["reads"], told["bases"]) == (len(reads), sum(len(s) for s, _ in reads))
    counts = told["length"]["counts"]
    assert {told["length"]["first"] + i: n for i, n in enumerate(counts) if n} == sizes
    assert told["cycles"] == list(range(1, longest + 1))
    for cycle in range(longest):
        column = [(s[cycle], ord(q[cycle]) - 33) for s, q in reads if len(s) > cycle]
        bases, scores = Counter(base for base, _ in column), [score for _, score in column]
        called = sum(bases[base] for base in "ACGT")
        for base in "ACGT":
            share = told["composition"][base][cycle]
            assert share == pytest.approx(bases[base] / called, rel=1e-5)
        assert told["composition"]["N"][cycle] == pytest.approx(bases["N"] / len(column), rel=1e-5)
        quality = told["quality_by_cycle"]
        assert quality["mean"][cycle] == pytest.approx(sum(scores) / len(scores), rel=1e-5)
        for name, percent in {"p10": 10, "p25": 25, "median": 50, "p75": 75, "p90": 90}.items():
            assert quality[name][cycle] == percentile(scores, percent)
    scores = [[ord(letter) - 33 for letter in q] for _, q in reads]
    means = Counter(sum(own) // len(own) for own in scores)
    assert {i: n for i, n in enumerate(told["quality_of_reads"]) if n} == means
    for name, least in (("q20", 20), ("q30", 30)):
        share = sum(score >= least for own in scores for score in own) / told["bases"]
        assert told[name] == pytest.approx(share, rel=1e-5)
    letters = Counter("".join(s for s, _ in reads))
    called = sum(letters[base] for base in "ACGT")
    assert told["gc"] == pytest.approx((letters["G"] + letters["C"]) / called, rel=1e-5)
    assert told["gc_of_reads"] == pytest.approx(gc_of_reads(reads), rel=1e-5)


@pytest.mark.parametrize("mate", ["1", "2"])
def test_sequences_that_come_again_beside_plain_python(qc, deep_reads, mate):
    told, reads = qc["mates"][mate], records(deep_reads[int(mate) - 1])
    prefixes = Counter(sequence[:50] for sequence, _ in reads)
    often = {s: n for s, n in prefixes.items() if n * 1000 > len(reads) and n > 1}
    assert {row["sequence"]: row["count"] for row in told["overrepresented"]} == often
    levels = Counter()
    for number in prefixes.values():
        levels[number] += number
    found = told["duplication_by_sequence"]
    for level in range(1, 10):
        assert found["levels"][level - 1] == pytest.approx(levels[level] / len(reads), rel=1e-5)
    assert found["distinct_share"] == pytest.approx(len(prefixes) / len(reads), rel=1e-5)
    assert sum(found["levels"]) == pytest.approx(1, rel=1e-4)


@needs("fastqc")
@pytest.mark.parametrize("mate", ["1", "2"])
def test_reads_beside_fastqc(qc, deep_reads, mate, tmp_path):
    source = deep_reads[int(mate) - 1]
    command = ["fastqc", "--nogroup", "--extract", "-q", "-o", tmp_path, source]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    (path,) = tmp_path.glob("*/fastqc_data.txt")
    tables = {}
    for part in path.read_text().split(">>END_MODULE")[:-1]:
        name, *lines = part.strip().splitlines()
        rows = [line.split("\t") for line in lines if not line.startswith("#")]
        tables[name.split("\t")[0][2:]] = rows
    told = qc["mates"][mate]

    def column(name, at):
        return [float(row[at]) for row in tables[name]]

    def about(values, scale=1.0):
        return pytest.approx([scale * value for value in values], rel=1e-5, abs=1e-9)

    names = ("mean", "median", "p25", "p75", "p10", "p90")
    for at, name in enumerate(names, 1):
        shown = [v for v in column("Per base sequence quality", at) if not math.isnan(v)]
        assert shown == about(told["quality_by_cycle"][name][: len(shown)])
    for at, base in enumerate("GATC", 1):
        assert column("Per base sequence content", at) == about(told["composition"][base], 100)
    assert column("Per base N content", 1) == about(told["composition"]["N"], 100)
    assert column("Per sequence GC content", 1) == about(told["gc_of_reads"])
    scores = [row[:2] for row in tables["Per sequence quality scores"] if float(row[1])]
    own = [[str(i), n] for i, n in enumerate(told["quality_of_reads"]) if n]
    assert [[score, float(number)] for score, number in scores] == own
    levels = [float(row[1]) for row in tables["Sequence Duplication Levels"]]
    if len(tables["Sequence Duplication Levels"][0]) == 3:  # FastQC before 0.12
        levels = [float(row[2]) for row in tables["Sequence Duplication Levels"]]
    assert levels == about(told["duplication_by_sequence"]["levels"], 100)
    found = {row[0]: int(row[1]) for row in tables.get("Overrepresented sequences", [])}
    often = {row["sequence"]: row["count"] for row in told["overrepresented"]}
    assert {sequence: number for sequence, number in found.items() if number > 1} == often


def samtools(*words) -> str:
    return subprocess.run(
        ["samtools", *map(str, words)], check=True, capture_output=True, text=True
    ).stdout


@needs("samtools")
def test_mapping_beside_samtools(qc, aligned):
    told = qc["mapping"]
    lines = [line.split("\t") for line in samtools("stats", aligned).splitlines()]
    stats = {row[1].rstrip(":"): row[2] for row in lines if row[0] == "SN"}
    for name, theirs in {
        "reads": "raw total sequences",
        "bases": "total length",
        "mapped": "reads mapped",
        "unmapped": "reads unmapped",
        "properly_paired": "reads properly paired",
        "secondary": "non-primary alignments",
        "supplementary": "supplementary alignments",
        "cigar_bases": "bases mapped (cigar)",
        "edits": "mismatches",
    }.items():
        assert told[name] == int(stats[theirs]), name
    assert told["error_rate"] == pytest.approx(float(stats["error rate"]), rel=1e-5)
    flags = {}
    for line in samtools("flagstat", aligned).splitlines():
        number, _, _, *words = line.split()
        flags[" ".join(words).partition(" (")[0]] = int(number)
    assert told["duplicates"] == flags["primary duplicates"] > 0
    assert told["singletons"] == flags["singletons"]
    assert told["mate_elsewhere"] == flags["with mate mapped to a different chr"]


@needs("samtools")
@pytest.mark.parametrize("mate", ["1", "2"])
def test_mismatches_by_cycle_beside_samtools(qc, aligned, fasta, mate):
    which = {"1": "0x40", "2": "0x80"}[mate]
    stats = samtools("stats", "-F", "0x900", "-f", which, "-r", fasta, aligned).splitlines()
    rows = [list(map(int, line.split("\t")[1:])) for line in stats if line.startswith("MPC")]
    wrong = {cycle: sum(rest[1:]) for cycle, *rest in rows}  # behind the cycle: N, then by quality
    seen = Counter()
    with pysam.AlignmentFile(str(aligned)) as reader:
        for record in reader:
            if record.flag & 0x904 or not record.flag & int(which, 16):
                continue
            for at, _ in record.get_aligned_pairs(matches_only=True):
                seen[record.query_length - at if record.is_reverse else at + 1] += 1
    shares = qc["mismatch_by_cycle"][mate]
    assert len(shares) == len(qc["mates"][mate]["cycles"])
    assert shares == pytest.approx(
        [wrong.get(c, 0) / max(seen[c], 1) for c in range(1, len(shares) + 1)], rel=1e-5
    )
    assert sum(wrong.values()) > 100


def test_bases_and_mapq_beside_pysam(qc, aligned):
    told, sums, mapq = qc["mapping"], Counter(), Counter()
    with pysam.AlignmentFile(str(aligned)) as reader:
        for record in reader:
            if record.flag & 0x904:
                continue
            mapq[record.mapping_quality] += 1
            counts = record.get_cigar_stats()[0]
            sums["aligned_bases"] += counts[0] + counts[7] + counts[8]
            sums["inserted_bases"] += counts[1]
            sums["deleted_bases"] += counts[2]
            sums["soft_clipped_bases"] += counts[4]
            sums["mismatches"] += record.get_tag("NM") - counts[1] - counts[2]
    assert {name: told[name] for name in sums} == sums
    assert {i: n for i, n in enumerate(told["mapq"]) if n} == mapq


def metrics(path) -> tuple[list[dict], list[dict]]:
    """Rows of the metrics and of the histogram in a file that Picard wrote."""
    parts = [part.strip().splitlines() for part in path.read_text().split("\n## ")]
    found = []
    for kind in ("METRICS", "HISTOGRAM"):
        lines = next((part[1:] for part in parts if part[0].startswith(kind)), [])
        rows = [line.split("\t") for line in lines]
        found.append([dict(zip(rows[0], row, strict=False)) for row in rows[1:]])
    return found[0], found[1]


def picard(tool, *words):
    options = ["VALIDATION_STRINGENCY=SILENT", "QUIET=true", "VERBOSITY=ERROR"]
    command = ["PicardCommandLine", tool, *words, *options]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


@pytest.fixture
def without_dovetails(aligned, reference, tmp_path) -> Path:
    """The alignments adopted, but for pairs that reach past each other with R2 forward.

    htsjdk tells their orientation by the mate's CIGAR; earlier ones took TLEN and were wrong.
    """
    source, out = tmp_path / "in.bam", tmp_path / "S.bam"
    with pysam.AlignmentFile(str(aligned)) as reader:
        records = list(reader)
        odd = {
            r.query_name
            for r in records
            if r.is_read2 and not r.is_reverse and r.mate_is_reverse and r.template_length < 0
        }
        with pysam.AlignmentFile(str(source), "wb", template=reader) as writer:
            for record in records:
                if record.query_name not in odd:
                    writer.write(record)
    assert 0 < len(odd) < 20
    adopt(reference, source, out)
    return out


@needs("PicardCommandLine")
def test_insert_sizes_beside_picard(without_dovetails, tmp_path):
    qc, out, page = read_qc(without_dovetails), tmp_path / "sizes.txt", tmp_path / "x.pdf"
    picard("CollectInsertSizeMetrics", f"I={without_dovetails}", f"O={out}", f"H={page}", "M=0")
    rows, histogram = metrics(out)
    assert rows[0]["PAIR_ORIENTATION"] == "FR"
    for row in rows:
        kind = row["PAIR_ORIENTATION"]
        told = qc["insert_size"].get(kind)
        if told is None:
            assert row["READ_PAIRS"] == "0"
            continue
        assert told["pairs"] == int(row["READ_PAIRS"])
        assert told["median"] == float(row["MEDIAN_INSERT_SIZE"])
        assert told["mad"] == float(row["MEDIAN_ABSOLUTE_DEVIATION"])
        if told["sd"] is not None:
            assert told["mean"] == pytest.approx(float(row["MEAN_INSERT_SIZE"]), rel=1e-5)
            assert told["sd"] == pytest.approx(float(row["STANDARD_DEVIATION"]), rel=1e-5)
        name = f"All_Reads.{kind.lower()}_count"
        theirs = {int(one["insert_size"]): int(one[name]) for one in histogram if one.get(name)}
        own = {told["first"] + i: n for i, n in enumerate(told["counts"]) if n}
        assert own == {size: number for size, number in theirs.items() if number}
    assert qc["insert_size"]["median"] == qc["insert_size"]["FR"]["median"]


@needs("PicardCommandLine")
def test_library_size_beside_picard(qc, aligned, tmp_path):
    out = tmp_path / "duplicates.txt"
    picard(
        "MarkDuplicates", f"I={aligned}", f"O={tmp_path / 'x.bam'}", f"M={out}",
        "TAGGING_POLICY=OpticalOnly",
    )  # fmt: skip
    (row,), _ = metrics(out)
    theirs = int(row["READ_PAIR_DUPLICATES"]) + int(row["UNPAIRED_READ_DUPLICATES"])
    assert qc["mapping"]["duplicates"] == 2 * theirs  # unmapped mates go with theirs
    assert qc["mapping"]["library_size"] == int(row["ESTIMATED_LIBRARY_SIZE"])


def unordered(told) -> dict:
    """Without what needs the order of the input."""
    for own in told["mates"].values():
        own["overrepresented"] = own["duplication_by_sequence"] = None
    return told | {"sample": "S"}


@pytest.mark.parametrize("ending", ["bam", "cram"])
def test_an_adopted_file_tells_the_same(
    reference, deep_reads, lane_of, run_align, aligned, tmp_path, monkeypatch, ending
):
    """Also read in many small pieces, and in another order."""
    source = tmp_path / f"in.{ending}"
    if ending == "cram":
        run_align(reference, [lane_of(*deep_reads)], source)
    else:
        source.symlink_to(aligned)
        monkeypatch.setattr(bam, "_MOST", 1 << 16)
    out = tmp_path / f"S.{ending}"
    adopt(reference, source, out)
    told = read_qc(out)
    assert all(own["overrepresented"] is None for own in told["mates"].values())
    assert told == unordered(read_qc(aligned))


def test_single_end_reads_with_adapters(reference, few_reads, lane_of, run_align, tmp_path):
    """Every third read goes on into adapter at base 60; two thirds of these are one sequence."""
    lines, path = [], tmp_path / "x.fastq"
    for number, (sequence, quality) in enumerate(records(few_reads[0])):
        if number % 3 == 0:
            insert = "ACGTTGCATCAGGATTACGCAT" * 3 if number % 9 else sequence
            sequence = (insert[:60] + ADAPTER + "A" * 100)[: len(quality)]
        lines += [f"@r{number}", sequence, "+", quality]
    path.write_text("\n".join(lines) + "\n")
    run_align(reference, [lane_of(path)], tmp_path / "x.bam")
    told = read_qc(tmp_path / "x.bam")
    assert list(told["mates"]) == list(told["mismatch_by_cycle"]) == ["1"]
    assert told["insert_size"] is None
    assert told["mapping"]["library_size"] is None
    own = told["mates"]["1"]
    reads = [sequence for sequence, _ in records(path)]
    for name, kit in (("Illumina Universal Adapter", ADAPTER[:12]), ("PolyA", "A" * 12)):
        first = Counter(sequence.find(kit) for sequence in reads)
        shares = [sum(first[at] for at in range(c + 1)) / 300 for c in range(len(own["cycles"]))]
        assert own["adapters"][name] == pytest.approx(shares, rel=1e-5)
    trimmed = own["adapters"]["Found by trimming"]
    assert trimmed[58] < 0.01
    assert trimmed[60] > 0.333
    assert "Nextera Transposase Sequence" not in own["adapters"]
    first, *_ = own["overrepresented"]
    assert first["count"] == 66 or first["count"] == 67
    assert first["source"] is None


def test_known_sequences_are_told():
    assert source_of("ACGTACGTTT" + ADAPTER[:30] + "CCCCCCCCCC") == "Illumina TruSeq, read 1"
    wrong = ADAPTER[:10] + "T" + ADAPTER[11:20]
    assert ADAPTER[10] != "T"
    assert source_of("C" * 15 + wrong + "G" * 15) == "Illumina TruSeq, read 1"
    assert source_of("C" * 15 + ADAPTER[:18] + "G" * 15) is None
    assert source_of("ATGCGGCTGTGTCATTTACCATGACCAGATCATTGGCCATAACCTTGTCT") is None
    assert source_of("G" * 50) == "PolyG"


def test_several_libraries_add_up(reference, deep_reads, lane_of, run_align, tmp_path, qc):
    """The same pairs as two libraries: twice the molecules, the same shares."""
    lanes = [lane_of(*deep_reads, ID=name, LB=name) for name in ("one", "two")]
    run_align(reference, lanes, tmp_path / "x.bam")
    told = read_qc(tmp_path / "x.bam")
    assert told["mapping"]["library_size"] == 2 * qc["mapping"]["library_size"]
    assert told["mapping"]["duplicates"] == 2 * qc["mapping"]["duplicates"]
    counts = [2 * number for number in qc["insert_size"]["FR"]["counts"]]
    assert told["insert_size"]["FR"]["counts"] == counts
    assert told["mates"]["1"]["quality_by_cycle"] == qc["mates"]["1"]["quality_by_cycle"]


def test_sums_do_not_depend_on_the_order_of_chunks(reference, deep_reads, lane_of, tmp_path):
    """Chunks of any size leave the same tables: a run by 1,000 pairs beside one by 16,384."""
    from lingqu.formats import fastq

    found = []
    for number, size in enumerate((1000, fastq.CHUNK)):
        (tmp_path / str(number)).mkdir()
        out = tmp_path / str(number) / "x.bam"
        with pytest.MonkeyPatch.context() as patch, open_cluster(1, "processes") as cluster:
            patch.setattr(fastq.read_chunks, "__defaults__", (size,))
            driver.align(reference, [lane_of(*deep_reads)], "NA12878", out, cluster)
        found.append(read_qc(out)["mates"])
    assert found[0] == found[1]
