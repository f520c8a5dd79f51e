"""The status of a run as a picture for a terminal: samples by stages, what works, what waits."""

from pathlib import Path

from rich.cells import cell_len
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from lingqu.workflow.phrase import clock, pace, plural, size
from lingqu.workflow.record import DONE, FAILED, INTERRUPTED, PRESENT, RUNNING, WAITING, Step
from lingqu.workflow.sentences import (
    advice,
    cluster,
    detail,
    fault,
    headline,
    remaining,
    steps_done,
)
from lingqu.workflow.status import State, Status

_MARKS = {
    PRESENT: ("✓", "+", "dim green"),
    DONE: ("✓", "+", "green"),
    RUNNING: ("▶", ">", "bold cyan"),
    WAITING: ("·", ".", "dim"),
    FAILED: ("✗", "x", "bold red"),
    INTERRUPTED: ("‖", "|", "yellow"),
}
_QUEUED = ("…", "~", "yellow")
_STYLES = {
    State.FINISHED: "bold green",
    State.FAILED: "bold red",
    State.KILLED: "bold red",
    State.STOPPED: "bold yellow",
    State.PAUSED: "bold yellow",
}
_ORDER = (FAILED, INTERRUPTED, RUNNING, WAITING)
_WARNINGS, _LINES = 3, 12
_NARROW, _BAR, _LONGEST, _PERCENT = 72, 24, 28, 5

Row = dict[str, tuple[int, Step]]
"""The steps of a sample by their rules, each with its number."""


def _standing(row: Row) -> str:
    """How a sample stands: as the step of it that says most."""
    states = {step.state for _, step in row.values()}
    return next((state for state in _ORDER if state in states), DONE)


def _chosen(rows: dict[str, Row], most: int) -> list[str]:
    """The samples to show, in their order: all, or those at work and the next ones."""
    if len(rows) <= most:
        return list(rows)
    order = [*_ORDER, DONE]
    ranked = sorted(rows, key=lambda name: order.index(_standing(rows[name])))
    kept = set(ranked[:most])
    return [name for name in rows if name in kept]


def _rest(rows: list[Row]) -> str:
    """What is not shown, in a line."""
    standing = [_standing(row) for row in rows]
    done, waiting = standing.count(DONE), standing.count(WAITING)
    named = [f"{done:,} done"] * bool(done) + [f"{waiting:,} wait"] * bool(waiting)
    return f"and {plural(len(rows), 'sample')} more" + (f": {', '.join(named)}" if named else "")


class _Picture:
    def __init__(self, status: Status, console: Console, most: int):
        self._status, self._most = status, most
        self._width = console.width
        self._plain = not (console.encoding or "").lower().startswith("utf")
        self._overflow = "crop" if self._plain else "ellipsis"

    def drawn(self, short: bool) -> Group:
        """All of it; `short`: as it stands, and each text in one line that is cut at the edge."""
        parts = self._standing(1 if short else _LINES)
        parts += [] if short else [*self._faults(), *self._end()]
        for part in parts:
            if short and isinstance(part, Text):
                part.no_wrap, part.overflow = True, self._overflow
        return Group(*parts)

    def _standing(self, lines: int) -> list:
        status = self._status
        parts = [Text(headline(status), _STYLES.get(status.state, "bold"))]
        parts += [*self._overall(), *self._samples(), *self._cohort()]
        parts += [
            Text(f"{x['command']} {Path(x['output']).name}: {pace(x)}") for x in status.others
        ]
        parts += [Text(told, "cyan") for told in cluster(status).split("; ", 1) if told]
        for when, text in status.record.told[-_WARNINGS:]:
            told = "\n".join(text.split("\n")[:lines])
            parts.append(Text(f"{clock(when)} {told}", "yellow"))
        return parts

    def _faults(self) -> list:
        parts = []
        for step in self._status.failed[: self._most]:
            head, *rest = fault(self._status, step)
            parts += [Text(f"{clock(step.until)} {head}", "bold red"), *map(Text, rest)]
        more = self._status.failed[self._most :]
        return [*parts, *([Text(f"and {plural(len(more), 'step')} more failed")] if more else [])]

    def _end(self) -> list:
        status = self._status
        made = status.targets() if status.state is State.FINISHED else []
        parts = [Text(f"made     {name}  {size(count)}") for name, count in made]
        if count := len(status.leftovers):
            told = f"{count} of its processes still work here; the next run ends them"
            parts.append(Text(told, "yellow"))
        told = advice(status)
        return [*parts, *([Text(f"To do: {told}", "bold")] if told else [])]

    def _overall(self) -> list:
        counts = self._status.record.counts
        if not counts:
            waits = self._status.state is State.RUNNING
            return [Text("Snakemake works out what is to be done", "dim")] * waits
        told = [steps_done(self._status)]
        told += [remaining(self._status)] if self._status.alive else []
        text = Text(", ".join(filter(None, told)))
        if self._plain or self._width < _NARROW:
            return [text]
        done = _BAR * (counts[DONE] + counts[PRESENT]) // sum(counts.values())
        bar = ("━" * done, "green"), ("━" * (_BAR - done), "dim")
        return [Text.assemble(*bar, "  ", text)]

    def _mark(self, number: int, step: Step) -> Text:
        fine, plain, style = _MARKS[step.state]
        facts = self._status.commands.get(number)
        if step.state == RUNNING and facts and facts["share"]:
            return Text(f"{100 * facts['share']:.0f} %", style)
        if self._status.queued(step):
            fine, plain, style = _QUEUED
        return Text(plain if self._plain else fine, style)

    def _details(self, row: Row) -> Text:
        at_work = [one for one in row.values() if one[1].state in (RUNNING, INTERRUPTED)]
        return Text("; ".join(detail(self._status, *one) for one in at_work))

    def _samples(self) -> list:
        record = self._status.record
        rows: dict[str, Row] = {name: {} for name in record.samples}
        for number, step in record.steps.items():
            if step.sample and step.rule not in record.small:
                rows[step.sample][step.rule] = number, step
        rows = {name: row for name, row in rows.items() if row}
        if not rows:
            return []
        stages = [rule for rule in record.rules if any(rule in row for row in rows.values())]
        chosen = _chosen(rows, self._most)
        more = [row for name, row in rows.items() if name not in set(chosen)]
        table = self._table({name: rows[name] for name in chosen}, stages)
        return [table, *([Text(_rest(more), "dim")] if more else [])]

    def _table(self, rows: dict[str, Row], stages: list[str]) -> Table:
        """Samples by stages, and on a wide terminal what those at work tell."""
        names = min(max(map(cell_len, ("sample", *rows))), _LONGEST)
        widths = [max(cell_len(stage), _PERCENT) for stage in stages]
        room = self._width - names - sum(width + 2 for width in widths) - 3
        wide = self._width >= _NARROW and room > 0
        table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim")
        table.add_column("sample", no_wrap=True, overflow=self._overflow, max_width=names)
        for stage, width in zip(stages, widths, strict=True):
            table.add_column(stage, justify="center", no_wrap=True, min_width=width * wide)
        if wide:
            table.add_column(no_wrap=True, overflow=self._overflow, max_width=room)
        for name, row in rows.items():
            marks = [self._mark(*row[stage]) if stage in row else "" for stage in stages]
            table.add_row(Text(name), *marks, *([self._details(row)] * wide))
        return table

    def _cohort(self) -> list:
        """The steps of no sample, in a line, and what those at work tell."""
        record, line, more = self._status.record, Text(), []
        own = [(n, x) for n, x in record.steps.items() if not x.sample and x.rule in record.rules]
        own = [one for one in own if one[1].rule not in record.small]
        for number, step in sorted(own, key=lambda one: record.rules.index(one[1].rule)):
            line.append(f"{step.rule} ").append(self._mark(number, step)).append("   ")
            if step.state == RUNNING:
                more.append(Text(f"{step.rule}: {detail(self._status, number, step)}"))
        return [*([line] if own else []), *more]


def live(status: Status, console: Console, most: int) -> Group:
    """The picture of a run at work, with `most` samples: a line is a line, however narrow."""
    return _Picture(status, console, most).drawn(short=True)


def whole(status: Status, console: Console, most: int) -> Group:
    """The picture of a run, with what it made, why it failed, and what is to be done."""
    return _Picture(status, console, most).drawn(short=False)
