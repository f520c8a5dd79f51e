"""SHA-256 of files, in the lines that `sha256sum -c` checks."""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lingqu.base.errors import LingquError


def digest(path: str) -> str:
    """The SHA-256 of a file's bytes; LingquError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LingquError(f"{path}: cannot be read ({error.strerror})") from None


def digest_lines(paths: Iterable[str], threads: int = 1) -> Iterator[str]:
    """A line "digest  name" of each file, in their order; as many files at a time as threads."""
    paths = list(paths)
    with ThreadPoolExecutor(threads) as pool:  # hashing lets other threads run
        for found, path in zip(pool.map(digest, paths), paths, strict=True):
            yield f"{found}  {path}"


def read_digests(path: Path) -> dict[str, str]:
    """{name: digest} of such lines; nothing where there is no file."""
    if not path.is_file():
        return {}
    rows = (line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines())
    return {name: found for found, name in rows}
