"""Where a run's chunks come from: FASTQ files of lanes, or BAM and CRAM files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lingqu.align.lanes import Lane, read_group
from lingqu.align.options import Options
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
                yield from read_alignment_chunks(first, own, lane.files[0], self.reference)
            else:
                yield from read_chunks(first, lane.files)

    def command(self, fasta: Path, sample: str, options: Options) -> str:
        """The command line for @PG: without folders, output, threads and backend."""
        files = [path.name for lane in self.lanes for path in lane.files]
        return " ".join(["lingqu align", fasta.name, *files, "--sample", sample, *options.words()])


def open_source(lanes: list[Lane], sample: str, reference: Reference) -> Source:
    """The source of a run; LingquError on a file that cannot be read."""
    groups, first = [], []
    for lane in lanes:
        first.append(len(groups))
        if lane.group:
            groups.append(lane.group)
        else:
            own = read_groups_of(lane.files[0], reference) or [{}]
            groups += [read_group(group | {"SM": sample}, sample) for group in own]
    return Source(lanes, groups, first, reference)
