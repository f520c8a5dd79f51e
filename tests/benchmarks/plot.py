"""SVG figures: the error that qualities claim against that observed; costs against amounts."""

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


def _decades(low: float, high: float) -> range:
    return range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)


def lines_plot(
    series: dict[str, list[tuple[float, float]]], out: Path, across: str, up: str, slope: float
) -> None:
    """Draw points (both > 0) of each name on logarithmic axes; a dashed line: up = slope across."""
    points = [point for each in series.values() for point in each]
    wide = _decades(min(x for x, _ in points), max(x for x, _ in points))
    tall = _decades(min(y for _, y in points), max(y for _, y in points))

    def place(x: float, y: float) -> tuple[float, float]:
        room = SIZE - 2 * MARGIN
        right = (math.log10(x) - wide[0]) / (len(wide) - 1 or 1)
        above = (math.log10(y) - tall[0]) / (len(tall) - 1 or 1)
        return MARGIN + room * right, SIZE - MARGIN - room * above

    bottom = SIZE - MARGIN
    near, far = 10.0 ** wide[0], 10.0 ** wide[-1]
    low, high = 10.0 ** tall[0], 10.0 ** tall[-1]
    begin, end = max(near, low / slope), min(far, high / slope)
    (x0, y0), (x1, y1) = place(begin, begin * slope), place(end, end * slope)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{SIZE}" height="{SIZE}" fill="white"/>',
        f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="#aaa" stroke-dasharray="4"/>',
        f'<path d="M{MARGIN} {MARGIN}V{bottom}H{bottom}" fill="none" stroke="black"/>',
        f'<text x="{SIZE / 2}" y="{SIZE - 15}" text-anchor="middle">{escape(across)}</text>',
        f'<text transform="translate(18 {SIZE / 2}) rotate(-90)" text-anchor="middle">'
        f"{escape(up)}</text>",
    ]
    parts += [
        f'<text x="{place(10.0**k, low)[0]:.1f}" y="{bottom + 18}" text-anchor="middle">'
        f"{10.0**k:,g}</text>"
        for k in wide
    ]
    parts += [
        f'<text x="{MARGIN - 8}" y="{place(near, 10.0**k)[1] + 4:.1f}" text-anchor="end">'
        f"{10.0**k:,g}</text>"
        for k in tall
    ]
    for order, (name, each) in enumerate(series.items()):
        colour = COLOURS[order % len(COLOURS)]
        down = MARGIN + 18 * order
        parts.append(
            f'<circle cx="{MARGIN + 20}" cy="{down}" r="4" fill="{colour}"/>'
            f'<text x="{MARGIN + 30}" y="{down + 4}">{escape(name)}</text>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
            for x, y in (place(*point) for point in each)
        ]
    out.write_text("\n".join([*parts, "</svg>\n"]))
