"""Pieces of a gVCF against its lines, read by plain Python; and what is refused."""

import gzip

import numpy as np
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lingqu.base.errors import LingquError
from lingqu.call import pieces
from lingqu.call.kernels import gvcf_lines
from lingqu.call.kernels.cohort_blocks import tell_places
from lingqu.call.sites import Records
from lingqu.formats.reference import open_reference
from lingqu.formats.vcf import open_vcf, read_text

LENGTH = 400
HEAD = [
    "##fileformat=VCFv4.2", "##contig=<ID=two>", "##contig=<ID=one>",
    '##FILTER=<ID=Bad,Description="x">', '##FILTER=<ID=LowQual,Description="x">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="x">',
    '##INFO=<ID=ENDS,Number=1,Type=Integer,Description="x">',
    *(f'##FORMAT=<ID={key},Number=.,Type={kind},Description="x">' for key, kind in (
        ("GT", "String"), ("DP", "Integer"), ("MIN_DP", "Integer"), ("AD", "Integer"),
        ("PL", "Integer"), ("GQ", "Integer"), ("PS", "Integer"), ("PQ", "Integer"))),
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS",
]  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory, simulation):
    rng = np.random.default_rng(2)
    contigs = {name: simulation.random_sequence(rng, LENGTH) for name in ("two", "one")}
    fasta = simulation.write_fasta(tmp_path_factory.mktemp("pieces") / "ref.fa", contigs)
    return open_reference(fasta)


def letters(reference, tid, start, end) -> str:
    return "".join("ACGTN"[code] for code in reference.contig(tid)[start:end])


def random_lines(reference, rng):
    """Lines of blocks and records, some of which reach far, with fields in several orders."""
    lines = []
    for tid, contig in enumerate(reference.names):
        at = 0
        while at < LENGTH:
            size = min(int(rng.choice([1, 2, 7, 90])), LENGTH - at)
            ref = letters(reference, tid, at, at + size)
            kind = rng.integers(0, 4)
            if kind == 0:
                key, least = ("GT:DP:GQ:MIN_DP:PL", f"0/0:9:3:{at % 70}:0,{at},900")
                if rng.random() < 0.3:
                    key, least = "GT:PL:DP", f"0|0:.:{at % 50}"
                info = f"ENDS=3;END={at + size}" if size > 1 else "."
                lines.append((contig, at + 1, ".", ref[0], "<NON_REF>", ".", ".", info, key, least))
            elif kind == 1:
                alts = ",".join(sorted({ref[0] + "T", ref + "A"} - {ref}))
                n = alts.count(",") + 3
                pl = ",".join(map(str, rng.integers(0, 9999, n * (n + 1) // 2)))
                form, told = "GT:AD:PL", f"0/1:{','.join('5' * n)}:{pl}"
                if rng.random() < 0.5:
                    form, told = "PL:PS:GT:PQ:DP", f"{pl}:{at + 1}:1|0:.:12"
                failed = str(rng.choice(["PASS", "LowQual", "Bad", "Bad;LowQual"]))
                lines.append((contig, at + 1, "x", ref.lower() if at % 2 else ref,
                              f"{alts},<NON_REF>", "3", failed, ".", form, told))  # fmt: skip
            at += size
    return ["\t".join(map(str, line)) for line in lines]


def write(path, lines, end="\n"):
    text = end.join([*HEAD, *lines, ""])
    with gzip.open(path, "wt", newline="") if path.suffix == ".gz" else path.open("w") as out:
        out.write(text)
    return path


def blocks_of(lines, contig):
    """(start, end, ploidy, depth, het, alt) of the blocks, by plain Python."""
    for line in lines:
        name, pos, _, ref, alt, *_, info, key, told = line.split("\t")
        if name == contig and alt == "<NON_REF>":
            values = dict(zip(key.split(":"), told.split(":"), strict=False))
            facts = dict(item.split("=") for item in info.split(";") if "=" in item)
            pl = values["PL"].split(",") if values["PL"] != "." else ["0"] * 3
            depth = int(values.get("MIN_DP", values["DP"]))
            end = int(facts.get("END", int(pos) - 1 + len(ref)))
            yield int(pos) - 1, end, 2, depth, int(pl[1]), int(pl[2])


@pytest.mark.parametrize("ending", [".g.vcf", ".g.vcf.gz", ".g.bcf"])
@given(seed=st.integers(0, 10_000), size=st.sampled_from([30, 97, LENGTH]))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_pieces_tell(reference, tmp_path_factory, ending, seed, size):
    lines = random_lines(reference, np.random.default_rng(seed))
    folder = tmp_path_factory.mktemp("cut")
    path = write(folder / f"s{ending.removesuffix('.g.bcf')}", lines) if ending != ".g.bcf" else (
        folder / "s.g.bcf"
    )  # fmt: skip
    if ending == ".g.bcf":
        plain = write(folder / "s.vcf", lines)
        with pysam.VariantFile(str(plain)) as text, pysam.VariantFile(
            str(path), "wb", header=text.header
        ) as out:  # fmt: skip
            for record in text:
                out.write(record)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "SIZE", size)
        found = {shard: told for shard, *told in pieces.cut(path, reference)}
        firsts = pieces.first_shards(reference)
    for tid, contig in enumerate(reference.names):
        rows = list(blocks_of(lines, contig))
        own = [line.split("\t") for line in lines if line.startswith(f"{contig}\t")]
        own = [fields for fields in own if fields[4] != "<NON_REF>"]
        for shard in range(int(firsts[tid]), int(firsts[tid + 1])):
            start = (shard - int(firsts[tid])) * size
            end = min(start + size, LENGTH)
            records, packed = found.get(shard, (pieces.unpack(b""), b""))
            check_blocks(rows, packed, start, end)
            here = [x for x in own if int(x[1]) - 1 < end and int(x[1]) - 1 + len(x[3]) > start]
            check_records(here, records)


def check_blocks(rows, packed, start, end):
    places = np.arange(start, end)
    told, row = np.empty((len(places), 4), np.int32), np.empty(len(places), np.int64)
    tell_places(np.frombuffer(packed, np.uint8), places, 2, row, told)
    for place, found in zip(places.tolist(), told.tolist(), strict=True):
        over = [rest for first, last, *rest in rows if first <= place < last]
        assert found == (over[-1] if over else [2, 0, 0, 0])


def check_records(wanted, piece):
    assert pieces.unpack(piece.pack()).ints.tolist() == piece.ints.tolist()
    records = Records([piece])
    assert records.pos.tolist() == [int(fields[1]) - 1 for fields in wanted]
    for fields, at in zip(wanted, records.at.tolist(), strict=True):
        one = records.ints[at:]
        values = dict(zip(fields[8].split(":"), fields[9].split(":"), strict=True))
        phase = [int(values.get("PS", 0)), -1]
        assert one[gvcf_lines.PS : gvcf_lines.PQ + 1].tolist() == phase
        alleles = [one[gvcf_lines.LEFT], one[gvcf_lines.RIGHT]]
        assert alleles == ([1, 0] if "PS" in values else [0, 1])
        numbers = [*values.get("AD", "").split(","), *values["PL"].split(",")]
        numbers = [int(number) for number in numbers if number]
        assert one[gvcf_lines.RECORD :][: len(numbers)].tolist() == numbers
    bad = bool(wanted) and all("Bad" in fields[6].split(";") for fields in wanted)
    assert records.filters(np.arange(len(wanted))) == (["Bad"] if bad else [])


def line(reference, **fields):
    """A block at place 3 with other fields."""
    own = {"CHROM": "two", "POS": "4", "ID": ".", "REF": letters(reference, 0, 3, 4),
           "ALT": "<NON_REF>", "QUAL": ".", "FILTER": ".", "INFO": "END=9", "FORMAT": "GT:DP:PL",
           "S": "0/0:3:0,9,90"}  # fmt: skip
    return "\t".join((own | fields).values())


@pytest.mark.parametrize(("fields", "told"), [
    ({"S": "0/0/0:3:0,9,90"}, "malformed reference block"),
    ({"S": "0/0:-3:0,9,90"}, "malformed reference block"),
    ({"S": "0/0:3:0"}, "malformed reference block"),
    ({"S": "0/0:3:0,x,3"}, "malformed reference block"),
    ({"FORMAT": "DP:PL", "S": "3:0,9,90"}, "malformed reference block"),
    ({"INFO": "END=3"}, "malformed reference block"),
    ({"INFO": "END=401"}, "malformed reference block"),
    ({"INFO": "END=nine"}, "malformed reference block"),
    ({"ALT": "T"}, "no <NON_REF> allele"),
    ({"ALT": "."}, "no <NON_REF> allele"),
    ({"ALT": "T<NON_REF>"}, "no <NON_REF> allele"),
    ({"REF": "N"}, "REF 'N', but the reference has"),
    ({"POS": "x"}, "POS 'x' is no number"),
    ({"POS": "1"}, "two:1 after 4; sort the file"),
    ({"POS": "999"}, "beyond the contig"),
    ({"CHROM": "three"}, "contig 'three' is not in"),
    ({"S": "0/0:3\t4"}, "11 columns, not 10"),
    ({"ALT": ",".join("A" * 61) + ",<NON_REF>"}, "more than 60 ALT alleles"),
])  # fmt: skip
def test_faults(reference, tmp_path, fields, told):
    path = write(tmp_path / "s.g.vcf", [line(reference), line(reference, **fields)])
    with pytest.raises(LingquError, match=rf"line {len(HEAD) + 2}: .*{told}"):
        list(pieces.cut(path, reference))


def test_contigs_out_of_order(reference, tmp_path):
    one = line(reference, CHROM="one", REF=letters(reference, 1, 3, 4))
    path = write(tmp_path / "s.g.vcf", [one, line(reference)])
    with pytest.raises(LingquError, match="contig 'two' is not in the order of the reference"):
        list(pieces.cut(path, reference))
    path = write(tmp_path / "s.g.vcf", [line(reference), one, line(reference)])
    with pytest.raises(LingquError, match="contig 'two'"):
        list(pieces.cut(path, reference))


def test_text_in_blocks_of_any_size(reference, tmp_path):
    lines = random_lines(reference, np.random.default_rng(1))
    path = write(tmp_path / "s.g.vcf.gz", lines, "\r\n")
    with open_vcf(path) as reader:
        wanted = ["\t".join(record.fields) for record in reader]
    for size in (7, 100, 1 << 20):
        found = list(read_text(path, size))
        assert b"".join(text for _, text in found).decode().splitlines() == wanted
        number = len(HEAD) + 1
        for first, text in found:
            assert first == number
            number += text.count(b"\n")
    whole = [(shard, piece.pack(), told) for shard, piece, told in pieces.cut(path, reference)]
    bare = write(tmp_path / "bare.g.vcf", lines[:-1])
    bare.write_text(bare.read_text() + lines[-1])  # without the last line's end
    again = [(shard, piece.pack(), told) for shard, piece, told in pieces.cut(bare, reference)]
    assert again == whole
