"""Counts of a VCF's records."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from lingqu.formats.vcf import VcfRecord, open_vcf

_TRANSITIONS = {"AG", "GA", "CT", "TC"}


@dataclass
class SampleCounts:
    """Genotypes of one sample at the records that pass the filters."""

    reference: int = 0
    heterozygous: int = 0
    homozygous: int = 0
    missing: int = 0

    def add(self, alleles: tuple[int, ...]) -> None:
        """Count one genotype; hom is any genotype of one ALT, haploid ones too."""
        if not alleles or min(alleles) < 0:
            self.missing += 1
        elif not any(alleles):
            self.reference += 1
        elif len(set(alleles)) == 1:
            self.homozygous += 1
        else:
            self.heterozygous += 1


@dataclass
class SiteCounts:
    """records and filtered are all; the others are of records that pass the filters.

    A record with any ALT of another length than REF is an indel, any other a SNV. Transitions and
    transversions are counted by allele, at records of one base.
    """

    records: int = 0
    filtered: int = 0
    snvs: int = 0
    indels: int = 0
    multiallelic: int = 0
    transitions: int = 0
    transversions: int = 0
    genotypes: dict[str, SampleCounts] = field(default_factory=dict)

    def add(self, record: VcfRecord, samples: list[str]) -> None:
        """Count one record."""
        self.records += 1
        if not record.passes:
            self.filtered += 1
            return
        lengths = {len(alt) for alt in record.alts}
        self.snvs += lengths == {len(record.ref)}
        self.indels += lengths != {len(record.ref)}
        self.multiallelic += len(record.alts) > 1
        for alt in record.alts if len(record.ref) == 1 else ():
            if len(alt) == 1 and alt in "ACGT":
                changed = record.ref + alt in _TRANSITIONS
                self.transitions += changed
                self.transversions += not changed
        for number, sample in enumerate(samples):
            self.genotypes[sample].add(record.genotype(number).alleles)


def count_sites(path: Path) -> dict:
    """The SiteCounts of a VCF or BCF as a dictionary; LingquError where it cannot be read."""
    counts = SiteCounts()
    with open_vcf(path) as vcf:
        counts.genotypes = {sample: SampleCounts() for sample in vcf.samples}
        for record in vcf:
            counts.add(record, vcf.samples)
    return asdict(counts)
