"""Bars with intervals."""

import math
from collections.abc import Sequence

from recexp.charts.axes import Axis
from recexp.charts.svg import COLORS, WIDTH, Picture, box, label_width, line, text, with_tooltip, x_axis

_STEP = 22


def bars(rows: Sequence[tuple[str, float, float, float]], name: str = "", *, whole: bool = False) -> Picture:
    """Draw (label, value, low, high) from top to bottom, with intervals (NaN for none).

    `name` is the axis's; `whole` writes values as whole numbers.
    """
    left = label_width([label for label, *_ in rows])
    bottom = 20 + _STEP * len(rows)
    ends = [end for _, value, low, high in rows for end in (value, low, high) if math.isfinite(end)]
    axis = Axis.of([0.0, *ends], left, WIDTH - 70)
    written = ",.0f" if whole else ".4f"
    parts = [x_axis(axis, 10, bottom, name)]
    for number, (label, value, low, high) in enumerate(rows):
        y = 12 + number * _STEP
        tooltip = f"{label}: {value:{written}}" + (f" ({low:.4f} to {high:.4f})" if math.isfinite(low) else "")
        edge = end = axis.pixel(value)
        drawn = text(left - 8, y + 12, label, "end")
        drawn += box(min(axis.pixel(0), end), y + 2, abs(end - axis.pixel(0)), 14, COLORS[0])
        if math.isfinite(low):
            edge = axis.pixel(high)
            drawn += line(axis.pixel(low), y + 9, edge, y + 9, "ink")
            drawn += "".join(line(axis.pixel(x), y + 5, axis.pixel(x), y + 13, "ink") for x in (low, high))
        parts.append(
            with_tooltip(tooltip, drawn + text(max(edge, end, axis.pixel(0)) + 6, y + 13, f"{value:{written}}"))
        )
    return Picture(WIDTH, bottom + (44 if name else 24), "".join(parts))
