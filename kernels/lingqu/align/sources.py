"""Where a run's chunks come from: FASTQ files of lanes, or BAM and CRAM files."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from lingqu.align.lanes import Lane, read_group
from lingqu.align.options import Options
from lingqu.align.umis import ends_early
from lingqu.base.errors import LingquError
from lingqu.formats.fastq import Chunk, read_chunks
from lingqu.formats.reference import Reference
from lingqu.formats.unaligned import is_alignment_file, read_alignment_chunks, read_groups_of


@dataclass
class Source:
    """The chunks of all lanes in order; `groups` are the @RG fields that Chunk.group numbers."""

    lanes: list[Lane]
    groups: list[dict[str, str]]
    first_group: list[int]
    reference: Reference

    def chunks(self) -> Iterator[Chunk]:
        """Chunks in the order that decides the output."""
        for lane, first in zip(self.lanes, self.first_group, strict=True):
            if is_alignment_file(lane.files[0]):
                own = [] if lane.group else [group["ID"] for group in self.groups[first:]]
                chunks = read_alignment_chunks(first, own, lane.files[0], self.reference)
            else:
                chunks = read_chunks(first, lane.files)
            yield from _with_umis(chunks, lane) if lane.umi else chunks

    def command(self, fasta: Path, sample: str, options: Options) -> str:
        """The command line for @PG: without folders, output, threads and backend."""
        files = [path.name for lane in self.lanes for path in lane.files]
        umis = [getattr(lane.umi, "name", lane.umi) for lane in self.lanes if lane.umi]
        words = [*files, "--sample", sample, *options.words()]
        words += [word for umi in dict.fromkeys(umis) for word in ("--umi", umi)]
        return " ".join(["lingqu align", fasta.name, *words])


def _with_umis(chunks: Iterator[Chunk], lane: Lane) -> Iterator[Chunk]:
    """Chunks that know where their UMIs are: in names, or in the chunks of a file."""
    if isinstance(lane.umi, str):
        for chunk in chunks:
            yield replace(chunk, umi=lane.umi)
        return
    done, files = 0, (str(lane.files[0]), str(lane.umi))
    for chunk, umis in zip_longest(chunks, read_chunks(0, (lane.umi,))):
        if chunk is None or umis is None:
            raise ends_early(*(files if chunk is None else files[::-1]), done)
        done += chunk.records
        yield replace(chunk, umi=umis)


def open_source(lanes: list[Lane], sample: str, reference: Reference) -> Source:
    """The source of a run; LingquError on a file that cannot be read."""
    groups, first = [], []
    for lane in lanes:
        if isinstance(lane.umi, Path) and is_alignment_file(lane.files[0]):
            raise LingquError(
                f"{lane.umi}: no FASTQ beside a BAM or CRAM; its UMIs are its RX tags"
            )
        first.append(len(groups))
        if lane.group:
            groups.append(lane.group)
        else:
            own = read_groups_of(lane.files[0], reference) or [{}]
            groups += [read_group(group | {"SM": sample}, sample) for group in own]
    return Source(lanes, groups, first, reference)
