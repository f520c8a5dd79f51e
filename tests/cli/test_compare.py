"""`lingqu compare` as a process: what goes wrong is one line, and exit 1."""

import subprocess
import sys

import pytest

HEADER = "##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"


def run(folder, *arguments):
    command = [sys.executable, "-m", "lingqu", "compare", *arguments, "--reference", "ref.fa"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ref.fa").write_text(">20\nACGTACGTAC\n")
    (tmp_path / "good.vcf").write_text(HEADER + "20\t3\t.\tG\tA\t.\t.\t.\tGT\t0/1\n")
    (tmp_path / "alien.vcf").write_text(HEADER + "20\t3\t.\tC\tA\t.\t.\t.\tGT\t0/1\n")
    (tmp_path / "far.bed").write_text("20\t5\t11\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["none.vcf", "good.vcf"], "none.vcf: cannot be read (No such file or directory)"),
        (["good.vcf", "alien.vcf"], "alien.vcf: line 3: 20:3 REF 'C', but the reference has G"),
        (["good.vcf", "good.vcf", "-R", "far.bed"], "far.bed: line 1: end 11 is beyond contig"),
        (["good.vcf", "good.vcf", "--out", "far.bed"], "far.bed: cannot be made (File exists)"),
        (["good.vcf", "good.vcf", "--json", "no/x.json"], "no/x.json: there is no such folder"),
    ],
)
def test_one_line(folder, arguments, word):
    done = run(folder, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"lingqu: error: {word}")
