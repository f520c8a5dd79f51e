"""CRAI: where each slice of a CRAM file lies (CRAM specification 3.1, sections 7 to 9, 12)."""

import struct
from pathlib import Path

from deflate import gzip_compress

DEFINITION = 26
"""Bytes of the file definition, before the first container."""

_EOF_START = 4542278
_SLICE_HEADER = 2


def _itf8(data: bytes, at: int) -> tuple[int, int]:
    """(signed 32-bit number, position after it) at data[at]."""
    first = data[at]
    more = 0 if first < 0x80 else 1 if first < 0xC0 else 2 if first < 0xE0 else 3
    if first >= 0xF0:
        value = (first & 15) << 28 | int.from_bytes(data[at + 1 : at + 4], "big") << 4
        value |= data[at + 4] & 15
        return value - (1 << 32 if value >> 31 else 0), at + 5
    value = (first & (0x7F >> more)) << (8 * more)
    return value | int.from_bytes(data[at + 1 : at + 1 + more], "big"), at + 1 + more


def _ltf8(data: bytes, at: int) -> tuple[int, int]:
    """(number below 2^63, position after it) at data[at]."""
    first, more = data[at], 0
    while more < 8 and first & (0x80 >> more):
        more += 1
    value = (first & (0x7F >> more)) << (8 * more) if more < 7 else 0
    return value | int.from_bytes(data[at + 1 : at + 1 + more], "big"), at + 1 + more


def container(stream, at: int) -> tuple[int, int, int, list[int]] | None:
    """What lies where in the container at byte `at`; None at the end of file container.

    (its first reference, where its blocks begin, where the next container does, landmarks).
    """
    stream.seek(at)
    head = stream.read(4096)
    size = struct.unpack_from("<i", head, 0)[0]
    reference, position = _itf8(head, 4)
    start, position = _itf8(head, position)
    if size <= 15 and reference == -1 and start == _EOF_START:
        return None
    for _ in range(2):
        _, position = _itf8(head, position)
    for _ in range(2):
        _, position = _ltf8(head, position)
    _, position = _itf8(head, position)
    count, position = _itf8(head, position)
    landmarks = []
    for _ in range(count):
        landmark, position = _itf8(head, position)
        landmarks.append(landmark)
    blocks = at + position + 4
    return reference, blocks, blocks + size, landmarks


def _slice(stream, at: int) -> tuple[int, int, int]:
    """(reference, start, bases) of the slice at byte `at`."""
    stream.seek(at)
    head = stream.read(64)
    if head[1] != _SLICE_HEADER or head[0] != 0:
        raise ValueError(f"byte {at}: no plain slice header")
    position = 3
    for _ in range(2):
        _, position = _itf8(head, position)
    reference, position = _itf8(head, position)
    start, position = _itf8(head, position)
    return reference, start, _itf8(head, position)[0]


def crai_bytes(cram: Path) -> bytes:
    """Contents of the .crai of a CRAM file whose slices are of one reference each."""
    lines = []
    with cram.open("rb") as stream:
        found = container(stream, DEFINITION)  # the header's container has no slices
        while found:
            at = found[2]
            found = container(stream, at)
            if not found:
                break
            _, blocks, end, landmarks = found
            ends = [*landmarks[1:], end - blocks]
            for landmark, stop in zip(landmarks, ends, strict=True):
                reference, start, bases = _slice(stream, blocks + landmark)
                lines.append(
                    f"{reference}\t{start}\t{bases}\t{at}\t{landmark}\t{stop - landmark}\n"
                )
    return bytes(gzip_compress("".join(lines).encode(), 6))
