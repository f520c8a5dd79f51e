"""Phases of a sample's heterozygous calls, the same wherever the shards are cut.

A shard joins its own calls (`link_lines`); each line that can be phased then has one column more:
the place of the line it is joined to, the odds, and, near an end of the shard, the evidence.
`Phaser` takes the shards' lines in order, joins across the cuts, writes GT and PS, and takes that
column away.
"""

import base64
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lingqu.call.fields import MAX_PHASE, MIN_PHASE, PHASE_FORMAT
from lingqu.call.kernels.phase import LOOK, REACH, link

COLUMNS = 10
"""Columns of a line of one sample, without the one for the phase."""
GLUE = "\x1f"
"""Stands between lines that are handed on as one, as they only have to be written."""


class Evidence(NamedTuple):
    """What the templates say of a site's two alleles; see call/kernels/phase.py."""

    names: np.ndarray  # uint64[n], sorted
    shares: np.ndarray  # float32[n]


@dataclass
class Block:
    """Sites in phase with each other; first: POS of the first of them."""

    first: int
    size: int = 0


@dataclass
class Site:
    """A line that can be phased.

    parent: place of the site it is joined to, -1 for none. odds: log10 of cis over trans.
    """

    pos: int  # 0-based
    fields: list[str]
    parent: int
    odds: float
    evidence: Evidence | None
    block: Block = field(default_factory=lambda: Block(0))
    swapped: bool = False

    def join(self, parent: "Site | None") -> None:
        """Enter the block of the parent, or begin one."""
        if parent is None:
            self.block = Block(self.pos + 1)
        else:
            self.block = parent.block
            self.swapped = parent.swapped != (self.odds < 0)
        self.block.size += 1

    def line(self) -> str:
        """The line as it is written."""
        if self.block.size < 2:
            return "\t".join(self.fields)
        gt, rest = self.fields[9].split(":", 1)
        one, two = gt.split("/")
        gt = f"{two}|{one}" if self.swapped else f"{one}|{two}"
        quality = "." if self.block.first == self.pos + 1 else str(phred(self.odds))
        sample = f"{gt}:{rest}:{self.block.first}:{quality}"
        return "\t".join((*self.fields[:8], f"{self.fields[8]}:{PHASE_FORMAT}", sample))


def phred(odds: float) -> int:
    """Phred-scaled odds (log10) of the other phase."""
    return min(int(10 * abs(odds)), MAX_PHASE)


def _link(pos: list[int], evidence: list[Evidence], from_site: int):
    """(place of the parent, odds) of the sites, see the kernel."""
    first = np.cumsum([0, *(len(one.names) for one in evidence)], dtype=np.int64)
    names = np.concatenate([np.empty(0, np.uint64), *(one.names for one in evidence)])
    shares = np.concatenate([np.empty(0, np.float32), *(one.shares for one in evidence)])
    parent, odds = np.full(len(pos), -1, np.int64), np.zeros(len(pos))
    link(np.array(pos, np.int64), first, names, shares, from_site, parent, odds)
    return [pos[k] if k >= 0 else -1 for k in parent.tolist()], odds.tolist()


def _pack(evidence: Evidence) -> str:
    return ":".join(base64.b64encode(part.tobytes()).decode() for part in evidence)


def _unpack(names: str, shares: str) -> Evidence:
    return Evidence(
        np.frombuffer(base64.b64decode(names), np.uint64),
        np.frombuffer(base64.b64decode(shares), np.float32),
    )


def link_lines(lines: list[tuple[str, Evidence | None]], start: int, end: int) -> list[str]:
    """The lines of a shard [start, end), those with evidence with the column for the phase."""
    sites = [(k, int(line.split("\t", 2)[1]) - 1) for k, (line, told) in enumerate(lines) if told]
    parents, odds = _link([pos for _, pos in sites], [lines[k][1] for k, _ in sites], 0)
    linked = [line for line, _ in lines]
    for n, (k, pos) in enumerate(sites):
        at_start = n < LOOK and pos - start < REACH
        at_end = n >= len(sites) - LOOK and end - pos <= REACH
        packed = f":{_pack(lines[k][1])}" if at_start or at_end else ""
        linked[k] += f"\t{parents[n]}:{odds[n]!r}{packed}"
    return linked


def _read(line: str) -> Site | str:
    """A line of a shard: one that can be phased, or one that is written as it is."""
    if GLUE in line or line.count("\t") < COLUMNS:
        return line
    fields = line.split("\t")
    parent, odds, *packed = fields[COLUMNS].split(":")
    evidence = _unpack(*packed) if packed else None
    return Site(int(fields[1]) - 1, fields[:COLUMNS], int(parent), float(odds), evidence)


def _known(sites: list[Site]) -> int:
    """How many of the sites, from the first on, have their evidence at hand, at most LOOK."""
    known = next((n for n, site in enumerate(sites) if site.evidence is None), len(sites))
    return min(known, LOOK)


class Phaser:
    """Takes the lines of the shards in their order, and gives them back phased.

    What the next shard may still join is held back until it comes.
    """

    def __init__(self):
        self._contig = -1
        self._held: list[Site | str] = []
        self._tail: list[Site] = []

    def feed(self, contig: int, end: int, lines: list[str]) -> list[str]:
        """Add the lines of a shard that ends at `end`; returns those that are finished."""
        finished = self.flush() if contig != self._contig else []
        self._contig = contig
        items = [_read(line) for line in lines]
        sites = [item for item in items if isinstance(item, Site)]
        self._join(sites)
        self._held += items
        near = (self._tail + sites)[-LOOK:]
        known = _known(near[::-1])
        self._tail = [s for s in near[len(near) - known :] if end - s.pos <= REACH]
        keep = len(self._held)
        if self._tail:
            keep = next(k for k, item in enumerate(self._held) if item is self._tail[0])
        finished += [_written(item) for item in self._held[:keep]]
        del self._held[:keep]
        return finished

    def flush(self) -> list[str]:
        """The lines that are held back; nothing more is joined to them."""
        finished = [_written(item) for item in self._held]
        self._held, self._tail = [], []
        return finished

    def _join(self, sites: list[Site]) -> None:
        near = self._tail + sites
        before = len(self._tail)
        known = near[: before + _known(sites)]
        if before and len(known) > before:
            parents, odds = _link(
                [site.pos for site in known], [site.evidence for site in known], before
            )
            for n in range(before, len(known)):
                known[n].parent, known[n].odds = parents[n], odds[n]
        at = {site.pos: site for site in near}
        for site in sites:
            is_clear = 10 * abs(site.odds) >= MIN_PHASE
            site.join(at.get(site.parent) if is_clear else None)


def _written(item: Site | str) -> str:
    return item if isinstance(item, str) else item.line()
