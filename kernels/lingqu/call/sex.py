"""The sex that a sample's reads tell: copies of X and Y by depth."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lingqu.call.ploidy import chromosome
from lingqu.formats.bed import read_bed

_PAR = {
    155_270_560: ((60_000, 2_699_520), (154_931_043, 155_260_560)),  # GRCh37 X
    59_373_566: ((10_000, 2_649_520), (59_034_049, 59_363_566)),  # GRCh37 Y
    156_040_895: ((10_000, 2_781_479), (155_701_382, 156_030_895)),  # GRCh38 X
    57_227_415: ((10_000, 2_781_479), (56_887_902, 57_217_415)),  # GRCh38 Y
    154_259_566: ((0, 2_394_410), (153_925_834, 154_259_566)),  # T2T-CHM13 X
    62_460_029: ((0, 2_458_320), (62_122_809, 62_460_029)),  # T2T-CHM13 Y
}
"""Pseudoautosomal regions by the length of the contig."""

LEAST_DEPTH, LEAST_BASES = 5, 10_000
"""Median depth of the autosomes, and places of X, from which on copies are told."""
_NEAR = 0.3
"""How far twice a ratio may be from a whole number of copies."""
_KNOWN = {"XX", "XY", "X", "XXX", "XXY", "XYY"}


def pseudoautosomal(par: str | Path | None, lengths: Mapping[str, int]) -> dict[str, np.ndarray]:
    """int64[n, 2] of X and Y: those of a BED file, else those of the known human assemblies."""
    if par:
        return read_bed(par, lengths)
    return {
        contig: np.array(_PAR[length], np.int64)
        for contig, length in lengths.items()
        if chromosome(contig) in ("X", "Y") and length in _PAR
    }


def class_of(contig: str) -> str:
    """X, Y, "autosome" (numbers, and RefSeq's names of them), or "" for what is neither."""
    bare = contig.removeprefix("chr").partition(".")[0]
    if bare.removeprefix("NC_").isdecimal():
        number = int(bare.removeprefix("NC_"))
        if not bare.startswith("NC_") or 1 <= number <= 22 or 60_925 <= number <= 60_946:
            return "autosome"
    return name if (name := chromosome(contig)) in ("X", "Y") else ""


def _copies(ratio: float) -> int | None:
    near = round(2 * ratio)
    return near if abs(2 * ratio - near) <= _NEAR else None


def karyotype(x: float | None, y: float | None) -> str:
    """XX, XY, X, XXX, XXY or XYY by the depths of X and Y over that of the autosomes.

    "unknown" where these are no copies, and where there is no Y to look at.
    """
    if x is None or y is None:
        return "unknown"
    some = _copies(x), _copies(y)
    found = "unknown" if None in some else "X" * some[0] + "Y" * some[1]
    return found if found in _KNOWN else "unknown"
