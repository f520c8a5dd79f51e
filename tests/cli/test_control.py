"""A viral control from reads to calls: nothing where nothing is, and all that is planted."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pysam
import pytest

DATA = Path(__file__).parent.parent / "data" / "twist"
SIZES = (1, 2, 3, 6, 10, 15, 20, 30)
CONTEXT = 40
COVERED = 6


def _lingqu(folder: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "lingqu", *arguments], cwd=folder, check=True)


def _call(folder: Path) -> list[tuple[int, str, str]]:
    """(0-based place, REF, ALT) of the PASS calls of the control's reads against folder/ref.fa."""
    reads = [str(DATA / f"twist_R{mate}.fastq.gz") for mate in (1, 2)]
    amplicons = ("--sample", "control", "--no-duplicates")
    _lingqu(folder, "align", "ref.fa", *reads, *amplicons, "-o", "a.bam")
    _lingqu(folder, "call", "ref.fa", "a.bam", "--ploidy", "1", "-o", "a.vcf.gz")
    with pysam.VariantFile(str(folder / "a.vcf.gz")) as calls:
        return [(c.start, c.ref, c.alts[0]) for c in calls if list(c.filter) == ["PASS"]]


def _genome() -> str:
    return "".join((DATA / "reference.fa").read_text().upper().split("\n")[1:])


def _plant(rng: np.random.Generator, genome: str) -> tuple[str, list[tuple[int, int]]]:
    """A copy with 30 substitutions and 10 indels; and the place of each, in genome and copy."""
    places = np.sort(rng.choice(np.arange(300, len(genome) - 300, 100), 40, replace=False))
    kinds = rng.permutation(["S"] * 30 + ["I"] * 5 + ["D"] * 5)
    copy, last, planted = "", 0, []
    for place, kind in zip(places.tolist(), kinds, strict=True):
        copy += genome[last:place]
        planted.append((place, len(copy)))
        last, size = place, int(rng.choice(SIZES))
        if kind == "S":
            copy += rng.choice([base for base in "ACGT" if base != genome[place]])
            last += 1
        elif kind == "I":
            copy += "".join(rng.choice(list("ACGT"), size))
        else:
            last += size
    return copy + genome[last:], planted


def _applied(copy: str, calls: list[tuple[int, str, str]]) -> str:
    """The genome that the calls say the reads are of."""
    pieces, last = [], 0
    for place, ref, alt in calls:
        assert copy[place : place + len(ref)] == ref
        pieces += [copy[last:place], alt]
        last = place + len(ref)
    return "".join([*pieces, copy[last:]])


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    folder = tmp_path_factory.mktemp("control")
    shutil.copy(DATA / "reference.fa", folder / "ref.fa")
    return folder, _call(folder)


def test_a_control_without_variants_has_no_call(control):
    assert control[1] == []


@pytest.mark.parametrize("seed", [1, 2])
def test_all_that_is_planted_in_covered_places_is_found(control, tmp_path, seed):
    genome = _genome()
    copy, planted = _plant(np.random.default_rng(seed), genome)
    (tmp_path / "ref.fa").write_text(f">planted\n{copy}\n")
    told = _applied(copy, _call(tmp_path))
    with pysam.AlignmentFile(str(control[0] / "a.bam")) as reads:
        depth = np.sum(reads.count_coverage(reads.references[0]), axis=0)
    checked = 0
    for place, in_copy in planted:
        around = slice(place - CONTEXT, place + CONTEXT)
        if depth[around].min() < COVERED:
            continue
        checked += 1
        assert genome[around] in told, f"planted at {place}, in the copy at {in_copy}"
    assert checked > 30
