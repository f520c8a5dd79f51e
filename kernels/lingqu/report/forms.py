"""How numbers look: one table of forms, which assets/forms.js has too."""

from lingqu.report.html import Cell

_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def form(value: Cell, how: str = "number") -> str:
    """`value` as text: a dash for None, words as they are.

    how: count (1,234), short (1.23 M), percent (of a share), depth (31.2×), ratio (2 decimals),
    ratio4, share (of 1), bases, phred, hours, seconds (1 h 12 min), number (4 significant digits),
    text, code.
    """
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _FORMS.get(how, _number)(value)


def _number(value: float) -> str:
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def _short(value: float) -> str:
    for size, prefix in _PREFIXES:
        if abs(value) >= size:
            return f"{float(f'{value / size:.3g}'):g} {prefix}"
    return _number(value)


def _percent(value: float) -> str:
    share = 100 * value
    return f"{share:.3g} %" if abs(share) < 1 else f"{share:.2f} %"


def _depth(value: float) -> str:
    return f"{value:.1f}×" if value < 100 else f"{value:,.0f}×"


def _seconds(value: float) -> str:
    if value < 60:
        return f"{value:.3g} s"
    minutes = int(value / 60 + 0.5)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


_FORMS = {
    "count": lambda value: f"{value:,.0f}",
    "short": _short,
    "percent": _percent,
    "depth": _depth,
    "ratio": lambda value: f"{value:.2f}",
    "ratio4": lambda value: f"{value:.4f}",
    "share": lambda value: f"{value:.2f}",
    "bases": lambda value: f"{value:,.0f} bp",
    "phred": lambda value: f"Q{value:,.0f}",
    "hours": lambda value: _number(value) if value >= 0.01 else "< 0.01",
    "seconds": _seconds,
    "number": _number,
}
