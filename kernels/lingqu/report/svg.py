"""A plot of `lingqu.report.blocks` as a still picture, for where no script runs."""

from html import escape
from math import floor, log10

from lingqu.report.blocks import Block, positions
from lingqu.report.forms import form

WIDTH, HEIGHT = 420, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 10, 34
_POINTS = 160


def svg(plot: Block, words) -> str:
    """The picture; words(phrase) is its text."""
    at = positions(plot["at"])
    x = _Scale(at, plot["x"], _LEFT, WIDTH - _RIGHT, half=plot["shape"] == "bars")
    heights = [value for one in plot["series"] for value in _all(one) if value is not None]
    y = _Scale([*heights, 0], plot["y"], HEIGHT - _BOTTOM, _TOP)
    drawn = [_grid(plot, x, y, words)]
    for one in plot["series"]:
        drawn.append(_series(plot["shape"], one, at, x, y))
    title = escape(words(plot.get("alt") or plot["title"]))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" aria-label="{title}"'
        f' font-size="10">{"".join(drawn)}</svg>'
    )


class _Scale:
    """Values to places, linear or logarithmic as the axis says."""

    def __init__(self, values: list, axis: dict, start: float, end: float, half: bool = False):
        step = (values[1] - values[0]) / 2 if half and len(values) > 1 else 0.5 if half else 0
        low, high = min(values, default=0) - step, max(values, default=1) + step
        self.log = bool(axis.get("log")) and high > 0
        self.low = 1 if self.log else axis["low"] if axis.get("low") is not None else low
        self.high = max(axis.get("high") or high, self.low + 1e-9)
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.log:
            low, high, value = 0, log10(high), log10(max(value, 1))
        part = min(1, max(0, (value - low) / (high - low or 1)))
        return round(self.start + part * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Three to six round values."""
        if self.log:
            return [10**n for n in range(int(log10(self.high)) + 1)]
        rough = (self.high - self.low) / 4
        size = 10 ** floor(log10(rough))
        step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= rough * 0.999)
        first = -(-self.low // step)
        count = int((self.high - first * step) / step + 1e-9)
        return [(first + number) * step for number in range(count + 1)]


def _all(one: dict) -> list:
    return one["values"] if "values" in one else [*one["low"], *one["high"]]


def _grid(plot: Block, x: _Scale, y: _Scale, words) -> str:
    parts = []
    for value in y.ticks():
        at = y(value)
        parts.append(f'<path d="M{_LEFT} {at}H{WIDTH - _RIGHT}" stroke="var(--grid)"/>')
        told = escape(form(_whole(value), plot["y"]["form"]))
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 3}" text-anchor="end">{told}</text>')
    for place, name in _names(plot, x):
        parts.append(
            f'<text x="{x(place)}" y="{HEIGHT - 20}" text-anchor="middle">{escape(name)}</text>'
        )
    label = escape(words(plot["x"]["label"]))
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 5}" text-anchor="middle">{label}</text>')
    return f'<g fill="var(--quiet)">{"".join(parts)}</g>'


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _names(plot: Block, x: _Scale) -> list[tuple[float, str]]:
    if names := plot["x"].get("names"):
        return list(enumerate(names))
    if spans := plot["x"].get("spans"):
        kept, last = [], -40.0
        for name, start, end in spans:
            middle = (start + end) / 2
            if x(middle) - last >= 7 * max(2, len(name)):
                kept.append((middle, name))
                last = x(middle)
        return kept
    return [(value, form(_whole(value), plot["x"]["form"])) for value in x.ticks()]


def _series(shape: str, one: dict, at: list, x: _Scale, y: _Scale) -> str:
    colour = f"var(--s-{one['colour']})"
    if "low" in one:
        top = _points(at, one["high"], x, y)
        under = _points(at, one["low"], x, y)[::-1]
        return f'<path d="M{"L".join(top + under)}Z" fill="{colour}" opacity=".18"/>'
    told = [
        (place, value) for place, value in zip(at, one["values"], strict=True) if value is not None
    ]
    if shape == "dots":
        dots = "".join(f'<circle cx="{x(a)}" cy="{y(v)}" r="3"/>' for a, v in told[:600])
        return f'<g fill="{colour}">{dots}</g>'
    if shape == "bars":
        wide = max(1.0, 0.8 * (x.end - x.start) / max(1, len(at)))
        base = y(y.low)
        bars = "".join(
            f'<path d="M{x(a) - wide / 2:.1f} {base}V{y(v)}h{wide:.1f}V{base}z"/>'
            for a, v in told
            if v
        )
        return f'<g fill="{colour}">{bars}</g>'
    line = "L".join(_points(*zip(*told, strict=True), x, y)) if told else ""
    dash = ' stroke-dasharray="4 3"' if one.get("dash") else ""
    path = (
        f'<path d="M{line}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>'
        if line
        else ""
    )
    if line and (shape == "area" or one.get("fill")):
        base = y(y.low)
        area = f"M{x(told[0][0])} {base}L{line}L{x(told[-1][0])} {base}Z"
        path = f'<path d="{area}" fill="{colour}" opacity=".15"/>' + path
    return path


def _points(at, values, x: _Scale, y: _Scale) -> list[str]:
    """At most _POINTS points of a line, evenly taken."""
    every = -(-len(values) // _POINTS)
    pairs = list(zip(at, values, strict=True))[::every]
    return [f"{x(place)} {y(value)}" for place, value in pairs]
