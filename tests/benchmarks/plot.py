"""One SVG figure: the error that qualities claim, against the error observed."""

import math
from html import escape
from pathlib import Path

import numpy as np
from measure import wilson

SIZE, MARGIN, MOST = 640, 60, 70
COLOURS = ("#d1495b", "#00798c", "#edae49", "#66499d", "#5b8e3e", "#555555")


def _across(quality: float) -> float:
    return MARGIN + (SIZE - 2 * MARGIN) * quality / MOST


def _down(quality: float) -> float:
    return SIZE - _across(quality)


def phred(share: float) -> float:
    """-10 log10 of a share, within the figure."""
    return min(-10 * math.log10(share), MOST) if share > 0 else MOST


def _frame(quality: str) -> list[str]:
    far, end = _across(MOST), _across(0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
        f'<path d="M{end} {_down(0)}L{far} {_down(MOST)}" stroke="#aaa" stroke-dasharray="4"/>',
        f'<path d="M{end} {_down(MOST)}V{_down(0)}H{far}" fill="none" stroke="black"/>',
        f'<text x="{SIZE / 2}" y="{SIZE - 15}" text-anchor="middle">'
        f"claimed: -10 log10 of the share that is wrong by {quality}</text>",
        f'<text transform="translate(18 {SIZE / 2}) rotate(-90)" text-anchor="middle">'
        "observed: -10 log10 of the share wrong, 95 % interval</text>",
    ]
    for tick in range(0, MOST + 1, 10):
        parts.append(
            f'<text x="{_across(tick)}" y="{_down(0) + 18}" text-anchor="middle">{tick}</text>'
            f'<text x="{end - 8}" y="{_down(tick) + 4}" text-anchor="end">{tick}</text>'
        )
    return parts


def _series(name: str, points: np.ndarray, order: int) -> list[str]:
    """Dots with bars of one tool, and its line of the legend; an empty dot: none wrong."""
    colour = COLOURS[order % len(COLOURS)]
    across, down = _across(MOST) - 80, _down(4 * order + 4)
    parts = [
        f'<circle cx="{across}" cy="{down}" r="4" fill="{colour}"/>'
        f'<text x="{across + 10}" y="{down + 4}">{escape(name)}</text>'
    ]
    for claimed, reads, wrong in points:
        x = _across(phred(claimed / reads)) + 2 * order
        low, high = (_down(phred(bound)) for bound in wilson(wrong, reads))
        fill = colour if wrong else "white"
        parts.append(
            f'<path d="M{x:.1f} {low:.1f}V{high:.1f}" stroke="{colour}" opacity="0.5"/>'
            f'<circle cx="{x:.1f}" cy="{_down(phred(wrong / reads)):.1f}"'
            f' r="{1 + 0.5 * math.log10(reads):.1f}" fill="{fill}" stroke="{colour}"/>'
        )
    return parts


def calibration_plot(series: dict[str, np.ndarray], out: Path, quality: str = "MAPQ") -> None:
    """Draw the points of each tool, float64[points, 3]: wrong claimed, all, wrong observed.

    The diagonal is where claims are true.
    """
    parts = _frame(quality)
    for order, (name, points) in enumerate(series.items()):
        parts += _series(name, points, order)
    out.write_text("\n".join([*parts, "</svg>\n"]))
