"""CRAM out: htslib's codec, one thread, so that the bytes are the input's alone."""

from pathlib import Path

import pysam

from lingqu.base.atomic import publish
from lingqu.formats.cram_index import crai_bytes
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import Reference


def write_cram(bam: Path, out: Path, reference: Reference) -> Path:
    """Publish the records of a coordinate-sorted BAM file as CRAM with its .crai; the latter."""
    fasta = str(htslib_fasta(reference))
    with publish(out) as beside:
        with (
            pysam.AlignmentFile(str(bam), check_sq=False) as reader,
            pysam.AlignmentFile(
                str(beside), "wc", template=reader, reference_filename=fasta,
                format_options=[b"multi_seq_per_slice=0"],
            ) as writer,
        ):  # fmt: skip
            for record in reader:
                writer.write(record)
    path = Path(f"{out}.crai")
    with publish(path) as beside:
        beside.write_bytes(crai_bytes(out))
    return path
