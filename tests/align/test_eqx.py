"""=/X for M: all else stays, and callers see the same."""

import re
import subprocess
import sys

import pysam

SHARED = ("query_name", "flag", "reference_id", "reference_start", "mapping_quality",
          "next_reference_id", "next_reference_start", "template_length", "query_sequence",
          "query_qualities")  # fmt: skip


def plain(cigar):
    """The CIGAR string with M in place of = and X."""
    out = []
    for size, op in re.findall(r"(\d+)([A-Z=])", cigar.replace("X", "M").replace("=", "M")):
        if out and out[-1][1] == op:
            out[-1] = (out[-1][0] + int(size), op)
        else:
            out.append((int(size), op))
    return "".join(f"{size}{op}" for size, op in out)


def lingqu(*arguments):
    command = [sys.executable, "-m", "lingqu", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)


def test_all_else_stays_and_calls_are_the_same(reference, deep_reads, tmp_path):
    records, calls = [], []
    for options in ([], ["--eqx"]):
        folder = tmp_path / "".join(options).lstrip("-")
        folder.mkdir(exist_ok=True)
        bam, vcf = folder / "x.bam", folder / "x.vcf.gz"
        lingqu("align", reference, *deep_reads, "--sample", "S", *options, "-o", bam)
        with pysam.AlignmentFile(str(bam)) as reader:
            (program,) = reader.header["PG"]
            assert program["CL"].endswith(" ".join(["--sample S", *options]))
            records.append(list(reader.fetch(until_eof=True)))
        lingqu("call", reference, bam, "-o", vcf)
        with pysam.VariantFile(str(vcf)) as reader:
            calls.append([str(record) for record in reader])
    assert calls[0] == calls[1]
    assert len(calls[0]) > 5
    different = 0
    for usual, told in zip(*records, strict=True):
        assert all(getattr(usual, name) == getattr(told, name) for name in SHARED)
        if not told.is_unmapped:
            assert "M" not in told.cigarstring
            assert plain(told.cigarstring) == usual.cigarstring
            different += "X" in told.cigarstring
        tags = dict(told.get_tags())
        for name in {"MC"} & tags.keys():
            tags[name] = plain(tags[name])
        assert {k: v for k, v in tags.items() if k != "SA"} == {
            k: v for k, v in usual.get_tags() if k != "SA"
        }
    assert different > 100
