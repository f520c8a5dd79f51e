"""VCF in and out: a record is a line of text; a file is written whole or not at all."""

import contextlib
import gzip
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pysam
from isal import igzip, isal_zlib

from lingqu import __version__
from lingqu.base.atomic import publish
from lingqu.base.errors import LingquError
from lingqu.formats.bgzf import EOF, PAYLOAD, compress, is_bgzf
from lingqu.formats.reference import Reference
from lingqu.sequence.codes import CODE_OF_ASCII, decode

COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
_HOLD = 16 * PAYLOAD
_TBI_REACH = 1 << 29


# Writing


def header_lines(
    reference: Reference, meta: Iterable[str] = (), samples: Sequence[str] = ()
) -> list[str]:
    """The lines of a VCF 4.2 header, `#CHROM` included, without line ends.

    Nothing of 4.3 is needed, and htsjdk reads a file of it but cannot write its header again.

    meta: the caller's `##INFO`, `##FORMAT`, `##FILTER` lines, put after the contigs.
    """
    described = zip(reference.names, reference.lengths, reference.md5s, strict=True)
    return [
        "##fileformat=VCFv4.2",
        f"##source=lingqu {__version__}",
        f"##reference={reference.path.name}",
        *(f"##contig=<ID={name},length={length},md5={md5}>" for name, length, md5 in described),
        *meta,
        "\t".join([*COLUMNS, *(["FORMAT", *samples] if samples else [])]),
    ]


class VcfWriter:
    """Write a VCF: `with VcfWriter(path, header_lines(...)) as out: out.write(line)`.

    The ending of `path` says how: `.vcf`, `.vcf.gz` (BGZF, with a `.tbi` beside it, or a `.csi`
    where a contig is too long for that) or `.bcf` (with a `.csi`). Records are written in the
    order of the reference; threads compress a BGZF, whose bytes stay the same. File and index get
    their names on a clean exit only; after a fault neither is there. LingquError on another ending;
    OSError where the disk does not take it.
    """

    def __init__(self, path: str | Path, header: Sequence[str], threads: int = 1):
        path = Path(path)
        if not path.name.endswith((".vcf", ".vcf.gz", ".bcf")):
            raise LingquError(f"{path}: no VCF ending; name it .vcf, .vcf.gz or .bcf")
        self._path, self._header, self._threads, self._folder = path, header, threads, None

    def within(self, folder: Path) -> "VcfWriter":
        """Put the temporary files into `folder` (see `publish`); returns the writer."""
        self._folder = folder
        return self

    def __enter__(self) -> "VcfWriter":
        self._writing = _writing(self._path, self._header, self._threads, self._folder)
        self._write = self._writing.__enter__()
        return self

    def __exit__(self, *fault) -> bool | None:
        return self._writing.__exit__(*fault)

    def write(self, line: str) -> None:
        """Write one record (or several, joined by line ends), without the final line end."""
        self._write(line.encode("utf-8", "surrogateescape") + b"\n")

    def write_bytes(self, text: bytes) -> None:
        """Write lines with their ends, in pieces that may be cut anywhere."""
        self._write(text)


def _index_ending(path: Path, header: Sequence[str]) -> str | None:
    if path.name.endswith(".vcf"):
        return None
    lengths = (re.search(r"^##contig=.*[<,]length=(\d+)", line) for line in header)
    longest = max((int(found[1]) for found in lengths if found), default=0)
    return ".csi" if path.suffix == ".bcf" or longest > _TBI_REACH else ".tbi"


@contextlib.contextmanager
def _writing(
    path: Path, header: Sequence[str], threads: int, within: Path | None
) -> Iterator[Callable[[bytes], object]]:
    ending = _index_ending(path, header)
    with contextlib.ExitStack() as published:
        # Left in reverse order: the file gets its name before its index does.
        index = published.enter_context(publish(f"{path}{ending}", within)) if ending else None
        old = [f"{path}{end}" for end in (".tbi", ".csi")]
        beside = published.enter_context(publish(path, within, old))
        how = {".vcf": _plain, ".gz": _bgzf, ".bcf": _bcf}[path.suffix]
        with how(beside, threads) as write:
            write("".join(f"{line}\n" for line in header).encode("utf-8", "surrogateescape"))
            yield write
        if index:
            preset = "bcf" if ending == ".csi" and path.suffix == ".bcf" else "vcf"
            csi = ending == ".csi"
            pysam.tabix_index(str(beside), preset=preset, index=str(index), csi=csi, force=True)


@contextlib.contextmanager
def _plain(path: Path, _threads: int) -> Iterator[Callable[[bytes], object]]:
    with path.open("wb") as out:
        yield out.write


@contextlib.contextmanager
def _bgzf(path: Path, threads: int) -> Iterator[Callable[[bytes], object]]:
    with path.open("wb") as out, ThreadPoolExecutor(threads) as pool:
        held, waiting = bytearray(), deque()

        def write(data: bytes) -> None:
            held.extend(data)
            while len(held) >= _HOLD:
                waiting.append(pool.submit(compress, bytes(held[:_HOLD])))
                del held[:_HOLD]
                if len(waiting) > 2 * threads:
                    out.write(waiting.popleft().result())

        yield write
        for piece in waiting:
            out.write(piece.result())
        out.write(compress(bytes(held)) + EOF)


@contextlib.contextmanager
def _bcf(path: Path, threads: int) -> Iterator[Callable[[bytes], object]]:
    text = path.with_name(path.name + ".vcf")
    try:
        with _plain(text, threads) as write:
            yield write
        with (
            pysam.VariantFile(str(text)) as records,
            pysam.VariantFile(str(path), "wb", header=records.header) as out,
        ):
            for record in records:
                out.write(record)
    finally:
        text.unlink(missing_ok=True)


# Reading


@dataclass(frozen=True, slots=True)
class Genotype:
    """One sample at one record. alleles: 0 is REF, i is ALT i, -1 is missing; () without a GT."""

    alleles: tuple[int, ...]
    phased: bool
    phase_set: str | None


@dataclass(frozen=True, slots=True)
class VcfRecord:
    """One line. number: its line in the file (record in a BCF); pos: 0-based; fields: columns."""

    number: int
    contig: str
    pos: int
    ref: str
    alts: tuple[str, ...]
    fields: list[str]

    @property
    def passes(self) -> bool:
        """FILTER is PASS or was not applied."""
        return self.fields[6] in ("PASS", ".")

    def genotype(self, sample: int) -> Genotype:
        """Genotype of the sample of that index; ValueError on a malformed GT."""
        keys = self.fields[8].split(":") if len(self.fields) > 9 else ()
        if "GT" not in keys:
            return Genotype((), False, None)
        values = self.fields[9 + sample].split(":")
        called = values[keys.index("GT")].lstrip("/|")
        at = keys.index("PS") if "PS" in keys else len(values)
        phase_set = values[at] if at < len(values) else "."
        alleles = tuple(
            -1 if allele == "." else int(allele) for allele in called.replace("|", "/").split("/")
        )
        if "-" in called or max(alleles) > len(self.alts):
            raise ValueError(called)
        phased = "|" in called and "/" not in called
        return Genotype(alleles, phased, None if phase_set == "." else phase_set)


class VcfReader:
    """An open VCF or BCF: `header` (its lines, `#CHROM` last), `samples`, and the records."""

    def __init__(self, path: Path, lines: Iterator[str], reference: Reference | None):
        self.path = path
        self._lines = enumerate(lines, 1)
        self._reference = reference
        self.header = self._header()
        self.samples = self.header[-1].split("\t")[9:]

    def _header(self) -> list[str]:
        header = []
        for number, line in self._lines:
            if number == 1 and not line.startswith("##fileformat=VCF"):
                break
            if not line.startswith("#"):
                break
            header.append(line)
            if line.startswith("#CHROM\t"):
                return header
        raise LingquError(f"{self.path}: no VCF header (##fileformat to #CHROM); name a VCF file")

    def __iter__(self) -> Iterator[VcfRecord]:
        """Records in file order.

        LingquError on a malformed line, and where the order is broken; with a reference also where
        contig or REF disagree with it.
        """
        seen: set[str] = set()
        contig, last, sequence = None, -1, None
        columns = max(len(COLUMNS), len(self.header[-1].split("\t")))
        for number, line in self._lines:
            fields = line.split("\t")
            if len(fields) != columns:
                raise self._fault(
                    number, f"{len(fields)} columns, not {columns}; the file is cut or malformed"
                )
            if not fields[1].isdecimal():
                raise self._fault(number, f"POS {fields[1]!r} is no number; mend the file")
            pos = int(fields[1]) - 1
            if fields[0] != contig:
                contig, last = fields[0], -1
                if contig in seen:
                    raise self._fault(number, f"contig {contig!r} came before; sort the file")
                seen.add(contig)
                sequence = self._contig(number, contig)
            if pos < last:
                raise self._fault(number, f"{contig}:{pos + 1} after {last + 1}; sort the file")
            last = pos
            ref = fields[3].upper()
            if sequence is not None and not _same_ref(sequence, pos, ref):
                raise self._wrong_ref(number, sequence, contig, pos, ref)
            alts = tuple(fields[4].split(",")) if fields[4] != "." else ()
            yield VcfRecord(number, contig, pos, ref, alts, fields)

    def _fault(self, number: int, what: str) -> LingquError:
        return LingquError(f"{self.path}: line {number}: {what}")

    def _contig(self, number: int, name: str) -> np.ndarray | None:
        if self._reference is None:
            return None
        if name not in self._reference.names:
            raise self._fault(
                number,
                f"contig {name!r} is not in {self._reference.path};"
                " give the reference that the file was made with",
            )
        return self._reference.contig(self._reference.tid(name))

    def _wrong_ref(
        self, number: int, sequence: np.ndarray, contig: str, pos: int, ref: str
    ) -> LingquError:
        there = decode(sequence[max(pos, 0) : pos + len(ref)][:20])
        return self._fault(
            number,
            f"{contig}:{pos + 1} REF {ref[:20]!r}, but the reference has"
            f" {there or 'nothing (beyond the contig)'};"
            " give the reference that the file was made with",
        )


def _same_ref(sequence: np.ndarray, pos: int, ref: str) -> bool:
    """Whether REF (upper case) is what stands at `pos`; IUPAC letters count as N."""
    if len(ref) == 1 and ref in "ACGT" and 0 <= pos < len(sequence):
        return "ACGT".index(ref) == sequence[pos]
    if ref == "N" and pos in (-1, len(sequence)):  # before and after the telomeres
        return True
    there = sequence[max(pos, 0) : pos + len(ref)]
    codes = CODE_OF_ASCII[list(ref.encode("ascii", "replace"))]
    return len(there) == len(ref) and bool((codes == there).all())


@contextlib.contextmanager
def open_vcf(path: str | Path, reference: Reference | None = None) -> Iterator[VcfReader]:
    """Open a VCF (plain, gzip, BGZF) or BCF for one pass from its first record to its last.

    With a reference, contigs and REF of every record are held against it. LingquError on a
    missing, truncated, unsorted or malformed file.
    """
    path = Path(path)
    kind = _kind(path)
    if kind == "bcf":
        with pysam.VariantFile(str(path)) as records:
            yield VcfReader(path, _bcf_lines(records), reference)
    else:
        with (igzip.open if kind == "gzip" else open)(path, "rb") as raw:
            yield VcfReader(path, _text_lines(path, raw), reference)


def read_text(path: str | Path, size: int = 1 << 20) -> Iterator[tuple[int, bytes]]:
    """(number of the first line, whole lines behind the header) of a VCF or BCF, about size bytes.

    Of the lines nothing is checked. LingquError on a missing, truncated or damaged file.
    """
    path = Path(path)
    kind = _kind(path)
    number = 1
    with contextlib.ExitStack() as stack:
        if kind == "bcf":
            records = stack.enter_context(pysam.VariantFile(str(path)))
            lines = (f"{line}\n" for line in _bcf_lines(records))
            blocks = iter(lambda: _joined(islice(lines, size >> 7)), b"")
        else:
            raw = stack.enter_context((igzip.open if kind == "gzip" else open)(path, "rb"))
            blocks = iter(lambda: raw.read(size), b"")
        for block in _whole_lines(path, blocks):
            header = _header_size(block) if block.startswith(b"#") else 0
            if header < len(block):
                yield number + block.count(b"\n", 0, header), block[header:]
            number += block.count(b"\n")


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(lines).encode("utf-8", "surrogateescape")


def _whole_lines(path: Path, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same text cut at ends of lines; the last gets one where it has none."""
    rest = b""
    try:
        for block in blocks:
            cut = block.rfind(b"\n") + 1
            if cut:
                yield rest + block[:cut]
                rest = b""
            rest += block[cut:]
    except (EOFError, isal_zlib.error, gzip.BadGzipFile) as error:
        raise _broken(path, error) from None
    if rest:
        yield rest + b"\n"


def _header_size(block: bytes) -> int:
    """Bytes of the lines at the start of a block that are of the header."""
    at = 0
    while block.startswith(b"#", at):
        at = block.find(b"\n", at) + 1
    return at


def _kind(path: Path) -> str:
    """What a file is: "text", "gzip" or "bcf"."""
    try:
        with path.open("rb") as probe:
            if probe.read(2) != b"\x1f\x8b":
                return "text"
            _check_eof(path, probe)
        with igzip.open(path) as probe:
            return "bcf" if probe.read(3) == b"BCF" else "gzip"
    except OSError as error:
        raise LingquError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (EOFError, isal_zlib.error) as error:
        raise _broken(path, error) from None


def _broken(path: Path, error: Exception) -> LingquError:
    how = "truncated" if isinstance(error, EOFError) else "damaged"
    return LingquError(f"{path}: {how} gzip file; copy or download it again")


def _check_eof(path: Path, stream: BinaryIO) -> None:
    """A BGZF file ends with an empty block; without it, its tail was lost (SAM spec 4.1.2)."""
    stream.seek(0)
    if not is_bgzf(stream.read(18)):
        return
    stream.seek(-min(len(EOF), path.stat().st_size), io.SEEK_END)
    if stream.read() != EOF:
        raise _broken(path, EOFError())


def _text_lines(path: Path, raw: BinaryIO) -> Iterator[str]:
    try:
        for line in io.TextIOWrapper(raw, "utf-8", "surrogateescape", newline="\n"):
            yield line.rstrip("\r\n")
    except (EOFError, isal_zlib.error, gzip.BadGzipFile) as error:
        raise _broken(path, error) from None


def _bcf_lines(records: pysam.VariantFile) -> Iterator[str]:
    yield from str(records.header).rstrip("\n").split("\n")
    for record in records:
        yield str(record).rstrip("\n")
