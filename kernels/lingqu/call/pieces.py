"""A gVCF cut by shard: what a cohort keeps of one sample and shard."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lingqu.base.errors import LingquError
from lingqu.call.gvcf import NON_REF
from lingqu.call.kernels.cohort_blocks import BLOCK, PLOIDY, most_bytes, pack_blocks
from lingqu.call.kernels.gvcf_lines import (
    AT,
    BAD_BLOCK,
    BLOCKS,
    FAULT,
    INTS,
    LAST,
    LAST_INTS,
    LAST_LETTERS,
    LETTERS,
    MOST_ALTS,
    NEW_SHARD,
    NO_GVCF,
    OTHER_CONTIG,
    REACHES,
    RECORDS,
    ROOM,
    SCRATCH,
    STATE,
    TEXT_END,
    cut_lines,
)
from lingqu.formats.reference import Reference
from lingqu.formats.vcf import open_vcf, read_text

SIZE = 100_000
"""Bases of a shard; cuts are at multiples of it."""


class Piece(NamedTuple):
    """The records of a sample over a shard, what reaches over its cuts too.

    records: how many. ints: int32, letters: uint8, see kernels.gvcf_lines.
    """

    records: int
    ints: np.ndarray
    letters: np.ndarray

    def pack(self) -> bytes:
        """As `unpack` takes it: the sizes (int64[3]), then the arrays."""
        sizes = np.array([self.records, len(self.ints), len(self.letters)], np.int64)
        return b"".join((sizes.tobytes(), self.ints.tobytes(), self.letters.tobytes()))


def unpack(data: bytes) -> Piece:
    """The records that `pack` made data of; of b"" none."""
    records, ints, letters = np.frombuffer(data or bytes(24), np.int64, 3).tolist()
    if not records:
        return Piece(0, np.empty(0, np.int32), np.empty(0, np.uint8))
    return Piece(
        records,
        np.frombuffer(data, np.int32, ints, 24),
        np.frombuffer(data, np.uint8, letters, 24 + 4 * ints),
    )


def first_shards(reference: Reference) -> np.ndarray:
    """int64[contigs + 1]: number of the first shard of each contig, then that of all shards."""
    return np.concatenate(([0], np.cumsum(-(-np.asarray(reference.lengths) // SIZE))))


def block_bytes(blocks: np.ndarray) -> bytes:
    """Blocks (int64[n, BLOCK]) as kernels.cohort_blocks has them; no bytes of none."""
    out = np.empty(most_bytes(len(blocks)), np.uint8)
    return out[: pack_blocks(blocks, out)].tobytes()


class _Reaching(NamedTuple):
    """A block (BLOCK numbers) or a record (ints, letters) that ends at `end`."""

    end: int
    block: tuple[int, ...]
    ints: np.ndarray
    letters: np.ndarray


class _Shard:
    """The shard that is being filled: number `number`, up to place `end` of its contig."""

    def __init__(self, number: int, end: int, reaching: list[_Reaching]):
        self.number, self.end, self.reaching = number, end, reaching
        records = [one for one in reaching if not one.block[PLOIDY]]
        self.records = len(records)
        self.ints = [np.empty(0, np.int32), *(one.ints for one in records)]
        self.letters = [np.empty(0, np.uint8), *(one.letters for one in records)]
        blocks = [one.block for one in reaching if one.block[PLOIDY]]
        self.blocks = [np.array(blocks, np.int64).reshape(-1, BLOCK)]

    def piece(self) -> tuple[int, Piece, bytes]:
        piece = Piece(self.records, np.concatenate(self.ints), np.concatenate(self.letters))
        return self.number, piece, block_bytes(np.concatenate(self.blocks))

    def is_empty(self) -> bool:
        return not self.records and not sum(map(len, self.blocks))


class _Cutter:
    """Takes the text of a gVCF, block by block, and gives the pieces that are finished."""

    def __init__(self, path: Path, reference: Reference):
        self._path, self._reference, self._firsts = path, reference, first_shards(reference)
        self._state, self._block = np.zeros(STATE, np.int64), np.zeros(BLOCK, np.int64)
        self._fields = np.empty(SCRATCH, np.int64)
        self._tid, self._ref, self._name = -1, np.empty(0, np.uint8), np.empty(0, np.uint8)
        self._shard: _Shard | None = None
        self._room = self._scratch(0)

    @staticmethod
    def _scratch(size: int):
        blocks = np.empty((size // 24 + 1, BLOCK), np.int64)
        return blocks, np.empty(size + ROOM, np.int32), np.empty(size + ROOM, np.uint8)

    def feed(self, number: int, text: bytes) -> Iterator[tuple[int, Piece, bytes]]:
        """What `cut` yields, as far as lines `number` and following show it to be finished."""
        data = np.frombuffer(text, np.uint8)
        if len(self._room[1]) < len(data) + ROOM:
            self._room = self._scratch(len(data))
        self._state[AT] = 0
        why = OTHER_CONTIG if self._shard is None else self._cut(data)
        while why != TEXT_END:
            if why == NEW_SHARD:
                yield from self._go_on(int(self._firsts[self._tid] + self._block[0] // SIZE))
            elif why == OTHER_CONTIG:
                yield from self.finish()
                self._enter(number, text)
            elif why != REACHES:
                raise self._fault(why, number, text)
            why = self._cut(data)

    def finish(self) -> Iterator[tuple[int, Piece, bytes]]:
        """What is left of a contig."""
        if self._shard:
            yield from self._go_on(int(self._firsts[self._tid + 1]))

    def _cut(self, data: np.ndarray) -> int:
        """Read on into the shard; see `cut_lines`."""
        shard, state = self._shard, self._state
        why = cut_lines(
            data, self._name, self._ref, shard.end, state, self._block, self._fields, *self._room
        )
        blocks, ints, letters = (
            array[: state[k]].copy()
            for array, k in zip(self._room, (BLOCKS, INTS, LETTERS), strict=True)
        )
        if why == REACHES:
            last = ints[state[LAST_INTS] :], letters[state[LAST_LETTERS] :]
            told = tuple(self._block.tolist())
            shard.reaching.append(_Reaching(told[1], told, *last))
        shard.blocks.append(blocks)
        shard.ints.append(ints)
        shard.letters.append(letters)
        shard.records += int(state[RECORDS])
        state[[BLOCKS, INTS, LETTERS, RECORDS, LAST_INTS, LAST_LETTERS]] = 0
        return why

    def _begin(self, number: int, reaching: list[_Reaching]) -> None:
        end = (number - int(self._firsts[self._tid]) + 1) * SIZE
        self._shard = _Shard(number, end, [one for one in reaching if one.end > end - SIZE])

    def _go_on(self, number: int) -> Iterator[tuple[int, Piece, bytes]]:
        """Finish all shards before `number`, which begins."""
        while self._shard.number < number:
            shard = self._shard
            if not shard.is_empty():
                yield shard.piece()
            self._begin(shard.number + 1 if shard.reaching else number, shard.reaching)

    def _enter(self, number: int, text: bytes) -> None:
        """Begin the contig of the line that is next."""
        at = int(self._state[AT])
        name = text[at : text.find(b"\t", at)]
        spelled = name.decode("utf-8", "surrogateescape")
        known = spelled in self._reference.names and b"\n" not in name
        tid = self._reference.tid(spelled) if known else -1
        if tid < 0 or tid == self._tid:
            raise self._fault(FAULT, number, text)
        if tid < self._tid:
            raise LingquError(
                f"{self._line(number, text)}: contig {spelled!r} is not in the order of the"
                " reference; sort the file"
            )
        self._fields = np.empty(SCRATCH, np.int64)
        self._tid, self._ref = tid, self._reference.contig(tid)
        self._name = np.frombuffer(name, np.uint8)
        self._state[LAST] = 0
        self._begin(int(self._firsts[tid]), [])

    def _line(self, number: int, text: bytes) -> str:
        """What an error calls the line that is next."""
        before = text.count(b"\n", 0, int(self._state[AT]))
        return f"{self._path}: line {number + before}"

    def _fault(self, why: int, number: int, text: bytes) -> LingquError:
        line = self._line(number, text)
        if why == NO_GVCF:
            return LingquError(
                f"{line}: no {NON_REF} allele; name a gVCF (lingqu call -o SAMPLE.g.vcf.gz)"
            )
        if why == BAD_BLOCK:
            return LingquError(f"{line}: malformed reference block; make the gVCF again")
        with open_vcf(self._path, self._reference) as reader:  # which tells what is wrong
            for _ in reader:
                pass
        return LingquError(
            f"{line}: malformed record, or one of more than {MOST_ALTS} ALT alleles; make the gVCF"
            " again"
        )


def cut(path: Path, reference: Reference) -> Iterator[tuple[int, Piece, bytes]]:
    """(number of the shard, records, blocks) in order, from one pass over a gVCF of one sample.

    The blocks are bytes, see kernels.cohort_blocks. LingquError where the file is damaged,
    malformed, no gVCF, or not of the reference or in its order.
    """
    cutter = _Cutter(path, reference)
    for number, text in read_text(path):
        yield from cutter.feed(number, text)
    yield from cutter.finish()
