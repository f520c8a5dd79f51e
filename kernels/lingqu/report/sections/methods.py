"""Text for the methods of a paper, with what it cites."""

from lingqu.report.blocks import Block

EACH = False


def gather(numbers: dict) -> dict | None:
    """The text by language: {"en": text, "zh": text}."""
    return (numbers.get("run") or {}).get("methods") or None


def build(told: dict) -> list[Block]:
    """One block to copy."""
    return [{"kind": "copy", "text": told}]
