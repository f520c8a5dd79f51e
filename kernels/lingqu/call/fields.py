"""Every field that Lingqu writes into a VCF: its header line, and its row in kernels/FIELDS.md."""

from collections.abc import Iterable
from typing import NamedTuple

from lingqu.call.kernels.limits import MAX_TEMPLATES

LEAST_QUAL, PASS_QUAL, PASS_MAPQ = 5, 10, 30
SNV_BIAS, INDEL_BIAS = 40, 100
DENOVO = 20
"""DQ from which a child's allele is called new: a chance of 0.99."""
MIN_PHASE, MAX_PHASE = 20, 99
"""Phred: less clear odds join no two sites. One template whose bases are of Q30 gives about 30, two
of Q20 give 40; below 20 a phase would rest on bases that are hardly trusted one by one."""

FORMAT = "GT:GQ:DP:AD:PL"
PHASE_FORMAT = "PS:PQ"
"""What a record has behind FORMAT if it is in phase with another; last, where other keys follow."""
FAMILY_FORMAT = "PP:DQ:DN"
"""What the records of a cohort with a pedigree have behind FORMAT."""


class Field(NamedTuple):
    """A field: number and type as in the VCF specification ("" for a filter), and what it means."""

    column: str
    id: str
    number: str
    type: str
    meaning: str

    def line(self) -> str:
        """Its line of the header."""
        kind = f",Number={self.number},Type={self.type}" if self.number else ""
        return f'##{self.column}=<ID={self.id}{kind},Description="{self.meaning}">'


def _filter(name: str, meaning: str) -> Field:
    return Field("FILTER", name, "", "", meaning)


FILTERS = (
    _filter("PASS", "All filters passed"),
    _filter("LowQual", f"QUAL below {PASS_QUAL}"),
    _filter(
        "StrandBias",
        "ALT reads lie on one strand far more often than REF reads: FS above"
        f" {SNV_BIAS} for SNVs, above {INDEL_BIAS} for indels",
    ),
    _filter("LowMapQual", f"Root mean square of the mapping qualities (MQ) below {PASS_MAPQ}"),
)
INFO = (
    Field("INFO", "DP", "1", "Integer",
          "Templates (read pairs count once) over the site that were used; of more than"
          f" {MAX_TEMPLATES} in a region, a fair share is"),
    Field("INFO", "MQ", "1", "Float", "Root mean square of the mapping qualities"),
    Field("INFO", "FS", "1", "Float",
          "Phred-scaled p-value of a two-sided exact test (Fisher) for strand bias of ALT against"
          " REF reads"),
    Field("INFO", "DS", "1", "Integer",
          f"Downsampled: templates over the region, where more than {MAX_TEMPLATES} are there;"
          " which of them are used is told by the hash of their names"),
)  # fmt: skip
SAMPLE = (
    Field("FORMAT", "GT", "1", "String",
          "Genotype, the likeliest; with | where the record has a PS"),
    Field("FORMAT", "GQ", "1", "Integer", "Phred-scaled chance that GT is wrong"),
    Field("FORMAT", "DP", "1", "Integer", "Templates over the site"),
    Field("FORMAT", "AD", "R", "Integer", "Templates that tell the allele, by allele"),
    Field("FORMAT", "PL", "G", "Integer",
          "Phred-scaled likelihoods of the genotypes, relative to the best"),
)  # fmt: skip
PHASE = (
    Field("FORMAT", "PS", "1", "Integer",
          "Phase set: POS of its first record; alleles on one side of | are on one haplotype"),
    Field("FORMAT", "PQ", "1", "Integer",
          "Phred-scaled chance that the record is joined to its phase set the wrong way round; none"
          f" is below {MIN_PHASE}, and the first of a set has none"),
)  # fmt: skip
BLOCKS = (
    Field("ALT", "NON_REF", "", "",
          "Any allele that is neither REF nor another ALT of the record"),
    Field("INFO", "END", "1", "Integer",
          "Last place of a block of places that are as the reference and whose GQs are of one band"
          " (##GVCFBlock); of its places DP is the mean, MIN_DP and PL are the least"),
    Field("FORMAT", "MIN_DP", "1", "Integer", "Least DP of the places of a block"),
)  # fmt: skip
COHORT = (
    Field("INFO", "AC", "A", "Integer", "Copies of each ALT allele in GT"),
    Field("INFO", "AN", "1", "Integer", "Alleles in GT of all samples"),
    Field("INFO", "AF", "A", "Float", "AC by AN"),
    Field("INFO", "NS", "1", "Integer", "Samples with a genotype"),
    Field("INFO", "DP", "1", "Integer", "Templates over the site, all samples"),
    Field("FORMAT", "GT", "1", "String",
          "Genotype, the likeliest given PL and the allele frequencies of the cohort; with | where"
          " the sample has a PS"),
    Field("FORMAT", "GQ", "1", "Integer",
          "Phred-scaled chance that GT is wrong, given PL and the allele frequencies of the"
          " cohort"),
    Field("FORMAT", "DP", "1", "Integer",
          "Templates over the site; where the sample has a reference block, the least of the"
          " block"),
    Field("FORMAT", "AD", "R", "Integer",
          "Templates that tell the allele, by allele; for one that the sample has not seen, those"
          " that tell none of its own"),
    Field("FORMAT", "PL", "G", "Integer",
          "Phred-scaled likelihoods of the genotypes, relative to the best, without the allele"
          " frequencies of the cohort"),
    Field("FORMAT", "PS", "1", "Integer",
          "Phase set of the sample's own calls: POS of its first record there; told where GT is"
          " that of the sample's own call"),
    Field("FORMAT", "PQ", "1", "Integer",
          "Phred-scaled chance that the sample's own call is joined to its phase set the wrong way"
          " round"),
)  # fmt: skip
FAMILY = (
    Field("INFO", "MERR", "1", "Integer",
          "Children whose GT cannot come from those of their parents"),
    Field("FORMAT", "PP", "G", "Integer",
          "Phred-scaled posterior chances of the genotypes given the reads of all relatives and the"
          " frequencies of the alleles, relative to the greatest"),
    Field("FORMAT", "DQ", "1", "Float",
          "Phred-scaled chance that the child has no new mutation here"),
    Field("FORMAT", "DN", "1", "String",
          f"What the child has from its parents: Inherited; DeNovo (DQ of {DENOVO} or more); LowDQ"
          " (they disagree, by their own reads or by GT, but DQ is lower)"),
)  # fmt: skip

FILES = {
    "the calls of a sample (`lingqu call`)": (*FILTERS, *INFO, *SAMPLE, *PHASE),
    "gVCF (`lingqu call -o S.g.vcf.gz`), besides": BLOCKS,
    "cohort (`lingqu joint`)": (*FILTERS, *COHORT),
    "cohort with `--pedigree`, besides": FAMILY,
}
"""The fields of each kind of file."""


def lines(fields: Iterable[Field]) -> list[str]:
    """The header lines of fields."""
    return [field.line() for field in fields]


def table() -> str:
    """The table of kernels/FIELDS.md."""
    rows = ["| file | column | field | number | type | meaning |", "|---|---|---|---|---|---|"]
    for file, fields in FILES.items():
        for field in fields:
            cells = (file, field.column, field.id, field.number, field.type, field.meaning)
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows)
