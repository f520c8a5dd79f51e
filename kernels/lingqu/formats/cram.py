"""CRAM out: htslib's codec, one thread, so that the bytes are the input's alone."""

from pathlib import Path

import pysam

from lingqu.base.atomic import publish
from lingqu.formats.bam_index import indices_of
from lingqu.formats.cram_index import crai_bytes
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import Reference


def write_cram(bam: Path, out: Path, reference: Reference, within: Path | None = None) -> Path:
    """Publish the records of a coordinate-sorted BAM file as CRAM with its .crai; the latter.

    within: as of `publish`.
    """
    fasta = str(htslib_fasta(reference))
    options = {"reference_filename": fasta, "format_options": [b"multi_seq_per_slice=0"]}
    with (
        publish(out, within, indices_of(out)) as beside,
        pysam.AlignmentFile(str(bam), check_sq=False) as reader,
        pysam.AlignmentFile(str(beside), "wc", template=reader, **options) as writer,
    ):
        for record in reader:
            writer.write(record)
    path = Path(f"{out}.crai")
    with publish(path) as beside:
        beside.write_bytes(crai_bytes(out))
    return path
