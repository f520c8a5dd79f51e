"""Bases as small integers: A, C, G, T are 0 to 3; N and every other IUPAC letter is 4."""

import numpy as np

ANY = 4
"""Code of a base that matches nothing."""


def _table() -> np.ndarray:
    table = np.full(256, 255, np.uint8)
    for letter in "RYSWKMBDHVN":
        table[ord(letter)] = table[ord(letter.lower())] = ANY
    for code, letter in enumerate("ACGT"):
        table[ord(letter)] = table[ord(letter.lower())] = code
    table[ord("U")] = table[ord("u")] = 3
    return table


CODE_OF_ASCII = _table()
"""uint8[256]: code of an ASCII letter in either case, 255 where it is no IUPAC letter."""

_LETTERS = b"ACGTN".ljust(256, b"?")

ASCII_OF_CODE = np.frombuffer(b"ACGTN", np.uint8)
"""uint8[5]: letter of a code."""


def encode(text: str | bytes) -> np.ndarray:
    """Codes (uint8[n]) of a sequence of IUPAC letters; ValueError on any other character."""
    raw = text.encode() if isinstance(text, str) else text
    codes = CODE_OF_ASCII[np.frombuffer(raw, np.uint8)]
    if (codes == 255).any():
        where = int(np.argmax(codes == 255))
        raise ValueError(f"character {chr(raw[where])!r} at {where + 1} is no base")
    return codes


def decode(codes: np.ndarray) -> str:
    """Letters of `codes` (uint8[n], 0 to 4)."""
    return codes.tobytes().translate(_LETTERS).decode()


def reverse_complement(codes: np.ndarray) -> np.ndarray:
    """Reverse complement of `codes` (uint8[n]) as a new array."""
    flipped = codes[::-1].copy()
    return np.where(flipped < ANY, 3 - flipped, ANY).astype(np.uint8)
