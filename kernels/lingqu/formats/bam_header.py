"""The header of our BAM and CRAM files (SAM specification 1.3 and 4.2)."""

import struct

from lingqu import __version__
from lingqu.formats.reference import Reference


def header_text(reference: Reference, groups: list[dict[str, str]], command: str) -> str:
    """SAM header of a coordinate-sorted file.

    groups: fields of the @RG lines, ID first. command: the command line, without what does not
    change the output.
    """
    lines = ["@HD\tVN:1.6\tSO:coordinate"]
    for name, length, md5 in zip(reference.names, reference.lengths, reference.md5s, strict=True):
        lines.append(f"@SQ\tSN:{name}\tLN:{length}\tM5:{md5}")
    for group in groups:
        lines.append("\t".join(["@RG", *(f"{key}:{value}" for key, value in group.items())]))
    lines.append(f"@PG\tID:lingqu\tPN:lingqu\tVN:{__version__}\tCL:{command}")
    return "\n".join(lines) + "\n"


def bam_header(reference: Reference, text: str) -> bytes:
    """The uncompressed start of a BAM file with header `text`."""
    raw = text.encode()
    parts = [b"BAM\1", struct.pack("<i", len(raw)), raw]
    parts.append(struct.pack("<i", len(reference.names)))
    for name, length in zip(reference.names, reference.lengths, strict=True):
        parts.append(struct.pack("<i", len(name) + 1) + name.encode() + b"\0")
        parts.append(struct.pack("<i", length))
    return b"".join(parts)
