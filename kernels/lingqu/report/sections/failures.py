"""What failed in the run and why; not shown where all went well."""

from lingqu.report.blocks import Block, code, folded, prose

EACH = False


def gather(numbers: dict) -> list | None:
    """The failures, by `lingqu.report.failures`."""
    return (numbers.get("run") or {}).get("failures") or None


def build(told: list) -> list[Block]:
    """How many, then one line each with the end of its log folded, then what to do."""
    blocks = [prose(["@failures.some", {"count": len(told)}])]
    for failure in told:
        what = {
            "step": failure["rule"],
            "sample": failure["sample"] or "@failures.run",
            "reason": failure["reason"],
        }
        tone = "warn" if failure["state"] == "waiting" else "fail"
        blocks.append(prose([f"@failures.{failure['state']}", what], tone))
        if failure["lines"]:
            blocks.append(folded(failure["log"], [code("\n".join(failure["lines"]))]))
    return [*blocks, prose("@failures.go_on", "quiet")]
