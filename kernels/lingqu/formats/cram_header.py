"""The start of our CRAM files (CRAM specification 3.1, sections 6 to 8).

htslib puts into its own the path of the file and of the FASTA, which the bytes must not depend on.
"""

import struct

from deflate import crc32, gzip_compress

_GZIP, _FILE_HEADER = 1, 0


def _itf8(value: int) -> bytes:
    """A number below 2^28 as ITF-8 (section 2.3)."""
    more = next(n for n in range(4) if value < 1 << (7 * n + 7))
    lead = (0xF0 << (4 - more)) & 0xF0
    return (value | lead << (8 * more)).to_bytes(more + 1, "big")


def _checked(data: bytes) -> bytes:
    return data + struct.pack("<I", crc32(data))


def cram_header(version: bytes, text: str) -> bytes:
    """File definition with an empty file ID, and the container of the SAM header `text`.

    version: major and minor number, a byte each.
    """
    raw = text.encode()
    raw = struct.pack("<i", len(raw)) + raw
    packed = bytes(gzip_compress(raw, 6))
    sizes = _itf8(len(packed)) + _itf8(len(raw))
    block = _checked(bytes((_GZIP, _FILE_HEADER, 0)) + sizes + packed)
    # reference, start, span, records, record counter, bases; one block, one landmark, at 0
    container = struct.pack("<i", len(block)) + bytes(6) + bytes((1, 1, 0))
    return b"CRAM" + version + bytes(20) + _checked(container) + block
