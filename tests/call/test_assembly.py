"""Detours that were planted are found, whatever the alignments say."""

import numpy as np
import pysam
import pytest

from lingqu.call import assembly
from lingqu.call.candidates import Edit, group
from lingqu.formats.bam import open_alignments, read_alignments
from lingqu.formats.reference import open_reference
from lingqu.sequence.codes import encode


@pytest.fixture(scope="module")
def clipped(tmp_path_factory, simulation):
    """Reads whose indels are all hidden in clipped ends, as aligners do with long ones."""
    folder = tmp_path_factory.mktemp("assembly")
    rng = np.random.default_rng(8)
    ref = simulation.random_sequence(rng, 12_000)
    copy = ref[9000:9025]
    edits = [(1000, 0, "GATTACAGGCTTAACCGTGA" * 2), (3000, 60, ""), (5000, 1, "TCCGA"),
             (7000, 12, "TTACGGA"), (9025, 0, copy)]  # fmt: skip
    fasta = simulation.write_fasta(folder / "ref.fa", {"one": ref})
    plain = simulation.simulate(folder / "plain.bam", {"one": ref}, {"one": [edits, []]})
    path = folder / "clipped.bam"
    with (
        pysam.AlignmentFile(str(plain)) as records,
        pysam.AlignmentFile(str(path), "wb", header=records.header) as out,
    ):
        for read in records:
            cut = [k for k, (op, _) in enumerate(read.cigartuples) if op in (1, 2)]
            if cut:
                head = read.cigartuples[: cut[0]]
                used = sum(size for _, size in head)
                read.cigartuples = [*head, (4, read.query_length - used)]
            out.write(read)
    pysam.index(str(path))
    reference = open_reference(fasta)
    reads = read_alignments(open_alignments(path, reference), reference, 0, 0, 12_000)
    return reads, reference.contig(0), edits, ref


def test_planted_detours_are_found(clipped, simulation):
    reads, codes, edits, ref = clipped
    assembler = assembly.Assembler(reads, codes)
    for start, removed, put in edits:
        wanted = ref[:start] + put + ref[start + removed :]
        found = assembler.edits(start - 150, start + 150, 30)
        letters = {"".join("ACGT"[code] for code in edit.put): edit for edit in found}
        triples = sorted((edit.start, edit.removed, bases) for bases, edit in letters.items())
        spelled = {simulation.haplotype(ref, [triple])[0] for triple in triples}
        if len(triples) == 2:  # of two pieces, each one for itself
            spelled.add(simulation.haplotype(ref, triples)[0])
        assert wanted in spelled
        assert len(found) < 10


def test_depth_hides_nothing(tmp_path, simulation):
    """The k-mers of a thousand reads with errors are more than the table takes."""
    ref = simulation.random_sequence(np.random.default_rng(9), 1500)
    edit = (700, 0, "GATTACAGGCTTAACCGTGACCATG")
    fasta = simulation.write_fasta(tmp_path / "ref.fa", {"one": ref})
    bam = simulation.simulate(
        tmp_path / "deep.bam", {"one": ref}, {"one": [[edit], []]}, depth=1000
    )  # fmt: skip
    reference = open_reference(fasta)
    reads = read_alignments(open_alignments(bam, reference), reference, 0, 0, 1500)
    found = assembly.Assembler(reads, reference.contig(0)).edits(300, 1100, 1000)
    spelled = {(one.start, one.removed, one.put) for one in found}
    assert (700, 0, bytes(encode(edit[2]))) in spelled
    assert len(found) < 10


def test_nothing_where_nothing_is(clipped):
    reads, codes, *_ = clipped
    assert assembly.Assembler(reads, codes).edits(1500, 2500, 30) == set()


def test_windows():
    snvs = [Edit(at, 1, b"\0", at, at + 1) for at in (100, 5000, 5004, 5009)]
    long = Edit(9000, 20, b"", 8999, 9021)
    clips = np.array([20_000, 20_010, 30_000])
    found = assembly.windows(clips, [*snvs, long])
    around = assembly.AROUND
    assert found == [
        (5000 - around, 5010 + around),
        (8999 - around, 9021 + around),
        (20_000 - around, 20_010 + around),
        (30_000 - around, 30_000 + around),
    ]


def test_regions_of_edits():
    edits = [Edit(at, 1, b"\0", at, at + 1) for at in (100, 110, 200, 210, 215)]
    assert group(edits) == [(100, 111, 0, 2), (200, 216, 2, 3)]
    crowded = [Edit(at, 1, b"\0", at, at + 1) for at in range(0, 1000, 5)]
    regions = group(crowded)
    assert sum(region[3] for region in regions) == len(crowded)
    assert max(region[1] - region[0] for region in regions) <= 300
    assert max(region[3] for region in regions) <= 40
