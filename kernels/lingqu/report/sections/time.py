"""What the run took: time, core-hours and memory of each step, and what that cost."""

from lingqu.report.blocks import Block, axis, cards, column, facts, folded, line, plot, steps, table

EACH = False


def gather(numbers: dict) -> dict | None:
    """The run's sums, its rules and its steps."""
    run = numbers.get("run") or {}
    found = {key: run.get(key) or {} for key in ("summary", "rules", "steps")}
    return found if found["steps"] else None


def build(told: dict) -> list[Block]:
    """Core-hours by rule as a picture, the rules, and every job folded."""
    rules = told["rules"]
    names = list(rules)
    hours = [line("@time.core_hours", [rules[name]["core_hours"] for name in names], 1)]
    x, y = axis("@time.rule", names=names), axis("@time.core_hours", low=0)
    picture = plot("@plot.time", x, y, steps(0, len(names)), hours, shape="bars")
    columns = [
        column("@time.rule"),
        column("@time.jobs", "count"),
        column("@time.hours", "hours"),
        column("@time.core_hours", "hours"),
        column("@time.share", "percent"),
        column("@column.memory", "count"),
    ]
    whole = sum(rule["core_hours"] for rule in rules.values())
    rows = [
        [
            name,
            rule["jobs"],
            rule["hours"],
            rule["core_hours"] or None,
            rule["core_hours"] / whole if whole else None,
            rule["memory_mb"] or None,
        ]
        for name, rule in rules.items()
    ]
    sums = [(f"@run.{key}", value, "number") for key, value in told["summary"].items()]
    return [
        facts(sums),
        table(columns, rows, "@table.rules", bare=True),
        *cards([picture]),
        *([folded("@table.steps", [_jobs(told["steps"])])] if told["steps"] else []),
    ]


def _jobs(jobs: list[dict]) -> Block:
    columns = [
        column("@time.rule"),
        column("@column.sample"),
        column("@column.time", "seconds"),
        column("@column.cpu", "seconds"),
        column("@column.memory", "count"),
    ]
    keys = ("rule", "sample", "seconds", "cpu_seconds", "memory_mb")
    rows = [[job.get(key) or None for key in keys] for job in jobs]
    return table(columns, rows, "@table.steps", search=True)
