"""CRAM out: htslib's codec, one thread, so that the bytes are the input's alone."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pysam

from lingqu.base.atomic import publish
from lingqu.formats.bam_index import indices_of
from lingqu.formats.cram_header import cram_header
from lingqu.formats.cram_index import DEFINITION, container, crai_bytes
from lingqu.formats.fasta_for_htslib import htslib_fasta
from lingqu.formats.reference import Reference

_FORMAT = [b"version=3.0", b"multi_seq_per_slice=0", b"store_nm=1", b"store_md=1"]
"""3.0 is what all readers know; NM and MD are kept, as not all readers make them anew."""


@contextlib.contextmanager
def _encoded(bam: Path, path: Path, fasta: Path) -> Iterator[str]:
    """A CRAM by htslib of the BAM's records, as `path`, and the SAM header; it is removed."""
    options = {"reference_filename": str(fasta), "format_options": _FORMAT}
    try:
        with (
            pysam.AlignmentFile(str(bam), check_sq=False) as reader,
            pysam.AlignmentFile(str(path), "wc", template=reader, **options) as writer,
        ):
            for record in reader:
                writer.write(record)
            text = str(reader.header)
        yield text
    finally:
        path.unlink(missing_ok=True)


def write_cram(bam: Path, out: Path, reference: Reference, within: Path | None = None) -> Path:
    """Publish the records of a coordinate-sorted BAM file as CRAM with its .crai; the latter.

    The bytes name no path: readers find the reference by MD5 or are given it. within: as of
    `publish`.
    """
    fasta = htslib_fasta(reference)
    with (
        publish(out, within, indices_of(out)) as beside,
        _encoded(bam, beside.with_suffix(".htslib.part"), fasta) as text,
        beside.with_suffix(".htslib.part").open("rb") as source,
        beside.open("wb") as target,
    ):
        source.seek(4)
        target.write(cram_header(source.read(2), text))
        source.seek(container(source, DEFINITION)[2])
        shutil.copyfileobj(source, target, 1 << 20)
    path = Path(f"{out}.crai")
    with publish(path, within) as beside:
        beside.write_bytes(crai_bytes(out))
    return path
