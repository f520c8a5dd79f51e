"""BGZF: gzip in blocks of at most 64 KiB that can be addressed (SAM specification, section 4.1).

Most BAM records are compressed by our own kernels (bam_deflate), all else by libdeflate at one
pinned level: both write the same bytes on any CPU.
"""

import struct

import numpy as np
from deflate import crc32, deflate_compress
from isal import igzip, isal_zlib

from lingqu.base.errors import LingquError

LEVEL = 6
PAYLOAD = 0xFF00
"""Most bytes that one block holds, as in htslib: what cannot be compressed still fits."""

EOF = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that ends a whole file."""

_HEAD = bytes.fromhex("1f8b08040000000000ff060042430200")
_OVERHEAD = len(_HEAD) + 2 + 8


def block(data, body) -> bytes:
    """One BGZF block: DEFLATE stream `body`, of `data` (at most PAYLOAD bytes)."""
    size = struct.pack("<H", len(body) + _OVERHEAD - 1)
    return b"".join((_HEAD, size, body, struct.pack("<II", crc32(data), len(data))))


def compress(data: bytes | np.ndarray) -> bytes:
    """Whole BGZF blocks (without the EOF block) of `data` (bytes or uint8[n]); b"" of nothing."""
    view = memoryview(data)
    pieces = (view[start : start + PAYLOAD] for start in range(0, len(view), PAYLOAD))
    return b"".join(block(piece, deflate_compress(piece, LEVEL)) for piece in pieces)


def is_bgzf(start: bytes) -> bool:
    """Whether a file that begins with `start` (18 bytes or more) is BGZF and not other gzip."""
    return start[:4] == _HEAD[:4] and start[10:16] == _HEAD[10:16]


def block_size(data, at: int, name: str = "BGZF") -> int:
    """Bytes of the block that begins at `data[at]`; LingquError where no whole block does."""
    head = bytes(data[at : at + 18])
    if len(head) < 18 or not is_bgzf(head):
        raise LingquError(f"{name}: byte {at}: no BGZF block; the file is damaged, make it again")
    size = struct.unpack_from("<H", head, 16)[0] + 1
    if at + size > len(data):
        raise LingquError(f"{name}: truncated in its last block; copy or make it again")
    return size


def decompress(data, name: str = "BGZF") -> bytes:
    """The bytes behind the whole blocks in `data`; `name` is what an error calls it.

    LingquError on a truncated or damaged block.
    """
    view, at, pieces = memoryview(data), 0, []
    while at < len(view):
        size = block_size(view, at, name)
        check, length = struct.unpack_from("<II", view, at + size - 8)
        try:
            piece = isal_zlib.decompress(view[at + 18 : at + size - 8], -15, max(length, 1))
        except isal_zlib.error:
            piece = b""
        if len(piece) != length or isal_zlib.crc32(piece) != check:
            raise LingquError(f"{name}: byte {at}: damaged BGZF block; copy or make it again")
        pieces.append(piece)
        at += size
    return b"".join(pieces)


def decompress_into(data: np.ndarray, out: np.ndarray, name: str = "BGZF") -> None:
    """As `decompress`, of uint8[m] whole blocks into uint8[n], which they must fill.

    In one go: the GIL is not asked for again after each block.
    """
    reader, filled = igzip._GzipReader(data), 0
    try:
        while filled < len(out) and (more := reader.readinto(out[filled:])):
            filled += more
    except (OSError, EOFError, isal_zlib.error):
        filled = -1
    if filled != len(out):
        decompress(data, name)  # finds the block
        raise LingquError(f"{name}: damaged BGZF block; copy or make it again")
