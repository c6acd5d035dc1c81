"""Values with intervals by group."""

import math
from collections.abc import Mapping, Sequence

from recexp.charts import svg
from recexp.charts.axes import Axis
from recexp.charts.svg import COLORS, HEIGHT, WIDTH, Picture, text

_LEFT, _RIGHT, _BELOW = 62, 20, 46


def grouped(
    series: Mapping[str, Sequence[tuple[float, float, float] | None]], y_name: str, groups: Sequence[tuple[str, str]]
) -> Picture:
    """Draw (value, low, high) of each group side by side by name, in the order of the names; None: there is none.

    `groups` are two lines of text each, what the group is and how many are in it; an interval that is not finite is not
    drawn.
    """
    labels, head = svg.legend(list(series), _LEFT)
    top, bottom = 16 + head, HEIGHT + head - _BELOW
    known = [point for points in series.values() for point in points if point is not None]
    up = Axis.of([value for point in known for value in point if math.isfinite(value)], bottom, top)
    width = (WIDTH - _LEFT - _RIGHT) / len(groups)
    step = min(16.0, 0.8 * width / len(series))
    parts = [svg.y_axis(up, _LEFT, WIDTH - _RIGHT, y_name), svg.line(_LEFT, bottom, WIDTH - _RIGHT, bottom, "axis")]
    for number, lines in enumerate(groups):
        middle = _LEFT + (number + 0.5) * width
        parts += [text(middle, bottom + 2 + 16 * row, words, "middle") for row, words in enumerate(lines, start=1)]
        if number:
            parts.append(svg.line(middle - width / 2, top, middle - width / 2, bottom, "grid"))
    for number, (label, points) in enumerate(series.items()):
        color, drawn = COLORS[number % len(COLORS)], labels[number]
        for group, point in enumerate(points):
            if point is not None and math.isfinite(point[0]):
                x = _LEFT + (group + 0.5) * width + (number - (len(series) - 1) / 2) * step
                value, low, high = point
                if math.isfinite(low):
                    drawn += svg.line(x, up.pixel(low), x, up.pixel(high), "spread")
                dot = svg.dot(x, up.pixel(value), 4, color)
                drawn += svg.with_tooltip(f"{label}, {groups[group][0]}: {value:.4f} ({low:.4f} to {high:.4f})", dot)
        parts.append(f"<g>{drawn}</g>")
    return Picture(WIDTH, HEIGHT + head, "".join(parts))
