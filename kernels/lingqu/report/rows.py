"""How nested numbers become the rows of a table."""

from collections.abc import Iterator

from lingqu.report.html import Cell


def flat(told: dict, above: str = "") -> Iterator[tuple[str, Cell]]:
    """The leaves of nested numbers as (name, value); names of inner keys follow a dot."""
    for key, value in told.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, dict) and value:
            yield from flat(value, f"{name}: ")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for number, item in enumerate(value, 1):
                yield from flat(item, f"{name} {number}: ")
        elif isinstance(value, list | dict):
            yield name, ", ".join(map(str, value)) or None
        else:
            yield name, value


def group_rows(stats: dict) -> tuple[list[str], list[list[Cell]]]:
    """Heads and rows of an alignment's counts: the sample, then each of its read groups."""
    groups = stats.get("read_groups", {})
    names = [name for name, value in stats.items() if isinstance(value, int)]
    rows: list[list[Cell]] = [
        [name.replace("_", " "), stats[name], *(group.get(name) for group in groups.values())]
        for name in names
    ]
    for name in ("mean", "sd"):
        sizes = [(group.get("insert_size") or {}).get(name) for group in groups.values()]
        rows += [[f"insert size, {name}", None, *sizes]] if any(sizes) else []
    return ["measure", "sample", *groups], rows
