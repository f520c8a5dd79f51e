"""How things of a run are said."""

import os
import time
from pathlib import Path

_TAIL = 1 << 14


def duration(seconds: float) -> str:
    """As people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def clock(when: float) -> str:
    """The time of day."""
    return time.strftime("%H:%M:%S", time.localtime(when))


def date(when: float) -> str:
    """Day and time, with the zone's distance from UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S %z", time.localtime(when))


def plural(count: int, what: str) -> str:
    """`3 steps`, `1 step`."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def size(count: int) -> str:
    """Bytes as people say them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:,.1f} {unit}"


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a log that say something; none where there is no log."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(os.fstat(stream.fileno()).st_size - _TAIL, 0))
            text = stream.read().decode(errors="replace")
    except OSError:
        return []
    lines = (line.rstrip("\r").rpartition("\r")[2].replace("\t", " ") for line in text.split("\n"))
    shown = ("".join(filter(str.isprintable, line)).rstrip() for line in lines)
    return [line for line in shown if line][-count:]


def rate(facts: dict) -> float:
    """Units a second of a command, by what it has left in its journal."""
    return facts["done"] / max(facts["now"] - facts["since"], 1.0)


def left(facts: dict) -> float | None:
    """Seconds that a command will still take as it goes; None where that is not known."""
    if not facts["share"]:
        return None
    return (facts["now"] - facts["since"]) * (1 - facts["share"]) / facts["share"]


def pace(facts: dict) -> str:
    """How far a command is, how fast, and how long it will take."""
    told = [] if facts["what"] == facts["command"] else [facts["what"]]
    told += [f"{facts['done']:,} {facts['unit']}"]
    told += [f"{rate(facts):,.0f}/s"] if rate(facts) >= 1 else []
    told += [] if facts["share"] is None else [f"{100 * facts['share']:.0f} %"]
    seconds = left(facts)
    return ", ".join(told + ([] if seconds is None else [f"{duration(seconds)} left"]))
